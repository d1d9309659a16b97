"""States of customers whose purchases are real, or named: what one customer costs in bytes. Pure fold, no broker."""

import time
from collections.abc import Iterable, Iterator
from statistics import median

import msgspec

from agents.bench.histories import folded
from agents.bench.workload import CURRENCY, BenchEvent
from agents.demo.cdnow import ENDS_AT, order_events, read_purchases
from agents.demo.simulation import simulate
from schemas.clock import MS_PER_DAY, format_instant, parse_instant
from schemas.events import BrowseActivity, InputEvent, OrderCompleted
from schemas.journal import encode_journal
from streams.policy.model import Policy

ACTIVE_DAYS = 365
VISITS_PER_DAY = 3


class StateBytes(msgspec.Struct, frozen=True):
    """Sizes of encoded states."""

    median: int
    p99: int
    daily_shopper: int
    """One order and three views on each of 365 days."""


def measure(policy: Policy) -> StateBytes:
    """Fold CDNOW's purchases to the end of the data, and a shopper who comes every day."""
    sizes = sorted(map(len, cdnow_states(policy, ENDS_AT, browsing=False)))
    return StateBytes(
        median=int(median(sizes)), p99=sizes[len(sizes) * 99 // 100], daily_shopper=len(_daily_shopper(policy))
    )


def cdnow_states(policy: Policy, ends_at: int, *, browsing: bool) -> list[bytes]:
    """CDNOW's customers as of `ends_at`, to which the end of the data is moved.

    With `browsing`, the demo's simulated visits and tickets are folded too.
    """
    purchases = read_purchases()
    happened: list[InputEvent] = list(order_events(purchases))
    if browsing:
        happened.extend(simulate(purchases))
    happened.sort(key=lambda event: (event.time, event.id))
    return list(folded(_moved(happened, ends_at - ENDS_AT), policy, ends_at).values())


def _moved(happened: Iterable[InputEvent], shift_ms: int) -> Iterator[BenchEvent]:
    for event in happened:
        at = parse_instant(event.time) + shift_ms
        event.time = format_instant(at)
        yield BenchEvent(int(event.customer_id.rpartition("-")[2]), at, encode_journal(event))


def _daily_shopper(policy: Policy) -> bytes:
    ends_at = int(time.time() * 1000)
    (state,) = folded(_daily(ends_at - ACTIVE_DAYS * MS_PER_DAY), policy, ends_at).values()
    return state


def _daily(begins_at: int) -> Iterator[BenchEvent]:
    for day in range(ACTIVE_DAYS):
        at = begins_at + day * MS_PER_DAY
        for number in range(VISITS_PER_DAY):
            view = BrowseActivity(id=f"v{day}-{number}", time=format_instant(at), customer_id="c0", action="view_item")
            yield BenchEvent(0, at, encode_journal(view))
        order = OrderCompleted(
            id=f"o{day}", time=format_instant(at), customer_id="c0", channel="web", order_id=f"o{day}",
            currency=CURRENCY, total_minor=1_990,
        )  # fmt: skip
        yield BenchEvent(0, at, encode_journal(order))
