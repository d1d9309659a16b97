"""When Redis is tried again."""

from agents.profiles.breaker import DELAY_S_MAX, DELAY_S_MIN, CircuitBreaker


def test_a_failure_opens_it_for_a_moment() -> None:
    """Then one attempt passes."""
    breaker = CircuitBreaker(lambda: 0.0)
    delay_s = breaker.failed(100.0)

    assert delay_s == DELAY_S_MIN
    assert not breaker.allows(100.0 + delay_s - 0.01)
    assert breaker.allows(100.0 + delay_s)
    assert not breaker.closed


def test_waiting_grows_to_a_limit() -> None:
    """Doubling, never above what the promise of a minute allows; and for ever."""
    breaker = CircuitBreaker(lambda: 0.0)
    delays = [breaker.failed(0.0) for _ in range(2_000)]

    assert delays[:7] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0]
    assert set(delays[7:]) == {DELAY_S_MAX}


def test_processes_that_failed_together_come_back_apart() -> None:
    """Chance takes up to a half away."""
    early, late = CircuitBreaker(lambda: 1.0), CircuitBreaker(lambda: 0.0)

    assert early.failed(0.0) == late.failed(0.0) / 2


def test_a_success_closes_it() -> None:
    """The next failure begins with the shortest wait; only the success that closes it says so."""
    breaker = CircuitBreaker(lambda: 0.0)
    for _ in range(5):
        breaker.failed(0.0)

    assert [breaker.succeeded(), breaker.succeeded()] == [True, False]
    assert breaker.closed
    assert breaker.allows(0.0)
    assert breaker.failed(0.0) == DELAY_S_MIN
