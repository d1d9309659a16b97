"""An activation that was ended while it counted the past anew is told, with both ways out."""

from agents.doctor import run
from agents.doctor.counters import check_counters, judge_counters
from agents.doctor.findings import Level
from streams.policy.model import OrderFilter
from tests.unit.agents.doctor.judging import levels_of


def test_counters_that_wait_for_their_policy_are_a_warning() -> None:
    waiting = (OrderFilter(store=("s1",)), OrderFilter(category=("hats", "shoes")))
    [finding] = judge_counters(waiting)

    assert levels_of([finding]) == {"counters": Level.WARNING}
    assert finding.where == "store=s1, category=hats,shoes"
    assert "tierstream policy activate" in finding.remedy
    assert "tierstream policy abandon" in finding.remedy


def test_without_any_there_is_nothing_to_tell() -> None:
    assert list(judge_counters(())) == []


def test_the_doctor_looks_for_them() -> None:
    assert check_counters in run.THERE
