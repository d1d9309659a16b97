"""`tierstream policy backtest`: what another policy would have made of the past."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
from cyclopts import Parameter, validators

from agents.backtest.files import write_differences
from agents.backtest.journals import DATASETS, History, history_of
from agents.backtest.lives import SINCE_EVER
from agents.backtest.page import write_page
from agents.backtest.run import Backtest
from agents.backtest.run import backtest as compare
from agents.backtest.sample import Sample, of_number, of_share
from agents.backtest.unit import Plan
from agents.backtest.words import Named, plain
from agents.cli.options import AsJson, ConfigPath, instant_of, print_json, print_table, progress_bar, say, settings_of
from agents.errors import ConfigurationError
from agents.policy_files import configured_policy, policy_from_file
from agents.replay.fold import FOR_EVER
from agents.settings import Settings
from schemas.money import decimal_to_minor
from streams.policy.model import Ladder, Policy
from streams.policy.parse import canonical

ACTIVE = "active"
PERCENT_MAX = 100
INPUT = "A journal in a file, JSONL or Parquet, or a JSONL file of plain events; the journal in Kafka by default."
DATASET = "Public purchases instead."
FROM = "Instant from which on changes count; what came before is folded all the same."
TO = "Instant up to which time passes; what was recorded later is left out."
SAMPLE = "Fewer customers, for speed: a share as 5%, or a number. Shares then come with their standard error."
LADDER = "The ladder that is compared; the new policy's first public one by default."
COST = "What a tier's benefits cost per customer and month, as gold=2.50; may be given several times."


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Past:
    """What is folded."""

    input: Annotated[Path | None, Parameter(help=INPUT)] = None
    dataset: Annotated[Literal["cdnow", "completejourney"] | None, Parameter(help=DATASET)] = None
    begin: Annotated[str | None, Parameter(name="--from", help=FROM)] = None
    to: Annotated[str | None, Parameter(help=TO)] = None
    sample: Annotated[str | None, Parameter(help=SAMPLE)] = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Measure:
    """What is compared and reckoned."""

    ladder: Annotated[str | None, Parameter(help=LADDER)] = None
    cost: Annotated[tuple[str, ...], Parameter(help=COST, negative="", show_default=False)] = ()


def backtest(
    new: Path,
    /,
    *,
    against: str = ACTIVE,
    past: Past = Past(),
    measure: Measure = Measure(),
    out: Path | None = None,
    jobs: Annotated[int | None, Parameter(validator=validators.Number(gt=0))] = None,
    config: ConfigPath = None,
    json: AsJson = False,
) -> None:
    """Fold the past under a new policy and the current one side by side: who would stand elsewhere, when and why.

    Both decide from the first event on, as if they had always held. No worker is asked, and none notices.

    Example: tierstream policy backtest stricter.toml --cost gold=2.50 --out stricter

    Parameters
    ----------
    new
        The policy to try.
    against
        A policy file to compare with; `active` is what was activated, or the settings' policy for plain events.
    out
        Folder for report.html, differences.csv, differences.jsonl and backtest.json. They hold customers' ids.
    jobs
        Processes; one per processor by default.
    """
    refuse_both(past.input, past.dataset)
    settings = settings_for(settings_of(config), past.dataset)
    policy = policy_from_file(new, settings)
    chosen = _ladder(policy, measure.ladder)
    costs = dict(_cost(text, policy, chosen) for text in measure.cost)
    plan = Plan(new=canonical(policy), ladder=chosen.id, dedupe=settings.intake.dedupe, **_span(past)._asdict())
    with history_of(past.input, past.dataset, settings) as history:
        current = _current(against, history, settings)
        sample = _sample(past.sample, history)
        plan = msgspec.structs.replace(plan, current=canonical(current) if current else "")
        with progress_bar("Folding under both policies") as told:
            done = compare(history.journal, plan, sample=sample, jobs=jobs, told=told)
    named = Named(done, policy.currency, costs)
    title = f"{current.name if current else 'what was active'} against {policy.name}"
    summary = {"against": current.name if current else ACTIVE, "new": policy.name, "ladder": chosen.id, **plain(named)}
    if out is not None:
        write_differences(out, done.tally.differences, done.tally.tiers, policy.currency, summary)
        write_page(out, named, title)
    if json:
        print_json({**summary, "left_out": history.left_out, "out": str(out) if out else None})
    else:
        _print(named, history, out)


class _Span(NamedTuple):
    begin: int
    until: int


def _span(past: Past) -> _Span:
    begin, until = instant_of(past.begin, "--from"), instant_of(past.to, "--to")
    span = _Span(SINCE_EVER if begin is None else begin, FOR_EVER if until is None else until)
    if span.begin >= span.until:
        raise ConfigurationError("--from does not lie before --to.", where=f"--from {past.begin} --to {past.to}")
    return span


def refuse_both(file: Path | None, dataset: str | None) -> None:
    """Raise ConfigurationError when two sources are named."""
    if file is not None and dataset is not None:
        raise ConfigurationError("--input and --dataset exclude each other.", next_step="name one of them")


def settings_for(settings: Settings, dataset: str | None) -> Settings:
    """The settings, with a data set's currency and zone where they leave these open."""
    if dataset is None:
        return settings
    chosen = DATASETS[dataset]
    policy = msgspec.structs.replace(
        settings.policy,
        currency=settings.policy.currency or chosen.currency,
        time_zone=settings.policy.time_zone or chosen.time_zone,
    )
    return msgspec.structs.replace(settings, policy=policy)


def _current(against: str, history: History, settings: Settings) -> Policy | None:
    if against != ACTIVE:
        return policy_from_file(Path(against), settings)
    return None if history.has_policies else configured_policy(settings)


def _ladder(policy: Policy, wanted: str | None) -> Ladder:
    known = {ladder.id: ladder for ladder in policy.ladders}
    if wanted is None:
        return next((ladder for ladder in policy.ladders if ladder.audience == "public"), policy.ladders[0])
    if wanted not in known:
        raise ConfigurationError(f"The new policy has no ladder `{wanted}`.", why=f"its ladders are {', '.join(known)}")
    return known[wanted]


def _cost(text: str, policy: Policy, ladder: Ladder) -> tuple[str, int]:
    tier, _, amount = text.partition("=")
    known = [each.id for each in ladder.tiers]
    if tier not in known:
        raise ConfigurationError(
            f"--cost {text}: there is no tier `{tier}`.", why=f"the tiers of `{ladder.id}` are {', '.join(known)}"
        )
    try:
        return tier, decimal_to_minor(amount, policy.currency)
    except ValueError as error:
        raise ConfigurationError(f"--cost {text} is no amount.", why=str(error), next_step="as gold=2.50") from error


def _sample(text: str | None, history: History) -> Sample:
    if text is None:
        return Sample()
    try:
        figure = float(text.removesuffix("%").strip())
    except ValueError:
        figure = 0.0
    if text.endswith("%") and 0 < figure <= PERCENT_MAX:
        return of_share(figure / PERCENT_MAX)
    if figure >= 1 and figure.is_integer() and not text.endswith("%"):
        return of_number(history.journal, int(figure))
    raise ConfigurationError(f"--sample {text} is no sample.", next_step="a share such as 5%, or a number such as 2000")


def _print(named: Named, history: History, out: Path | None) -> None:
    done = named.done
    for why, count in history.left_out.items():
        say(f"  left out: {count:,} {why}")
    say(named.who())
    print_table(("tier", "current", "", "new", "", "change"), named.tier_rows())
    say("")
    for words, estimate in named.moves():
        say(f"{estimate.customers:,} ({named.share(estimate)}) stand {words}.")
    _print_moves(named)
    say("")
    print_table(("tier changes", "current", "new"), named.flap_rows())
    if named.per_month:
        say("")
        print_table(("cost of benefits", "current", "new", "difference"), named.cost_rows())
    say("")
    _print_speed(done)
    if out is None:
        say("Nothing was written: --out DIR makes a report with charts and a list of the customers.")
    else:
        say(f"Report, list of customers and figures are in {out}.")


def _print_moves(named: Named) -> None:
    if not named.done.tally.whys:
        return
    say("")
    columns = ("who stands elsewhere at the end", "customers", "share", "spend 365 d", "high risk")
    print_table(columns, named.flow_rows())
    say("")
    print_table(("why", "customers", "current", "new"), named.why_rows())
    customers, spend, at_risk = named.falling()
    if customers:
        risk = f"; {at_risk:,} of them are at high or very high risk" if named.done.tally.judged_risk else ""
        say(f"\nThose who stand lower spent {named.money(spend)} within 365 days{risk}.")


def _print_speed(done: Backtest) -> None:
    tally = done.tally
    say(f"{tally.records:,} events folded twice in {done.seconds:.1f} s by {done.processes} processes.")
