"""A stream of profiles, and a watch over what readers of Redis see meanwhile."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

import redis

from tests.integration.redis_state import client_of
from tests.profiles import ProfileTopic

CUSTOMERS = 300


@contextmanager
def streaming(topic: ProfileTopic) -> Iterator[None]:
    """Profiles and now and then an erasure, some hundred per second, while the block runs."""
    ended = threading.Event()

    def run() -> None:
        dice = random.Random(1)
        while not ended.wait(0.02):
            for _ in range(10):
                name = f"c{dice.randrange(CUSTOMERS)}"
                topic.erase(name) if dice.random() < 0.02 else topic.publish(name)
        topic.flush()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Watch:
    """Looks all the time at what Redis says of each customer: as long as it says anything, it never goes back in time.

    In an empty Redis, and after an erasure, it begins anew: a customer who is absent at a look is not judged by it.
    """

    def __init__(self, port: int) -> None:
        self.falls: list[tuple[str, str, str]] = []
        self.looks = 0
        self._ended = threading.Event()
        self._client = client_of(port)
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._client.close()

    def _run(self) -> None:
        names = [f"c{number}" for number in range(CUSTOMERS)]
        before: dict[str, list[str | None]] = {}
        while not self._ended.wait(0.01):
            with suppress(redis.RedisError):
                pipe = self._client.pipeline(transaction=False)
                for name in names:
                    pipe.hmget(f"tierstream:c:{{{name}}}", "revision", "as_of")
                for name, seen in zip(names, pipe.execute(), strict=True):
                    was = before.get(name, [None, None])
                    if None not in (*was, *seen) and _order(seen) < _order(was):
                        self.falls.append((name, str(was), str(seen)))
                    before[name] = seen
                self.looks += 1


def _order(seen: list[str | None]) -> tuple[str, int]:
    """Revision and instant as they rise together."""
    revision, as_of = seen
    return as_of or "", int(revision or 0)
