"""What happens to a member of a programme, as hypothesis draws it: everything that a rule can ask about."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st

from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import (
    BrowseActivity,
    Identified,
    InputEvent,
    MembershipEnded,
    MembershipStarted,
    OrderCancelled,
    OrderCompleted,
    OrderRefunded,
    OverrideCleared,
    OverrideSet,
    Product,
    SatisfactionRated,
    TicketCreated,
    TicketSolved,
    TierMatchGranted,
    Traits,
)
from streams.policy.model import Policy
from tests.properties.journals import START_MS, Arrival, long

GAPS_MS: Final = (0, 1, 3_600_000, MS_PER_DAY, 9 * MS_PER_DAY, 31 * MS_PER_DAY)
TERMS_DAYS: Final = (None, 0.25, 20, 40, 200)
KINDS: Final = (
    *("order",) * 10,
    *("refund",) * 2,
    *("cancel",) * 2,
    *("browse",) * 2,
    *("ticket", "solved", "rating", "joined", "left", "override", "cleared", "match", "locale"),
)
PLAIN: Final = ("order", "order", "order", "refund", "cancel", "browse", "ticket")
TOTALS: Final = (0, 3_333, 4_000, 5_000, 10_000, 26_000)
GOODS: Final = (
    (),
    (Product(product_id="p", category="tea", price_minor=300), Product(product_id="q", category="cups", quantity=2)),
    (Product(product_id="p", category="tea", price_minor=700, quantity=2),),
    (Product(product_id="q", category="cups", price_minor=500), Product(product_id="p", category="tea", price_minor=1)),
    (Product(product_id="r", category="pots", price_minor=0), Product(product_id="p", category="tea", price_minor=0)),
    (Product(product_id="r"),),
)


class Step(NamedTuple):
    """One event in small numbers."""

    gap: int
    kind: str
    number: int
    """Of the order, the refund, the ticket, the tier ..."""
    size: int
    late_days: int


def lives(*, kinds: Iterable[str] = KINDS, max_size: int = 15) -> st.SearchStrategy[list[Step]]:
    """What happens, in the order of arrival."""
    steps = st.builds(
        Step,
        st.integers(0, len(GAPS_MS) - 1),
        st.sampled_from(tuple(kinds)),
        st.integers(0, 6),
        st.integers(0, 5_000),
        st.sampled_from((0, 0, 0, 0, 0, 1, 29, 30, 89, 200, 364)),
    )
    return long(steps, max_size)


def arrivals(life: Iterable[Step], policy: Policy, *, signed_up_days: int | None) -> list[Arrival]:
    """The events of a life, each with its own id; the first one tells a sign-up so many days before, if there was one.

    Every order, refund and cancellation is told once.
    """
    traits = Traits(locale="fr-FR")
    if signed_up_days is not None:
        traits.signup_time = format_instant(START_MS - signed_up_days * MS_PER_DAY)
    first = Identified(id="first", time=format_instant(START_MS), customer_id="c0", traits=traits)
    found, now, told = [Arrival(first, START_MS)], START_MS, set()
    for number, step in enumerate(life):
        now += GAPS_MS[step.gap]
        name = (step.kind, step.number, step.size % 3 if step.kind == "refund" else 0)
        if step.kind in {"order", "refund", "cancel"} and name in told:
            continue
        told.add(name)
        money = step.kind in {"order", "browse", "ticket", "rating"}
        occurred_at = now - step.late_days * MS_PER_DAY if money else now
        found.append(Arrival(_event(step, f"e{number}", occurred_at, now, policy), now))
    return found


def _event(step: Step, event_id: str, occurred_at: int, now: int, policy: Policy) -> InputEvent:  # noqa: PLR0911 - one branch for each kind
    head: dict[str, Any] = {"id": event_id, "time": format_instant(occurred_at), "customer_id": "c0"}
    number, size = step.number, step.size
    match step.kind:
        case "order":
            return OrderCompleted(
                **head,
                channel=("web", "pos", "")[number % 3],
                channel_type=("online", "offline", "")[number % 3],
                store_id=("s1", "", "s2")[size % 3],
                coupon="ten" if size % 2 else "",
                order_id=f"o{number}",
                currency="USD",
                total_minor=TOTALS[number % 6],
                products=GOODS[size % len(GOODS)],
            )
        case "refund":
            refund_id = f"r{size % 3}"
            return OrderRefunded(**head, order_id=f"o{number}", refund_id=refund_id, currency="USD", refund_minor=size)
        case "cancel":
            return OrderCancelled(**head, order_id=f"o{number}")
        case "browse":
            return BrowseActivity(**head, action=("view_item", "add_to_cart", "search")[size % 3])
        case "ticket":
            return TicketCreated(**head, ticket_id=f"t{number}", status="new")
        case "solved":
            return TicketSolved(**head, ticket_id=f"t{number}", status="solved")
        case "rating":
            return SatisfactionRated(**head, rating=1 + size % 5, scale_max=5)
        case _:
            return _said(step, head, now, policy)


def _said(step: Step, head: dict[str, Any], now: int, policy: Policy) -> InputEvent:
    """What people say and decide."""
    term = TERMS_DAYS[step.number % len(TERMS_DAYS)]
    until = None if term is None else format_instant(now + int(term * MS_PER_DAY))
    ladder = policy.ladders[step.size % len(policy.ladders)]
    tier = ladder.tiers[step.number % len(ladder.tiers)].id
    match step.kind:
        case "joined":
            return MembershipStarted(**head, programme="plus", valid_until=until)
        case "left":
            return MembershipEnded(**head, programme="plus", valid_until=until)
        case "override":
            return OverrideSet(**head, ladder=ladder.id, tier=tier, reason="r", actor="a", valid_until=until)
        case "cleared":
            return OverrideCleared(**head, ladder=ladder.id, reason="r", actor="a")
        case "match":
            return TierMatchGranted(**head, ladder=ladder.id, tier=tier, reason="r", actor="a", valid_until=until)
        case _:
            return Identified(**head, traits=Traits(locale=("de-DE", "en-US")[step.size % 2]))
