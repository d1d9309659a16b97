"""Numbers go on from what was published, and never back."""

import json

from agents.rebuild.published import Published
from streams.customer.state import CustomerState


def output(**numbers: int) -> bytes:
    """As much of an output record as counts here."""
    return json.dumps({"id": "x", "data": {"customer_id": "c", **numbers}}).encode()


def test_a_state_that_is_behind_goes_on_from_what_was_published() -> None:
    """Each number by itself; the profile carries a revision only."""
    published = Published()
    published.add("tier-changes", b"c", output(revision=5, sequence=2))
    published.add("tier-changes", b"c", output(revision=4, sequence=1))
    published.add("notices", b"c", output(revision=6, sequence=1))
    published.add("customer-profiles", b"c", output(revision=9))
    state = CustomerState(revision=7, sequences=[1, 3, 1])

    assert published.raise_numbers(b"c", state)

    assert (state.revision, state.sequences) == (9, [2, 3, 1])


def test_a_state_that_is_ahead_or_of_somebody_else_stays() -> None:
    """What is published when a worker stops is never ahead of a fold by the same version."""
    published = Published()
    published.add("churn-risk", b"c", output(revision=5, sequence=2))
    own, other = CustomerState(revision=5, sequences=[0, 2, 0]), CustomerState()

    assert not published.raise_numbers(b"c", own)
    assert not published.raise_numbers(b"other", other)
    assert (own.revision, own.sequences, other.revision, other.sequences) == (5, [0, 2, 0], 0, [0, 0, 0])
