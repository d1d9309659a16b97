"""What crash tests aim at is there, or they say so."""

import pytest

from tests.crash.forked_worker import POINTS, PRODUCER, UNKNOWN_POINT, arm


def test_a_point_whose_method_was_renamed_ends_the_worker_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the exit code that tests wait for."""
    monkeypatch.setitem(POINTS, "gone", (PRODUCER, "_no_such_method", "before"))

    with pytest.raises(SystemExit) as ended:
        arm("gone", 1)

    assert ended.value.code == UNKNOWN_POINT
