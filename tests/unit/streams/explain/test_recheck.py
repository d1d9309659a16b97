"""An explanation that does not follow from its own evidence is found out, and what is wrong is named."""

from typing import Any

import msgspec
import pytest

from agents.errors import TierstreamError
from agents.replay.explaining import explanation_at
from schemas.clock import MS_PER_DAY
from streams.explain import assemble
from streams.explain.recheck import mismatches, value_of
from streams.explain.report import Condition, Contribution, How, Judgement, Logic, Value
from tests.explaining import history_in
from tests.unit.agents.silver import AT, journal_with_orders

SPENT = Contribution(event_id="e1", type="order.completed", what="o1", day="2026-01-01", amount=10_000)


def condition(**other: Any) -> Condition:  # noqa: ANN401 - any member
    told: dict[str, Any] = {
        "asked": {},
        "metric": "spend_minor",
        "window": "365d",
        "where": None,
        "from_day": "2025-01-02",
        "to_day": "2026-01-01",
        "unit": "money",
        "value": 10_000,
        "operator": ">=",
        "threshold": 9_000,
        "met": True,
        "how": "sum",
        "contributions": (SPENT,),
    }
    return Condition(**(told | other))


def judged(*conditions: Condition, logic: Logic | None = None, met: bool = True) -> list[str]:
    logic = logic or Logic(all=tuple(Logic(condition=place) for place in range(len(conditions))))
    return list(mismatches(Judgement(rule="r", met=met, at="", asked={}, logic=logic, conditions=conditions)))


def test_what_follows_is_not_complained_about() -> None:
    other = condition(operator="<", threshold=20_000, met=False)
    assert judged(condition()) == []
    assert judged(condition(), other, logic=Logic(any=(Logic(condition=0), None))) == []
    assert judged(other, logic=Logic(negated=Logic(condition=0))) == []
    assert judged(other, logic=Logic(all=(None, Logic(condition=0))), met=False) == []


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"contributions": ()}, "r: spend_minor over 365d is 10000, but its 0 events make 0"),
        ({"threshold": 10_001}, "r: spend_minor over 365d is 10000, which is not >= 10001"),
        ({"value": None, "how": "stated"}, "r: spend_minor over 365d is met though nothing is known"),
        ({"met": False}, "r is met, but by its conditions it is not met"),
    ],
)
def test_what_does_not_follow_is_named(wrong: dict[str, Any], complaint: str) -> None:
    assert judged(condition(**wrong)) == [complaint]


def test_too_little_decides_nothing() -> None:
    """A part that is not told may be what is missing."""
    assert judged(condition(), logic=Logic(all=(Logic(condition=0), None))) == [
        "r is met, but by its conditions it is undecided"
    ]


@pytest.mark.parametrize(
    ("how", "value"),
    [
        ("sum", 6),
        ("balance", 4),
        ("average", 1),
        ("share", 1.5),
        ("refund_rate", 0.6),
        ("satisfaction", 0.15),
        ("days_since", 9),
        ("distinct", 2),
        ("gap", 20.0),
    ],
)
def test_values_are_made_of_contributions(how: How, value: Value) -> None:
    """Each in its own way; what was taken back whole makes no day."""
    days = (("a", "2026-01-01", 4), ("b", "2026-01-21", 2), ("a", "2026-01-05", 3), ("a", "2026-01-05", -3))
    made = tuple(msgspec.structs.replace(SPENT, what=what, day=day, amount=n, of=n and 1) for what, day, n in days)
    told = condition(how=how, deducted=2, to_day="2026-01-30", contributions=made)

    assert value_of(told) == pytest.approx(value)


def test_a_mismatch_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the ledger wrong, nobody would be told a wrong reason."""
    history = history_in(journal_with_orders(), b"c1")
    assert explanation_at(history, AT + MS_PER_DAY) is not None
    monkeypatch.setattr(assemble, "mismatches", lambda _: ["gold is lead"])

    with pytest.raises(TierstreamError, match=r"(?s)does not hold.*gold is lead.*audit verify"):
        explanation_at(history, AT + MS_PER_DAY)
