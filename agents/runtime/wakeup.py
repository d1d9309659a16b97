"""Two small waits that cost a future, not a task: a flag with a time limit, and taking turns."""

import asyncio
import time
from collections import deque


class Wakeup:
    """A flag that one task waits for and anybody sets; waiting clears it."""

    def __init__(self) -> None:
        self._set = False
        self._waiter: asyncio.Future[None] | None = None

    def set(self) -> None:
        """Wake the waiter, or make its next wait return at once."""
        self._set = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self, until: float | None = None) -> None:
        """Wait until the flag is set or `time.monotonic()` reaches `until`."""
        if not self._set:
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            timer = None if until is None else loop.call_later(max(0.0, until - time.monotonic()), self._expire)
            try:
                await self._waiter
            finally:
                self._waiter = None
                if timer is not None:
                    timer.cancel()
        self._set = False

    def _expire(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Turns:
    """Lets one partition at a time hold the event loop for a slice, first come, first served.

    Without it every busy partition folds once per turn of the loop: with 24 of them an answer from the broker waits for
    24 slices. With it the loop looks at its sockets between any two slices.
    """

    def __init__(self) -> None:
        self._taken = False
        self._waiters: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Wait for the turn; always lets the loop run first."""
        if not self._taken:
            self._taken = True
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                self.leave()
                raise
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """Give the turn to the next in line."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._taken = False
