"""Processes that a test looks after from outside."""

import os
import threading
import time
from collections.abc import Callable
from typing import Self


class Meanwhile:
    """Takes a step again and again, in a thread, as long as the block runs."""

    def __init__(self, every_s: float) -> None:
        self._every_s, self._over = every_s, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._every_s):
            self.step()

    def step(self) -> None:
        """What is done."""
        raise NotImplementedError


def eventually(condition: Callable[[], bool], timeout_s: float = 60) -> bool:
    """Whether something becomes true in time."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
