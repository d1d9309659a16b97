"""The delay of every event counts, also of those whose effect came with a later one's."""

import pytest

from agents.bench.latency import WARM_UP_S, Delay, delays, summary
from agents.bench.pacing import Sent
from agents.bench.reading import Seen, seen_in
from agents.bench.workload import customer_id, event_id
from agents.errors import TierstreamError


def test_an_event_that_a_later_one_covers_counts_until_that_ones_profile() -> None:
    """Two events of a customer in one commit give one profile, of the second: both waited for it."""
    sent = [Sent(7, 1, 10.0), Sent(8, 2, 10.1), Sent(7, 3, 10.2)]
    seen = [Seen(8, 2, 10.3), Seen(7, 3, 10.5)]

    found = delays(sent, seen)

    assert [delay.delay_s for delay in found] == pytest.approx([0.5, 0.2, 0.3])


def test_an_older_profile_does_not_answer_for_a_later_event() -> None:
    """What was read before the event's own effect came is no answer."""
    assert delays([Sent(7, 4, 10.0)], [Seen(7, 3, 10.1)]) == []


def test_the_warm_up_is_left_out() -> None:
    """Slow first events do not reach the percentiles."""
    sent = [Sent(1, number, float(number)) for number in range(1, 101)]
    found = [Delay(event.at_s, 9.0 if event.at_s < 1 + WARM_UP_S else 0.1) for event in sent]

    result = summary(1, found, sent, 0.5)

    assert result.max_ms == pytest.approx(100)
    assert result.sent_per_s == pytest.approx(1)


def test_events_that_were_never_seen_are_an_error() -> None:
    """A percentile over the lucky ones would be a lie."""
    sent = [Sent(1, number, float(number)) for number in range(1, 101)]
    with pytest.raises(TierstreamError, match="did not see"):
        summary(1, [Delay(event.at_s, 0.1) for event in sent[:90]], sent, 0.5)


def test_a_profile_answers_only_for_events_of_its_own_run() -> None:
    """The past of the customers, and an earlier rate's events, carry numbers too."""
    key = customer_id(7).encode()
    value = b'{"caused_by":{"event_id":"%s","journal_seq":3}}' % event_id(2, 41).encode()

    assert seen_in((key, value, 1.5), seed=2) == Seen(7, 41, 1.5)
    assert seen_in((key, value, 1.5), seed=1) is None
    assert seen_in((key, b'{"caused_by":{"event_id":null,"journal_seq":3}}', 1.5), seed=2) is None
