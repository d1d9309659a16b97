"""Lines come out in order, from memory or from files."""

from pathlib import Path
from random import Random

import pytest

from agents.simulator import day_files
from agents.simulator.day_files import DayFiles


@pytest.mark.parametrize("lines_max", [10**9, 7])
def test_lines_come_out_in_order_of_instant_number_and_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines_max: int
) -> None:
    """Also before 1970, and whatever was spilled; nothing is left in the folder."""
    monkeypatch.setattr(day_files, "LINES_MAX", lines_max)
    dice = Random(4)
    keys = [(dice.randrange(-30, 30), dice.randrange(12), dice.randrange(3)) for _ in range(200)]
    days = DayFiles(tmp_path)
    for instant, number, place in keys:
        days.add(instant // 10, instant, number, place, f"{instant} {number} {place}".encode())
    assert list(days.in_order()) == [f"{i} {n} {p}".encode() for i, n, p in sorted(keys)]
    assert list(tmp_path.iterdir()) == []


def test_no_more_lines_wait_than_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest lies in files, one a day."""
    monkeypatch.setattr(day_files, "LINES_MAX", 10)
    days = DayFiles(tmp_path)
    for number in range(95):
        days.add(number % 3, number, number, 0, b"x")
        assert sum(map(len, days._waiting.values())) < 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.lines", "1.lines", "2.lines"]
    assert len(list(days.in_order())) == 95
