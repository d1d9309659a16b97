"""Ladders: read from `[[ladder]]` with their clocks, and the checks between their tiers."""

import re
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

from streams.policy.conditions import Context, read_rise
from streams.policy.document import Node, PolicyError
from streams.policy.model import Clock, Ladder, Requirement, Span, Tier, comparisons
from streams.policy.reading import Table, quoted
from streams.policy.tiers import TIER_HINT, note_idle_keep, note_unreachable, read_tier
from streams.policy.windows import MONTHS_PER_YEAR, is_day_of_year

KEYS: Final = (
    "id",
    "audience",
    "review",
    "validity",
    "grace",
    "keep_ratio",
    "step_down",
    "minimum",
    "balance",
    "tier",
)
CLOCKS: Final[tuple[Clock, ...]] = ("continuous", "calendar-year", "fixed-year", "anniversary")
GRACE_DAYS_MAX: Final = 3_650
VALIDITY: Final = re.compile(r"(\d{1,4}) (day|month|year|period)s?")
VALIDITY_HINT: Final = 'validity = "12 months", "365 days" or, where a clock reviews, "2 periods"'
VALIDITY_DAYS_MAX: Final = 3_650
REVIEW_HINT: Final = 'review = { clock = "anniversary" }'
YEAR_START: Final = re.compile(r"(\d{2})-(\d{2})")


class Review(NamedTuple):
    """When `keep` is asked for."""

    clock: Clock = "continuous"
    anniversary_of: Literal["tier", "membership"] = "tier"
    year_start: tuple[int, int] = (1, 1)


def read_ladders(document: Table, currency: str | None) -> tuple[Ladder, ...] | None:
    """Read every `[[ladder]]`; None if one of them has a mistake."""
    nodes = document.array("ladder", hint=f'[[ladder]] with id = "…", then {TIER_HINT}')
    ids = tuple(str(given.value) for node in nodes if (given := node.table().get("id")) is not None)
    context = Context(currency, "", ids, churn=document.find("churn") is not None)
    ladders = [_read_ladder(node, context, document.mistakes) for node in nodes]
    note_repeated_ids(nodes, "ladder", document)
    complete = tuple(ladder for ladder in ladders if ladder is not None)
    return complete if len(complete) == len(nodes) else None


def note_repeated_ids(nodes: list[Node], kind: str, document: Table) -> None:
    """Note every id that an element before has already."""
    seen: dict[object, Node] = {}
    for node in nodes:
        given = node.table().get("id")
        if given is None or not isinstance(given.value, str):
            continue
        first = seen.setdefault(given.value, given)
        if first is not given:
            document.note(given, f"the id `{given.value}` is taken: the {kind} at line {first.line} has it")


def _read_ladder(node: Node, context: Context, mistakes: list[PolicyError]) -> Ladder | None:
    table = Table(node, KEYS, mistakes)
    before = len(mistakes)
    ladder_id = table.identifier("id", hint='an id, such as id = "standing"')
    keep_ratio = _read_keep_ratio(table)
    review = _read_review(table)
    context = context._replace(balance=_choice(table, "balance", ("spend", "orders")) or "")
    minimum = _read_minimum(table, context)
    nodes = table.array("tier", hint=TIER_HINT)
    tiers = [read_tier(part, rank, context, keep_ratio, mistakes) for rank, part in enumerate(nodes, 1)]
    note_repeated_ids(nodes, "tier", table)
    note_unreachable(nodes, tiers, table)
    complete = tuple(tier for tier in tiers if tier is not None)
    validity = _read_validity(table, review.clock)
    if review.clock == "continuous" and table.find("validity") is None:
        note_idle_keep(nodes, tiers, table)
    ladder: dict[str, Any] = {
        "grace_days": table.days("grace", low=0, high=GRACE_DAYS_MAX) or 0,
        "audience": _choice(table, "audience", ("public", "internal")) or "public",
        "validity": validity,
        "step_down": _read_step_down(table, len(nodes)),
    }
    _note_idle_deductions(table, complete, context, review)
    if ladder["step_down"] and review.clock == "continuous" and not ladder["grace_days"]:
        table.note(table.find("step_down"), f"all its steps would come at once: add grace, or {REVIEW_HINT}")
    if ladder_id is None or not complete or len(complete) < len(nodes) or len(mistakes) > before:
        return None
    return Ladder(
        id=ladder_id,
        tiers=complete,
        keep_ratio=float(keep_ratio),
        minimum=minimum,
        balance=context.balance,
        **ladder,
        **review._asdict(),
    )


def _read_keep_ratio(table: Table) -> Decimal:
    keep_ratio = table.number("keep_ratio")
    if keep_ratio is not None and not 0 < keep_ratio <= 1:
        table.note(table.find("keep_ratio"), "has to be above 0 and at most 1, such as 0.9")
        return Decimal(1)
    return Decimal(1) if keep_ratio is None else keep_ratio


def _read_review(ladder: Table) -> Review:
    """Read `review`: the clock, and what it needs to run."""
    node = ladder.find("review")
    if node is None:
        return Review()
    table = Table(node, ("clock", "of", "starts"), ladder.mistakes)
    if not isinstance(node.value, dict):
        return Review()
    table.text("clock", hint=f"clock = {', '.join(CLOCKS)}")
    clock: Clock = _choice(table, "clock", CLOCKS) or "continuous"
    of, starts = _choice(table, "of", ("tier", "membership")), table.text("starts")
    if of is not None and clock != "anniversary":
        table.note(table.find("of"), 'says whose anniversary it is: only for clock = "anniversary"')
    year_start = (1, 1)
    if starts is not None and clock != "fixed-year":
        table.note(table.find("starts"), 'says when the year begins: only for clock = "fixed-year"')
    elif clock == "fixed-year":
        written = YEAR_START.fullmatch(starts or "")
        if written is not None and is_day_of_year(int(written[1]), int(written[2])):
            year_start = int(written[1]), int(written[2])
        elif starts is not None:
            table.note(table.find("starts"), 'has to be a month and a day that every year has, such as "03-01"')
        elif table.find("starts") is None:
            table.find("starts", hint='starts = "03-01": the month and day on which the year begins')
    return Review(clock, of or "tier", year_start)


def _read_validity(table: Table, clock: Clock) -> Span | None:
    text = table.text("validity")
    if text is None:
        return None
    written = VALIDITY.fullmatch(text)
    if written is None or not int(written[1]):
        table.note(table.find("validity"), f"{text!r} is no length of time; write {VALIDITY_HINT}")
        return None
    count, unit = int(written[1]), written[2]
    days = {"day": 1, "month": 31, "year": 366, "period": 366}[unit] * count
    if days > VALIDITY_DAYS_MAX:
        table.note(table.find("validity"), f"has to be at most {VALIDITY_DAYS_MAX} days")
        return None
    if unit == "period" and clock == "continuous":
        table.note(table.find("validity"), f"counts periods of a clock: add {REVIEW_HINT}, or give months or days")
    match unit:
        case "day":
            return Span(days=count)
        case "period":
            return Span(periods=count)
        case _:
            return Span(months=count * (MONTHS_PER_YEAR if unit == "year" else 1))


def _read_step_down(table: Table, tiers: int) -> int:
    part = table.find("step_down")
    if part is None:
        return 0
    if not isinstance(part.value, int) or isinstance(part.value, bool) or not 1 <= part.value <= max(tiers, 1):
        table.note(part, f"has to be a whole number of tiers, 1 to {max(tiers, 1)}; leave it out to fall all the way")
        return 0
    return part.value


def _read_minimum(table: Table, context: Context) -> Requirement | None:
    part = table.find("minimum")
    return None if part is None else read_rise(part, context, table.mistakes)


def _choice(table: Table, name: str, words: tuple[Any, ...]) -> Any:  # noqa: ANN401 - one of the words given
    text = table.text(name)
    if text is None or text in words:
        return text
    table.note(table.find(name), f"has to be {quoted(words)}")
    return None


def _note_idle_deductions(table: Table, tiers: tuple[Tier, ...], context: Context, review: Review) -> None:
    """A deduction needs a balance to be taken from, and a clock that reviews."""
    if not any(tier.deduct for tier in tiers):
        return
    if review.clock == "continuous":
        table.note(None, f"`deduct` is taken at reviews, and this ladder has none: add {REVIEW_HINT}")
    asked = [c.metric for tier in tiers for part in (tier.enter, tier.keep) for c in comparisons(part)]
    if context.balance and "balance" not in asked:
        table.note(table.find("balance"), 'no tier asks for it: write { metric = "balance", at_least = … }')
