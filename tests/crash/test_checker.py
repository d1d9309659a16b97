"""The checker catches what it is there for: one planted fault at a time, each named."""

import pytest

from tests.crash.checker import check
from tests.crash.evidence import Evidence
from tests.crash.faults import FAULTS, Fault
from tests.crash.reference import Expected, fold
from tests.crash.sample import sample


@pytest.fixture(scope="module")
def faultless() -> Evidence:
    return sample(count=3_000)


def test_a_faultless_run_is_exact(faultless: Evidence) -> None:
    """Without a fault there is no finding, so every finding below is the planted fault's."""
    report = check(faultless)

    assert report.findings == []
    assert report.records["tier changes"] > 100
    assert report.records["risk changes"] > 100
    assert report.records["dead letters"] > 20


@pytest.fixture(scope="module")
def expected(faultless: Evidence) -> Expected:
    return fold(faultless.journal, faultless.partitions)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.plant.__name__}-{fault.named}")
def test_a_planted_fault_is_named(faultless: Evidence, expected: Expected, fault: Fault) -> None:
    """Each fault alone breaks at least the law that it is against."""
    planted = fault.plant(faultless)
    report = check(planted, expected if planted.journal is faultless.journal else None)

    assert fault.named in report.names(), str(report)
