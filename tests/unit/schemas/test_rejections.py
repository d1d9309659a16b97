"""Dead-letter headers: why, where and from where, for us and for common consoles."""

from schemas.rejections import RefusalReason, Rejected, dead_letter_headers


def test_a_dead_letter_says_why_and_from_where() -> None:
    """Every fact stands in a header of its own, as text."""
    refusal = Rejected(RefusalReason.BAD_AMOUNT, "decode", "$.total_minor: expected `int`")

    headers = dict(
        dead_letter_headers(
            refusal,
            topic="purchases",
            partition=3,
            offset=77,
            timestamp=1_795_341_600_123,
            attempts=2,
            app_version="1.2",
        )
    )

    ours = {name.removeprefix("tierstream-dlq-"): text for name, text in headers.items() if "dlq" in name}
    assert ours == {
        "reason": b"bad_amount",
        "stage": b"decode",
        "detail": b"$.total_minor: expected `int`",
        "topic": b"purchases",
        "partition": b"3",
        "offset": b"77",
        "timestamp": b"1795341600123",
        "attempts": b"2",
        "app-version": b"1.2",
    }


def test_a_console_finds_the_original_by_the_common_names() -> None:
    """The coordinates also stand as the big-endian numbers that redrive buttons of consoles look for."""
    refusal = Rejected(RefusalReason.LATE, "intake", "too late")

    headers = dict(
        dead_letter_headers(
            refusal, topic="purchases", partition=3, offset=77, timestamp=9, attempts=1, app_version="1"
        )
    )

    assert headers["kafka_dlt-original-topic"] == b"purchases"
    assert headers["kafka_dlt-original-partition"] == b"\x00\x00\x00\x03"
    assert headers["kafka_dlt-original-offset"] == b"\x00" * 7 + b"\x4d"
    assert headers["kafka_dlt-original-timestamp"] == b"\x00" * 7 + b"\x09"


def test_a_long_detail_is_cut() -> None:
    """A header never grows with the input."""
    refusal = Rejected(RefusalReason.HANDLER_ERROR, "customers", "x" * 5_000)

    headers = dict(
        dead_letter_headers(refusal, topic="t", partition=0, offset=0, timestamp=0, attempts=1, app_version="1")
    )

    assert len(headers["tierstream-dlq-detail"]) == 1_024


def test_reasons_are_those_of_the_contract() -> None:
    """Metrics, alerts and redrive filters know these words."""
    words = (
        "not_json too_large schema unknown_type bad_id bad_time late bad_amount unknown_currency no_rate conflict"
        " refund_without_order no_customer handler_error erased unsupported"
    )

    assert [reason.value for reason in RefusalReason] == words.split()
