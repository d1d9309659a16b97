"""What a policy asks of the churn model turns at the instant that is foretold, also where trouble fades."""

from typing import Any

import msgspec
import pytest

from schemas.clock import MS_PER_DAY, format_instant, parse_instant
from schemas.events import BrowseActivity, InputEvent, OrderCompleted
from schemas.inputs.support import TicketCreated
from schemas.journal import encode_journal
from streams.customer.state import CustomerState
from streams.effects import Effects
from streams.models.churn_model import FrustrationParameters
from streams.process import new_state, process
from streams.regime import Regime, regime_of
from streams.standing.moment import FOREVER, Moment
from tests.churn import FULL
from tests.journal import policy_of

BEGIN = parse_instant("2026-01-01T00:00:00Z")
POLICY = """
[policy]
name = "asked"
extends = "default"
[[ladder]]
id = "watch"
audience = "internal"
[[ladder.tier]]
id = "it"
name = {{ en = "It" }}
enter.any = [{{ metric = "{metric}", {horizon} {limit} }}]
"""
TROUBLED = msgspec.structs.replace(FULL, frustration=FrustrationParameters(half_life_days=9, ticket=8.0))


def regime(metric: str, limit: str, horizon: str = "") -> Regime:
    return regime_of(
        policy_of(POLICY.format(metric=metric, limit=limit, horizon=horizon), "USD", "UTC"), 0, 0, TROUBLED
    )


def lived(judged: Regime) -> CustomerState:
    """Three orders, a visit, and a complaint in the end."""
    state = new_state([judged], BEGIN)
    happened: list[tuple[float, type[InputEvent], dict[str, Any]]] = [
        (1, OrderCompleted, {"order_id": "o1", "currency": "USD", "total_minor": 3_000}),
        (9, BrowseActivity, {"action": "page_view", "channel": "web"}),
        (20, OrderCompleted, {"order_id": "o2", "currency": "USD", "total_minor": 5_000}),
        (33, OrderCompleted, {"order_id": "o3", "currency": "USD", "total_minor": 2_000}),
        (34.3, BrowseActivity, {"action": "page_view", "channel": "web"}),
        (35.5, TicketCreated, {"ticket_id": "t1", "status": "open"}),
    ]
    for number, (days, kind, told) in enumerate(happened):
        at = format_instant(BEGIN + round(days * MS_PER_DAY))
        event = kind(id=f"e{number}", source="s", time=at, recordedtime=at, customer_id="c", **told)
        process(state, event, encode_journal(event), [judged], Effects(b"c"))
    return state


CASES = [
    ("p_no_purchase", "at_least = 0.6"),
    ("p_no_purchase", "above = 0.9"),
    ("p_no_purchase", "below = 0.55"),
    ("p_alive", "at_least = 0.5"),
    ("p_alive", "below = 0.5"),
    ("p_alive", "at_most = 0.2"),
    ("clv", 'at_least = "30.00"'),
    ("clv", 'below = "12.00"'),
]


@pytest.mark.parametrize(("metric", "limit"), CASES)
def test_a_comparison_turns_at_the_foretold_instant_and_not_before(metric: str, limit: str) -> None:
    judged = regime(metric, limit)
    state = lived(judged)
    rules = judged.ladders[0]
    rule = rules.tiers[0].enter
    now = Moment(state, state.ladders[0], judged.calendar, state.clock)
    held, turns = rule.met(now), []
    for _ in range(4):
        at = rule.turns_at(now)
        end = min(at, now.at + 900 * MS_PER_DAY)
        step = max(1, (end - now.at) // 200)
        assert all(rule.met(now.moved(when)) is held for when in range(now.at, end, step))
        if at >= FOREVER:
            break
        assert rule.met(now.moved(at - 1)) is held
        assert rule.met(now.moved(at)) is not held
        turns.append(at)
        now, held = now.moved(at), not held
    assert turns


def test_another_horizon_is_answered_without_the_calibration() -> None:
    judged = regime("p_no_purchase", "at_least = 0.5", 'horizon = "30 days",')
    state = lived(judged)
    (leaf,) = judged.ladders[0].tiers[0].enter.leaves()
    value = leaf.gauge.value(Moment(state, state.ladders[0], judged.calendar, state.clock))
    longer = regime("p_no_purchase", "at_least = 0.5")
    (other,) = longer.ladders[0].tiers[0].enter.leaves()
    assert isinstance(value, float)
    assert value > float(other.gauge.value(Moment(state, state.ladders[0], longer.calendar, state.clock)) or 0)


def test_lifetime_value_is_unknown_to_a_model_without_spend() -> None:
    judged = regime_of(
        policy_of(POLICY.format(metric="clv", limit='at_least = "1.00"', horizon=""), "USD", "UTC"), 0, 0
    )
    state = lived(judged)
    assert state.ladders[0].rank == 0
