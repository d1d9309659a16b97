"""Which decoder reads which format."""

from schemas.decoding import decode_input
from schemas.formats.debezium import decode_change, decode_outbox, surroundings
from schemas.formats.mapped import events_of
from schemas.formats.mapping import Mapping
from schemas.formats.reading import read_object
from schemas.formats.record import Decoded, Decoder, Raw, SkipCause, Skipped
from schemas.formats.segment import decode_segment
from schemas.rejections import Rejected


def decoder_of(name: str, mapping: Mapping | None = None) -> Decoder:
    """The decoder of a topic's format; `mapping` where the format needs one."""
    if mapping is None:
        return decode_segment if name == "segment" else _decode_native
    decode = {"json": decode_json, "debezium": decode_change, "outbox": decode_outbox}[mapping.format]
    return lambda raw: decode(raw, mapping)


def decode_json(raw: Raw, mapping: Mapping) -> Decoded:
    """The events that a mapping makes of a JSON object."""
    if raw.value is None:
        return Skipped(SkipCause.TOMBSTONE, "a record without a value")
    document = read_object(raw.value)
    if isinstance(document, Rejected):
        return (document,)
    return events_of(mapping, {"": document, **surroundings(raw)})


def _decode_native(raw: Raw) -> Decoded:
    return (decode_input(raw.value, raw.headers),)
