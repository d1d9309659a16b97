"""The crowd of the measurement is what it says: everybody crosses an edge of their band within the day, and once."""

from itertools import islice
from statistics import median

import pytest

from agents.bench.ground import Options
from agents.bench.report import Results, rows
from agents.bench.scoring import Scoring
from agents.bench.silence import GAPS_DAYS, Silence, crowd
from agents.policy_activation import SINCE_EVER_MS
from agents.policy_files import configured_policy
from agents.settings import PolicySettings, Settings
from schemas.clock import MS_PER_DAY, parse_instant
from schemas.decisions import ChurnRiskChanged
from streams.customer.record import decode_state
from streams.effects import Effects
from streams.process import pass_time
from streams.regime import regime_of

SETTINGS = Settings(policy=PolicySettings(currency="USD", time_zone="America/New_York"))
NOW = parse_instant("2026-03-20T15:00:00Z")


def test_all_cross_within_the_day_before_and_none_has_been_run() -> None:
    regimes, crossed = [regime_of(configured_policy(SETTINGS), 0, SINCE_EVER_MS)], []
    for key, record in islice(crowd(SETTINGS, 10_000, NOW), 0, len(GAPS_DAYS), 7):
        state, effects = decode_state(record), Effects(key)
        pass_time(state, regimes, NOW, effects)
        (change,) = (each.decision for each in effects.changes if isinstance(each.decision, ChurnRiskChanged))
        crossed.append(NOW - parse_instant(change.effective_at))
    assert all(0 <= before < MS_PER_DAY for before in crossed)
    assert MS_PER_DAY / 4 < median(crossed) < 3 * MS_PER_DAY / 4  # not all at one instant
    assert len(set(crossed)) > len(crossed) / 2


def test_the_crowd_is_as_large_as_asked_for_and_everybody_is_somebody() -> None:
    keys = [key for key, _ in crowd(SETTINGS, 1_000, NOW)]
    assert len(keys) == len(set(keys)) == 1_000
    assert Options(events=1, customers=1, partitions=1).silent == 200_000


@pytest.mark.parametrize(("p99_ms", "met"), [(500.0, True), (501.0, False)])
def test_the_figures_are_told_with_their_targets(p99_ms: float, *, met: bool) -> None:
    found = {
        row.key: row
        for row in rows(
            Results(
                silence=Silence(customers=9, p50_ms=1.0, p99_ms=p99_ms, max_ms=3.0, crossings_per_s=4.0),
                churn={"mix": Scoring(fold_us=9.0, purchases_us=4.0, every_layer_us=6.0)},
            )
        )
    }
    target = found["silence_p99_ms"].target
    assert target is not None
    assert target.met(p99_ms) is met
    cost = found["churn_us_per_event"]
    assert cost.target is not None
    assert cost.target.met(cost.value)
    assert found["fold_without_churn_us_per_event"].value == 9.0
