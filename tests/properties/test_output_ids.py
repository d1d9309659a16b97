"""Ids of outputs: UUIDv5 as everybody computes them, one for each output that differs in anything that counts."""

from uuid import NAMESPACE_DNS, RFC_4122, UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from streams.effects import output_id

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
outputs = st.tuples(
    names,
    st.sampled_from(["tier_changed", "churn_risk_changed", "profile"]),
    st.integers(1, 3),
    st.sampled_from(["a" * 64, "b" * 64]),
    st.integers(0, 2**41),
    st.none() | names,
)


@given(outputs)
def test_an_id_is_a_uuid_of_version_5(output: tuple[str, str, int, str, int, str | None]) -> None:
    """Anybody can compute it again from what the output says, with the standard's own means."""
    customer, kind, sequence, policy, effective_at, event = output
    name = f"{customer}\0{kind}\0{sequence}\0{policy}\0{effective_at}\0{event or ''}"

    found = UUID(output_id(*output))

    assert found == uuid5(uuid5(NAMESPACE_DNS, "tierstream"), name)
    assert (found.version, found.variant) == (5, RFC_4122)
    assert str(found) == output_id(*output)


@given(st.sets(outputs, min_size=2, max_size=40))
def test_different_outputs_have_different_ids(drawn: set[tuple[str, str, int, str, int, str | None]]) -> None:
    """Customer, type, sequence, policy, instant and cause all count."""
    assert len({output_id(*output) for output in drawn}) == len(drawn)
