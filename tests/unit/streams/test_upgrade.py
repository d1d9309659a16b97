"""States that the first version wrote: they are read, and their customers go on from where they stood."""

from base64 import b64decode

import msgspec

from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import OrderRefunded
from schemas.journal import encode_journal
from streams.customer import daylog, facts, orders
from streams.customer.dedupe import hash_of
from streams.customer.record import decode_state, encode_state
from streams.effects import Effects
from streams.policy.presets import preset_text
from streams.process import process
from streams.regime import regime_of
from tests.journal import policy_of

AT = 1_767_225_600_000
VERSION_1 = b64decode(
    "AQAAAZxRGYNKAADcAB7PAAABm4t0GAAGCZKlZXZlbnSiZTaSAQLEMF4zAQAAAAAASHEAAAAAAABgMwEAAAAAAPQBAAAAAAAAYTMA"
    "AAEAAQAAAAAAAAAAANwAFAACAQHNczwAAgEBzXM8AAIBAc1zPAACAQHNczzOAAtJPwLOAAtJIc4AC0kjAM8AAAGbdtqoAM8AAAGb"
    "gSdgAM8AAAGbdtqoAMQ+tFNu4BDYapdeMwFS06zISHEAAAAAAAAAAAAAAAAAALPxoEYWPfQ/YDMJI+NCqPQBAAAAAAAABwAAAAAA"
    "AADECm6BEKzEjPx0XzPEAJDECLJ4SLIvAtCZxBAuvD0Vids3mQFywbmLqIiPgaN3ZWIBgIClemgtQ07CkZkDzwAAAZt22qgAAM8A"
    "AAGizovUAMQQyjI5PHosX9KDA2YRB5lzMs8AAAGbdtqoAMKRzXFIAJMAzwAAAZuBJ2AAzwAAAZxRGYNKzwAAAZxRGYNKAA=="
)
"""Written by version 1: an order of 300.00 of which 10.00 was refunded, one of 5.00 known by `order.state`, a visit, a
ticket and a locale, each on a day of its own from 2026-01-01 on; under the policy `default` in USD and UTC."""


def test_everything_that_version_1_knew_is_there() -> None:
    """Sums, orders with what remains of them, the place on the ladder, the band, the locale."""
    state = decode_state(VERSION_1)

    assert [daylog.total(state, metric, 365, 0) for metric in ("spend", "orders", "visits", "tickets")] == [
        29_500, 2, 1, 1,
    ]  # fmt: skip
    assert [entry[1:] for entry in daylog.entries(state)] == [
        (1, 0, 0, 29_000, 0, 0),
        (1, 0, 0, 500, 0, 0),
        (0, 1, 1, 0, 0, 0),
    ]
    first, second = (orders.find(state, hash_of(name)) for name in ("o1", "o2"))
    assert first is not None
    assert (first.remaining, first.revision, first.kept) == (29_000, 0, True)
    assert second is not None
    assert (second.remaining, second.revision, second.kept) == (500, 7, True)
    assert [(place.rank, place.shown, place.since == place.shown_since) for place in state.ladders] == [(3, 3, True)]
    assert state.ladders[0].fell is False
    assert len(state.ladders[0].last_id) == 16
    assert state.traits == {"locale": "zh-CN"}
    assert facts.preferred_channel(state) == "web"
    assert decode_state(encode_state(state)) == state


def test_its_customer_goes_on() -> None:
    """A refund takes what remains of an old order, and the tier that rested on it falls as a correction."""
    state, at = decode_state(VERSION_1), AT + 10 * MS_PER_DAY
    regimes, effects = [regime_of(policy_of(preset_text("default"), "USD", "UTC"), 0, 0)], Effects(b"c1")
    refund = OrderRefunded(
        id="e9", time=format_instant(at), recordedtime=format_instant(at), customer_id="c1", order_id="o1",
        refund_id="r2", currency="USD", refund_minor=29_000,
    )  # fmt: skip

    process(state, refund, encode_journal(refund), regimes, effects)

    assert state.sums[daylog.PLACES["spend", None]] == 500
    assert next((change.topic, change.decision.cause) for change in effects.changes) == ("tier-changes", "correction")
    assert state.ladders[0].shown == 1


def test_a_state_of_this_version_lacks_what_was_added_since() -> None:
    """Fields at the end came later, and have their defaults: a rolling upgrade meets such states."""
    written = encode_state(decode_state(VERSION_1))
    size = len(written) - len(msgspec.msgpack.encode(fields := msgspec.msgpack.decode(written[11:])))
    earlier = decode_state(written[:size] + msgspec.msgpack.encode(fields[:-3]))

    assert (earlier.evidence, earlier.first_spend, earlier.forecast) == (None, 0, None)
    assert earlier == decode_state(VERSION_1)
