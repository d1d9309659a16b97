"""What the pipeline itself remembers of one customer: the newest record of the customers' changelog, in words."""

from collections.abc import Iterator
from typing import NamedTuple

from agents.errors import ConfigurationError
from agents.lookup import newest_value
from agents.runtime.names import changelog
from agents.settings import Settings
from schemas.clock import format_instant
from streams.customer import daylog
from streams.customer.record import UnknownStateError, decode_state
from streams.customer.standing import NO_BAND
from streams.customer.state import NEVER, CustomerState

STAGE = "customers"


class FoundState(NamedTuple):
    """A state, and the topic that it was read from."""

    topic: str
    state: CustomerState


def newest_state(settings: Settings, customer: bytes) -> FoundState | None:
    """The newest committed state of a customer; None when there is none. Needs no worker."""
    topic = changelog(settings.kafka.application_id, STAGE)
    record = newest_value(settings, topic, customer)
    if record is None:
        return None
    try:
        return FoundState(topic, decode_state(record))
    except UnknownStateError as error:
        raise ConfigurationError("The state was written by a later version.", where=topic, why=str(error)) from error


def standing_of(state: CustomerState) -> Iterator[tuple[str, str]]:
    """The standing, line by line. Ranks and bands by number: their names are the policy's."""
    for number, ladder in enumerate(state.ladders, 1):
        since = f" since {format_instant(ladder.shown_since)}" if ladder.shown else ""
        grace = f", in grace until {format_instant(ladder.grace_until)}" if ladder.grace_until else ""
        yield f"ladder {number}", (f"rank {ladder.shown}" if ladder.shown else "no tier") + since + grace
    if state.risk.band != NO_BAND:
        yield "risk", f"band {state.risk.band} (0 is the lowest) since {format_instant(state.risk.since)}"
    yield "first seen", format_instant(state.first_seen_at)
    if state.last_order_at:
        yield "last order", format_instant(state.last_order_at)
    yield "days logged", f"{len(state.days) // 20}, with kept orders over the whole life: {state.purchase_days}"
    if state.waiting:
        yield "waiting", f"{len(state.waiting)} refunds or cancellations of orders not seen yet"
    yield "due", "never" if state.due == NEVER else format_instant(state.due)
    tiers, risks, notices = state.sequences
    yield "published", f"{tiers} tier changes, {risks} risk changes, {notices} notices"
    yield "as of", f"{format_instant(state.clock)}, revision {state.revision}, record {state.journal_seq}"


def figures_of(state: CustomerState) -> Iterator[tuple[str, ...]]:
    """Sums per metric and window, as of the state's clock; spend in minor units, as the currency is the policy's."""
    sums, count = daylog.windows(state), len(daylog.WINDOW_DAYS) + 1
    for row, name in enumerate(("spend (minor)", "orders", "visits", "tickets")):
        yield name, *map(str, sums[row * count : (row + 1) * count])
