"""What people decide about a tier: checked before it is sent, and what the partition's answer says."""

import time
from typing import Any, NamedTuple

import msgspec
import pytest
from kafka import TopicPartition

import agents.overrides
from agents.errors import ConfigurationError, StalledError
from agents.overrides import Answers, Wish, checked
from agents.policy_activation import Activation
from agents.settings import IntakeSettings, Settings
from schemas.clock import MS_PER_DAY
from schemas.cloudevents import decode_input
from schemas.events import OverrideCleared, OverrideSet
from tests.journal import default_policy, policy_of
from tests.unit.agents.silver import STRICT

AUDIT, DEAD = TopicPartition("audit", 0), TopicPartition("dead-letters", 0)
SET = Wish("tier.override_set", "c1", "standing", "complaint 17", "ann", "platinum")
NOW = int(time.time() * 1000)


@pytest.fixture(autouse=True)
def _policies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The policy that ships is in force, and one without gold and platinum waits for tomorrow."""
    strict = policy_of(STRICT, "USD", "UTC")
    found = [Activation(default_policy(), 0, 1), Activation(strict, NOW + MS_PER_DAY, 1)]
    monkeypatch.setattr(agents.overrides, "policies_in_force", lambda _: found)


class Record(NamedTuple):
    """What a consumer gives."""

    value: bytes | None
    headers: list[tuple[str, bytes]]


class Reader:
    """Gives what it is made with, once."""

    def __init__(self, *records: tuple[TopicPartition, Record]) -> None:
        self._records = list(records)

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[Record]]:
        """One record at a time."""
        assert timeout_ms > 0
        return {place: [record] for place, record in [self._records.pop(0)]} if self._records else {}


def answer(*records: tuple[TopicPartition, Record], within_s: float = 5) -> dict[str, Any]:
    return Answers(Reader(*records), "audit", "d1").wait(within_s)._asdict()


def test_the_event_says_the_wish() -> None:
    """As intake reads it, keyed by the customer, for the topic of its type."""
    event = checked(Settings(), SET._replace(until=NOW + MS_PER_DAY))

    assert (event.topic, event.key) == ("governance", b"c1")
    read = decode_input(event.value)
    assert isinstance(read, OverrideSet)
    assert (read.ladder, read.tier, read.reason, read.actor) == ("standing", "platinum", "complaint 17", "ann")
    assert read.valid_until is not None


def test_a_clearing_names_no_tier() -> None:
    read = decode_input(checked(Settings(), SET._replace(kind="tier.override_cleared", tier="")).value)

    assert isinstance(read, OverrideCleared)
    assert read.tier == ""


@pytest.mark.parametrize(
    ("wish", "settings", "complaint"),
    [
        (SET._replace(ladder="club"), Settings(), r"no such ladder(.|\n)*one of: standing"),
        (SET._replace(tier="diamond"), Settings(), r"no such tier(.|\n)*one of: member, silver, gold, platinum"),
        (SET._replace(until=NOW - 1), Settings(), "passed already"),
        (SET._replace(customer_id=""), Settings(), "Intake would not take this"),
        (SET._replace(reason=""), Settings(), "Intake would not take this"),
        (SET, Settings(intake=IntakeSettings(clock="event")), "With an event clock"),
    ],
)
def test_what_would_not_be_taken_is_not_sent(wish: Wish, settings: Settings, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        checked(settings, wish)


def test_without_a_policy_nothing_can_be_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents.overrides, "policies_in_force", lambda _: [])

    with pytest.raises(ConfigurationError, match="tierstream topics apply"):
        checked(Settings(), SET)


def test_the_audit_tells_that_it_was_taken() -> None:
    """What others wrote meanwhile is passed over."""
    other = Record(msgspec.json.encode({"event_id": "d0", "stands_at": "gold"}), [])
    ours = Record(msgspec.json.encode({"event_id": "d1", "stands_at": "platinum"}), [])

    found = answer((DEAD, Record(None, [])), (AUDIT, other), (AUDIT, ours))

    assert found == {"taken": True, "stands_at": "platinum", "refused": ""}


def test_the_dead_letters_tell_why_it_was_not() -> None:
    letter = Record(b'{"id":"d1"}', [("tierstream-dlq-reason", b"schema"), ("tierstream-dlq-detail", b"no tier")])

    assert answer((DEAD, letter)) == {"taken": False, "stands_at": None, "refused": "no tier"}


def test_a_silence_is_an_error_with_its_remedy() -> None:
    with pytest.raises(StalledError, match="tierstream health"):
        answer(within_s=0.01)
