"""Facts about a customer that no sum holds: open tickets, memberships, traits, categories bought from."""

import struct
from collections.abc import Iterable
from typing import Final

from schemas.events import Traits
from streams.customer.state import NEVER, CustomerState

TICKETS_MAX: Final = 32
"""More tickets of one customer are not told apart: those that are closed make room first."""
MEMBERSHIPS_MAX: Final = 16
CATEGORIES_MAX: Final = 32
TOP_CATEGORIES: Final = 3
CLOSED_STATUSES: Final = frozenset({"solved", "closed"})
_TICKET: Final = struct.Struct("<8sqB")


def hear_ticket(state: CustomerState, ticket_hash: bytes, at: int, status: str) -> bool:
    """Take a ticket's status as of an instant; news older than what is known changes nothing. Whether any did."""
    is_open = status not in CLOSED_STATUSES
    known = {hashed: (heard_at, was_open) for hashed, heard_at, was_open in _TICKET.iter_unpack(state.tickets)}
    before = known.pop(ticket_hash, None)
    if before is not None and at < before[0]:
        return False
    known[ticket_hash] = at, is_open
    if len(known) > TICKETS_MAX:
        del known[next((hashed for hashed, (_, still) in known.items() if not still), next(iter(known)))]
    state.tickets = bytearray(b"".join(_TICKET.pack(hashed, *rest) for hashed, rest in known.items()))
    return before is None or bool(before[1]) is not is_open


def tickets_open(state: CustomerState) -> int:
    """How many tickets are neither solved nor closed."""
    return sum(is_open for _, _, is_open in _TICKET.iter_unpack(state.tickets))


def start_membership(state: CustomerState, programme: str, since: int, until: int | None) -> None:
    """A membership runs from `since` until `until`; one that is renewed keeps its begin.

    Of two that do not meet the later one is held, whichever is heard of first.
    """
    held, end = state.memberships.get(programme), NEVER if until is None else until
    if held is None:
        if len(state.memberships) < MEMBERSHIPS_MAX:
            state.memberships[programme] = [since, end]
    elif since <= held[1] and held[0] <= end:
        held[0], held[1] = min(held[0], since), max(held[1], end)
    elif since > held[1]:
        held[0], held[1] = since, end


def end_membership(state: CustomerState, programme: str, ended_at: int, until: int) -> None:
    """A membership ends; one that is not known, or was over before the one held began, has nothing to end."""
    held = state.memberships.get(programme)
    if held is not None and ended_at >= held[0]:
        held[1] = min(held[1], until)


def take_traits(state: CustomerState, traits: Traits) -> bool:
    """Remember what became known of a customer; whether anything is new."""
    new = False
    for name in traits.__struct_fields__:
        value = getattr(traits, name)
        if value not in {"", None} and name != "signup_time" and state.traits.get(name) != value:
            state.traits[name] = value
            new = True
    return new


def bought_from(state: CustomerState, categories: Iterable[str], day: int) -> None:
    """Count an order in each category that it has a product of."""
    held = state.categories
    for category in dict.fromkeys(categories):
        orders, last_day = held.get(category, (0, 0))
        held[category] = [orders + 1, max(last_day, day)]
    while len(held) > CATEGORIES_MAX:
        del held[min(held, key=lambda name: (held[name][1], held[name][0], name))]


def categories_since(state: CustomerState, first: int | None) -> int:
    """From how many categories something was bought on the day `first` or later."""
    if first is None:
        return len(state.categories)
    return sum(last_day >= first for _, last_day in state.categories.values())


def top_categories(state: CustomerState) -> tuple[str, ...]:
    """The categories with the most orders, the latest bought and then the alphabet deciding between equals."""
    held = state.categories
    return tuple(sorted(held, key=lambda name: (-held[name][0], -held[name][1], name))[:TOP_CATEGORIES])


def preferred_channel(state: CustomerState) -> str | None:
    """The channel with the most orders; the alphabet decides between equals."""
    channels = state.channels
    return max(channels, key=lambda name: (channels[name][0], name)) if channels else None
