"""Knows when everything that was fed has been folded: the customers stage says so in the audit trail, per partition."""

import time
from collections.abc import Callable

import msgspec

from agents.demo.reading import consumer, partitions_of
from agents.errors import TierstreamError

SETTLE_S_MAX = 300.0
"""After the last event: many times what folding all of them takes, kills included."""

_POLL_MS = 300


class _Audited(msgspec.Struct):
    type: str = ""
    home: tuple[int, int] = (-1, 0)


def wait_until_folded(bootstrap: str, audit_topic: str, progress: Callable[[int], None]) -> None:
    """Return when each partition has closed its clock; `progress` is told how many have.

    TierstreamError when they don't within SETTLE_S_MAX.
    """
    reader = consumer(bootstrap)
    decode = msgspec.json.Decoder(_Audited).decode
    give_up_at = time.monotonic() + SETTLE_S_MAX
    try:
        partitions = partitions_of(reader, audit_topic)
        reader.assign(partitions)
        reader.seek_to_beginning(*partitions)
        closed: set[int] = set()
        while len(closed) < len(partitions):
            progress(len(closed))
            for records in reader.poll(timeout_ms=_POLL_MS).values():
                audited = [decode(record.value) for record in records]
                closed |= {entry.home[0] for entry in audited if entry.type == "clock.closed"}
            if time.monotonic() > give_up_at:
                left = sorted({partition.partition for partition in partitions} - closed)
                raise TierstreamError(
                    f"{len(left)} of {len(partitions)} partitions did not come to their end.",
                    why=f"not within {SETTLE_S_MAX:.0f} s after the last event: {', '.join(map(str, left))}",
                    next_step="read the workers' logs",
                )
    finally:
        reader.close()
