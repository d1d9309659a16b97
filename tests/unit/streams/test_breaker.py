"""The breaker opens on windows of records that are nearly all refused, and on nothing else."""

from schemas.rejections import RefusalReason
from streams.breaker import Breaker

BAD_TIME, SCHEMA, NO_CUSTOMER = RefusalReason.BAD_TIME, RefusalReason.SCHEMA, RefusalReason.NO_CUSTOMER


def refuse(breaker: Breaker, reason: RefusalReason, count: int) -> list[str]:
    """The accounts that so many refusals in a row lead to."""
    return [account for _ in range(count) if (account := breaker.refused(reason)) is not None]


def accept(breaker: Breaker, count: int) -> None:
    for _ in range(count):
        breaker.accepted()


def test_it_opens_when_the_window_is_full_and_the_share_is_reached() -> None:
    """95 of 100 are enough for a ratio of 0.95, and the account names the reasons, the commonest first."""
    breaker = Breaker(0.95, 100)
    accept(breaker, 5)

    assert refuse(breaker, BAD_TIME, 35) == []
    assert refuse(breaker, SCHEMA, 59) == []
    assert breaker.refused(SCHEMA) == "95 of 100 records refused: 60 schema, 35 bad_time"


def test_it_stays_closed_below_the_share() -> None:
    """94 of 100 are not."""
    breaker = Breaker(0.95, 100)
    accept(breaker, 6)

    assert refuse(breaker, SCHEMA, 94) == []


def test_a_window_begins_anew_after_a_full_one() -> None:
    """What was refused in one window is not held against the next."""
    breaker = Breaker(0.5, 10)
    accept(breaker, 6)
    assert refuse(breaker, SCHEMA, 4) == []

    accept(breaker, 5)
    assert refuse(breaker, SCHEMA, 4) == []
    assert refuse(breaker, SCHEMA, 1) == ["5 of 10 records refused: 5 schema"]
    assert refuse(breaker, SCHEMA, 9) == []


def test_a_few_refusals_among_many_good_records_are_forgotten() -> None:
    """A full window of accepted records starts the count anew."""
    breaker = Breaker(0.5, 10)
    for _ in range(50):
        assert refuse(breaker, SCHEMA, 1) == []
        accept(breaker, 10)


def test_visitors_whom_nobody_knows_never_open_it() -> None:
    """Events without a customer are no fault of anybody, and take no place in a window."""
    breaker = Breaker(0.5, 10)

    assert refuse(breaker, NO_CUSTOMER, 1_000) == []
    assert refuse(breaker, SCHEMA, 9) == []
    assert refuse(breaker, NO_CUSTOMER, 10) == []
    assert refuse(breaker, SCHEMA, 1) == ["10 of 10 records refused: 10 schema"]
