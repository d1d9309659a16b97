"""A backtest folds in brief and both policies in one go; what it counts is what two folds in full would give."""

import random
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

import msgspec
import pytest

from agents.backtest import unit
from agents.backtest.lives import Ending, Window, count
from agents.backtest.moves import both, without_unasked_churn
from agents.backtest.tally import CURRENT, NEW, Held, Tally
from agents.backtest.unit import Plan, Share, compare_units
from agents.replay.fold import FOR_EVER
from agents.replay.journal_file import JournalFile
from agents.replay.unit import Journal
from schemas.clock import MS_PER_DAY, format_instant, parse_canonical
from schemas.decisions import TierChanged
from schemas.events import (
    BrowseActivity,
    InputEvent,
    OrderCompleted,
    OrderRefunded,
    OverrideCleared,
    OverrideSet,
    SatisfactionRated,
    TierMatchGranted,
)
from schemas.inputs.support import TicketCreated
from schemas.journal import ClockTick, GoLive, ModelActivated, PolicyActivated, encode_journal
from streams.calendar import Calendar
from streams.customer import daylog
from streams.customer.standing import NO_BAND
from streams.models.churn_model import ChurnModel, canonical_model, model_hash
from streams.policy.model import Policy
from streams.policy.parse import canonical
from streams.policy.presets import preset_text
from tests.churn import FULL
from tests.journal import default_policy, policy_of
from tests.unit.agents.backtest.shops import some_journal
from tests.unit.agents.replay.side_by_side import Walk
from tests.unit.agents.silver import AT

DAYS, CUSTOMERS, EVENTS = 500, 6, 500
DEFAULT: Final = preset_text("default")
STRICTER: Final = DEFAULT.replace('"250.00"', '"300.00"').replace('id = "platinum"', 'id = "topaz"')
ON_A_CLOCK: Final = """
[policy]
name = "clocked"
[[ladder]]
id = "standing"
review = { clock = "calendar-year" }
grace = "20 days"
[[ladder.tier]]
id = "silver"
notice = ["60 days", "7 days"]
enter.any = [{ metric = "spend", window = "calendar year", at_least = "150.00" }]
[[ladder.tier]]
id = "gold"
notice = ["30 days"]
enter.any = [{ metric = "spend", window = "calendar year", at_least = "500.00" }]
[[ladder]]
id = "habits"
audience = "internal"
[[ladder.tier]]
id = "regular"
notice = ["10 days"]
enter.all = [
  { metric = "orders", window = "90 days", at_least = 2 },
  { metric = "recency", at_most = 40 },
]
"""
BY_THE_MODEL: Final = DEFAULT.replace(
    'metric = "orders", window = "lifetime", at_least = 1', 'metric = "p_alive", at_least = 0.6'
)
SEES_ANOTHER: Final = (
    ON_A_CLOCK
    + '[[ladder.tier]]\nid = "chosen"\nenter.all = [{ metric = "override", ladder = "standing", is = true }]\n'
)
VISITS_COUNT: Final = msgspec.structs.replace(FULL, frustration=None)


def policy(text: str) -> Policy:
    return policy_of(text, "USD", "UTC")


def in_full(journal: Journal, name: str, plan: Plan, current: Policy | None, new: Policy) -> Tally:
    """Count what two folds publish, each under its whole policy."""
    tally, lives = Tally(), (defaultdict[bytes, list[Held]](list), defaultdict[bytes, list[Held]](list))
    walk = Walk(journal, name, [current, new], dedupe=plan.dedupe, until=plan.until)
    for judged in walk:
        for life, outcome in zip(lives, judged.outcomes, strict=True):
            for decision in (change.decision for change in outcome.changes):
                if isinstance(decision, TierChanged) and decision.ladder == plan.ladder and decision.cause != "initial":
                    at, tier = parse_canonical(decision.effective_at), decision.tier.id if decision.tier else ""
                    held = Held(at, tier, decision.cause, decision.direction, decision.reasons)
                    life[judged.customer].append(held)
    months = unit._Months(Calendar(new.time_zone))
    side = NEW if current is not None and current.churn is None else CURRENT
    for folds in walk.folds:
        fold = folds[side]
        for key, state in fold.customers():
            if state.test or key.startswith(b"anon:"):
                continue
            regime = fold.regimes[state.ordinal]
            rules, band = regime.policy.churn, state.risk.band
            told = rules.bands[band].name if rules is not None and band != NO_BAND else None
            today = regime.calendar.day_of(max(state.clock, fold.latest))
            daylog.advance(state, today)
            ending = Ending(key.decode(), state.first_seen_at, daylog.total(state, "spend", 365, today), told)
            count(tally, (lives[CURRENT][key], lives[NEW][key]), ending, Window(plan.begin, months, new.currency))
    return tally


def compare(journal: Journal, current: Policy | None, new: Policy) -> tuple[Tally, Tally]:
    """In brief, and in full."""
    name = journal.units(1)[0]
    text = canonical(current) if current else ""
    plan = Plan(current=text, new=canonical(new), ladder="standing", begin=AT, until=FOR_EVER, dedupe=True)
    return compare_units(Share(journal, [name], plan), lambda _: None), in_full(journal, name, plan, current, new)


def assert_same(brief: Tally, full: Tally) -> None:
    assert brief.customers == full.customers > 0
    assert brief.sides == full.sides
    assert (brief.flows, brief.spend_minor, brief.at_risk) == (full.flows, full.spend_minor, full.at_risk)
    assert (brief.ever, brief.whys) == (full.ever, full.whys)
    order = [sorted(each.differences, key=lambda d: (d.customer, d.since)) for each in (brief, full)]
    assert order[0] == order[1]


@pytest.mark.parametrize(
    ("current", "new"),
    [(DEFAULT, STRICTER), (DEFAULT.split("# The score")[0], STRICTER), (ON_A_CLOCK, DEFAULT), (BY_THE_MODEL, STRICTER)],
    ids=["default", "churn of the new one", "notices and a clock", "a ladder by the model"],
)
def test_real_purchases(current: str, new: str) -> None:
    brief, full = compare(some_journal(120), policy(current), policy(new))
    assert_same(brief, full)
    assert sum(brief.flows.values()) > 150
    assert sum(brief.at_risk.values()) > 0 or current == ON_A_CLOCK


def happening(dice: random.Random, number: int, at: int) -> InputEvent:
    """Anything that moves somebody."""
    who: dict[str, Any] = {
        "id": f"e{number}",
        "time": format_instant(at - dice.choice((0, 0, 0, 3, 40)) * MS_PER_DAY),
        "customer_id": f"c{dice.randrange(CUSTOMERS)}",
        "source": "s",
    }
    match dice.choice((*("order", "visit") * 8, "ticket", "rating", "refund", "refund", "hand", "hand", "hand")):
        case "order":
            total = dice.randint(500, 20_000)
            return OrderCompleted(**who, order_id=f"o{number}", currency="USD", total_minor=total, channel="web")
        case "visit":
            return BrowseActivity(**who, action="view_item", channel="web")
        case "ticket":
            return TicketCreated(**who, ticket_id=f"t{number % 7}", status="open")
        case "rating":
            return SatisfactionRated(**who, rating=dice.randint(1, 5), scale_max=5)
        case "refund":
            known = f"o{dice.randrange(max(1, number))}"
            return OrderRefunded(**who, order_id=known, refund_id=f"r{number}", currency="USD", refund_minor=400)
        case _:
            return by_hand(dice, {**who, "ladder": "standing", "actor": "ann", "reason": "17"}, at)


def by_hand(dice: random.Random, who: dict[str, Any], at: int) -> InputEvent:
    kind = dice.choice((OverrideSet, TierMatchGranted, OverrideCleared))
    if kind is OverrideCleared:
        return OverrideCleared(**who)
    tier = dice.choice(("gold", "platinum", "topaz", "silver", "nothing"))
    return kind(**who, tier=tier, valid_until=format_instant(at + 50 * MS_PER_DAY))


def model_activated(model: ChurnModel, at: int) -> ModelActivated:
    text = canonical_model(model)
    return ModelActivated(id="m", effective_at=format_instant(at), name=model.name, hash=model_hash(text), text=text)


def records(seed: int, model: ChurnModel | None, history_days: int) -> Iterator[Any]:
    dice = random.Random(seed)
    for chosen, day in ((default_policy(), 0), (policy(STRICTER), 200)):
        yield (
            day,
            PolicyActivated(
                id=f"p{day}",
                effective_at=format_instant(AT + day * MS_PER_DAY),
                name=chosen.name,
                hash=chosen.hash,
                text=canonical(chosen),
            ),
        )
    if model is not None:
        yield 100, model_activated(model, AT + 100 * MS_PER_DAY)
    if history_days:
        yield history_days, GoLive(instant=format_instant(AT + history_days * MS_PER_DAY))
    for day in range(30, DAYS + 90, 30):
        yield day, ClockTick(instant=format_instant(AT + day * MS_PER_DAY), home=(0, 1))
    for number in range(EVENTS):
        after = dice.randrange(DAYS * MS_PER_DAY)
        event = happening(dice, number, AT + after)
        event.recordedtime, event.backfill = format_instant(AT + after), after < history_days * MS_PER_DAY
        yield after / MS_PER_DAY, event


@cache
def wild(seed: int, model: ChurnModel | None, history_days: int) -> JournalFile:
    """A journal with everything in it."""
    path = Path(mkdtemp()) / "wild.jsonl"
    in_order = sorted(records(seed, model, history_days), key=lambda told: told[0])
    path.write_bytes(b"".join(encode_journal(record) + b"\n" for _, record in in_order))
    return JournalFile(str(path))


@pytest.mark.parametrize(
    ("model", "current", "history_days"),
    [
        (None, None, 250),
        (None, DEFAULT, 0),
        (None, ON_A_CLOCK, 250),
        (VISITS_COUNT, None, 0),
        (VISITS_COUNT, DEFAULT, 250),
        (VISITS_COUNT, SEES_ANOTHER, 0),
        (FULL, None, 0),
        (FULL, DEFAULT, 250),
    ],
)
def test_anything_that_may_happen(model: ChurnModel | None, current: str | None, history_days: int) -> None:
    """Also while a history is loaded, under policies and models that change, with decisions of people."""
    journal, new = wild(7, model, history_days), policy(STRICTER)
    brief, full = compare(journal, policy(current) if current else None, new)
    assert_same(brief, full)
    assert all(brief.sides[CURRENT].changes[kind] > 2 for kind in ("upgrade", "downgrade"))


def test_two_policies_are_folded_in_one_go_where_neither_sees_the_other() -> None:
    pair = both(policy(ON_A_CLOCK), policy(STRICTER))
    assert pair is not None
    assert [ladder.id for ladder in pair.ladders] == ["standing", "habits", "standing"]
    assert pair.churn == policy(STRICTER).churn
    assert not any(tier.notice_days for ladder in pair.ladders for tier in ladder.tiers)
    assert both(policy(SEES_ANOTHER), policy(STRICTER)) is None
    assert both(policy_of(DEFAULT, "EUR", "UTC"), policy(STRICTER)) is None
    assert both(policy_of(DEFAULT, "USD", "Asia/Tokyo"), policy(STRICTER)) is None
    later = BY_THE_MODEL.replace('horizon = "90 days"', 'horizon = "60 days"')
    assert both(policy(DEFAULT), policy(later)) is None


def test_churn_rules_are_left_out_where_no_ladder_asks() -> None:
    assert without_unasked_churn(default_policy()).churn is None
    assert without_unasked_churn(policy(BY_THE_MODEL)) == policy(BY_THE_MODEL)
    valued = DEFAULT.replace(
        'metric = "orders", window = "lifetime", at_least = 1', 'metric = "clv", at_least = "5.00"'
    )
    assert without_unasked_churn(policy(valued)).churn is not None
