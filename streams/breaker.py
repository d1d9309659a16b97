"""The breaker.

When refusing nearly everything is no longer the producers' fault but ours, or a misconfigured topic's.
"""

from collections import Counter
from typing import Final

from schemas.rejections import RefusalReason

NOT_COUNTED: Final = frozenset({RefusalReason.NO_CUSTOMER})
"""Visitors whom nobody knows are no fault of anybody."""


class Breaker:
    """Opens when of `window` records in a row at least the share `ratio` was refused.

    Windows follow each other without overlap.
    """

    def __init__(self, ratio: float, window: int) -> None:
        self._ratio, self._window = ratio, window
        self._accepted = 0
        self._refused: Counter[str] = Counter()

    def accepted(self) -> None:
        """A record was used."""
        self._accepted += 1
        if self._accepted >= self._window:
            self._reset()

    def refused(self, reason: RefusalReason) -> str | None:
        """A record was refused; the account of the window when that opens the breaker."""
        if reason in NOT_COUNTED:
            return None
        self._refused[reason.value] += 1
        refused = self._refused.total()
        if refused + self._accepted < self._window:
            return None
        account = ", ".join(f"{count} {name}" for name, count in self._refused.most_common())
        total = refused + self._accepted
        self._reset()
        return f"{refused} of {total} records refused: {account}" if refused >= self._ratio * total else None

    def _reset(self) -> None:
        self._accepted = 0
        self._refused.clear()
