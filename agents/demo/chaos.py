"""When to kill a worker next: at random moments, so that no stage of a commit, a restart or a restore is spared."""

from random import Random

LIVE_PAUSE_S = (6.0, 14.0)
"""Shortest and longest time between two kills when somebody watches."""
UNPACED_PAUSE_S = (1.0, 5.0)
KILLS_MAX = 12
"""Enough; the workers must also get on."""


class Chaos:
    """Says when the moment has come. Not seeded: each run should hit other moments."""

    def __init__(self, *, live: bool) -> None:
        self._dice = Random()  # noqa: S311 - luck, not secrecy
        self._pause_s = LIVE_PAUSE_S if live else UNPACED_PAUSE_S
        self._next_s: float | None = None
        self._left = KILLS_MAX

    def strikes(self, now_s: float) -> bool:
        """Whether to kill now; asked several times a second from when the first event is fed. Seconds of any clock."""
        if self._next_s is None:
            self._next_s = now_s + self._dice.uniform(*self._pause_s)
        if now_s < self._next_s or not self._left:
            return False
        self._left -= 1
        self._next_s = now_s + self._dice.uniform(*self._pause_s)
        return True
