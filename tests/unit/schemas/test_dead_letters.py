"""A dead letter read back: the original's own headers, and what ours say."""

from schemas.dead_letters import ATTEMPTS_MAX, DeadLetter, Header, letter_of
from schemas.rejections import RefusalReason, Rejected, dead_letter_headers

ORIGINAL: list[Header] = [("trace", b"\xff"), ("tierstream-backfill", b"1")]


def letter(headers: list[Header] | None = None, attempts: int = 1) -> DeadLetter | None:
    """What is read of a letter that was written with our headers behind the original's."""
    ours = dead_letter_headers(
        Rejected(RefusalReason.SCHEMA, "decode", "$.total: expected int"),
        topic="shop.purchases",
        partition=3,
        offset=17,
        timestamp=5,
        attempts=attempts,
        app_version="1",
    )
    return letter_of(
        partition=3,
        offset=8,
        timestamp=99,
        key=b"k",
        value=None,
        headers=[*(ORIGINAL if headers is None else headers), *ours],
    )


def test_a_letter_says_what_was_refused_and_why() -> None:
    """The original is as it came, value and headers; its topic and offset are those that were read."""
    read = letter()

    assert read is not None
    assert (read.place, read.reason, read.stage, read.detail) == ("3-8", "schema", "decode", "$.total: expected int")
    assert (read.topic, read.source_offset, read.attempts, read.arrived_at) == ("shop.purchases", 17, 1, 99)
    assert (read.key, read.value, read.headers) == (b"k", None, tuple(ORIGINAL))


def test_a_letter_that_was_redriven_says_from_where() -> None:
    """That header is ours: it is no part of the original."""
    read = letter([*ORIGINAL, ("tierstream-dlq-redriven-from", b"3-2")], attempts=2)

    assert read is not None
    assert (read.redriven_from, read.attempts, read.headers) == ("3-2", 2, tuple(ORIGINAL))


def test_after_so_many_refusals_a_letter_is_parked() -> None:
    """Not before."""
    parked = [read.parked for n in range(1, ATTEMPTS_MAX + 2) if (read := letter(attempts=n))]

    assert parked == [False, False, True, True]


def test_what_somebody_else_wrote_is_no_letter() -> None:
    """Without a reason of ours there is nothing to tell; with numbers that are none, the rest is told."""
    assert letter_of(partition=0, offset=0, timestamp=0, key=None, value=b"x", headers=ORIGINAL) is None
    odd: list[Header] = [
        ("tierstream-dlq-reason", None),
        ("tierstream-dlq-offset", b"x"),
        ("tierstream-dlq-attempts", b""),
    ]
    read = letter_of(partition=0, offset=0, timestamp=0, key=None, value=b"x", headers=odd)
    assert read is not None
    assert (read.reason, read.source_offset, read.attempts) == ("", -1, 1)
