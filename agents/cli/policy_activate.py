"""`tierstream policy activate`: puts a policy in force, after counting anew what it needs of the past."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter, validators
from rich.console import Console

from agents.cli.options import AsJson, ConfigPath, print_json, progress_bar, say, settings_of
from agents.errors import ConfigurationError
from agents.model_activation import unfit_under
from agents.policy_files import configured_policy, policy_from_file
from agents.recount.partition import Counted
from agents.recount.plan import Plan, plan_for
from agents.recount.run import CUSTOMERS_PER_S, Work, recount_and_activate, withdraw
from agents.settings import Settings
from schemas.clock import format_instant, parse_instant
from streams.policy.model import OrderFilter

SKEW_MS_MAX: Final = 60_000
"""How far clocks may differ: an activation older than this would change standings that are published already."""
TOLD_EVERY_S: Final = 10
AT: Final = "Instant from which it holds, with its offset; now by default."
JOBS: Final = "Processes that count anew, where that is needed; one per processor by default."
PACE: Final = "Customers restated a second, where that is needed: the slower, the less live events are delayed."
SNAPSHOTS: Final = "Folder for snapshots while counting anew: an interrupted command then goes on from the newest. "

Positive = validators.Number(gt=0)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Recounting:
    """How what the policy needs of the past is counted."""

    jobs: Annotated[int | None, Parameter(help=JOBS, validator=Positive)] = None
    pace: Annotated[float, Parameter(help=PACE, validator=Positive)] = CUSTOMERS_PER_S
    snapshots: Annotated[Path | None, Parameter(help=SNAPSHOTS + "They hold customers' ids.")] = None


def put_in_force(
    file: Annotated[Path | None, Parameter(help="A policy file; the settings' policy by default.")] = None,
    /,
    *,
    effective_at: Annotated[str | None, Parameter(help=AT)] = None,
    recounting: Recounting | None = None,
    config: ConfigPath = None,
    json: AsJson = False,
) -> None:
    """Put a policy in force, everywhere or nowhere, for all customers from one instant on.

    One that filters by a category or store that is not counted yet has the journal folded again first, and holds when
    every customer is counted; nothing is published meanwhile, and the policy before it goes on. Interrupted, the same
    command again goes on; `tierstream policy abandon` gives up.

    Example: tierstream policy activate policy.toml --effective-at 2026-12-01T00:00:00+08:00
    """
    settings = settings_of(config)
    policy = policy_from_file(file, settings) if file else configured_policy(settings)
    instant = instant_of(effective_at, settings, what="policy")
    plan, how = plan_for(settings, policy), recounting or Recounting()
    with announced(plan) as progress:
        activation, counted = recount_and_activate(
            settings,
            policy,
            plan,
            lambda: not_before_now(instant, settings),
            work=Work(how.jobs, how.pace, str(how.snapshots or "")),
            told=progress,
        )
    since = format_instant(activation.effective_at)
    unfit = unfit_under(settings, activation)
    if json:
        answer = {"name": policy.name, "hash": policy.hash, "effective_at": since, "model_unfit": unfit}
        print_json(answer | ({} if counted is None else {"counted": _plain(plan, counted)}))
        return
    if counted is not None:
        say(f"{counted.customers:,} customers are counted for it, {counted.restated:,} of them anew.")
    say(f"Policy {policy.name} ({policy.hash[:12]}) holds from {since} on.")
    if unfit is not None:
        say(f"The activated churn model does not fit it: {unfit}. The policy's own model decides until you")
        say("activate one that fits: tierstream fit, then tierstream model activate FILE")


def abandon(*, config: ConfigPath = None, json: AsJson = False) -> None:
    """Give up an activation that was ended while it counted the past anew: nobody is counted for its policy any more.

    The policy in force goes on, nothing is published. What was counted leaves each customer's state with their next
    event; to activate that policy later counts all of it again. An activation that still runs ends with an error.

    Example: tierstream policy abandon
    """
    names = [where.name for where in withdraw(settings_of(config))]
    if json:
        print_json({"withdrawn": names})
    elif names:
        say(f"Withdrawn: {', '.join(names)}. The workers count it no longer.")
    else:
        say("The workers know of no counters that wait for a policy; what they have not read yet is withdrawn.")


def unfinished_words(filters: tuple[OrderFilter, ...]) -> str:
    """An activation that declared counters and has not come."""
    names = ", ".join(where.name for where in filters)
    return (
        f"Counted for a policy that has not come: {names}. If no activation is running, run the same one again "
        "(tierstream policy activate FILE), or give it up: tierstream policy abandon"
    )


def plan_words(plan: Plan) -> str:
    """What an activation does first."""
    names = ", ".join(where.name for where in plan.filters)
    if plan.cut:
        return f"Not counted yet: {names}. The journal cannot be folded again, as its beginning is gone."
    minutes = plan.seconds / 60
    about = f"about {minutes:,.0f} minutes" if minutes >= 1 else "less than a minute"
    return (
        f"Not counted yet: {names}. Activation folds the {plan.records:,} records of the journal again, which takes "
        f"{about} on this machine, and then restates each customer once. Nothing is published meanwhile; the policy "
        "holds when all are counted."
    )


def told(text: str) -> None:
    """A line on standard error: what is going on is no answer."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(text, markup=False)


def instant_of(text: str | None, settings: Settings, *, what: str) -> int:
    """The instant of `--effective-at`, now by default; ConfigurationError for one in the past."""
    now = _now()
    try:
        instant = parse_instant(text) if text else now
    except ValueError as error:
        raise ConfigurationError(f"--effective-at {text} is no instant.", why=str(error)) from error
    if settings.intake.clock == "broker" and instant < now - SKEW_MS_MAX:
        raise ConfigurationError(
            f"A {what} cannot be put in force in the past.",
            where=f"--effective-at {text}",
            why="standings since then are published already",
            next_step="leave --effective-at out, or name an instant to come",
        )
    return instant


def _now() -> int:
    return int(time.time() * 1000)


def not_before_now(instant: int, settings: Settings) -> int:
    """The instant that was asked for, if it did not pass while the past was counted."""
    return max(instant, _now()) if settings.intake.clock == "broker" else instant


@contextmanager
def announced(plan: Plan) -> Iterator[Callable[[int, int], None]]:
    """Say what is counted anew, if anything is; then a bar on a terminal, elsewhere a line every few seconds."""
    if not plan.filters:
        yield lambda _done, _total: None
        return
    told(plan_words(plan))
    if sys.stderr.isatty():
        with progress_bar("Folding the journal again") as bar:
            yield bar
        return
    last = [time.monotonic()]

    def line(done: int, total: int) -> None:
        if time.monotonic() - last[0] >= TOLD_EVERY_S:
            last[0] = time.monotonic()
            told(f"{min(done, total):,} of {total:,} records folded" + ("; restating" if done >= total else ""))

    yield line


def _plain(plan: Plan, counted: Counted) -> dict[str, object]:
    return {
        "counters": [where.name for where in plan.filters],
        "events": counted.events,
        "customers": counted.customers,
        "restated": counted.restated,
        "stale": counted.stale,
    }
