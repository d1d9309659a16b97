"""What the fold keeps of a customer's visits and troubles: days as bits and a few tickets, in any order of arrival.

A *day set* is the newest day and 64 bits, bit k for the day k days before it: adding a day is an OR, so order and
repeats change nothing, and weights that halve with age are exact for whatever half-life a model brings. That is why it
is kept in place of a decayed sum, whose half-life would be fixed when it is written, and whose last digit would depend
on the order. A day weighs once, however many pages were looked at. Tickets are kept by a hash of their id, the 8 that
were heard of last: opened at the earliest word of them, solved if the newest word says so.

Days are numbers of local days, as the calendar counts them; instants are epoch milliseconds.
"""

import struct
from math import exp, log
from typing import Final, Literal, NamedTuple

import msgspec

LN_2: Final = log(2.0)
NO_DAY: Final = -(1 << 31)
SET_DAYS: Final = 64
_ALL: Final = (1 << SET_DAYS) - 1
TICKETS_MAX: Final = 8
BAD_RATING_MAX: Final = 0.4
"""A rating of at most this share of its scale is a bad one: 2 of 5."""
_TICKET: Final = struct.Struct("<QqqB")


class Evidence(msgspec.Struct, array_like=True, gc=False):
    """Of one customer; part of the state. Equal histories give equal bytes, whatever order they came in."""

    visited_first: int = NO_DAY
    """Since this day a visit would have been seen."""
    visited_last: int = NO_DAY
    visited_bits: int = 0
    rated_last: int = NO_DAY
    """Bad ratings."""
    rated_bits: int = 0
    refunded_last: int = NO_DAY
    refunded_bits: int = 0
    tickets: bytes = b""
    """Packed (hash, opened at, newest word at, solved), by hash."""


class Ticket(NamedTuple):
    """What is known of one ticket."""

    hash: int
    opened_ms: int
    told_ms: int
    solved: bool


class TicketWeights(NamedTuple):
    """Tickets that halve with age, as of an instant."""

    open: float
    solved: float


def add_visit(evidence: Evidence, day: int) -> Literal["known", "new", "first"]:
    """The customer looked at something on a day. `new`: that can only lower a score; `first`: it begins the watch."""
    before = evidence.visited_last, evidence.visited_bits
    after = evidence.visited_last, evidence.visited_bits = _with(*before, day)
    if evidence.visited_first == NO_DAY or day < evidence.visited_first:
        evidence.visited_first = day
        return "first"
    return "known" if after == before else "new"


def add_bad_rating(evidence: Evidence, day: int) -> None:
    """The customer rated a purchase or the support badly."""
    evidence.rated_last, evidence.rated_bits = _with(evidence.rated_last, evidence.rated_bits, day)


def add_refund(evidence: Evidence, day: int) -> None:
    """The customer gave something back."""
    evidence.refunded_last, evidence.refunded_bits = _with(evidence.refunded_last, evidence.refunded_bits, day)


def add_ticket_word(evidence: Evidence, ticket_hash: int, at_ms: int, *, solved: bool) -> bool:
    """A ticket was created, changed or solved at `at_ms`; of two words of one instant, "not solved" counts.

    Whether that changes what the ticket weighs: when it was opened, or whether it is solved.
    """
    tickets = {ticket.hash: ticket for ticket in tickets_of(evidence)}
    known = tickets.get(ticket_hash)
    if known is None:
        tickets[ticket_hash] = Ticket(ticket_hash, at_ms, at_ms, solved)
    else:
        told_ms = max(known.told_ms, at_ms)
        if at_ms == known.told_ms:
            solved = solved and known.solved
        elif at_ms < known.told_ms:
            solved = known.solved
        tickets[ticket_hash] = Ticket(ticket_hash, min(known.opened_ms, at_ms), told_ms, solved)
    newest = sorted(tickets.values(), key=lambda ticket: (-ticket.told_ms, ticket.hash))[:TICKETS_MAX]
    newest.sort()
    evidence.tickets = b"".join(_TICKET.pack(*ticket) for ticket in newest)
    word = tickets[ticket_hash]
    return known is None or (known.opened_ms, known.solved) != (word.opened_ms, word.solved)


def tickets_of(evidence: Evidence) -> list[Ticket]:
    """The tickets that are remembered, by hash."""
    return [
        Ticket(hashed, opened_ms, told_ms, bool(solved))
        for hashed, opened_ms, told_ms, solved in _TICKET.iter_unpack(evidence.tickets)
    ]


def visits_after(evidence: Evidence, purchase_day: int, half_life_days: float | None) -> float:
    """Visit days after the day of a purchase, each halved per half-life of its distance to the newest visit day."""
    kept = evidence.visited_last - purchase_day
    if kept <= 0:
        return 0.0
    bits = evidence.visited_bits if kept >= SET_DAYS else evidence.visited_bits & ((1 << kept) - 1)
    return _weight(bits, half_life_days)


def bad_ratings(evidence: Evidence, half_life_days: float) -> float:
    """Days with a bad rating, each halved per half-life of its distance to the newest of them."""
    return _weight(evidence.rated_bits, half_life_days)


def refunds(evidence: Evidence, half_life_days: float) -> float:
    """Days with a refund, likewise."""
    return _weight(evidence.refunded_bits, half_life_days)


def ticket_weights(evidence: Evidence, half_life_ms: float, as_of_ms: int) -> TicketWeights:
    """Open and solved tickets, each halved per half-life of its age at `as_of_ms`."""
    weights = [0.0, 0.0]
    for ticket in tickets_of(evidence):
        weights[ticket.solved] += exp(-LN_2 * max(0, as_of_ms - ticket.opened_ms) / half_life_ms)
    return TicketWeights(weights[0], weights[1])


def _with(last: int, bits: int, day: int) -> tuple[int, int]:
    if last == NO_DAY:
        return day, 1
    if day > last:
        moved = day - last
        return day, ((bits << moved) & _ALL | 1) if moved < SET_DAYS else 1
    back = last - day
    return last, bits | (1 << back) if back < SET_DAYS else bits


def _weight(bits: int, half_life_days: float | None) -> float:
    if half_life_days is None:
        return float(bits.bit_count())
    total = 0.0
    while bits:
        lowest = bits & -bits
        total += exp(-LN_2 * (lowest.bit_length() - 1) / half_life_days)
        bits ^= lowest
    return total
