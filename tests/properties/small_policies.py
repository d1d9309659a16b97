"""Policies as hypothesis draws them, small enough for a short life to move through all their tiers and bands."""

from itertools import pairwise

import msgspec
from hypothesis import strategies as st

from streams.models.mbgnbd import CDNOW_1997
from streams.policy.model import (
    BAND_NAMES,
    AllOf,
    AnyOf,
    Band,
    ChurnRules,
    Comparison,
    Ladder,
    Policy,
    Tier,
)
from tests.requirements import at_least

SUMMED = ("spend", "orders", "visits", "tickets")
ZONES = ("UTC", "America/New_York", "Asia/Shanghai", "Asia/Beirut", "Pacific/Apia")
WINDOWS_DAYS = (30, 90, 365)
conditions = st.builds(
    lambda metric, window, steps: at_least(metric, window, steps * 1_500 if metric == "spend" else (steps + 1) // 2),
    st.sampled_from((*SUMMED, "spend", "orders")),
    st.sampled_from((*WINDOWS_DAYS, None)),
    st.integers(1, 8),
)


@st.composite
def requirements(draw: st.DrawFn) -> AnyOf | AllOf:
    """One or two conditions, no two on the same metric over the same window."""
    drawn = draw(st.lists(conditions, min_size=1, max_size=2, unique_by=lambda c: (c.metric, c.window)))
    return AllOf(tuple(drawn)) if draw(st.booleans()) else AnyOf(tuple(drawn))


def kept(enter: AnyOf | AllOf, ratio: float) -> AnyOf | AllOf:
    """What whoever meets `enter` meets too: less of the same."""
    less = [
        msgspec.structs.replace(c, threshold=max(1, int(c.threshold * ratio)))
        for c in enter.parts
        if isinstance(c, Comparison) and isinstance(c.threshold, int)
    ]
    return AllOf(tuple(less)) if isinstance(enter, AllOf) else AnyOf(tuple(less))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """One ladder of one to three tiers, whose ranks need not ask for more and more, and perhaps bands of risk."""
    ratio = draw(st.sampled_from((0.4, 0.9, 1.0)))
    entries = draw(st.lists(requirements(), min_size=1, max_size=3))
    tiers = tuple(
        Tier(f"t{rank}", rank, {"en": f"T{rank}"}, enter, kept(enter, ratio), (), None)
        for rank, enter in enumerate(entries, 1)
    )
    ladder = Ladder("standing", tiers, draw(st.sampled_from((0, 1, 7, 30))), ratio)
    churn = draw(st.none() | churn_rules())
    return Policy("drawn", "USD", draw(st.sampled_from(ZONES)), (ladder,), churn, "h")


@st.composite
def churn_rules(draw: st.DrawFn) -> ChurnRules:
    """Up to four bands, whose edges lie further apart than the hysteresis."""
    edges = [0.0, *sorted(draw(st.sets(st.integers(3, 19), max_size=3)))]
    bands = tuple(Band(name, edge / 20) for name, edge in zip(BAND_NAMES, edges, strict=False))
    assert all(a.lower_edge < b.lower_edge for a, b in pairwise(bands))
    return ChurnRules(CDNOW_1997, draw(st.sampled_from((30, 90))), bands, 0.03)
