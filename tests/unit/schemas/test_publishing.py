"""Publishing: the same decision gives the same bytes, and any customer id survives the envelope."""

import json
from typing import cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cloudevents import OUTPUT_CLASSES, decode_output, encode_output
from schemas.decisions import TierChanged
from schemas.publishing import Output
from tests.contracts.corpus import EXAMPLES

UPGRADE = cast(
    "TierChanged", decode_output((EXAMPLES / "customer.tier_changed/valid-upgrade.json").read_bytes()).decision
)


def publish(decision: Output) -> tuple[bytes, list[tuple[str, bytes]]]:
    return encode_output(decision, event_id="5b1f0c9e-0000-5000-8000-000000000000", source="/tierstream")


def test_the_same_decision_gives_the_same_bytes() -> None:
    """A rerun over the same journal publishes the same records."""
    again = decode_output(publish(UPGRADE)[0]).decision

    assert publish(cast("TierChanged", again)) == publish(UPGRADE)


def test_the_headers_are_those_of_the_kafka_binding() -> None:
    """Content type of structured mode, every attribute once, and of our own the cause alone."""
    _, headers = publish(UPGRADE)

    assert dict(headers) == {
        "content-type": b"application/cloudevents+json; charset=UTF-8",
        "ce_specversion": b"1.0",
        "ce_id": b"5b1f0c9e-0000-5000-8000-000000000000",
        "ce_source": b"/tierstream",
        "ce_type": b"tierstream.customer.tier_changed.v1",
        "ce_subject": b"c-1001",
        "ce_partitionkey": b"c-1001",
        "ce_time": b"2026-11-22T10:00:00.000Z",
        "ce_sequence": b"000000000002",
        "tierstream-cause": b"event",
    }
    assert len(headers) == len(dict(headers))


def test_two_sources_do_not_mix() -> None:
    """What is prepared for one installation is not sent by another."""
    one, _ = encode_output(UPGRADE, event_id="i", source="/one")
    two, _ = encode_output(UPGRADE, event_id="i", source="/two")

    assert (json.loads(one)["source"], json.loads(two)["source"]) == ("/one", "/two")


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_any_text_survives_the_envelope(customer_id: str, event_id: str, source: str) -> None:
    """Quotes, backslashes, line breaks and any script come back as they went in."""
    decision = msgspec.structs.replace(UPGRADE, customer_id=customer_id)

    value, _ = encode_output(decision, event_id=event_id, source=source)

    members = json.loads(value)
    assert (members["subject"], members["id"], members["source"]) == (customer_id, event_id, source)
    assert decode_output(value).decision == decision


@given(st.integers(1, 10**12 - 1), st.integers(1, 10**12 - 1))
def test_the_sequence_attribute_sorts_as_the_number_does(one: int, other: int) -> None:
    """CloudEvents compare `sequence` as text."""
    texts = [
        json.loads(publish(msgspec.structs.replace(UPGRADE, sequence=number))[0])["sequence"] for number in (one, other)
    ]

    assert (texts[0] < texts[1]) == (one < other)


def test_nothing_is_left_out_of_the_json() -> None:
    """What is unknown is null, so every output of a type has the same members."""
    first = decode_output((EXAMPLES / "customer.tier_changed/valid-first-tier.json").read_bytes()).decision
    members = json.loads(publish(cast("TierChanged", first))[0])["data"]

    assert set(members) == set(TierChanged.__struct_fields__)
    assert members["previous_tier"] is None


def test_an_output_of_another_version_is_an_error() -> None:
    """A consumer of ours never reads what it does not know."""
    value, _ = publish(UPGRADE)

    with pytest.raises(msgspec.DecodeError, match=r"unknown output type 'tierstream.customer.tier_changed.v2'"):
        decode_output(value.replace(b"changed.v1", b"changed.v2"))


def test_the_output_types_are_those_of_the_contract() -> None:
    """Names that consumers filter by."""
    assert list(OUTPUT_CLASSES) == [
        "tierstream.customer.tier_changed.v1",
        "tierstream.customer.churn_risk_changed.v1",
        "tierstream.customer.downgrade_upcoming.v1",
        "tierstream.customer.downgrade_averted.v1",
        "tierstream.customer.profile.v1",
        "tierstream.customer.shadow_changed.v1",
    ]
