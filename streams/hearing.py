"""What each kind of event does to what is known of a customer."""

from collections.abc import Callable
from typing import Any, Final

from schemas.clock import parse_instant
from schemas.events import (
    BrowseActivity,
    ConsentUpdated,
    ErasureRequested,
    Event,
    FirstResponse,
    Identified,
    InputEvent,
    MembershipEnded,
    MembershipStarted,
    OrderCancelled,
    OrderCompleted,
    OrderRefunded,
    OrderReturned,
    OrderState,
    OverrideCleared,
    OverrideSet,
    ReviewSubmitted,
    SatisfactionRated,
    SurveyAnswered,
    TicketCreated,
    TicketSolved,
    TicketUpdated,
    TierMatchGranted,
)
from schemas.rejections import RefusalReason, Rejected
from streams.customer import daylog, facts, series
from streams.customer.booking import Books
from streams.customer.dedupe import hash_of, seen_before
from streams.customer.outcome import CHANGED, REPEATED, UNCHANGED, Outcome
from streams.customer.standing import NOT_DUE
from streams.customer.state import CustomerState
from streams.models import evidence
from streams.regime import Regime
from streams.standing import hand
from streams.standing.risk_rules import REFUND, VISIT_DAY, WATCH_BEGINS

OrderEvent = OrderCompleted | OrderRefunded | OrderCancelled | OrderReturned | OrderState
_ORDER_EVENTS: Final = (OrderCompleted, OrderRefunded, OrderCancelled, OrderReturned, OrderState)
_BY_HAND: Final = (OverrideSet, OverrideCleared, TierMatchGranted)
_RATING_BEST: Final = 1_000


def _changing(*subjects: str) -> Outcome:
    return Outcome(changed=True, subjects=frozenset(subjects))


_NEWS: Final = {"known": (), "new": (VISIT_DAY,), "first": (VISIT_DAY, WATCH_BEGINS)}
_VISITED: Final = {news: _changing("visits", *more) for news, more in _NEWS.items()}
_BROWSED: Final = {
    action: {news: _changing("visits", subject, *more) for news, more in _NEWS.items()}
    for action, subject in (("view_item", "views"), ("add_to_cart", "carts"))
}
"""What browsing changes, by what it is to the churn model."""
_REFUNDED: Final = frozenset({REFUND})
_ASKED: Final = _changing("tickets")
_RATED: Final = _changing("ratings")
_LEARNT: Final = _changing("traits")
_JOINED: Final = _changing("facts")
_DECIDED: Final = Outcome(changed=True, subjects=frozenset({"facts"}), by_hand=True)


def hear(
    state: CustomerState,
    event: InputEvent,
    value: bytes,
    regime: Regime,
    as_of: int,
    occurred_at: int,
    *,
    dedupe: bool,
) -> Outcome:
    """Take an event into the state, whose windows have been advanced to the day `as_of`.

    `value` is the journal record that it was decoded from. Without `dedupe`, repeats other than of orders and refunds
    count again.
    """
    if isinstance(event, BrowseActivity):  # the most frequent by far
        return _browse(state, event, regime.calendar.day_of(occurred_at), as_of, dedupe=dedupe)
    if isinstance(event, _ORDER_EVENTS):
        books = Books(state, state.clock, as_of, regime.policy.currency, regime.counted_of(state))
        outcome = _order(event, value, books, regime.calendar.day_of(occurred_at), occurred_at)
        if outcome.changed and isinstance(event, OrderRefunded):
            evidence.add_refund(_evidence(state), regime.calendar.day_of(occurred_at))
            return outcome._replace(subjects=outcome.subjects | _REFUNDED)
        return outcome
    if isinstance(event, _BY_HAND):
        refused = _unknown_place(event, regime)
        if refused is not None:  # not remembered: sent again under a policy that knows the tier, it counts
            return Outcome(refused=refused)
    if dedupe and seen_before(state.seen_other, hash_of(event.source, event.id)):
        return REPEATED
    handle = _HANDLERS.get(type(event))
    return UNCHANGED if handle is None else handle(state, event, regime, as_of, occurred_at)


def _order(event: OrderEvent, value: bytes, books: Books, day: int, occurred_at: int) -> Outcome:
    match event:
        case OrderCompleted():
            return books.completed(event, day, occurred_at)
        case OrderRefunded():
            return books.refunded(event, value)
        case OrderCancelled():
            return books.cancelled(event, value)
        case OrderReturned():
            return books.returned(event)
        case OrderState():
            return books.stated(event, day, occurred_at)


def _browse(state: CustomerState, event: BrowseActivity, day: int, as_of: int, *, dedupe: bool) -> Outcome:
    if dedupe and seen_before(state.seen_browsing, hash_of(event.source, event.id)):
        return REPEATED
    daylog.book(state, day, as_of, visits=1)
    held = state.evidence
    same_day = held is not None and held.visited_last == day  # most visits follow another one of the same day
    news = "known" if same_day else evidence.add_visit(_evidence(state), day)
    outcomes = _BROWSED.get(event.action)
    if outcomes is None:
        return _VISITED[news]
    viewed = event.action == "view_item"
    daylog.book_browsing(state, day, as_of, views=int(viewed), carts=int(not viewed))
    return outcomes[news]


def _evidence(state: CustomerState) -> evidence.Evidence:
    if state.evidence is None:
        state.evidence = evidence.Evidence()
    return state.evidence


def _ticket(state: CustomerState, event: Any, regime: Regime, as_of: int, occurred_at: int) -> Outcome:  # noqa: ANN401 - any ticket event
    status = "solved" if isinstance(event, TicketSolved) else event.status
    hashed = hash_of(event.ticket_id)
    turned = facts.hear_ticket(state, hashed, occurred_at, status)
    known = int.from_bytes(hashed, "big")
    heard = evidence.add_ticket_word(_evidence(state), known, occurred_at, solved=status in facts.CLOSED_STATUSES)
    if isinstance(event, TicketCreated):
        daylog.book(state, regime.calendar.day_of(occurred_at), as_of, tickets=1)
        return _ASKED
    return _ASKED if turned or heard else UNCHANGED


def _rating(state: CustomerState, event: Any, regime: Regime, as_of: int, occurred_at: int) -> Outcome:  # noqa: ANN401 - any rating
    share = min(_RATING_BEST, round(_RATING_BEST * event.rating / event.scale_max))
    day = regime.calendar.day_of(occurred_at)
    series.add(state, series.RATINGS, day, as_of, count=1, amount=share)
    if event.rating <= evidence.BAD_RATING_MAX * event.scale_max:
        evidence.add_bad_rating(_evidence(state), day)
    return _RATED


def _identified(state: CustomerState, event: Identified, _regime: Regime, _as_of: int, _occurred_at: int) -> Outcome:
    if event.traits is None:
        return UNCHANGED
    changed = facts.take_traits(state, event.traits)
    if event.traits.signup_time:
        signed_up_at = parse_instant(event.traits.signup_time)
        changed = changed or signed_up_at != state.signed_up_at
        state.signed_up_at = signed_up_at
    return Outcome(changed=True, subjects=frozenset({"traits", "orders"})) if changed else UNCHANGED


def _consent(state: CustomerState, event: ConsentUpdated, _regime: Regime, _as_of: int, _occurred_at: int) -> Outcome:
    for held, stated in ((state.purposes, event.purposes), (state.contact, event.channels)):
        if stated is not None:
            for name in stated.__struct_fields__:
                answer = getattr(stated, name)
                if answer is not None:
                    held[name] = answer
    return CHANGED


def _joined(state: CustomerState, event: MembershipStarted, _regime: Regime, _as_of: int, occurred_at: int) -> Outcome:
    facts.start_membership(state, event.programme, occurred_at, _instant(event.valid_until))
    return _JOINED


def _left(state: CustomerState, event: MembershipEnded, _regime: Regime, _as_of: int, occurred_at: int) -> Outcome:
    facts.end_membership(state, event.programme, occurred_at, _instant(event.valid_until) or occurred_at)
    return _JOINED


def _decided(state: CustomerState, event: Any, regime: Regime, _as_of: int, _occurred_at: int) -> Outcome:  # noqa: ANN401 - what people decide
    """An override, its end, or a match, of a ladder and tier that the policy has.

    Where the ladders of two policies are folded in one go, both may have the ladder, and one of them the tier.
    """
    for rules, standing in zip(regime.policy.ladders, state.ladders, strict=True):
        if rules.id != event.ladder:
            continue
        if isinstance(event, OverrideCleared):
            hand.clear_override(standing)
            continue
        rank = next((tier.rank for tier in rules.tiers if tier.id == event.tier), 0)
        until = _instant(event.valid_until) or NOT_DUE
        if not rank:
            continue
        if isinstance(event, OverrideSet):
            hand.set_override(standing, rank, until, event.reason)
        else:
            hand.grant_match(standing, rank, until)
    return _DECIDED


def _unknown_place(event: OverrideSet | OverrideCleared | TierMatchGranted, regime: Regime) -> Rejected | None:
    """Why a decision can't be taken: its ladder or tier is none of the policy's."""
    policy = regime.policy
    found = [rules for rules in policy.ladders if rules.id == event.ladder]
    if not found:
        detail = f"the policy {policy.name!r} has no ladder {event.ladder!r}"
    elif isinstance(event, OverrideCleared) or any(tier.id == event.tier for rules in found for tier in rules.tiers):
        return None
    else:
        detail = f"the ladder {event.ladder!r} of the policy {policy.name!r} has no tier {event.tier!r}"
    return Rejected(reason=RefusalReason.SCHEMA, stage="customers", detail=detail)


def _instant(text: str | None) -> int | None:
    return None if text is None else parse_instant(text)


_Handler = Callable[[CustomerState, Any, Regime, int, int], Outcome]
_HANDLERS: Final[dict[type, _Handler]] = {
    ConsentUpdated: _consent,
    FirstResponse: _ticket,
    Identified: _identified,
    MembershipEnded: _left,
    MembershipStarted: _joined,
    OverrideCleared: _decided,
    OverrideSet: _decided,
    ReviewSubmitted: _rating,
    SatisfactionRated: _rating,
    SurveyAnswered: _rating,
    TicketCreated: _ticket,
    TicketSolved: _ticket,
    TicketUpdated: _ticket,
    TierMatchGranted: _decided,
}
HEARD: Final = frozenset({BrowseActivity, *_ORDER_EVENTS, *_HANDLERS} - {OrderReturned})
"""The events that move something of what is known of a customer."""
BEARINGS: Final = {
    "heard": "counts for tiers, risk or what outputs tell",
    "kept": "kept in the journal, moves nothing",
    "refused": "refused into the dead letters",
}


def bearing_of(event: type[Event]) -> str:
    """Which of BEARINGS an event has in this version."""
    if event is ErasureRequested:
        return "refused"
    return "heard" if event in HEARD else "kept"
