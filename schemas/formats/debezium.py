"""Debezium: change events of tables, and the messages of its outbox event router."""

from typing import Any, Final

from schemas.envelope import Headers
from schemas.formats.mapped import events_of
from schemas.formats.mapping import Mapping
from schemas.formats.reading import read_json, read_text, without_schema
from schemas.formats.record import Decoded, Raw, SkipCause, Skipped
from schemas.rejections import RefusalReason, Rejected
from schemas.screening import quoted, refuse

DELETE: Final = "d"
OPERATIONS: Final = {"create": "c", "update": "u", "read": "r", "delete": DELETE}
"""Our word to Debezium's letter; `read` is a row of a snapshot."""
_NO_ROW: Final = {"t": "a truncated table", "m": "a message of the write-ahead log"}
_EVENT_ID: Final = "id"


def decode_change(raw: Raw, mapping: Mapping) -> Decoded:
    """The events that a change of a row amounts to; the row is its after-image, of a delete its before-image."""
    change = _opened(raw.value)
    if change is None:
        return Skipped(SkipCause.TOMBSTONE, "a tombstone follows a delete that was told")
    if isinstance(change, dict):
        return _of_change(change, raw, mapping)
    return (change if isinstance(change, Rejected) else refuse(RefusalReason.SCHEMA, "$: expected `object`"),)


def _of_change(change: dict[str, Any], raw: Raw, mapping: Mapping) -> Decoded:
    operation = change.get("op")
    if not isinstance(operation, str):
        detail = "$.op: missing; a flattened row (ExtractNewRecordState) is mapped with format = `json`"
        return (refuse(RefusalReason.SCHEMA, detail),)
    if operation in _NO_ROW:
        return Skipped(SkipCause.NO_MEANING, f"op {operation}: {_NO_ROW[operation]}")
    if operation not in OPERATIONS.values():
        return (refuse(RefusalReason.SCHEMA, f"$.op: {quoted(operation)} is no operation of Debezium's"),)
    if operation == DELETE and not any(DELETE in rule.operations for rule in mapping.rules):
        return Skipped(SkipCause.NO_MEANING, "a delete, and no [[event]] is `on` deletes")
    image = "before" if operation == DELETE else "after"
    row = change.get(image)
    if not isinstance(row, dict):
        return (refuse(RefusalReason.SCHEMA, f"$.{image}: expected the row as an object"),)
    roots = {name: change.get(name) for name in ("op", "ts_ms", "source", "before", "after", "transaction")}
    return events_of(mapping, {"": row, **roots, **surroundings(raw)}, operation=operation)


def decode_outbox(raw: Raw, mapping: Mapping) -> Decoded:
    """The event that a service wrote into its outbox table: the payload, under the id of the header `id`."""
    document = _opened(raw.value)
    if isinstance(document, str):  # without table.expand.json.payload the payload is JSON inside of a JSON text
        document = _opened(document.encode())
    if isinstance(document, Rejected):
        return (document,)
    if document is None:
        return Skipped(SkipCause.TOMBSTONE, "an outbox row without a payload")
    if not isinstance(document, dict):
        return (refuse(RefusalReason.SCHEMA, "$: expected the payload as an object"),)
    around = surroundings(raw)
    given = around["header"].get(_EVENT_ID)
    return events_of(mapping, {"": document, **around}, record_id=given if isinstance(given, str) else "")


def surroundings(raw: Raw) -> dict[str, Any]:
    """What `@key` and `@header` name."""
    return {"key": read_text(raw.key), "header": _by_name(raw.headers)}


def _by_name(headers: Headers) -> dict[str, Any]:
    return {name: read_text(value) for name, value in headers}


def _opened(value: bytes | None) -> Any:  # noqa: ANN401 - any JSON at all
    return None if value is None else without_schema(read_json(value))
