"""From the members of a flat event to a checked event, or to a refusal that names the member."""

from typing import Any, Final
from uuid import UUID, uuid5

import msgspec

from schemas.checks import check
from schemas.events import EVENT_CLASSES, InputEvent
from schemas.faults import fault_of
from schemas.fields import ID_LENGTH_MAX
from schemas.rejections import Rejected

_NAMESPACE: Final = UUID("6a1f3c6e-5a0c-5d0a-9a52-6d2f6f0f4f11")
_encode: Final = msgspec.json.Encoder(order="sorted").encode


def build(name: str, members: dict[str, Any]) -> InputEvent | Rejected:
    """The event of a type; a refusal's detail begins with the type and the member, such as `order.completed.time`."""
    try:
        event = msgspec.convert(members, EVENT_CLASSES[name])
    except msgspec.ValidationError as error:
        return fault_of(error, prefix=name)
    fault = check(event, plain=False)
    if fault is not None:
        return msgspec.structs.replace(fault, detail=name + fault.detail.removeprefix("$"))
    return event  # type: ignore[return-value] # all classes of EVENT_CLASSES are in the union


def derived_id(name: str, members: dict[str, Any]) -> str:
    """The id of an event whose source gives none: equal content gives equal ids, so a redelivery is recognised."""
    return str(uuid5(_NAMESPACE, _encode([name, members]).decode()))


def id_within(text: str) -> str:
    """An id of the source, or a short one derived from it where it is longer than ids may be."""
    return text if len(text) <= ID_LENGTH_MAX else str(uuid5(_NAMESPACE, text))


def nth_id(text: str, nth: int) -> str:
    """The id of the n-th event (from 0) out of one record whose id is `text`."""
    return id_within(f"{text}/{nth + 1}" if nth else text)
