"""Topics that are otherwise than the settings need them."""

from typing import Any

import msgspec
import pytest

from agents.doctor.findings import Finding, Level, worst
from agents.doctor.topics import JOURNAL_DAYS_MIN, judge_copies, judge_topics
from agents.settings import (
    IntakeSettings,
    Settings,
    SourceSettings,
)
from agents.topics import FoundTopic, wanted_topics
from schemas.clock import MS_PER_DAY
from tests.unit.agents.doctor.judging import levels_of


def _as_wanted(settings: Settings) -> dict[str, FoundTopic]:
    return {
        topic.name: FoundTopic(topic.name, topic.partitions, topic.replication_factor, topic.config or {})
        for topic in wanted_topics(settings)
    }


def _judged(settings: Settings, **changes: Any) -> list[Finding]:  # noqa: ANN401 - fields of a topic
    """The judgement when one topic, `name`, is otherwise."""
    found = _as_wanted(settings)
    name, config = changes.pop("name"), changes.pop("config", {})
    changed = msgspec.structs.replace(found[name], **changes)
    found[name] = msgspec.structs.replace(changed, config={**changed.config, **config})
    return list(judge_topics(wanted_topics(settings), found, journal="customer-events"))


def test_topics_as_they_should_be_are_one_line() -> None:
    wanted = wanted_topics(Settings())

    [finding] = judge_topics(wanted, _as_wanted(Settings()), journal="customer-events")

    assert finding.level is Level.OK


@pytest.mark.parametrize(
    ("changed", "check", "level"),
    [
        ({"name": "purchases", "partitions": 3}, "topic-partitions", Level.ERROR),
        ({"name": "purchases", "replication_factor": 2}, "replication", Level.WARNING),
        (
            {"name": "purchases", "config": {"message.timestamp.type": "CreateTime"}},
            "timestamp-type",
            Level.ERROR,
        ),
        ({"name": "customer-profiles", "config": {"cleanup.policy": "delete"}}, "cleanup-policy", Level.ERROR),
        ({"name": "purchases", "config": {"retention.ms": "1000"}}, "topic-setting", Level.WARNING),
        ({"name": "purchases", "config": {"retention.ms": "-1"}}, "topic-setting", Level.HINT),
        ({"name": "purchases", "config": {"retention.ms": "99000000000"}}, "topic-setting", Level.HINT),
        (
            {"name": "customer-events", "config": {"retention.ms": str((JOURNAL_DAYS_MIN - 1) * MS_PER_DAY)}},
            "journal-retention",
            Level.ERROR,
        ),
        (
            {"name": "customer-events", "config": {"retention.ms": str(JOURNAL_DAYS_MIN * MS_PER_DAY)}},
            "journal-retention",
            Level.HINT,
        ),
    ],
)
def test_a_topic_that_is_otherwise(changed: dict[str, Any], check: str, level: Level) -> None:
    name = changed["name"]

    [finding] = _judged(Settings(), **changed)

    assert (finding.check, finding.level) == (check, level)
    assert name in finding.where
    assert finding.remedy


def test_a_missing_topic_is_an_error() -> None:
    found = _as_wanted(Settings())
    del found["tier-changes"]

    [finding] = judge_topics(wanted_topics(Settings()), found, journal="customer-events")

    assert (finding.check, finding.level, finding.where) == ("topic-missing", Level.ERROR, "tier-changes")


def test_a_bound_topic_with_producers_stamps_is_a_hint() -> None:
    settings = Settings(intake=IntakeSettings(source=(SourceSettings(topic="shop"),)))
    stamps = {"message.timestamp.type": "CreateTime"}

    found = _judged(settings, name="shop", config=stamps)

    assert levels_of(found)["timestamp-type"] is Level.HINT


@pytest.mark.parametrize(
    ("copies", "in_sync", "brokers", "level"),
    [
        (3, "2", 3, Level.OK),
        (1, "1", 1, Level.OK),
        (3, "3", 3, Level.WARNING),
        (3, "1", 3, Level.WARNING),
        (3, "2", 2, Level.ERROR),
    ],
)
def test_copies_against_brokers(copies: int, in_sync: str, brokers: int, level: Level) -> None:
    topic = FoundTopic("t", 1, copies, {"min.insync.replicas": in_sync})

    assert worst(judge_copies([topic], brokers, wanted_copies=copies)) is level
