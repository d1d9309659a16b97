"""What the cluster says of its age and clock, and where producers put their keys."""

import pytest

from agents.doctor.broker import NEEDED, judge_clock, judge_keys, judge_request_timeouts, judge_versions
from agents.doctor.findings import Level
from agents.partitioning import home_of
from tests.unit.agents.doctor.judging import levels_of


def test_an_old_broker_is_named_by_what_it_lacks() -> None:
    new = dict(NEEDED.values())
    versions = {key: (0, least) for key, least in new.items()}
    assert judge_versions(versions, "b:1").level is Level.OK

    old = judge_versions({**versions, 3: (0, 9)}, "b:1")

    assert old.level is Level.ERROR
    assert "Metadata" in old.why


def test_brokers_that_wait_long_for_each_other_are_named() -> None:
    (slow,) = judge_request_timeouts({1: 30_000, 2: 5_000, 3: 30_000})
    assert slow.level is Level.HINT
    assert slow.where == "request.timeout.ms of broker 1, 3"
    assert "30 s" in slow.what

    (quick,) = judge_request_timeouts({1: 5_000, 2: 10_000})
    assert quick.level is Level.OK
    assert list(judge_request_timeouts({})) == [], "without the right to know, nothing is said"


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

    assert levels_of(ours) == {"partitioner": Level.OK}
    assert levels_of(others) == {"partitioner": Level.HINT}
    assert "of 200 keys" in others[0].where
    assert list(judge_keys([(b"same", 1)] * 500, 12, "purchases")) == []
