"""The risk band of who is silent changes at the instant that can be computed, whatever ticks there are."""

import random
from collections.abc import Sequence

import pytest

from agents.fit.datasets import CDNOW_LAST_DAY, cdnow_sample
from agents.fit.histories import Customer, inputs_at
from agents.runtime.stage import Record
from schemas.clock import MS_PER_DAY, format_instant, parse_instant
from schemas.events import OrderCompleted
from schemas.journal import ClockTick, decode_journal
from streams.models.scoring import score
from streams.regime import regime_of
from streams.standing.churn import band_of
from tests.churn import FULL
from tests.journal import Committed, Journal, customers_stage, default_policy, fold_all, restored

EVERY = 157
NOON_MS = MS_PER_DAY // 2
CUSTOMERS = [customer for customer in cdnow_sample().customers[::EVERY] if customer.days]
REGIME = regime_of(default_policy(), 0, 0, FULL)
END_MS = (CDNOW_LAST_DAY + 1) * MS_PER_DAY
BEGIN_MS = min(customer.days[0] for customer in CUSTOMERS) * MS_PER_DAY
RESOLUTIONS_MS = (6 * 3_600_000 + 17_000, MS_PER_DAY, 40 * MS_PER_DAY)
"""How far apart ticks are. In production it is a second."""


def journal(tick_ms: int) -> Journal:
    """The purchases of the sample's customers, with ticks between them."""
    written = Journal()
    written.activate(default_policy(), 0)
    written.activate_model(FULL, 0)
    orders = sorted(
        (day * MS_PER_DAY + NOON_MS, number, place)
        for number, customer in enumerate(CUSTOMERS)
        for place, day in enumerate(customer.days)
    )
    tick = BEGIN_MS
    for at, number, place in orders:
        while tick < at:
            written.tick(tick)
            tick += tick_ms
        written.event(
            OrderCompleted(
                id=f"e{number}-{place}",
                source="s",
                time=format_instant(at),
                customer_id=f"c{number}",
                order_id=f"o{number}-{place}",
                currency="USD",
                total_minor=CUSTOMERS[number].minor[place],
                channel="web",
            ),
            at,
        )
    for last in (*range(tick, END_MS, tick_ms), END_MS):
        written.tick(last)
    return written


def swept(customer: Customer) -> list[tuple[str, str]]:
    """Every move by time, from the history alone: where the band differs over a day, the millisecond is sought."""
    risk, band, found = REGIME.risk, -1, list[tuple[str, str]]()
    assert risk is not None
    for day in range(customer.days[0], CDNOW_LAST_DAY + 1):
        for from_ms, until_ms, known in (
            (day * MS_PER_DAY, day * MS_PER_DAY + NOON_MS, day - 1),
            (day * MS_PER_DAY + NOON_MS, (day + 1) * MS_PER_DAY, day),
        ):
            if known < customer.days[0]:
                continue
            inputs = inputs_at(customer, known, FULL)
            if from_ms % MS_PER_DAY and day in customer.days:
                band = band_of(risk, score(risk.scorer, inputs, from_ms), band)
            while band_of(risk, score(risk.scorer, inputs, until_ms), band) != band:
                low, high = from_ms - 1, until_ms
                while high - low > 1:
                    middle = (low + high) // 2
                    if band_of(risk, score(risk.scorer, inputs, middle), band) == band:
                        low = middle
                    else:
                        high = middle
                if high % MS_PER_DAY == NOON_MS and day in customer.days and high == until_ms:
                    break  # the purchase of that very millisecond comes first
                band = band_of(risk, score(risk.scorer, inputs, high), band)
                found.append((risk.rules.bands[band].name, format_instant(high)))
    return found


def by_time(committed: Committed, number: int) -> list[tuple[str, str]]:
    """What was published of a customer with time as its cause."""
    told = (record.data for record in committed.of("churn-risk", f"c{number}".encode()))
    return [(data["band"], data["effective_at"]) for data in told if data["cause"] == "time"]


def folded_in(records: Sequence[Record], parts: Sequence[int]) -> Committed:
    """With a restart from the changelog at each of these places."""
    stage, committed = customers_stage(), Committed()
    for begin, end in zip((0, *parts), (*parts, len(records)), strict=True):
        partition = restored(stage, committed)
        fold_all(partition, records[begin:end])
        committed.commit(partition.drain())
    return committed


@pytest.mark.parametrize("tick_ms", RESOLUTIONS_MS)
def test_timers_tell_what_a_sweep_finds(tick_ms: int) -> None:
    """Each move of each customer, once, with its millisecond: no more and no less."""
    committed = folded_in(journal(tick_ms).records, ())
    moves = 0
    for number, customer in enumerate(CUSTOMERS):
        wanted = swept(customer)
        assert by_time(committed, number) == wanted
        moves += len(wanted)
    assert moves > len(CUSTOMERS)


def test_a_move_is_told_by_the_first_tick_that_is_not_before_it() -> None:
    """Within the resolution of ticks: neither ahead of its time nor a tick late."""
    stage, tick_ms, told = customers_stage(), RESOLUTIONS_MS[0], 0
    partition = restored(stage, committed := Committed())
    before_ms = BEGIN_MS - 1
    for record in journal(tick_ms).records:
        known = len(committed.topics["churn-risk"])
        fold_all(partition, [record])
        committed.commit(partition.drain())
        if record.key is not None and record.key.startswith(b"\x00clock.tick"):
            tick = parse_instant(_instant(record))
            for each in committed.topics["churn-risk"][known:]:
                assert before_ms < parse_instant(each.data["effective_at"]) <= tick
                told += 1
            before_ms = tick
    assert told > len(CUSTOMERS)


def _instant(record: Record) -> str:
    tick = decode_journal(record.value or b"")
    assert isinstance(tick, ClockTick)
    return tick.instant


def test_restarts_change_neither_the_moves_nor_the_states() -> None:
    """Wherever they fall: due work, forecasts and bands are in what was committed."""
    records, dice = journal(RESOLUTIONS_MS[1]).records, random.Random(1)
    whole = folded_in(records, ())
    restarted = folded_in(records, sorted(dice.sample(range(1, len(records)), 6)))
    assert restarted.changelog == whole.changelog
    assert [r.value for r in restarted.topics["churn-risk"]] == [r.value for r in whole.topics["churn-risk"]]
