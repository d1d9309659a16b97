"""The day log against brute force: whatever order events come in, every window is what a sum over all days says."""

from hypothesis import given
from hypothesis import strategies as st

from streams.customer import daylog
from streams.customer.daylog import CARTS, LOG_DAYS, ORDERS, SPEND, TICKETS, VIEWS, VISITS, WINDOW_DAYS
from streams.customer.state import CustomerState

ORIGIN = 735_000
Bookings = list[tuple[int, int, int, int]]

bookings = st.lists(
    st.tuples(
        st.integers(0, 40),  # days that the clock moves on before the booking
        st.integers(0, 399),  # how many days late it is
        st.sampled_from(["orders", "visits", "tickets"]).map(["orders", "visits", "tickets"].index),
        st.integers(0, 10_000),
    ),
    max_size=60,
)


def fold(steps: Bookings) -> tuple[CustomerState, dict[int, list[int]], int]:
    """Book the steps, and keep the plain account of each day beside."""
    state, days, clock = CustomerState(), dict[int, list[int]](), ORIGIN
    for forward, late, kind, amount in steps:
        clock += forward
        day = clock - late
        daylog.advance(state, clock)
        account = days.setdefault(day, [0] * 7)
        if kind == 0:
            daylog.book(state, day, clock, orders=1, spend=amount)
            account[ORDERS] += 1
            account[SPEND] += amount
        elif kind == 1:
            daylog.book(state, day, clock, visits=1)
            daylog.book_browsing(state, day, clock, views=amount % 3, carts=amount % 2)
            for column, seen in ((VISITS, 1), (VIEWS, amount % 3), (CARTS, amount % 2)):
                account[column] += seen
        else:
            daylog.book(state, day, clock, tickets=1)
            account[TICKETS] += 1
    return state, days, clock


def brute(days: dict[int, list[int]], column: int, length: int, as_of: int) -> int:
    return sum(account[column] for day, account in days.items() if as_of - length < day <= as_of)


@given(bookings, st.integers(0, 450))
def test_every_window_equals_the_sum_over_its_days(steps: Bookings, silence: int) -> None:
    """Running sums, also after any silence, are what adding up the days of the window gives."""
    state, days, clock = fold(steps)
    clock += silence
    daylog.advance(state, clock)
    for metric, column in daylog.METRICS.items():
        for length in (*WINDOW_DAYS, 7, 200):
            assert daylog.total(state, metric, length, clock) == brute(days, column, length, clock), (metric, length)


@given(bookings, st.integers(0, 900))
def test_purchase_days_are_counted_once_whatever_has_left_the_log(steps: Bookings, silence: int) -> None:
    """First, last and number of purchase days cover the whole life."""
    state, days, clock = fold(steps)
    daylog.advance(state, clock + silence)
    bought = sorted(day for day, account in days.items() if account[ORDERS])
    assert state.purchase_days == len(bought)
    assert (state.first_day, state.last_day) == ((bought[0], bought[-1]) if bought else (0, 0))


@given(bookings, st.integers(1, 50_000), st.sampled_from([30, 90, 365]))
def test_the_day_below_a_threshold_is_the_first_such_day(steps: Bookings, threshold: int, length: int) -> None:
    """Walking day by day finds the same day."""
    state, days, clock = fold(steps)
    daylog.advance(state, clock)
    expected = next((d for d in range(clock, clock + length + 1) if brute(days, SPEND, length, d) < threshold), None)
    if expected == clock:  # it is below already
        return
    left = daylog.last_day_of(state, SPEND, clock - length + 1, threshold)
    assert (None if left is None else left + length) == expected


@given(bookings)
def test_the_log_holds_no_day_that_no_event_can_belong_to(steps: Bookings) -> None:
    """Memory is bounded by LOG_DAYS entries, each of an active day."""
    state, days, clock = fold(steps)
    daylog.advance(state, clock)
    logged = [entry[0] for entry in daylog.entries(state)]
    assert logged == sorted(day for day in days if day > clock - LOG_DAYS)


@given(bookings, st.data())
def test_the_order_of_arrival_does_not_matter(steps: Bookings, data: st.DataObject) -> None:
    """The same bookings as of the same day give the same log and sums in any order."""
    as_of = ORIGIN + 20
    todo = [(ORIGIN + forward - late, kind, amount) for forward, late, kind, amount in steps if forward <= 20]
    shuffled = data.draw(st.permutations(todo))
    results = []
    for order in (todo, shuffled):
        state = CustomerState()
        for day, kind, amount in order:
            daylog.book(
                state, day, as_of, **{("orders", "visits", "tickets")[kind]: 1}, spend=amount if kind == 0 else 0
            )
        results.append((state.days, state.sums, state.shift_day, state.purchase_days, state.first_day, state.last_day))
    assert results[0] == results[1]
