"""What is foretold at the begin of each window is the score of that instant, and is held against what was bought."""

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING
from zlib import crc32

import msgspec
import pytest

from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import InputEvent, OrderCompleted
from schemas.journal import encode_journal
from streams.customer.record import decode_state, encode_state
from streams.customer.standing import UNKNOWN, Forecast
from streams.effects import Effects
from streams.models.scoring import score
from streams.process import new_state, pass_time, process
from streams.regime import Regime, regime_of
from streams.standing.churn import inputs_of
from streams.standing.forecast import WHOLE, forecast_of
from tests.churn import FULL
from tests.journal import default_policy
from tests.unit.agents.test_churn_in_the_fold import BEGIN, event

if TYPE_CHECKING:
    from streams.customer.state import CustomerState

REGIME = regime_of(default_policy(), 0, 0, FULL)
FIRST = REGIME.calendar.day_of(BEGIN)
DAYS, BUSY_DAYS, LIFE_DAYS = 90, 400, 730
KEY = b"c1"


class Life:
    """One customer's records as they are folded."""

    def __init__(self, *regimes: Regime) -> None:
        self.regimes, self.effects = regimes, Effects()
        self.effects.key = KEY
        self.state: CustomerState | None = None

    def hear(self, event: InputEvent, at: int) -> None:
        """Fold a record."""
        event.recordedtime = format_instant(at)
        if self.state is None:
            self.state = new_state(self.regimes, at)
        process(self.state, event, encode_journal(event), self.regimes, self.effects)
        self.effects.take_over(KEY)

    def score_at(self, day: int) -> int | None:
        """What a score asked for at this midnight would be; asking changes nothing."""
        if self.state is None or not self.state.purchase_days:
            return None
        copied, at = decode_state(encode_state(self.state)), day_ms(day)
        pass_time(copied, self.regimes, at, Effects())
        regime = self.regimes[copied.ordinal]
        assert regime.risk is not None
        return round(score(regime.risk.scorer, inputs_of(regime.risk, copied, regime.calendar), at) * WHOLE)

    def foretold(self, day: int) -> Forecast | None:
        """As the census asks."""
        if self.state is None:
            return None
        return forecast_of(self.state, self.regimes[self.state.ordinal], KEY, day)


def day_ms(day: int) -> int:
    return REGIME.calendar.start_of(day)


def happened(seed: int, *, orders_alone: bool = False) -> Iterator[tuple[int, list[tuple[InputEvent, int]]]]:
    """Two years of days with what was heard on them: busy at first, then silent."""
    dice, number = random.Random(seed), 0
    for day in range(FIRST, FIRST + LIFE_DAYS):
        heard: list[tuple[InputEvent, int]] = []
        if day < FIRST + BUSY_DAYS and dice.random() < 0.02 * (1 + 2 * (not orders_alone)):
            for after in sorted(dice.randrange(MS_PER_DAY) for _ in range(3)):
                number += 1
                made = event(dice, number, "c1", day_ms(day) + after)
                if isinstance(made, OrderCompleted) or not orders_alone:
                    heard.append((made, day_ms(day) + after))
        yield day, heard


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_score_of_the_windows_begin_whenever_it_is_asked_for(seed: int) -> None:
    """From the state alone, whether the customer was busy or silent; what has to be known is known."""
    life, scores, seen = Life(REGIME), dict[int, int | None](), 0
    for day, heard in happened(seed):
        scores[day] = life.score_at(day)
        for each in heard:
            life.hear(*each)
        found = life.foretold(day)
        if found is not None:
            assert found.day <= day < found.day + found.days
            assert (found.day + crc32(KEY)) % DAYS == 0
            assert (None if found.risk == UNKNOWN else found.risk) == scores.get(found.day)
            assert found.past == UNKNOWN or found.past == scores[found.day - DAYS]
            assert found.past != UNKNOWN or scores.get(found.day - DAYS) is None
            seen += found.past != UNKNOWN
    assert seen > LIFE_DAYS / 2


@pytest.mark.parametrize("seed", range(4))
def test_it_is_held_against_what_was_bought_in_the_window(seed: int) -> None:
    life, bought, seen = Life(REGIME), set[int](), set[bool]()
    for day, heard in happened(seed, orders_alone=True):
        for each in heard:
            life.hear(*each)
            bought.add(day)
        found = life.foretold(day)
        if found is not None and found.past != UNKNOWN:
            assert found.past_bought == any(found.day - DAYS <= when < found.day for when in bought)
            seen.add(found.past_bought)
    assert seen == {True, False}


def test_a_new_model_is_not_held_to_what_its_predecessor_foretold() -> None:
    """The window under way keeps the score that was foretold, and the model that did."""
    bleak = msgspec.structs.replace(FULL, name="bleak", a=50.0)
    follows_on = FIRST + 300
    regimes = (REGIME, regime_of(default_policy(), 1, day_ms(follows_on), bleak, by_model=True))
    life, scores, seen = Life(*regimes), dict[int, int | None](), set[int]()
    for day, heard in happened(1):
        if day == follows_on + 1 and life.state is not None:
            pass_time(life.state, regimes, day_ms(day), life.effects)
        scores[day] = life.score_at(day)
        for each in heard:
            life.hear(*each)
        found = life.foretold(day)
        if found is not None and found.past != UNKNOWN:
            assert found.past_ordinal == (found.day - DAYS >= follows_on)
            assert found.past == scores[found.day - DAYS]
            seen.add(found.past_ordinal)
    assert seen == {0, 1}


def test_of_a_state_that_kept_nothing_only_what_it_still_shows_is_told() -> None:
    """As an earlier version of this application wrote it, in the midst of a window."""
    life, began = Life(REGIME), False
    for day, heard in happened(2):
        for each in heard:
            life.hear(*each)
        if not began and life.state is not None and life.state.purchase_days and day > FIRST + 200:
            life.state.forecast, began, last_day = None, True, REGIME.calendar.day_of(life.state.clock)
            assert life.foretold(last_day) is None
            later = life.foretold(last_day + 2 * DAYS)
            assert later is not None
            assert later.past != UNKNOWN
            assert not later.past_bought
    assert began


def test_who_bought_nothing_costs_nothing() -> None:
    life = Life(REGIME)
    for day, heard in happened(0):
        for made, at in heard:
            if not isinstance(made, OrderCompleted):
                life.hear(made, at)
        assert life.state is None or (life.state.forecast is None and life.foretold(day) is None)


@pytest.mark.parametrize(("after_begin", "counts"), [(-1, False), (0, True), (DAYS - 1, True), (DAYS, False)])
def test_a_window_is_from_its_first_midnight_to_the_next_ones(after_begin: int, *, counts: bool) -> None:
    begin = FIRST + 2 * DAYS - (FIRST + crc32(KEY)) % DAYS
    life = Life(REGIME)
    for number, day in enumerate((FIRST, begin + after_begin)):
        at = day_ms(day)
        life.hear(
            OrderCompleted(
                id=f"e{number}",
                time=format_instant(at),
                source="s",
                customer_id="c1",
                order_id=f"o{number}",
                currency="USD",
                total_minor=100,
                channel="web",
            ),
            at,
        )
    found = life.foretold(begin + DAYS)
    assert found is not None
    assert found.day == begin + DAYS
    assert found.past != UNKNOWN
    assert found.past_bought is counts
