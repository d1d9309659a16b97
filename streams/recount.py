"""Counting anew what a policy to come asks of the past: which part of each order was of a category or a store.

A declaration names the counters. From it on, customers who are new are counted from their start; for everybody else
somebody folds the journal again and writes what the counters amount to into the customer's own partition. It is taken
if it was counted from all records of the customer that came before it, and from no others: a rule about the customer's
own records alone, whatever time has passed meanwhile. Taking it decides, publishes and changes nothing else.

A declaration of no counters withdraws the one before it. What was counted for a declaration that no longer holds is let
go of with the customer's next own record, and never trusted again: a later one has a number of its own.
"""

import hashlib
from typing import Final, Literal

import msgspec

from schemas.journal import CountersDeclared, CountersRestated
from schemas.rejections import RefusalReason, Rejected
from streams.customer import series
from streams.customer.state import CustomerState, Series
from streams.policy.model import Declaration, OrderFilter
from streams.regime import Regime

_encode_series: Final = msgspec.msgpack.Encoder().encode
_decode_series: Final = msgspec.msgpack.Decoder(list[Series]).decode
_decode_filters: Final = msgspec.json.Decoder(tuple[OrderFilter, ...]).decode


def filters_text(filters: tuple[OrderFilter, ...]) -> str:
    """Filters as a declaration has them, in the order of their names."""
    return msgspec.json.encode(sorted(filters, key=lambda where: where.name)).decode()


NOTHING: Final = filters_text(())
"""The text of a declaration that withdraws the one before it."""


def declaration_id(text: str) -> str:
    """What identifies a declaration."""
    return hashlib.sha256(text.encode()).hexdigest()


def declared(event: CountersDeclared, number: int) -> Declaration:
    """The declaration of a record, as the one with this number."""
    return Declaration(number, event.id, _decode_filters(event.text))


def withdraws(event: CountersDeclared) -> bool:
    """Whether it takes back what was declared before."""
    return event.text == NOTHING


def is_counted(state: CustomerState, declaration: Declaration) -> bool:
    """Whether a customer is counted for it from the beginning."""
    return state.declaration == declaration.number


def restatement(state: CustomerState, customer: str, declaration: Declaration) -> CountersRestated:
    """What a customer's counters amount to; the state is of a fold that counted them from the beginning."""
    counted = [state.series.get(where.name) or Series() for where in declaration.filters]
    return CountersRestated(
        customer_id=customer,
        declaration=declaration.id,
        journal_seq=state.journal_seq,
        counters=_encode_series(counted),
    )


def restate(
    state: CustomerState | None, event: CountersRestated, regime: Regime
) -> Literal["taken", "stale"] | Rejected:
    """Take a restatement into the state of its customer, if there is one; `regime` is the state's.

    Stale: other records of the customer came between, or it is of another declaration, or repeated.
    """
    declaration = regime.declaration
    if (
        state is None
        or declaration is None
        or event.declaration != declaration.id
        or event.journal_seq != state.journal_seq
        or is_counted(state, declaration)
    ):
        return "stale"
    try:
        counted = _decode_series(event.counters)
    except msgspec.DecodeError as error:
        return _malformed(str(error))
    if len(counted) != len(declaration.filters):
        return _malformed(f"{len(counted)} counters for {len(declaration.filters)} filters")
    named = list(zip((where.name for where in declaration.filters), counted, strict=True))
    for name, found in named:
        if not series.well_formed(name, found):
            return _malformed(f"the counter {name} is not whole")
    always = {where.name for where in regime.counted}
    for name, found in named:
        if name not in always:
            series.take_over(state, name, found)
    state.declaration = declaration.number
    series.keep_counters(state, {where.name for where in regime.counted_of(state)})
    return "taken"


def let_go(state: CustomerState, regime: Regime) -> None:
    """Drop what was counted for a declaration that no longer holds, when a record of the customer's own comes."""
    declaration = regime.declaration
    if declaration is None or not is_counted(state, declaration):
        series.keep_counters(state, {where.name for where in regime.counted})
        state.declaration = 0


def _malformed(detail: str) -> Rejected:
    return Rejected(reason=RefusalReason.SCHEMA, stage="customers", detail=f"no restatement of counters: {detail}")
