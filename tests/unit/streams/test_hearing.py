"""Which events move something of a customer: what the contract's pages say of it is what the fold does."""

import pytest

from schemas.cloudevents import decode_input
from schemas.events import EVENT_CLASSES, OrderCancelled, OrderReturned, OrderState, type_of
from schemas.rejections import Rejected
from streams.customer.outcome import UNCHANGED
from streams.hearing import HEARD, hear
from streams.process import new_state
from streams.regime import regime_of
from tests.contracts.corpus import EXAMPLES
from tests.journal import default_policy
from tests.unit.agents.silver import AT, order

REGIME = regime_of(default_policy(), 0, 0)
AS_OF = REGIME.calendar.day_of(AT)


@pytest.mark.parametrize("name", EVENT_CLASSES)
def test_an_event_moves_something_exactly_where_it_is_said_to(name: str) -> None:
    """An example of each type, told to a customer of whom nothing is known but the order that it may be about."""
    examples = sorted((EXAMPLES / name).glob("valid-*.json"), key=lambda path: path.name != "valid-full.json")
    value = examples[0].read_bytes()
    event = decode_input(value)
    assert not isinstance(event, Rejected)
    state = new_state([REGIME], AT)
    if isinstance(event, OrderReturned | OrderCancelled | OrderState):
        bought = order(total=100_000)
        bought.order_id = event.order_id
        hear(state, bought, b"", REGIME, AS_OF, AT, dedupe=True)

    outcome = hear(state, event, value, REGIME, AS_OF, AT, dedupe=True)

    assert (outcome is not UNCHANGED) == (type(event) in HEARD), type_of(event)
