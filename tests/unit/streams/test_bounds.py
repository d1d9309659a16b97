"""What one customer can cost: the state fits into a batch whatever a producer sends."""

from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import InputEvent, OrderCompleted, OrderRefunded, Product
from streams.customer import daylog
from streams.customer.booking import CHANNELS_MAX, WAITING_BYTES_MAX
from streams.customer.dedupe import hash_of
from streams.customer.orders import ORDERS_MAX, TAKINGS_MAX
from tests.journal import Committed, Journal, default_policy, folded

AT = 1_767_225_600_000
TIME = format_instant(AT)
STATE_BYTES_MAX = 900_000
"""What the runtime can commit in one batch."""


def folded_events(events: list[InputEvent]) -> Committed:
    """A journal of events that arrive a millisecond apart."""
    journal = Journal()
    journal.activate(default_policy(), 0)
    for number, event in enumerate(events):
        journal.event(event, AT + number)
    return folded(journal.records)


def order(number: int, currency: str = "USD", channel: str = "", total: int = 100, days_ago: int = 0) -> InputEvent:
    """One of the many orders of a till's account for all who have none."""
    return OrderCompleted(
        id=f"e{number}",
        time=format_instant(AT - days_ago * MS_PER_DAY),
        customer_id="till",
        order_id=f"o{number}",
        currency=currency,
        total_minor=total,
        base_total_minor=total,
        channel=channel,
    )


def refund(number: int, refund_id: str = "r", currency: str = "USD", products: tuple[Product, ...] = ()) -> InputEvent:
    """A refund of one of them."""
    return OrderRefunded(
        id=f"r{number}",
        time=TIME,
        customer_id="till",
        order_id=f"o{number}",
        refund_id=refund_id,
        currency=currency,
        refund_minor=1,
        products=products,
    )


def test_of_too_many_orders_the_oldest_are_forgotten_and_all_are_counted() -> None:
    """Their sums stay; a refund of a forgotten one waits for its order, one of a remembered one is booked."""
    count = ORDERS_MAX + 10
    committed = folded_events([*(order(n, "EUR") for n in range(count)), refund(0), refund(count - 1, "r", "EUR")])

    state = committed.state(b"till")
    assert daylog.total(state, "orders", None, 0) == count
    assert daylog.total(state, "spend", None, 0) == count * 100 - 1
    assert [waiting.order for waiting in state.waiting] == [hash_of("o0")]
    assert hash_of(f"o{count - ORDERS_MAX - 1}") not in state.orders + state.foreign
    assert hash_of(f"o{count - ORDERS_MAX}") in state.orders
    assert hash_of(f"o{count - ORDERS_MAX}") in state.foreign
    assert len(committed.changelog[b"till"] or b"") < STATE_BYTES_MAX


def test_orders_are_forgotten_by_their_day_and_not_by_their_arrival() -> None:
    """An old order that arrives last leaves the index first, when its day leaves the log."""
    journal = Journal()
    journal.activate(default_policy(), 0)
    journal.event(order(1), AT)
    journal.event(order(2, days_ago=300), AT + 1)
    journal.event(order(3, days_ago=100), AT + 2)
    journal.event(order(4), AT + 103 * MS_PER_DAY)

    state = folded(journal.records).state(b"till")

    assert hash_of("o2") not in state.orders
    assert all(hash_of(f"o{number}") in state.orders for number in (1, 3, 4))


def test_of_too_many_refunds_the_oldest_can_be_sent_again() -> None:
    """The newest are still recognised."""
    refunds = [refund(0, f"r{n}") for n in range(TAKINGS_MAX + 1)]
    committed = folded_events([order(0, total=10_000), *refunds, refunds[-1]])

    assert daylog.total(committed.state(b"till"), "spend", None, 0) == 10_000 - len(refunds)
    assert len(committed.state(b"till").takings) == TAKINGS_MAX * 10


def test_large_refunds_that_wait_are_refused_before_sixteen_of_them() -> None:
    """What waits is kept whole, so its bytes are bounded too."""
    products = tuple(Product(product_id="p" * 100, name="n" * 100) for _ in range(200))
    committed = folded_events([refund(n, products=products) for n in range(16)])

    waiting = committed.state(b"till").waiting
    letters = committed.topics["dead-letters"]
    assert sum(len(each.value) for each in waiting) <= WAITING_BYTES_MAX
    assert len(waiting) + len(letters) == 16
    assert {letter.header["tierstream-dlq-reason"] for letter in letters} == {b"refund_without_order"}


def test_channels_are_counted_as_far_as_there_can_be_any() -> None:
    """A producer that writes session ids into `channel` makes no state grow for ever."""
    committed = folded_events(
        [order(n, channel=f"channel {n}") for n in range(100)] + [order(200, channel="channel 0")]
    )

    channels = committed.state(b"till").channels
    assert len(channels) == CHANNELS_MAX
    assert channels["channel 0"] == [2, 2, 200]
