"""Simulated browsing and support tickets around the real purchases; each event says so in its `source` and its id.

Nothing here is measured: the shares below are plausible for a shop of this kind, no more. One seed gives one result, on
every machine: only `Random.random()` is used, whose sequence Python keeps across versions.
"""

from collections.abc import Iterator, Sequence
from random import Random

from agents.demo.cdnow import ENDS_AT, Purchase
from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import BrowseActivity, InputEvent, SatisfactionRated, TicketCreated, TicketSolved

SEED = 1997
SOURCE = "tierstream-demo/simulated"

HelpDeskEvent = TicketCreated | TicketSolved | SatisfactionRated

MINUTE_MS = 60_000
HOUR_MS = 3_600_000

CATEGORIES = ("rock", "pop", "jazz", "classical", "country", "soundtracks", "world", "hip-hop")
WAY_TO_ORDER = ("search", "view_item", "view_item", "add_to_cart", "begin_checkout")
"""What a customer does in the visit that ends in an order, a stretch of it per order."""

WANDERING_SHARE = 0.35
"""Orders after which the customer comes back once to look without buying, within 40 days."""

TICKET_SHARE = 0.025
"""Orders that lead to a support ticket, within 10 days."""

SOLVED_SHARE = 0.92
RATED_SHARE = 0.4


def simulate(purchases: Sequence[Purchase], seed: int = SEED) -> Iterator[InputEvent]:
    """The simulated events of each purchase, in no order over all; none at or after the end of the data."""
    dice = Random(seed)  # noqa: S311 - a plausible mix for a demonstration: predictable is what is wanted
    for purchase in purchases:
        yield from _visit(purchase, dice)
        if dice.random() < WANDERING_SHARE:
            yield from _wandering(purchase, dice)
        if dice.random() < TICKET_SHARE:
            yield from _ticket(purchase, dice)


def _visit(purchase: Purchase, dice: Random) -> Iterator[BrowseActivity]:
    """The last steps of the visit that ends in the order: one to four events within 40 minutes before it."""
    steps = 1 + int(dice.random() ** 2 * 4)
    at = purchase.occurred_at - int((8 + 32 * dice.random()) * MINUTE_MS)
    category = _pick(CATEGORIES, dice)
    for number, action in enumerate(WAY_TO_ORDER[-steps:], 1):
        yield _browse(purchase, "visit", number, at, action, category)
        at += int((0.4 + 1.4 * dice.random()) * MINUTE_MS)


def _wandering(purchase: Purchase, dice: Random) -> Iterator[BrowseActivity]:
    at = purchase.occurred_at + int((1 + 39 * dice.random()) * MS_PER_DAY)
    category = _pick(CATEGORIES, dice)
    for number in range(1, 2 + int(dice.random() * 3)):
        if at >= ENDS_AT:
            return
        yield _browse(purchase, "look", number, at, "view_item_list" if number == 1 else "view_item", category)
        at += int((0.5 + 4 * dice.random()) * MINUTE_MS)


def _browse(purchase: Purchase, visit: str, number: int, at: int, action: str, category: str) -> BrowseActivity:
    return BrowseActivity(
        id=f"simulated-{visit}-{purchase.row}-{number}",
        source=SOURCE,
        time=format_instant(at),
        customer_id=purchase.customer_id,
        channel="web",
        channel_type="online",
        action=action,
        category=category,
        session_id=f"simulated-{visit}-{purchase.row}",
    )


def _ticket(purchase: Purchase, dice: Random) -> Iterator[InputEvent]:
    ticket = f"simulated-ticket-{purchase.row}"
    opened = purchase.occurred_at + int((0.2 + 9.8 * dice.random()) * MS_PER_DAY)
    solved = opened + int((1 + 71 * dice.random()) * HOUR_MS)
    rated = solved + int((1 + 23 * dice.random()) * HOUR_MS)
    is_solved, is_rated = dice.random() < SOLVED_SHARE, dice.random() < RATED_SHARE
    rating = 1 + int(dice.random() ** 0.5 * 5)
    if opened < ENDS_AT:
        created = TicketCreated(id=f"{ticket}-created", time=format_instant(opened), ticket_id=ticket, status="open")
        yield _from_help_desk(created, purchase)
    if is_solved and solved < ENDS_AT:
        closed = TicketSolved(id=f"{ticket}-solved", time=format_instant(solved), ticket_id=ticket, status="solved")
        yield _from_help_desk(closed, purchase)
        if is_rated and rated < ENDS_AT:
            answer = SatisfactionRated(id=f"{ticket}-rated", time=format_instant(rated), rating=rating, scale_max=5)
            yield _from_help_desk(answer, purchase)


def _from_help_desk(event: HelpDeskEvent, purchase: Purchase) -> HelpDeskEvent:
    event.source = SOURCE
    event.customer_id = purchase.customer_id
    event.channel, event.channel_type = "email", "online"
    event.ticket_id = f"simulated-ticket-{purchase.row}"
    return event


def _pick(choices: Sequence[str], dice: Random) -> str:
    return choices[int(dice.random() * len(choices))]
