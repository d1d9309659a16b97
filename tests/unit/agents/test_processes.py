"""Work in several processes: results, progress, and failures that keep their names."""

import gc

import pytest

from agents.errors import BugError, ConfigurationError, TierstreamError
from agents.processes import Told, in_processes


def square(number: int, told: Told) -> int:
    told(number)
    assert not gc.isenabled()
    return number * number


def fail(number: int, told: Told) -> int:
    if number == 2:
        raise ConfigurationError("two is wrong")
    return square(number, told)


def die(number: int, told: Told) -> int:
    if number == 2:
        raise SystemExit
    return square(number, told)


@pytest.mark.parametrize("shares", [[3], [1, 2, 3]])
def test_every_share_is_done(shares: list[int]) -> None:
    """One of them in this process, more in others; the garbage collector is as before."""
    told: list[int] = []
    assert sorted(in_processes(square, shares, told.append)) == [share**2 for share in shares]
    assert told[-1] == sum(shares)
    assert gc.isenabled()


def test_a_named_failure_comes_out_as_it_is() -> None:
    with pytest.raises(ConfigurationError, match="two is wrong"):
        in_processes(fail, [1, 2], lambda _: None)


def test_a_process_that_is_gone_is_a_bug() -> None:
    with pytest.raises(BugError):
        in_processes(die, [1, 2], lambda _: None)


def test_what_told_raises_ends_the_work() -> None:
    def told(_done: int) -> None:
        raise TierstreamError("enough")

    with pytest.raises(TierstreamError, match="enough"):
        in_processes(square, [1, 2], told)
