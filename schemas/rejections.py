"""Refusals: why an input could not be used, as a value, and how it is written beside the original in dead letters."""

from enum import StrEnum
from typing import Final, final

import msgspec

HEADER_PREFIX: Final = "tierstream-dlq-"
ATTEMPTS_HEADER: Final = HEADER_PREFIX + "attempts"
"""On a dead letter: how often it was refused, from 1. On a record that is redriven: how often it was before."""
REDRIVEN_FROM_HEADER: Final = HEADER_PREFIX + "redriven-from"
"""On a record that is redriven: the place of the dead letter that it was."""
DETAIL_BYTES_MAX: Final = 1024


class RefusalReason(StrEnum):
    """Every reason for which an input is refused; the value is what dead letters and metrics carry."""

    NOT_JSON = "not_json"
    TOO_LARGE = "too_large"
    SCHEMA = "schema"
    UNKNOWN_TYPE = "unknown_type"
    BAD_ID = "bad_id"
    BAD_TIME = "bad_time"
    LATE = "late"
    BAD_AMOUNT = "bad_amount"
    UNKNOWN_CURRENCY = "unknown_currency"
    NO_RATE = "no_rate"
    CONFLICT = "conflict"
    REFUND_WITHOUT_ORDER = "refund_without_order"
    NO_CUSTOMER = "no_customer"
    HANDLER_ERROR = "handler_error"
    ERASED = "erased"
    UNSUPPORTED = "unsupported"


@final
class Rejected(msgspec.Struct, frozen=True, gc=False):
    """An input that was refused.

    On the hot path ask `type(x) is Rejected`: msgspec's isinstance takes ten times as long.
    """

    reason: RefusalReason
    stage: str
    """Where it was refused: `decode`, `intake` or `customers`."""
    detail: str
    """Where in the input, and what was expected; quotes at most 64 characters of the input, escaped."""


def dead_letter_headers(
    rejected: Rejected,
    *,
    topic: str,
    partition: int,
    offset: int,
    timestamp: int,
    attempts: int,
    app_version: str,
) -> list[tuple[str, bytes]]:
    """What is added to the original's own headers; the original's value, key and headers stay untouched.

    Coordinates stand twice: under our prefix, and under the names by which common Kafka consoles offer to redrive.
    `timestamp` is the original record's, in milliseconds; `attempts` counts from 1.
    """
    topic_bytes = topic.encode()
    return [
        (HEADER_PREFIX + "reason", rejected.reason.value.encode()),
        (HEADER_PREFIX + "stage", rejected.stage.encode()),
        (HEADER_PREFIX + "detail", rejected.detail.encode(errors="backslashreplace")[:DETAIL_BYTES_MAX]),
        (HEADER_PREFIX + "topic", topic_bytes),
        (HEADER_PREFIX + "partition", b"%d" % partition),
        (HEADER_PREFIX + "offset", b"%d" % offset),
        (HEADER_PREFIX + "timestamp", b"%d" % timestamp),
        (ATTEMPTS_HEADER, b"%d" % attempts),
        (HEADER_PREFIX + "app-version", app_version.encode()),
        ("kafka_dlt-original-topic", topic_bytes),
        ("kafka_dlt-original-partition", partition.to_bytes(4, "big", signed=True)),
        ("kafka_dlt-original-offset", offset.to_bytes(8, "big", signed=True)),
        ("kafka_dlt-original-timestamp", timestamp.to_bytes(8, "big", signed=True)),
    ]
