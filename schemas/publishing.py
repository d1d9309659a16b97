"""CloudEvents 1.0 going out: structured JSON, with the same attributes again in `ce_` headers.

Every touched customer's profile passes here at every commit, so what is constant is prepared once and the envelope is
put together from bytes.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from schemas.decisions import (
    ChurnRiskChanged,
    Decision,
    DowngradeAverted,
    DowngradeUpcoming,
    Profile,
    TierChanged,
)
from schemas.faults import TYPE_PREFIX, TYPE_SUFFIX
from schemas.shadow import ShadowChanged

CONTENT_TYPE: Final = b"application/cloudevents+json; charset=UTF-8"
CAUSE_HEADER: Final = "tierstream-cause"
"""The decision's cause again, so that a reader can leave `backfill` aside without parsing."""
SEQUENCE_DIGITS: Final = 12
"""The `sequence` attribute is text that sorts as its number does."""

Output = TierChanged | ChurnRiskChanged | DowngradeUpcoming | DowngradeAverted | Profile | ShadowChanged

OUTPUT_CLASSES: Final[Mapping[str, type[Decision]]] = {
    f"{TYPE_PREFIX}customer.{name}{TYPE_SUFFIX}": cls
    for name, cls in (
        ("tier_changed", TierChanged),
        ("churn_risk_changed", ChurnRiskChanged),
        ("downgrade_upcoming", DowngradeUpcoming),
        ("downgrade_averted", DowngradeAverted),
        ("profile", Profile),
        ("shadow_changed", ShadowChanged),
    )
}
"""CloudEvents type to what its `data` is."""

_TYPE_OF: Final = {cls: name.encode() for name, cls in OUTPUT_CLASSES.items()}

_encode: Final = msgspec.json.Encoder().encode


class _Constant(NamedTuple):
    """What is the same in every output of one type and source."""

    between_id_and_subject: bytes
    headers: tuple[tuple[str, bytes], ...]


@lru_cache(maxsize=64)
def _constant(output_class: type[Decision], source: str) -> _Constant:
    output_type = _TYPE_OF[output_class]
    return _Constant(
        between_id_and_subject=b',"source":' + _encode(source) + b',"type":"' + output_type + b'","subject":',
        headers=(
            ("content-type", CONTENT_TYPE),
            ("ce_specversion", b"1.0"),
            ("ce_source", source.encode()),
            ("ce_type", output_type),
        ),
    )


def encode_output(decision: Output, *, event_id: str, source: str) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The record value and headers of an output; its key is the customer's id.

    Equal decisions give equal bytes. `source` is the URI of this installation.
    """
    constant = _constant(type(decision), source)
    customer_id = decision.customer_id
    customer = _encode(customer_id)
    time = decision.effective_at.encode()
    sequence = b"%012d" % decision.sequence
    value = b"".join(
        (
            b'{"specversion":"1.0","id":',
            _encode(event_id),
            constant.between_id_and_subject,
            customer,
            b',"partitionkey":',
            customer,
            b',"time":"',
            time,
            b'","datacontenttype":"application/json","sequence":"',
            sequence,
            b'","data":',
            _encode(decision),
            b"}",
        )
    )
    key = customer_id.encode()
    return value, [
        *constant.headers,
        ("ce_id", event_id.encode()),
        ("ce_subject", key),
        ("ce_partitionkey", key),
        ("ce_time", time),
        ("ce_sequence", sequence),
        (CAUSE_HEADER, decision.cause.encode()),
    ]


class Published(msgspec.Struct, kw_only=True, frozen=True):
    """An output as a consumer reads it."""

    id: str
    source: str
    type: str
    decision: Decision


class _Envelope(msgspec.Struct, kw_only=True):
    id: str
    source: str
    type: str
    data: msgspec.Raw


_decode_envelope: Final = msgspec.json.Decoder(_Envelope).decode
_DECODERS: Final = {name: msgspec.json.Decoder(cls).decode for name, cls in OUTPUT_CLASSES.items()}


def decode_output(value: bytes) -> Published:
    """An output read back. msgspec.DecodeError when the value is none of ours, or of a version unknown here."""
    envelope = _decode_envelope(value)
    decode = _DECODERS.get(envelope.type)
    if decode is None:
        raise msgspec.DecodeError(f"unknown output type {envelope.type[:64]!r}")
    return Published(id=envelope.id, source=envelope.source, type=envelope.type, decision=decode(envelope.data))
