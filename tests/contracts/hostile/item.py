"""One hostile input, and how the rest of the corpus is spelt."""

from typing import NamedTuple

from schemas.rejections import RefusalReason

ORDER = (
    b'{"type":"order.completed","id":"e1","time":"2026-11-22T10:00:00Z","customer_id":"c1",'
    b'"order_id":"o1","currency":"CNY","total_minor":9900}'
)


class Hostile(NamedTuple):
    """Bytes and headers of a record, and the refusal they must meet."""

    name: str
    value: bytes | None
    reason: RefusalReason
    headers: tuple[tuple[str, bytes | None], ...] = ()


def order(**changes: str) -> bytes:
    """The valid order with members replaced by, or extended with, raw JSON text."""
    members = {
        "type": '"order.completed"',
        "id": '"e1"',
        "time": '"2026-11-22T10:00:00Z"',
        "customer_id": '"c1"',
        "order_id": '"o1"',
        "currency": '"CNY"',
        "total_minor": "9900",
    } | changes
    return ("{" + ",".join(f'"{name}":{text}' for name, text in members.items()) + "}").encode("utf-8", "surrogatepass")


def and_then(member: str) -> bytes:
    """The valid order with raw text before its closing brace."""
    return ORDER[:-1] + b"," + member.encode() + b"}"
