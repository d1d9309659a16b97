"""What orders and what becomes of them do to the aggregates.

Each booked on the day of its purchase, also when it arrives first or late.
"""

from typing import Final
from zlib import crc32

import msgspec

from schemas.events import OrderCancelled, OrderCompleted, OrderRefunded, OrderReturned, OrderState
from schemas.rejections import RefusalReason, Rejected
from streams.customer import counters, daylog, facts, orders, series
from streams.customer.dedupe import hash_of
from streams.customer.orders import Order
from streams.customer.outcome import CHANGED, REPEATED, UNCHANGED, Booked, Outcome
from streams.customer.state import CustomerState, Waiting
from streams.policy.model import OrderFilter

WAITING_MAX: Final = 16
WAITING_DAYS: Final = 30
WAITING_BYTES_MAX: Final = 128 * 1024
"""A refund or cancellation waits so long for its order; at most so many of a customer do, and so large together."""
CHANNELS_MAX: Final = 32
"""More names than that are no names of channels: those that come later are not counted."""

_MS_PER_DAY: Final = 86_400_000
_STAGE: Final = "customers"
_encode = msgspec.msgpack.Encoder().encode


_ORDERS: Final = frozenset({"orders"})


class Books:
    """The orders of one customer, as of one instant and in one currency.

    `as_of` is the local day of the clock, to which windows are advanced.
    """

    __slots__ = ("as_of", "clock", "counted", "currency", "state")

    def __init__(
        self, state: CustomerState, clock: int, as_of: int, currency: str, counted: tuple[OrderFilter, ...] = ()
    ) -> None:
        """`counted` are the filters by category or store that the policy has."""
        self.state, self.clock, self.as_of, self.currency, self.counted = state, clock, as_of, currency, counted

    def completed(self, event: OrderCompleted, day: int, occurred_at: int) -> Outcome:
        """Count an order, and take from it what arrived before it."""
        state = self.state
        hashed = hash_of(event.order_id)
        digest = _digest(event)
        known = orders.find(state, hashed)
        if known is not None:
            if known.digest == digest or known.flags & orders.STATED:
                return REPEATED
            return _refuse(RefusalReason.CONFLICT, f"order {event.order_id!r} came before with other content")
        amount = event.total_minor if event.currency == self.currency else event.base_total_minor
        if amount is None:
            return _no_rate(event.currency, self.currency, "base_total_minor")
        if event.currency != self.currency:
            orders.remember_foreign(state, hashed, event.total_minor, amount)
        flags = _flags(event) | (orders.KEPT if amount else orders.KEPT | orders.FREE)
        if event.coupon or event.discount_minor:
            flags |= orders.PROMO
        channel = self._bought(event.channel, occurred_at)
        order = Order(hashed, day, flags, channel, digest, amount, amount)
        orders.add(state, order)
        daylog.book(state, day, self.as_of, orders=1, spend=amount)
        self._keep_account(order, 1, amount)
        if self.counted:
            counters.open_shares(state, self.counted, event, order, self.as_of)
        if event.products:
            facts.bought_from(state, (product.category for product in event.products if product.category), day)
        settled = self._settle_waiting(hashed) if state.waiting else ()
        return _money((Booked(day, amount, 1, order), *settled))

    def refunded(self, event: OrderRefunded, value: bytes) -> Outcome:
        """Take a refund from what remains of its order; without the order it waits."""
        return self._take(event, value)

    def cancelled(self, event: OrderCancelled, value: bytes) -> Outcome:
        """Take all that remains of an order; without the order it waits."""
        return self._take(event, value)

    def returned(self, event: OrderReturned) -> Outcome:
        """Goods that came back move no money; a repeat is recognised."""
        hashed = hash_of(event.order_id, event.return_id, "returned")
        if orders.taking_seen(self.state, hashed):
            return REPEATED
        orders.remember_taking(self.state, hashed, self.as_of)
        return UNCHANGED

    def stated(self, event: OrderState, day: int, occurred_at: int) -> Outcome:
        """Book the difference between an order's full current state and what is held of it."""
        state = self.state
        hashed = hash_of(event.order_id)
        known = orders.find(state, hashed)
        if event.currency != self.currency:
            return _no_rate(event.currency, self.currency, None)
        if known is not None and (
            event.revision <= known.revision
            if known.revision
            else event.revision == 0 and known.digest == _digest(event)
        ):
            return REPEATED
        if known is None:
            known = Order(hashed, day, _flags(event), 0, 0, 0, 0)
            orders.add(state, known)
        target = _stated(event, known)
        first = target.kept and not known.kept
        if first:
            target = target._replace(channel=self._bought(event.channel, occurred_at))
        orders.replace(state, target)
        if first and self.counted:
            counters.open_shares(state, self.counted, event, target, self.as_of)
            booked = self._difference(known, target, shares=False)
        else:
            booked = self._difference(known, target)
        settled = self._settle_waiting(hashed) if state.waiting else ()
        return _money((*booked, *settled))

    def expire_waiting(self) -> list[bytes]:
        """Give up on what has waited until the clock; the journal records, to be refused as `refund_without_order`."""
        expired = [w.value for w in self.state.waiting if w.expires_at <= self.clock]
        if expired:
            self.state.waiting = [w for w in self.state.waiting if w.expires_at > self.clock]
            for value in expired:
                orders.forget_taking(self.state, _taking_hash(_decode_taking(value)))
        return expired

    def _take(self, event: OrderRefunded | OrderCancelled, value: bytes) -> Outcome:
        state, hashed, taking = self.state, hash_of(event.order_id), _taking_hash(event)
        if orders.taking_seen(state, taking):
            return REPEATED
        known = orders.find(state, hashed)
        if known is None and (
            len(state.waiting) >= WAITING_MAX
            or sum(len(w.value) for w in state.waiting) + len(value) > WAITING_BYTES_MAX
        ):
            return _refuse(
                RefusalReason.REFUND_WITHOUT_ORDER,
                f"order {event.order_id!r} is unknown and as many wait already as may: "
                f"{WAITING_MAX}, of {WAITING_BYTES_MAX} bytes together",
            )
        if known is not None and not self._in_its_currency(known.hash, event):
            return _refuse(
                RefusalReason.NO_RATE, f"the refund of {event.order_id!r} is in another currency than the order was"
            )
        orders.remember_taking(state, taking, self.as_of)
        if known is None:
            state.waiting.append(Waiting(hashed, self.clock + WAITING_DAYS * _MS_PER_DAY, value))
            return CHANGED
        return _money(self._take_from(known, event))

    def _in_its_currency(self, hashed: bytes, event: OrderRefunded | OrderCancelled) -> bool:
        """Whether a refund is in the order's own currency: what it takes is counted in that."""
        if isinstance(event, OrderCancelled):
            return True
        return (event.currency != self.currency) is orders.is_foreign(self.state, hashed)

    def _take_from(self, known: Order, event: OrderRefunded | OrderCancelled) -> tuple[Booked, ...]:
        if isinstance(event, OrderCancelled):
            target = orders.cancelled(known)
        else:
            target = orders.reduced(
                known, min(known.remaining, orders.foreign_refund(self.state, known, event.refund_minor))
            )
        orders.replace(self.state, target)
        return self._difference(known, target)

    def _difference(self, before: Order, after: Order, *, shares: bool = True) -> tuple[Booked, ...]:
        spend, count = after.remaining - before.remaining, after.kept - before.kept
        if not spend and not count:
            return ()
        daylog.book(self.state, before.day, self.as_of, orders=count, spend=spend)
        self._keep_account(after, count, spend)
        back = (after.total - after.remaining) - (before.total - before.remaining)
        if back:
            series.add(self.state, series.SALES, before.day, self.as_of, amount=back)
        if shares and self.counted:
            counters.change_shares(self.state, self.counted, before, after, self.as_of)
        return (Booked(before.day, spend, count, after),)

    def _settle_waiting(self, hashed: bytes) -> tuple[Booked, ...]:
        """Take what waited for this order. What is in another currency waits on, to be refused in the end."""
        taken: tuple[Booked, ...] = ()
        still: list[Waiting] = []
        for waiting in self.state.waiting:
            event = _decode_taking(waiting.value) if waiting.order == hashed else None
            known = orders.find(self.state, hashed)
            if event is not None and known is not None and self._in_its_currency(hashed, event):
                taken += self._take_from(known, event)
            else:
                still.append(waiting)
        self.state.waiting = still
        return taken

    def _bought(self, channel: str, occurred_at: int) -> int:
        """Remember that and where something was bought; the channel's place among the customer's, from 1."""
        state = self.state
        state.last_order_at = max(state.last_order_at, occurred_at)
        state.first_order_at = min(state.first_order_at, occurred_at) if state.first_order_at else occurred_at
        held = state.channels.get(channel)
        if held is None:
            if not channel or len(state.channels) >= CHANNELS_MAX:
                return 0
            held = state.channels[channel] = [0, 0, 0]
        held[0] += 1
        return list(state.channels).index(channel) + 1

    def _keep_account(self, order: Order, count: int, spend: int) -> None:
        """Count what was kept by channel, by kind of channel, and with a promotion."""
        state = self.state
        if order.channel:
            held = list(state.channels.values())[order.channel - 1]
            held[1] += count
            held[2] += spend
        if order.flags & (orders.ONLINE | orders.OFFLINE):
            place = 2 if order.flags & orders.OFFLINE else 0
            state.channel_types[place] += count
            state.channel_types[place + 1] += spend
        if order.flags & orders.PROMO and count:
            series.add(state, series.SALES, order.day, self.as_of, count=count)


def _flags(event: OrderCompleted | OrderState) -> int:
    return {"online": orders.ONLINE, "offline": orders.OFFLINE}.get(event.channel_type, 0)


def _money(booked: tuple[Booked, ...]) -> Outcome:
    taken = any(each.spend < 0 or each.orders < 0 for each in booked)
    return Outcome(changed=True, subjects=_ORDERS, booked=booked, taken=taken)


_decode_taking = msgspec.json.Decoder(OrderRefunded | OrderCancelled).decode


def _taking_hash(event: OrderRefunded | OrderCancelled) -> bytes:
    """An order is cancelled once; it can be refunded several times, each under its own id."""
    if isinstance(event, OrderCancelled):
        return hash_of(event.order_id, "", "cancelled")
    return hash_of(event.order_id, event.refund_id)


def _stated(event: OrderState, known: Order) -> Order:
    """The index entry that an order's stated condition amounts to. An unknown status is booked as `open`: nothing."""
    left = max(0, event.total_minor - event.refunded_minor)
    partly_refunded = event.status == "refunded" and event.refunded_minor > 0
    remaining = left if event.status == "paid" or partly_refunded else 0
    free = event.status == "paid" and event.total_minor == 0
    flags = orders.STATED | _flags(event) | (orders.CANCELLED if event.status == "cancelled" else 0)
    if remaining or free:
        flags |= orders.KEPT
    if free:
        flags |= orders.FREE
    total = event.total_minor if event.status == "paid" or partly_refunded else known.total
    return known._replace(
        flags=flags, digest=_digest(event), total=max(total, remaining), remaining=remaining, revision=event.revision
    )


def _digest(event: OrderCompleted | OrderState) -> int:
    """Digest of what an order says.

    Money and goods, not the envelope, so that a producer may send it again under another event id.
    """
    if isinstance(event, OrderState):
        return crc32(f"{event.status} {event.currency} {event.total_minor} {event.refunded_minor}".encode())
    digest = crc32(f"{event.currency} {event.total_minor} {event.base_total_minor}".encode())
    return crc32(_encode(event.products), digest) if event.products else digest


def _refuse(reason: RefusalReason, detail: str) -> Outcome:
    return Outcome(refused=Rejected(reason=reason, stage=_STAGE, detail=detail))


def _no_rate(currency: str, base: str, remedy: str | None) -> Outcome:
    how = f"send {remedy} in {base}" if remedy else f"send it in {base}, or as order.completed with base_total_minor"
    return _refuse(RefusalReason.NO_RATE, f"the order is in {currency}, the policy in {base}: {how}")
