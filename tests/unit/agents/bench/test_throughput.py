"""Rates and costs between two samples of a worker."""

import pytest

from agents.bench.processor import Usage
from agents.bench.report import Target, rounded
from agents.bench.throughput import Machine, rate
from agents.bench.worker import Sample


def _sample(at_s: float, cpu_s: float, intake: int, customers: int, commits: int) -> Sample:
    return Sample(
        at_s=at_s,
        cpu_s=cpu_s,
        committed={"intake": intake, "customers": customers},
        commits={"intake": commits, "customers": commits},
        opening={},
        ready={},
    )


def test_only_events_that_both_stages_took_in_the_meantime_count() -> None:
    """At the begin intake had taken 100 of 1,100: what it did before must not look like speed or thrift."""
    begin, end = _sample(10.0, 1.0, 100, 0, 1), _sample(12.0, 2.0, 1100, 1100, 11)

    found = rate(begin, end, 1100, Machine(Usage(5.0, 20.0), Usage(5.5, 23.0), 25.0))

    assert found.events_per_s == pytest.approx(500)
    assert found.cpu_us == pytest.approx(1000)
    assert found.events_per_commit == pytest.approx(105)
    assert found.broker_cpu_us == pytest.approx(500)
    assert found.others_cores == pytest.approx(1.5)


def test_without_the_kernels_accounts_only_the_workers_own_is_told() -> None:
    """On systems without /proc."""
    found = rate(_sample(0, 0, 0, 0, 0), _sample(1, 1, 10, 10, 1), 10, Machine(None, None, 25.0))
    assert (found.broker_cpu_us, found.others_cores) == (None, None)


@pytest.mark.parametrize(("value", "shown"), [(43_211.7, 43_212), (21.456, 21.46), (0.001234, 0.001234)])
def test_figures_have_four_digits_or_are_whole(value: float, shown: float) -> None:
    """More would only look exact."""
    assert rounded(value) == shown


def test_a_target_is_met_on_its_side() -> None:
    """At most, or at least."""
    assert Target("<=", 25).met(25)
    assert not Target("<=", 25).met(25.1)
    assert Target(">=", 40_000).met(40_000)
    assert not Target(">=", 40_000).met(39_999)
