"""When to try Redis again: at once after the first failure, then ever more seldom, so that a weak server can recover.

Pure: the caller brings the time. The waiting never exceeds DELAY_S_MAX, which keeps the promise of being level again
within a minute of Redis' return.
"""

from collections.abc import Callable

DELAY_S_MIN = 0.1
DELAY_S_MAX = 5.0


class CircuitBreaker:
    """Closed while calls succeed. After a failure it is open until a moment, then lets one attempt pass.

    `spread` draws from 0 to 1: processes that failed together do not come back together.
    """

    def __init__(self, spread: Callable[[], float]) -> None:
        self._spread = spread
        self._failures = 0
        self._open_until = 0.0

    @property
    def closed(self) -> bool:
        """Whether the last attempt succeeded, or none was made yet."""
        return self._failures == 0

    def allows(self, now_s: float) -> bool:
        """Whether an attempt may be made."""
        return now_s >= self._open_until

    def failed(self, now_s: float) -> float:
        """An attempt failed; returns for how long none is allowed."""
        full_s = min(DELAY_S_MAX, DELAY_S_MIN * float(1 << min(self._failures, 10)))
        delay_s = full_s * (1 - self._spread() / 2)
        self._failures += 1
        self._open_until = now_s + delay_s
        return delay_s

    def succeeded(self) -> bool:
        """An attempt succeeded; True when that closes the breaker."""
        closes, self._failures, self._open_until = self._failures > 0, 0, 0.0
        return closes
