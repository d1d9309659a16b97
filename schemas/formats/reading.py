"""JSON of other systems: under the same limits as our own, with numbers kept exact."""

from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from schemas.faults import fault_of
from schemas.rejections import RefusalReason, Rejected
from schemas.screening import refuse, repeated_key_fault, screen

_REGISTRY_PREFIX_LENGTH: Final = 5
_NOT_A_NUMBER: Final = Decimal("NaN")


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond all reason
        return _NOT_A_NUMBER


_decode: Final = msgspec.json.Decoder(float_hook=_exact).decode
_encode: Final = msgspec.json.Encoder().encode


def read_json(value: bytes) -> Any | Rejected:  # noqa: ANN401 - any JSON at all
    """The document in a value, its decimals as `Decimal`; a refusal when it is too large, broken or repeats a key."""
    if value[:1] == b"\x00":
        value = value[_REGISTRY_PREFIX_LENGTH:]
    screened = screen(value)
    if type(screened) is Rejected:
        return screened
    try:
        document = _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return fault_of(error)
    return repeated_key_fault(value, screened, _encode(document)) or document


def read_object(value: bytes) -> dict[str, Any] | Rejected:
    """As `read_json`, and refuses what is no object."""
    document = read_json(value)
    if isinstance(document, dict | Rejected):
        return document
    return refuse(RefusalReason.SCHEMA, "$: expected `object`")


def without_schema(document: Any) -> Any:  # noqa: ANN401 - any JSON at all
    """What Kafka Connect's JSON converter wrapped together with its schema; anything else unchanged."""
    if isinstance(document, dict) and document.keys() == {"schema", "payload"}:
        return document["payload"]
    return document


def read_text(value: bytes | None) -> Any:  # noqa: ANN401 - any JSON at all
    """A key or a header: what its JSON says, or its text where it is no JSON."""
    if value is None:
        return None
    document = read_json(value)
    if isinstance(document, Rejected):
        return value.decode(errors="replace")
    return without_schema(document)
