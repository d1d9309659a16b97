"""What a tolerant reader passes over in silence: members that no event has, which are often misspelt ones."""

from collections.abc import Iterator
from typing import Final

import msgspec

from schemas.events import EVENT_CLASSES
from schemas.reflection import Struct, hints_of, structs_in

_decode: Final = msgspec.json.Decoder().decode


def unknown_members(value: bytes) -> list[str]:
    """Paths of the members of an accepted flat event that no reader looks at.

    CloudEvents may carry any extension attribute, so for them, and for what is no JSON, the list is empty.
    """
    try:
        event = _decode(value)
    except msgspec.DecodeError:
        return []
    event_class = EVENT_CLASSES.get(event.get("type", ""))
    return [] if event_class is None else list(_unknown(event, event_class, ""))


def _unknown(members: dict[str, object], struct: Struct, path: str) -> Iterator[str]:
    hints = hints_of(struct)
    for name, member in members.items():
        if name not in hints:
            if path or name != "type":
                yield path + name
            continue
        for inner in structs_in(hints[name]):
            for item in member if isinstance(member, list) else [member]:
                if isinstance(item, dict):
                    yield from _unknown(item, inner, f"{path}{name}.")
