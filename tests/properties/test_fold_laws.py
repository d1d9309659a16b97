"""Laws of the fold of one customer: what repeats, order of arrival and refunds may change, and what they may not."""

from itertools import pairwise

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import OrderCompleted, OrderRefunded
from streams.customer import daylog, orders
from streams.customer.record import decode_state, encode_state, head
from streams.customer.state import CustomerState
from streams.regime import Regime, regime_of
from tests.properties.journals import KINDS, POLICIES, START_MS, Arrival, Happening, arrivals, lives
from tests.properties.one_customer import Folded, fold, once_each, visit

REGIMES = tuple(regime_of(policy, 0, 0) for policy in POLICIES)
regimes = st.sampled_from(REGIMES)
TAKING_ENTRY, FOREIGN_ENTRY = 10, 32
STEADY = tuple(kind for kind in KINDS if kind not in {"state", "conflict"})


def entries(packed: bytearray, size: int) -> list[bytes]:
    """The entries of a packed index, in an order of their own."""
    return sorted(bytes(packed[i : i + size]) for i in range(0, len(packed), size))


def kept_orders(state: CustomerState) -> list[tuple[object, ...]]:
    """What is known of each kept order, its channel by name: places go by the order of arrival."""
    names = ["", *state.channels]
    return sorted((order.hash, names[order.channel], *order[1:3], *order[4:]) for order in orders.since(state, 0))


def aggregates(state: CustomerState) -> dict[str, object]:
    """What a life adds up to, whatever the order of its arrival."""
    return {
        "days": [entry for entry in daylog.entries(state) if any(entry[1:])],
        "windows": daylog.windows(state),
        "orders": kept_orders(state),
        "cancelled": len(state.orders) // 24 - len(kept_orders(state)),
        "series": {name: (entry.log, entry.count, entry.amount) for name, entry in state.series.items() if entry.log},
        "kinds": state.channel_types,
        "categories": state.categories,
        "takings": sorted(taking[:8] for taking in entries(state.takings, TAKING_ENTRY)),
        "foreign": entries(state.foreign, FOREIGN_ENTRY),
        "purchases": (state.purchase_days, state.first_day, state.last_day),
        "span": (state.first_order_at, state.last_order_at),
        "channels": state.channels,
        "said": (state.contact, state.purposes, state.traits, state.test),
    }


@settings(max_examples=100, deadline=None)
@given(lives(customers=1, kinds=(*KINDS, "order", "refund")), regimes)
def test_what_is_said_twice_is_heard_once(life: list[Happening], regime: Regime) -> None:
    """Every event sent twice at once: same state but for the number of records, same outputs, nothing new refused."""
    arrived = arrivals(life)
    once = fold(regime, arrived)
    twice = fold(regime, [each for arrival in arrived for each in (arrival, arrival)])
    conflicts = sum(reason == "conflict" for reason, _ in once.refusals)

    assert twice.repeats == 2 * once.repeats + len(arrived) - once.repeats - conflicts
    assert len(twice.refusals) == len(once.refusals) + conflicts
    assert [change.id for change in twice.changes] == [change.id for change in once.changes]
    assert twice.state.journal_seq == 2 * once.state.journal_seq
    twice.state.journal_seq, twice.state.revision = once.state.journal_seq, once.state.revision
    assert twice.state == once.state


@settings(max_examples=100, deadline=None)
@given(st.data(), regimes)
def test_the_order_of_arrival_does_not_matter_to_the_sums(data: st.DataObject, regime: Regime) -> None:
    """A life arriving in any order within the lateness leaves the same aggregates as of the same clock.

    At most 16 refunds can wait for 30 days, so the life arrives within that time, and has no more of them; nor is
    anything so old that it leaves the log while the rest arrives.
    """
    life = once_each(data.draw(lives(customers=1, kinds=STEADY, max_size=25)))
    assume(sum(1 for h in life if h.kind in {"refund", "cancel"}) <= 16)
    gaps = data.draw(st.lists(st.integers(0, MS_PER_DAY), min_size=len(life), max_size=len(life)))
    events = [arrival.event for arrival in arrivals(h._replace(gap=0, late_days=min(h.late_days, 365)) for h in life)]
    results = []
    for order in (events, data.draw(st.permutations(events))):
        folded, now = Folded(regime), START_MS
        folded.take(visit(START_MS, "first"))
        for event, gap in zip(order, gaps, strict=True):
            now += gap
            folded.take(Arrival(event, now))
        folded.take(visit(START_MS + 29 * MS_PER_DAY, "last"))
        assert not folded.refusals
        results.append(aggregates(folded.state) | {"waiting": sorted(w.order for w in folded.state.waiting)})

    assert results[0] == results[1]


@settings(max_examples=100, deadline=None)
@given(lives(customers=1), regimes, st.integers(0, 26_000), st.integers(0, 200), st.integers(0, 200), st.booleans())
def test_a_refund_in_full_undoes_its_order(
    life: list[Happening],
    regime: Regime,
    total: int,
    late_days: int,
    wait_days: int,
    first: bool,  # noqa: FBT001 - drawn
) -> None:
    """An order and its full refund leave every sum, day and purchase day as it was without them."""
    assume(total or not first)
    arrived = arrivals(life)
    now = arrived[-1].recorded_at if arrived else START_MS
    then, end = format_instant(now - late_days * MS_PER_DAY), now + wait_days * MS_PER_DAY
    order = OrderCompleted(id="x", time=then, customer_id="c0", order_id="x", currency="USD", total_minor=max(1, total))
    refund = OrderRefunded(
        id="y",
        time=format_instant(now),
        customer_id="c0",
        order_id="x",
        refund_id="x",
        currency="USD",
        refund_minor=10**6,
    )
    added = [Arrival(refund, now), Arrival(order, now)] if first else [Arrival(order, now), Arrival(refund, end)]
    assume(not first or len(fold(regime, arrived).state.waiting) < 16)

    with_both = aggregates(fold(regime, [*arrived, *added, visit(end, "last")]).state)
    without = aggregates(fold(regime, [*arrived, visit(end, "last")]).state)

    for name in ("days", "windows", "purchases"):
        assert with_both[name] == without[name], name


@settings(max_examples=100, deadline=None)
@given(lives(customers=1), regimes)
def test_a_state_survives_its_encoding(life: list[Happening], regime: Regime) -> None:
    """Decoding what was encoded gives the same state, encoding it again the same bytes, and the head is true."""
    state = fold(regime, [visit(START_MS, "first"), *arrivals(life)]).state
    record = encode_state(state)

    assert decode_state(record) == state
    assert encode_state(decode_state(record)) == record
    assert head(record) == (state.due, state.ordinal)


@settings(max_examples=100, deadline=None)
@given(lives(customers=1), regimes, st.data())
def test_a_state_that_was_stored_in_between_goes_on_as_if_it_had_not_been(
    life: list[Happening], regime: Regime, data: st.DataObject
) -> None:
    """Nothing that the fold needs is outside of the record."""
    arrived = arrivals(life)
    stored = Folded(regime)
    pauses = data.draw(st.sets(st.integers(0, len(arrived))))
    for number, arrival in enumerate(arrived):
        if number in pauses and stored.state.journal_seq:
            stored.state = decode_state(encode_state(stored.state))
        stored.take(arrival)

    direct = fold(regime, arrived)

    assert stored.state == direct.state
    assert stored.changes == direct.changes


@settings(max_examples=100, deadline=None)
@given(lives(customers=1, max_size=40), regimes)
def test_no_sum_is_ever_negative(life: list[Happening], regime: Regime) -> None:
    """Whatever is refunded, cancelled, restated or late; and a shorter window never holds more than a longer one."""
    folded = Folded(regime)
    for arrival in arrivals(life):
        folded.take(arrival)
        for metric in daylog.SUMMED:
            sums = [folded.state.sums[daylog.PLACES[metric, window]] for window in (*daylog.WINDOW_DAYS, None)]
            assert sums[0] >= 0
            assert all(shorter <= longer for shorter, longer in pairwise(sums)), metric
        assert all(min(entry[1:]) >= 0 for entry in daylog.entries(folded.state))
        assert folded.state.due > folded.state.clock
