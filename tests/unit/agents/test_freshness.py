"""The ages of events: exact while they are few, a weighted sample when they are many."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from agents.freshness import BUCKETS_S, SAMPLES_PER_COMMIT, Freshness
from schemas.clock import format_instant

NOW = 1_800_000_000_000


def events(*ages_s: float) -> list[tuple[str, str]]:
    """Events that happened a minute before they arrived, and arrived so long ago."""
    return [(format_instant(NOW - int(age * 1000) - 60_000), format_instant(NOW - int(age * 1000))) for age in ages_s]


def shown(freshness: Freshness) -> dict[str, float]:
    """The samples of both histograms."""
    registry = CollectorRegistry()
    registry.register(type("Shown", (), {"collect": lambda _: freshness.families()})())
    lines = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_few_events_are_counted_one_by_one() -> None:
    """In the bucket of their age since arrival, and in that of their age since they happened."""
    freshness = Freshness()
    freshness.committed(events(0.04, 0.2, 2.5, 400.0), NOW)

    found = shown(freshness)
    arrival = "tierstream_event_arrival_latency_seconds"
    counts = [found[f'{arrival}_bucket{{le="{le}"}}'] for le in ("0.05", "0.1", "0.25", "1.0", "2.5", "300.0", "+Inf")]
    assert counts == [1, 1, 2, 2, 3, 3, 4]
    assert found[f"{arrival}_count"] == 4
    assert found[f"{arrival}_sum"] == pytest.approx(402.74)
    assert found['tierstream_event_latency_seconds_bucket{le="60.0"}'] == 0
    assert found["tierstream_event_latency_seconds_sum"] == pytest.approx(402.74 + 4 * 60)


@pytest.mark.parametrize("count", [1, SAMPLES_PER_COMMIT, SAMPLES_PER_COMMIT + 1, 5_000])
def test_every_event_counts_once_however_many_are_sampled(count: int) -> None:
    """A backlog of half old and half young events shows half and half."""
    freshness = Freshness()
    half = count // 2
    freshness.committed(events(*[100.0] * half, *[0.01] * (count - half)), NOW)

    found = shown(freshness)
    assert found["tierstream_event_arrival_latency_seconds_count"] == count
    young = found['tierstream_event_arrival_latency_seconds_bucket{le="0.05"}']
    assert young == pytest.approx(count - half, abs=count / SAMPLES_PER_COMMIT + 1)


def test_clocks_that_disagree_make_no_negative_age() -> None:
    """The broker's clock may be ahead of ours."""
    freshness = Freshness()
    freshness.committed([(format_instant(NOW + 500), format_instant(NOW + 500))], NOW)

    assert shown(freshness)["tierstream_event_latency_seconds_sum"] == 0


def test_the_buckets_are_fixed() -> None:
    """Changing them would break every rule and board over the history: 2.5 s is the objective."""
    assert BUCKETS_S == (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
