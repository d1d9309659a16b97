"""`tierstream policy shadow`: tries a policy on live traffic, tells what it would change, puts it in force."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from agents.cli.options import AsJson, ConfigPath, instant_of, print_json, print_table, progress_bar, say, settings_of
from agents.errors import ConfigurationError
from agents.policy_files import policy_from_file
from agents.reason_words import reasons_of
from agents.shadow.pair import BANDS, NO_TIER
from agents.shadow.view import LadderView, View, view_of
from schemas.clock import format_instant
from schemas.decisions import TierRef
from schemas.shadow import ShadowChanged
from streams.policy.parse import load_canonical

app = App(name="shadow")

NEWEST = 10
NewPolicy = Annotated[
    Path | None, Parameter(help="The policy file to try; without one, the process joins the trial that is under way.")
]
Since = Annotated[
    str | None,
    Parameter(
        name="--from",
        help="From when on the candidate decides in the shadow: `now`, the default, as if it were activated; `start`, "
        "as if it had always been in force; or an instant of the past.",
    ),
]
ShowIds = Annotated[
    bool, Parameter(name="--ids", negative="", show_default=False, help="Name the customers. Mind where this is kept.")
]
Newest = Annotated[int, Parameter(help="How many of the newest differences are listed.")]


@app.default
def run(new: NewPolicy = None, /, *, since: Since = None, config: ConfigPath = None) -> int:
    """Try a policy beside the live one until SIGTERM, Ctrl-C or the trial's end. Start more of them to share the work.

    Folds the journal by itself, first what was, then live, and publishes on `shadow-changes` whose standing begins,
    changes or ceases to differ. Live topics, groups and states are never written. One candidate is tried at a time; a
    process that was killed goes on where it stood. Exit codes: 2 settings, 15 bug, 16 no broker.

    Example: tierstream policy shadow new.toml --from start
    """
    settings = settings_of(config)
    from agents.shadow.control import begin_trial, required_trial
    from agents.shadow.run import run_shadow

    if new is None and since is not None:
        raise ConfigurationError("--from begins a trial, and a trial needs a policy.", next_step="name its file")
    if new is None:
        trial = required_trial(settings)
    else:
        trial = begin_trial(settings, policy_from_file(new, settings), _since(since))
    return run_shadow(settings, trial, progress_bar)


@app.command
def show(*, ids: ShowIds = False, newest: Newest = NEWEST, config: ConfigPath = None, json: AsJson = False) -> None:
    """Show how many customers would stand elsewhere, from where to where, why, and how far behind the trial is.

    Read from the cluster alone: no shadow needs to run.

    Example: tierstream policy shadow show
    """
    settings = settings_of(config)
    from agents.shadow.control import required_trial

    view = view_of(settings, required_trial(settings), newest)
    if json:
        print_json(_as_json(view, ids=ids))
        return
    say(_head(view))
    for ladder in view.ladders:
        _show_ladder(ladder)
    if view.newest:
        say("\nNewest differences")
        columns = ("since", "what", "live", "candidate", "decided by", "because", *(("customer",) if ids else ()))
        print_table(columns, (row for one in view.newest for row in _rows(one, ids=ids)))
    say("\nTo put it in force: tierstream policy shadow promote. To end the trial: tierstream policy shadow drop")


@app.command
def promote(
    *,
    effective_at: Annotated[
        str | None, Parameter(help="Instant from which it holds, with its offset; now by default.")
    ] = None,
    config: ConfigPath = None,
    json: AsJson = False,
) -> None:
    """Put the candidate in force for all customers, as `policy activate` does, and end the trial: both, or neither.

    Example: tierstream policy shadow promote
    """
    settings = settings_of(config)
    from agents.cli.policy_activate import announced, not_before_now
    from agents.cli.policy_activate import instant_of as effective
    from agents.model_activation import unfit_under
    from agents.recount.plan import plan_for
    from agents.shadow.control import required_trial
    from agents.shadow.ending import clean_up
    from agents.shadow.ending import promote as put_in_force

    trial = required_trial(settings)
    instant, plan = effective(effective_at, settings, what="policy"), plan_for(settings, load_canonical(trial.text))
    with announced(plan) as progress:
        activation = put_in_force(settings, trial, plan, lambda: not_before_now(instant, settings), progress)
    since, unfit = format_instant(activation.effective_at), unfit_under(settings, activation)
    removed = clean_up(settings, trial).records
    if json:
        told = {"name": trial.name, "hash": trial.hash, "effective_at": since, "model_unfit": unfit}
        print_json({**told, "removed": removed})
        return
    say(f"Policy {trial.name} ({trial.hash[:12]}) holds from {since} on; the trial is over.")
    say(f"{removed:,} customers' differences were removed from shadow-changes.")
    if unfit is not None:
        say(f"The activated churn model does not fit it: {unfit}. The policy's own model decides until you")
        say("activate one that fits: tierstream fit, then tierstream model activate FILE")


@app.command
def drop(*, config: ConfigPath = None, json: AsJson = False) -> None:
    """End the trial and remove all that it left: its records, its group, its snapshots on this machine.

    Also finishes what a promote or drop that was interrupted left to do. Processes end by themselves.

    Example: tierstream policy shadow drop
    """
    settings = settings_of(config)
    from agents.shadow.control import trial_under_way
    from agents.shadow.ending import clean_up
    from agents.shadow.ending import drop as end

    trial = trial_under_way(settings)
    dropped = end(settings)
    removed = clean_up(settings, trial).records
    if json:
        print_json({"dropped": dropped, "name": trial and trial.name, "removed": removed})
        return
    say(f"The trial of {trial.name} is dropped." if trial and dropped else "No policy was tried.")
    say(f"{removed:,} customers' differences were removed from shadow-changes.")


def _since(text: str | None) -> str | None:
    """`now`, `start`, or an instant as it is written everywhere."""
    if text is None or text in {"now", "start"}:
        return text
    instant = instant_of(text, "--from")
    return None if instant is None else format_instant(instant)


def _head(view: View) -> str:
    decides = "as if it had always been in force" if view.from_start else f"in force since {view.effective_at}"
    share = f" ({view.differing / view.customers:.1%})" if view.customers else ""
    lines = [
        f"Policy {view.policy} ({view.hash[:12]}) has been tried since {view.started_at}, {decides}.",
        f"{view.customers:,} customers are compared; {view.differing:,} would stand elsewhere{share}.",
        f"{view.begun:,} differences began so far, {view.ended:,} ended.",
    ]
    behind = view.behind
    if behind.partitions_unopened:
        lines.append(f"{behind.partitions_unopened} partitions have told nothing yet: is a shadow running?")
    if behind.records:
        lines.append(f"Behind the journal by {behind.records:,} records, {behind.seconds:,.0f} s.")
    elif not behind.partitions_unopened:
        lines.append("Level with the journal.")
    return "\n".join(lines)


def _show_ladder(view: LadderView) -> None:
    moves = f"{view.differing:,} would stand elsewhere"
    if view.ladder != BANDS:
        moves += f", {view.higher:,} of them higher and {view.lower:,} lower"
    say(f"\n{'Churn risk' if view.ladder == BANDS else f'Ladder {view.ladder}'}: {moves}")
    columns = sorted({shadow for flows in view.flows.values() for shadow in flows}, key=_none_first)
    rows = (
        (live, *(f"{flows[shadow]:,}" if shadow in flows else "-" for shadow in columns))
        for live, flows in sorted(view.flows.items(), key=lambda item: _none_first(item[0]))
    )
    print_table(("live \\ candidate", *columns), rows)


def _none_first(name: str) -> tuple[bool, str]:
    return name != NO_TIER, name


def _rows(one: ShadowChanged, *, ids: bool) -> list[tuple[str, ...]]:
    named = (one.customer_id,) if ids else ()
    because = "; ".join(reasons_of(one)) or one.cause
    if one.difference == "ended":
        return [(one.effective_at, "level again", "", "", one.moved, because, *named)]
    found = [(d.since, d.ladder, _name(d.live), _name(d.shadow), one.moved, because, *named) for d in one.ladders]
    if one.risk is not None:
        risk = one.risk
        found.append((risk.since, BANDS, risk.live or NO_TIER, risk.shadow or NO_TIER, one.moved, because, *named))
    return found


def _name(tier: TierRef | None) -> str:
    return NO_TIER if tier is None else tier.id


def _as_json(view: View, *, ids: bool) -> dict[str, object]:
    import msgspec

    told: dict[str, object] = msgspec.to_builtins(view)
    if not ids:
        for one in told["newest"]:  # type: ignore[attr-defined]  # a list of objects
            del one["customer_id"]
    return told
