"""Each look's judgement over small facts: what is not fine has its level, its place and its remedy."""

import socket
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme
from redis.exceptions import AuthenticationError, NoPermissionError
from redis.exceptions import ConnectionError as RedisAwayError

from agents.doctor import machine
from agents.doctor.broker import NEEDED, judge_clock, judge_keys, judge_versions
from agents.doctor.findings import CHECKS, Finding, Level, fine, worst
from agents.doctor.redis import check_redis
from agents.doctor.run import boxed, examine
from agents.doctor.topics import JOURNAL_DAYS_MIN, judge_copies, judge_topics
from agents.errors import ConfigurationError
from agents.lookup import home_of
from agents.settings import (
    IntakeSettings,
    KafkaSettings,
    MetricsSettings,
    PolicySettings,
    Settings,
    SourceSettings,
    WorkerSettings,
)
from agents.topics import FoundTopic, wanted_topics
from schemas.clock import MS_PER_DAY

AWAY = Settings(kafka=KafkaSettings(bootstrap="kafka.example.org:9093", security_protocol="SSL"))


def _levels(findings: Iterable[Finding]) -> dict[str, Level]:
    """The worst level of each check; every finding that asks for something says where and what next."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        assert finding.check in CHECKS
        assert finding.level is Level.OK or finding.remedy, finding
        found.setdefault(finding.check, []).append(finding)
    return {check: worst(of_check) for check, of_check in found.items()}


# settings and machine


def test_what_is_fine_on_a_laptop_is_not_fine_in_production() -> None:
    at_home, in_production = _levels(machine.check_settings(Settings())), _levels(machine.check_settings(AWAY))

    assert at_home == {"replication": Level.HINT, "instance-id": Level.HINT, "metrics": Level.HINT}
    assert in_production == dict.fromkeys(("replication", "instance-id", "metrics"), Level.WARNING)


def test_settings_for_production_are_quiet() -> None:
    ready = Settings(
        kafka=msgspec.structs.replace(AWAY.kafka, replication_factor=3),
        worker=WorkerSettings(instance_id="one"),
        metrics=MetricsSettings(port=9464),
    )

    assert list(machine.check_settings(ready)) == []


def test_allowed_clear_text_is_a_warning() -> None:
    clear = Settings(kafka=KafkaSettings(bootstrap="kafka:9092", allow_plaintext=True))

    assert _levels(machine.check_settings(clear))["clear-text"] is Level.WARNING


@pytest.mark.parametrize(
    ("free", "level"), [(2e9, Level.OK), (1e9, Level.OK), (0.99e9, Level.WARNING), (0.09e9, Level.ERROR)]
)
def test_room_on_the_disk(free: float, level: Level) -> None:
    assert machine.disk_finding("/data", int(free)).level is level


def test_the_disk_of_a_folder_that_does_not_exist_yet(tmp_path: Path) -> None:
    [finding] = machine.check_disk(Settings(worker=WorkerSettings(data_dir=str(tmp_path / "a" / "b"))))

    assert finding.where == str(tmp_path)


def test_a_port_that_somebody_has_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = Settings(metrics=MetricsSettings(port=port))
        assert _levels(machine.check_port(settings)) == {"port": Level.WARNING}

    assert _levels(machine.check_port(settings)) == {"port": Level.OK}
    assert list(machine.check_port(Settings())) == []


@pytest.mark.parametrize(("release", "level"), [("2026.1", Level.OK), ("2025.3", Level.OK), ("2024.2", Level.WARNING)])
def test_old_rules_of_time_zones(release: str, level: Level) -> None:
    assert machine.zone_rules_finding(release, 2026).level is level


@pytest.mark.parametrize(("days", "level"), [(300, Level.OK), (5, Level.WARNING), (-2, Level.ERROR)])
def test_the_end_of_a_certificate(tmp_path: Path, days: int, level: Level) -> None:
    made = trustme.CA().issue_cert("anna@example.org", not_after=datetime.now(UTC) + timedelta(days=days, hours=1))
    path = tmp_path / "anna.pem"
    made.cert_chain_pems[0].write_to_path(str(path))
    settings = Settings(kafka=KafkaSettings(security_protocol="SSL", ssl_certfile=str(path)))

    assert _levels(machine.check_certificate(settings)) == {"certificate": level}


def test_a_model_of_somebody_else_is_a_hint() -> None:
    policy = PolicySettings(currency="USD", time_zone="UTC")

    assert _levels(machine.check_policy(Settings(policy=policy))) == {"policy": Level.OK, "model": Level.HINT}
    assert _levels(machine.check_policy(Settings())) == {"policy": Level.ERROR}


# topics


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

    assert _levels(found)["timestamp-type"] is Level.HINT


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


# the broker


def test_an_old_broker_is_named_by_what_it_lacks() -> None:
    new = dict(NEEDED.values())
    versions = {key: (0, least) for key, least in new.items()}
    assert judge_versions(versions, "b:1").level is Level.OK

    old = judge_versions({**versions, 3: (0, 9)}, "b:1")

    assert old.level is Level.ERROR
    assert "Metadata" in old.why


@pytest.mark.parametrize(
    ("newest", "fresh", "level"),
    [
        ((100.0, 100.5), (101.0, 101.1), Level.OK),
        ((100.0, 200.0), (101.0, 131.0), Level.WARNING),  # we are ahead
        ((131.0, 100.0), (131.0, 101.0), Level.WARNING),  # we are behind
        ((131.0, 100.0), None, Level.WARNING),  # even an old record is ahead of us
        ((100.0, 9_000.0), None, Level.HINT),  # an old record is old
        (None, None, Level.HINT),
    ],
)
def test_clocks(newest: tuple[float, float] | None, fresh: tuple[float, float] | None, level: Level) -> None:
    assert judge_clock(newest, fresh, "intake-progress").level is level


def test_keys_that_lie_elsewhere() -> None:
    keys = [f"c{number}".encode() for number in range(200)]

    ours = list(judge_keys([(key, home_of(key, 12)) for key in keys], 12, "purchases"))
    others = list(judge_keys([(key, sum(key) % 12) for key in keys], 12, "purchases"))

    assert _levels(ours) == {"partitioner": Level.OK}
    assert _levels(others) == {"partitioner": Level.HINT}
    assert "of 200 keys" in others[0].where
    assert list(judge_keys([(b"same", 1)] * 500, 12, "purchases")) == []


# Redis


class Server:
    """A client whose server says this of itself."""

    def __init__(self, said: dict[str, Any] | Exception) -> None:
        self._said = said

    def info(self) -> dict[str, Any]:
        """As Redis' own INFO."""
        if isinstance(self._said, Exception):
            raise self._said
        return self._said


SOUND = {"redis_version": "7.0.15", "maxmemory_policy": "noeviction", "aof_enabled": 1, "rdb_last_save_time": 0}


@pytest.mark.parametrize(
    ("said", "level"),
    [
        (SOUND, Level.OK),
        ({**SOUND, "redis_version": "5.0.7"}, Level.ERROR),
        ({**SOUND, "maxmemory_policy": "allkeys-lru"}, Level.ERROR),
        ({**SOUND, "aof_enabled": 0}, Level.HINT),
        (RedisAwayError("refused"), Level.ERROR),
        (AuthenticationError("wrong"), Level.ERROR),
        (NoPermissionError("no info"), Level.WARNING),
    ],
)
def test_redis(said: dict[str, Any] | Exception, level: Level) -> None:
    findings = list(check_redis(Server(said), "127.0.0.1:6379"))

    assert worst(findings) is level
    assert set(_levels(findings)) == {"redis"}


# the frame


def test_a_look_that_hangs_is_left_behind() -> None:
    def hangs(_settings: Settings) -> Iterable[Finding]:
        yield fine("disk", "so far so good")
        time.sleep(30)

    began = time.monotonic()
    findings = boxed(hangs, Settings(), within_s=0.2)

    assert time.monotonic() - began < 5
    assert _levels(findings) == {"disk": Level.OK, "check": Level.ERROR}
    assert "hangs" in findings[-1].where


@pytest.mark.parametrize(
    "error", [ConfigurationError("wrong", next_step="correct it"), ValueError("odd"), OSError("gone")]
)
def test_a_look_that_breaks_is_a_finding(error: Exception) -> None:
    def breaks(_settings: Settings) -> Iterable[Finding]:
        yield fine("disk", "so far so good")
        raise error

    assert _levels(boxed(breaks, Settings(), within_s=5)) == {"disk": Level.OK, "check": Level.ERROR}


def test_without_a_broker_the_rest_is_still_looked_at() -> None:
    findings = list(examine(Settings(kafka=KafkaSettings(bootstrap="127.0.0.1:1"))))

    levels = _levels(findings)
    assert levels["broker"] is Level.ERROR
    assert {"disk", "python", "policy"} <= set(levels)
    assert "topic-missing" not in levels


def test_every_check_has_its_section() -> None:
    """The link of a finding leads somewhere."""
    page = (Path(__file__).parents[4] / "docs/reference/doctor.md").read_text()
    for check in CHECKS:
        assert f"\n## {check}\n" in page
    source = "".join(path.read_text() for path in (Path(__file__).parents[4] / "agents/doctor").glob("*.py"))
    unused = [check for check in CHECKS if f'"{check}"' not in source.replace(f'    "{check}":', "")]
    assert unused == ["settings"]  # the command line's own
