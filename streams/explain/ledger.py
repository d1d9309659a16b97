"""A customer's ledger: what each event booked, on which day, found by comparing what is known before and after it.

It takes no rule of booking for granted, so it can't repeat a mistake of the books: whatever an event changed stands
under that event. Sums of the ledger are sums of the state.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from schemas.clock import parse_canonical
from schemas.events import InputEvent, type_of
from streams.calendar import Calendar
from streams.customer import daylog, orders, series
from streams.customer.dedupe import hash_of
from streams.customer.state import CustomerState

Account: TypeAlias = tuple[str, ...]
"""What is booked: `("log", "spend")`, `("series", name, "count")`, `("channel", name, "orders")` ..."""
Books: TypeAlias = dict[tuple[Account, int], int]
Rows: TypeAlias = dict[tuple[Account, int], tuple[int, ...]]
LIFE: Final = 0
"""In place of a day: over the whole life."""
POLICY: Final = "policy.activated"
_LOG: Final = ("log",)
_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "log": tuple(daylog.METRICS),
    "series": ("count", "amount"),
    "channel": ("orders", "spend"),
    "channel_type": ("orders", "spend"),
}
_NOTHING: Final = (0,) * len(daylog.METRICS)


class Line(NamedTuple):
    """What one event did."""

    event: InputEvent | None
    """None: a policy did."""
    day: int
    """Local day on which it happened."""
    booked: Books
    order: bytes
    """Hash of the order it is about; empty: of none."""
    kept: int
    """How many orders it added or took, and so much of their spend: whatever day that order is of."""
    remaining: int
    old: bool
    """Whether that day had left the day log already: it counts for the whole life alone."""
    touched: frozenset[tuple[str, str]]
    """Facts that it changed: `("membership", programme)`, `("category", name)` ..."""

    @property
    def event_id(self) -> str | None:
        """The event's id."""
        return self.event.id if self.event is not None else None

    @property
    def type(self) -> str:
        """The event's type."""
        return POLICY if self.event is None else type_of(self.event)

    @property
    def what(self) -> str | None:
        """The order or ticket it is about."""
        return getattr(self.event, "order_id", None) or getattr(self.event, "ticket_id", None) or None

    def purchase_day(self) -> int:
        """The day of the purchase that it is about; the day on which it happened for all else."""
        return next((day for (_, day), amount in self.booked.items() if day != LIFE and amount), self.day)

    def between(self, account: Account, first: int | None, last: int | None) -> int:
        """How much it added to an account on the days from `first` to `last`; no `first`: over all of life up to it."""
        if first is None:
            later = 0 if last is None else self.between(account, last + 1, None)
            return self.booked.get((account, LIFE), 0) - later
        if self.old:
            return self.booked.get((account, LIFE), 0) if first <= self.day <= (last or self.day) else 0
        return sum(
            amount
            for (name, day), amount in self.booked.items()
            if name == account and day >= max(first, LIFE + 1) and (last is None or day <= last)
        )


class Ledger:
    """Lines in the order of the journal; `observe` adds one when something has changed."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.lines: list[Line] = []
        self._rows: Rows = {}
        self._facts: dict[tuple[str, str], object] = {}
        self._orders: dict[bytes, tuple[int, int]] = {}

    def observe(self, state: CustomerState, event: InputEvent | None, calendar: Calendar) -> None:
        """Enter what has changed since the last time, under the event."""
        before, self._rows = self._rows, dict(_rows(state))
        booked = _difference(before, self._rows, calendar.day_of(state.clock) - daylog.LOG_DAYS)
        known, self._facts = self._facts, dict(_facts(state))
        touched = frozenset(name for name, fact in self._facts.items() if known.get(name) != fact)
        order_id = getattr(event, "order_id", "")
        order, kept, remaining = hash_of(order_id) if order_id else b"", 0, 0
        if order and (found := orders.find(state, order)) is not None:
            had_kept, had_remaining = self._orders.get(order, (0, 0))
            kept, remaining = int(found.kept) - had_kept, found.remaining - had_remaining
            self._orders[order] = int(found.kept), found.remaining
        if booked or touched or kept or remaining:
            day = calendar.day_of(parse_canonical(event.time) if event is not None else state.clock)
            old = day <= calendar.day_of(state.clock) - daylog.LOG_DAYS and all(on == LIFE for _, on in booked)
            self.lines.append(Line(event, day, booked, order, kept, remaining, old, touched))


def _rows(state: CustomerState) -> Iterator[tuple[tuple[Account, int], tuple[int, ...]]]:
    """Everything that is counted, by day and over the whole life; what the columns are stands in _COLUMNS."""
    for day, *counted in daylog.entries(state):
        yield (_LOG, day), tuple(counted)
    yield (_LOG, LIFE), tuple(state.sums[daylog.PLACES[metric, None]] for metric in daylog.METRICS)
    for name, held in state.series.items():
        for day, count, amount in series.entries(state, name):
            yield (("series", name), day), (count, amount)
        yield (("series", name), LIFE), (held.count, held.amount)
    for channel, (_, kept, spend) in state.channels.items():
        yield (("channel", channel), LIFE), (kept, spend)
    for place, kind in enumerate(("online", "offline")):
        yield (("channel_type", kind), LIFE), tuple(state.channel_types[2 * place : 2 * place + 2])


def _difference(before: Rows, after: Rows, oldest: int) -> Books:
    """What has changed, column by column; a day that is gone because it is older than `oldest` has not."""
    booked: Books = {}
    places = [place for place, row in after.items() if before.get(place) != row]
    places += [place for place in before.keys() - after.keys() if place[1] == LIFE or place[1] > oldest]
    for account, day in places:
        old, new = before.get((account, day), _NOTHING), after.get((account, day), _NOTHING)
        for column, had, has in zip(_COLUMNS[account[0]], old, new, strict=False):
            if had != has:
                booked[(*account, column), day] = has - had
    return booked


def _facts(state: CustomerState) -> Iterator[tuple[tuple[str, str], object]]:
    """Everything that is known as it stands; values are copies, for comparing."""
    for programme, held in state.memberships.items():
        yield ("membership", programme), tuple(held)
    for name, value in state.traits.items():
        yield ("trait", name), value
    for category, (placed, last_day) in state.categories.items():
        yield ("category", category), (placed, last_day)
    for channel, (placed, _, _) in state.channels.items():
        yield ("channel", channel), placed
    for place, standing in enumerate(state.ladders):
        hand = standing.hand
        yield ("hand", str(place)), hand and (hand.override, hand.override_until, hand.match, hand.match_until)
    yield ("tickets", ""), bytes(state.tickets)
    yield ("joined", ""), state.signed_up_at or None
    yield ("seen", ""), state.first_seen_at
