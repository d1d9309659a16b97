"""What the pipeline itself remembers of one customer: the newest record of the customers' changelog, in words."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from agents.lookup import newest_value
from agents.partition_records import POLICIES_KEY, Activation, unreadable
from agents.runtime.names import changelog
from agents.settings import Settings
from schemas.clock import format_instant
from streams.customer import daylog
from streams.customer.record import UnknownStateError, decode_state
from streams.customer.standing import NO_BAND, NO_RANK, NOT_DUE, LadderStanding
from streams.customer.state import NEVER, CustomerState
from streams.policy.model import Ladder, Policy
from streams.policy.parse import load_canonical

STAGE = "customers"


class FoundState(NamedTuple):
    """A state, the topic that it was read from, and the policy that it was judged by."""

    topic: str
    state: CustomerState
    policy: Policy | None
    """None when the changelog does not have it."""


def newest_state(settings: Settings, customer: bytes) -> FoundState | None:
    """The newest committed state of a customer; None when there is none. Needs no worker."""
    topic = changelog(settings.kafka.application_id, STAGE)
    record = newest_value(settings, topic, customer)
    if record is None:
        return None
    try:
        state = decode_state(record)
    except UnknownStateError as error:
        raise unreadable(error) from error
    return FoundState(topic, state, _policy(settings, topic, state.ordinal))


def _policy(settings: Settings, table: str, ordinal: int) -> Policy | None:
    known = newest_value(settings, table, POLICIES_KEY, partition=0)
    activations = msgspec.msgpack.decode(known, type=list[Activation]) if known is not None else []
    return load_canonical(activations[ordinal].text) if ordinal < len(activations) else None


def standing_of(state: CustomerState, policy: Policy | None) -> Iterator[tuple[str, str]]:
    """The standing, line by line; ranks by number where the policy is not known."""
    for place, standing in enumerate(state.ladders):
        ladder = policy.ladders[place] if policy is not None else None
        name = ladder.id if ladder is not None else str(place + 1)
        audience = ", internal" if ladder is not None and ladder.audience == "internal" else ""
        since = f" since {format_instant(standing.shown_since)}" if standing.shown else ""
        yield f"ladder {name}{audience}", _tier(standing.shown, ladder) + since
        yield from (("", line) for line in _on_ladder(standing, ladder))
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


def _tier(rank: int, ladder: Ladder | None) -> str:
    if not rank:
        return "no tier"
    return f"{ladder.tiers[rank - 1].id} (rank {rank})" if ladder is not None else f"rank {rank}"


def _on_ladder(standing: LadderStanding, ladder: Ladder | None) -> Iterator[str]:
    """What decides how long the tier is held; what there is nothing of is left out."""
    hand = standing.hand
    if hand is not None and hand.override != NO_RANK:
        yield f"override: {_tier(hand.override, ladder)}{_end(hand.override_until)} ({hand.reason})"
    if hand is not None and hand.match:
        yield f"match: {_tier(hand.match, ladder)}{_end(hand.match_until)}"
    if standing.rank != standing.shown:
        yield f"by the rules: {_tier(standing.rank, ladder)}"
    if standing.valid_until:
        yield f"held until {format_instant(standing.valid_until)}"
    if standing.review_at:
        yield f"next review at {format_instant(standing.review_at)}"
    if standing.grace_until:
        yield f"in grace until {format_instant(standing.grace_until)}"
    if standing.noticed:
        yield f"notice given of a fall at {format_instant(standing.noticed)}, {standing.notice_days} days before"
    if standing.deducted:
        yield f"deducted by reviews: {standing.deducted}"


def _end(instant: int) -> str:
    return f" until {format_instant(instant)}" if instant < NOT_DUE else ""


def figures_of(state: CustomerState) -> Iterator[tuple[str, ...]]:
    """Sums per metric and window, as of the state's clock; spend in minor units, as the currency is the policy's."""
    sums, count = daylog.windows(state), len(daylog.WINDOW_DAYS) + 1
    for row, name in enumerate(("spend (minor)", "orders", "visits", "tickets")):
        yield name, *map(str, sums[row * count : (row + 1) * count])
