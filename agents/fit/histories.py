"""Who bought, came by and complained when: what a fit reads, whatever it was read from. Days are epoch days."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from schemas.clock import MS_PER_DAY
from streams.models.churn_model import DAYS_OF_UNIT, ChurnModel
from streams.models.evidence import Evidence, add_bad_rating, add_refund, add_ticket_word, add_visit
from streams.models.evidence_inputs import with_evidence
from streams.models.scoring import ChurnInputs

EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
"""What the calendar's day numbers are ahead of epoch days."""


class TicketWord(NamedTuple):
    """A ticket was heard of."""

    day: int
    hash: int
    solved: bool


@dataclass(slots=True)
class Customer:
    """One customer's past; every list ascends by day."""

    days: list[int] = field(default_factory=list)
    """Purchase days, each once."""
    minor: list[int] = field(default_factory=list)
    """What was spent on each."""
    orders: list[int] = field(default_factory=list)
    """How many orders on each."""
    visits: list[int] = field(default_factory=list)
    tickets: list[TicketWord] = field(default_factory=list)
    ratings: list[int] = field(default_factory=list)
    """Days of bad ratings."""
    refunds: list[int] = field(default_factory=list)

    def purchases_until(self, day: int) -> int:
        """How many purchase days lie at or before a day."""
        return bisect_right(self.days, day)

    def buys_within(self, day: int, horizon_days: int) -> bool:
        """Whether a purchase day lies in (day, day + horizon]."""
        following = self.purchases_until(day)
        return following < len(self.days) and self.days[following] <= day + horizon_days


@dataclass(slots=True)
class Histories:
    """All customers of a shop who bought something."""

    name: str
    currency: str
    first_day: int
    last_day: int
    """The last day that was observed whole, with a purchase on it or not."""
    customers: list[Customer]
    left_out: dict[str, int] = field(default_factory=dict)
    """Why how many records were not used."""

    def until(self, day: int) -> Iterator[Customer]:
        """Those who had bought by a day."""
        return (customer for customer in self.customers if customer.days and customer.days[0] <= day)


def inputs_at(customer: Customer, day: int, model: ChurnModel) -> ChurnInputs:
    """The counters that the fold would have held at the end of a day; there has to be a purchase by then."""
    bought = customer.purchases_until(day)
    last = customer.days[bought - 1]
    plain = ChurnInputs(
        repeats=bought - 1,
        recency=(last - customer.days[0]) / DAYS_OF_UNIT[model.time_unit],
        anchor_ms=last * MS_PER_DAY,
        first_order_minor=customer.minor[0],
        mean_order_minor=sum(customer.minor[:bought]) // bought,
    )
    if not (customer.visits or customer.tickets or customer.ratings or customer.refunds):
        return plain
    return with_evidence(plain, evidence_at(customer, day), model, last, lambda local: local * MS_PER_DAY)


def evidence_at(customer: Customer, day: int) -> Evidence:
    """What the state would have kept of visits and troubles."""
    evidence = Evidence()
    for visited in customer.visits[: bisect_right(customer.visits, day)]:
        add_visit(evidence, visited)
    for rated in customer.ratings[: bisect_right(customer.ratings, day)]:
        add_bad_rating(evidence, rated)
    for refunded in customer.refunds[: bisect_right(customer.refunds, day)]:
        add_refund(evidence, refunded)
    for word in customer.tickets:
        if word.day <= day:
            add_ticket_word(evidence, word.hash, word.day * MS_PER_DAY, solved=word.solved)
    return evidence
