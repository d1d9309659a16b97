"""The projection's order of doing things, without servers: written first, then said so, and bounded while it waits."""

import time
from typing import Any, cast

import pytest

from agents.errors import ConfigurationError
from agents.profiles.connection import RedisOutage
from agents.profiles.metrics import ProjectionMetrics
from agents.profiles.projection import Projection
from agents.profiles.store import Position, ProfileStore
from agents.settings import RedisSettings
from tests.unit.agents.profiles.fakes import PLACE, FakeConsumer, FakeRecord, FakeStore

OUTAGE = RedisOutage("absent", "nobody there")


class Ground:
    """A projection of one partition over fakes."""

    def __init__(self, *, queue_customers_max: int = 100, inactive_ttl_days: int = 0) -> None:
        self.calls: list[Any] = []
        self.consumer, self.store = FakeConsumer(self.calls), FakeStore(self.calls)
        self.metrics = ProjectionMetrics()
        self.projection = Projection(
            self.consumer,
            cast("ProfileStore", self.store),
            RedisSettings(
                host="127.0.0.1",
                pause_ms=1,
                queue_customers_max=queue_customers_max,
                inactive_ttl_days=inactive_ttl_days,
            ),
            lambda: "topic-1",
            self.metrics,
        )
        self.projection.on_partitions_assigned([PLACE])

    def run(self, steps: int = 6) -> list[Any]:
        """Step some times, past every wait; what was asked meanwhile."""
        self.calls.clear()
        for _ in range(steps):
            self.projection._worked_at = self.projection._breaker._open_until = 0.0
            self.projection.step()
            time.sleep(0.001)
        return [call for call in self.calls if call not in (("advance", 0), ("commit", 0))]  # the sign of life

    def figure(self, name: str, **labels: str) -> float:
        """A figure as Prometheus would see it."""
        value = self.metrics.registry.get_sample_value(f"tierstream_redis_{name}", labels)
        assert value is not None
        return value


def test_offsets_move_only_after_the_write() -> None:
    """First the profiles, then Redis' own marker, then the group's offset for lag tools."""
    ground = Ground()
    ground.consumer.offer("a", "b")

    calls = ground.run()

    assert calls == ["claim", ("seek", 0), ("write", [("a", 1), ("b", 1)]), ("advance", 2), ("commit", 2)]
    assert ground.figure("behind_seconds") == 0


def test_during_an_outage_bursts_melt_and_nothing_moves() -> None:
    """Afterwards the newest of each is written once, and the position passes everything that was read."""
    ground = Ground()
    ground.run()
    ground.store.broken = OUTAGE
    for revision in (1, 2, 3):
        ground.consumer.offer("a", revision=revision)
    assert ground.run() == ["close"] * 6
    assert ground.figure("breaker_open") == 1
    assert ground.figure("outages_total", reason="absent") == 6
    assert ground.figure("behind_seconds") > 0

    ground.store.broken = None

    assert ground.run() == ["claim", ("write", [("a", 3)]), ("advance", 3), ("commit", 3)]
    assert ground.figure("breaker_open") == 0
    assert (ground.figure("records_read_total"), ground.figure("records_coalesced_total")) == (3, 2)


def test_a_breaker_leaves_redis_alone() -> None:
    """Without time passing, one failure is one attempt."""
    ground = Ground()
    ground.store.broken = OUTAGE
    ground.projection.step()
    ground.projection._breaker._open_until = time.monotonic() + 60
    for _ in range(5):
        ground.projection.step()

    assert ground.calls == ["close"]


def test_memory_is_bounded_by_customers() -> None:
    """With so many waiting, reading pauses until Redis has taken them."""
    ground = Ground()
    ground.run()
    ground.store.broken = OUTAGE
    for portion in range(5):
        ground.consumer.offer(*(f"c{portion}-{number}" for number in range(50)))
    ground.run(steps=20)
    assert len(ground.projection._waiting) == 100
    assert ground.consumer.paused

    ground.store.broken = None
    ground.run(steps=20)

    assert not ground.consumer.paused
    assert ground.figure("profiles_written_total") == 250


def test_after_a_flush_reading_begins_where_the_marker_stands() -> None:
    """What waited is read again with everything else."""
    ground = Ground()
    ground.consumer.offer("a")
    ground.run()
    ground.store.broken = OUTAGE
    ground.consumer.offer("b")
    ground.run()
    ground.store.broken, ground.store.marker = None, Position("2", 0, "ready")

    assert ground.run(steps=1) == ["claim", ("seek", 0)]
    assert len(ground.projection._waiting) == 0


def test_a_lost_partition_is_claimed_again_before_anything_is_written() -> None:
    """A write that finds another holder drops what waits; the marker says from where to go on."""
    ground = Ground()
    ground.run()
    ground.store.lost = True
    ground.consumer.offer("a")
    assert ground.run(steps=1) == []
    ground.store.lost = False

    assert ground.run(steps=1) == ["claim", ("seek", 0)]


def test_a_partition_that_left_leaves_nothing() -> None:
    """Its next owner reads it again; nothing of it is written or moved here."""
    ground = Ground()
    ground.run()
    ground.store.broken = OUTAGE
    ground.consumer.offer("a")
    ground.run()
    ground.projection.on_partitions_revoked([PLACE])
    ground.store.broken = None
    assert len(ground.projection._waiting) == 0

    assert ground.run() == []


def test_a_topic_that_begins_again_is_noticed() -> None:
    """Offsets that fall are another topic's: the partition is claimed anew, and what came is read again."""
    ground = Ground()
    ground.consumer.offer("a", "b", "c")
    ground.run()
    ground.consumer.portions.append([FakeRecord(0, b"x", None)])

    assert ground.run()[:2] == ["claim", ("seek", 3)]


def test_a_refused_password_ends_the_start_but_not_a_running_projection() -> None:
    """In rotation, the server may know the new one before the file does."""
    refused = ConfigurationError("Redis refuses the user or the password.")
    ground = Ground()
    ground.store.broken = refused
    with pytest.raises(ConfigurationError):
        ground.projection.step()

    other = Ground()
    other.run()
    other.store.broken = refused
    other.consumer.offer("a")
    other.run()
    assert other.figure("outages_total", reason="refused") == 6
    other.store.broken = None
    assert ("write", [("a", 1)]) in other.run()


def test_a_record_that_is_no_profile_is_counted_and_passed() -> None:
    """Redis keeps what it had; the record stays in the topic, and `redis verify` counts it too."""
    ground = Ground()
    ground.consumer.portions.append([FakeRecord(0, b"a", b"{"), FakeRecord(1, b"b", None)])

    assert ground.run()[2:] == [("write", [("b", None)]), ("advance", 2), ("commit", 2)]
    assert ground.figure("records_unreadable_total") == 1
    assert ground.figure("profiles_erased_total") == 1


def test_a_slow_redis_does_not_keep_the_group_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time of a step is used up, what is left stays for the next, and no offset moves before it is written."""
    ground = Ground()
    ground.consumer.offer("a")
    monkeypatch.setattr("agents.profiles.projection.WORK_S_MAX", -1.0)
    assert ground.run() == ["claim", ("seek", 0)]
    monkeypatch.undo()

    assert ground.run() == [("write", [("a", 1)]), ("advance", 1), ("commit", 1)]


@pytest.mark.parametrize(("days", "walks"), [(0, 0), (30, 2)])
def test_where_hashes_expire_the_indexes_are_walked_now_and_then(
    days: int, walks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To its end, a page per step, then again after a while; without an expiry never."""
    begun: list[frozenset[int]] = []

    class Walk:
        def __init__(self, _store: object, partitions: frozenset[int], _total: int) -> None:
            begun.append(partitions)
            self._left = 2

        def step(self) -> bool:
            self._left -= 1
            return self._left == 0

    monkeypatch.setattr("agents.profiles.projection.Sweep", Walk)
    ground = Ground(inactive_ttl_days=days)
    ground.run(steps=3)
    assert begun == []
    for _ in range(2):
        ground.projection._tidy_at = 0.0
        ground.run(steps=5)

    assert begun == [frozenset()] * walks
