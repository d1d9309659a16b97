"""When the score next leaves its band by time alone, in either direction: exact instants, and bounds never too late.

Without trouble the score only rises, and the crossing is the first millisecond at or over the edge: a closed form
guesses it, a bracket of two evaluations proves it. With trouble fading the score may fall first and rise later. On a
stretch [t1, t2] it lies between score(rising as of t1, falling as of t2) and score(rising as of t2, falling as of t1),
so stretches that cannot touch an edge are passed whole and others are halved, down to a grid of 2^16 ms (a minute):
nothing is assumed about how often it turns. A touch of an edge that is over within that minute is no crossing.
The grid lies on multiples of 2^16 ms, so that asking earlier or later never moves a crossing.
"""

from collections.abc import Sequence
from math import exp, expm1, inf, log, log1p
from typing import NamedTuple

from streams.models.crossing import REACH_MS
from streams.models.lambert import duration_until
from streams.models.scoring import (
    ChurnInputs,
    Scorer,
    calibrated,
    faded_ms,
    frustration_at,
    ln_odds_of_purchases,
    risk_logit,
    score,
    score_between,
    silence_at,
    softplus,
    visit_evidence,
)

GRID_MS = 1 << 16
FIRST_STEP = 1 << 10
"""In grid cells, 18.6 hours: how far the search with trouble looks at first."""
NARROWING_TURNS = 12
ENOUGH_MS = 8
"""A bracket this narrow is halved to its end."""
SCORE_TINY = 1e-16
BOUND_SHARES = (0.6, 0.2, 0.04)
"""How much of the way to the guess a bound tries to skip."""
NEVER = -1.0
"""A lower edge below every score."""


class Crossing(NamedTuple):
    """The score leaves its band at `at_ms`, upwards (at or over the next edge) or downwards (below its own)."""

    at_ms: int
    upward: bool


class _Point(NamedTuple):
    at_ms: int
    value: float
    """The score then."""


class _Edges(NamedTuple):
    above: float
    """At it or over it the band is left upwards; over 1 for the last band."""
    below: float
    """Under it the band is left downwards."""

    def side(self, value: float) -> int:
        """1 across the upper edge, -1 across the lower one, 0 inside."""
        return 1 if value >= self.above else -1 if value < self.below else 0


def next_crossing(
    scorer: Scorer, inputs: ChurnInputs, edges: Sequence[float], band: int, at_ms: int, hysteresis: float = 0.0
) -> Crossing | None:
    """The first millisecond >= `at_ms` at which the score is outside its band; None if not within a century.

    `edges` are the lower edges of the bands, ascending, the first 0. One millisecond earlier the score was inside
    (unless it is `at_ms` itself).
    """
    bounds = _edges(edges, band, hysteresis)
    value = score(scorer, inputs, at_ms)
    side = bounds.side(value)
    if side:
        return Crossing(at_ms, side > 0)
    start = _Point(at_ms, value)
    if frustration_at(scorer, inputs, at_ms) > 0.0:
        end_ms = faded_ms(scorer, inputs)
        found = _search(scorer, inputs, bounds, at_ms, end_ms)
        if found is not None:
            return found
        start = _Point(end_ms, score(scorer, inputs, end_ms))
    if bounds.above >= 1.0:
        return None
    crossed_ms = _rise(scorer, inputs, bounds.above, start)
    return None if crossed_ms is None else Crossing(crossed_ms, upward=True)


def crossing_lower_bound(
    scorer: Scorer,
    inputs: ChurnInputs,
    edges: Sequence[float],
    band: int,
    at_ms: int,
    hysteresis: float = 0.0,
    *,
    value: float | None = None,
) -> int | None:
    """An instant >= `at_ms` that is never after `next_crossing`; None only if that is None.

    A few evaluations at most: for the due instant after an order, which most often the next order makes obsolete.
    `value` is the score at `at_ms`, where it is known.
    """
    bounds = _edges(edges, band, hysteresis)
    if bounds.side(score(scorer, inputs, at_ms) if value is None else value):
        return at_ms
    reach_ms = inputs.anchor_ms + REACH_MS
    far_ms = _guess(scorer, inputs, bounds.above, at_ms) if bounds.above < 1.0 else reach_ms
    if frustration_at(scorer, inputs, at_ms) > 0.0:
        far_ms = faded_ms(scorer, inputs) if far_ms is None else min(far_ms, faded_ms(scorer, inputs))
    elif bounds.above >= 1.0 or at_ms >= reach_ms:
        return None
    elif far_ms is None or far_ms >= reach_ms:
        far_ms = reach_ms
        if score(scorer, inputs, reach_ms) < bounds.above:
            return None
    for share in BOUND_SHARES:
        bound_ms = at_ms + int((far_ms - at_ms) * share)
        if bound_ms > at_ms and not _may_leave(scorer, inputs, bounds, at_ms, bound_ms):
            return bound_ms
    return at_ms


def _edges(edges: Sequence[float], band: int, hysteresis: float) -> _Edges:
    above = edges[band + 1] if band + 1 < len(edges) else 2.0
    return _Edges(above, edges[band] - hysteresis if band > 0 else NEVER)


def _may_leave(scorer: Scorer, inputs: ChurnInputs, bounds: _Edges, from_ms: int, to_ms: int) -> bool:
    """Whether the score can be outside its band anywhere on a stretch; "no" is a proof."""
    if score_between(scorer, inputs, to_ms, from_ms) >= bounds.above:
        return True
    return bounds.below > 0.0 and score_between(scorer, inputs, from_ms, to_ms) < bounds.below


def _search(scorer: Scorer, inputs: ChurnInputs, bounds: _Edges, at_ms: int, end_ms: int) -> Crossing | None:
    """The first crossing up to `end_ms`, while trouble fades and the score may turn."""
    low_ms, cells = at_ms, FIRST_STEP
    while low_ms < end_ms:
        high_ms = min((low_ms // GRID_MS + cells) * GRID_MS, end_ms)
        if not _may_leave(scorer, inputs, bounds, low_ms, high_ms):
            low_ms, cells = high_ms, cells * 2
        elif cells > 1:
            cells //= 2
        else:
            side = bounds.side(score(scorer, inputs, high_ms))
            if side:
                return Crossing(_first_of(scorer, inputs, bounds, low_ms, high_ms), side > 0)
            low_ms = high_ms
    return None


def _first_of(scorer: Scorer, inputs: ChurnInputs, bounds: _Edges, inside_ms: int, outside_ms: int) -> int:
    """The millisecond at which the score goes outside, between one inside and one outside."""
    while outside_ms - inside_ms > 1:
        middle_ms = (inside_ms + outside_ms) // 2
        if bounds.side(score(scorer, inputs, middle_ms)):
            outside_ms = middle_ms
        else:
            inside_ms = middle_ms
    return outside_ms


def _rise(scorer: Scorer, inputs: ChurnInputs, edge: float, start: _Point) -> int | None:
    """The first millisecond at which a score that only rises reaches an edge; it is below it at `start`."""
    bracket = _bracket(scorer, inputs, edge, start)
    if bracket is None:
        return None
    low_ms, high_ms = _narrowed(scorer, inputs, edge, bracket, NARROWING_TURNS)
    while high_ms - low_ms > 1:
        middle_ms = (low_ms + high_ms) // 2
        if score(scorer, inputs, middle_ms) < edge:
            low_ms = middle_ms
        else:
            high_ms = middle_ms
    return high_ms


def _bracket(scorer: Scorer, inputs: ChurnInputs, edge: float, start: _Point) -> tuple[_Point, _Point] | None:
    """Two instants, the score below the edge at the first and not at the second; None if not within a century."""
    guess_ms = _guess(scorer, inputs, edge, start.at_ms)
    if guess_ms is not None and guess_ms > start.at_ms:
        guess = _Point(guess_ms, score(scorer, inputs, guess_ms))
        if guess.value >= edge:
            return start, guess
        start = guess
    reach_ms = inputs.anchor_ms + REACH_MS
    if start.at_ms >= reach_ms or (value := score(scorer, inputs, reach_ms)) < edge:
        return None
    return start, _Point(reach_ms, value)


def _narrowed(
    scorer: Scorer, inputs: ChurnInputs, edge: float, bracket: tuple[_Point, _Point], turns: int
) -> tuple[int, int]:
    """A narrower bracket, by false position (Illinois) over the logarithm of age: nearly straight there."""
    age_ms = (scorer.alpha + inputs.recency) * scorer.ms_per_unit - inputs.anchor_ms
    (low_ms, low), (high_ms, high) = bracket
    low, high, moved = _height(low, edge), _height(high, edge), 0
    for _ in range(turns):
        if high_ms - low_ms <= ENOUGH_MS or high <= low:
            break
        low_y, high_y = log(age_ms + low_ms), log(age_ms + high_ms)
        middle_y = (low_y * high - high_y * low) / (high - low)
        middle_ms = round(exp(middle_y) - age_ms)
        # So near to one end, it is the other one that is far off: a step across brings that near too.
        if middle_ms - low_ms < ENOUGH_MS // 2:
            middle_ms = low_ms + ENOUGH_MS
        elif high_ms - middle_ms < ENOUGH_MS // 2:
            middle_ms = high_ms - ENOUGH_MS
        middle_ms = min(max(middle_ms, low_ms + 1), high_ms - 1)
        value = score(scorer, inputs, middle_ms)
        if value < edge:
            low_ms, low = middle_ms, _height(value, edge)
            high, moved = (high / 2.0 if moved < 0 else high), -1  # an end that stays twice counts half
        else:
            high_ms, high = middle_ms, _height(value, edge)
            low, moved = (low / 2.0 if moved > 0 else low), 1
    return low_ms, high_ms


def _height(value: float, edge: float) -> float:
    """How far a score lies over an edge, in logits."""
    value = min(max(value, SCORE_TINY), 1.0 - SCORE_TINY)
    return log(value / (1.0 - value)) - log(edge / (1.0 - edge))


def _guess(scorer: Scorer, inputs: ChurnInputs, edge: float, start_ms: int) -> int | None:
    """About when the score reaches an edge: P(alive) has a closed form, all else is taken as of the start.

    Where the other factors of the risk only rise too, this is late, so that it closes the bracket.
    """
    k = scorer.calibration
    slope = 1.0 if k is None else k.risk
    if slope <= 0.0 or not 0.0 < edge < 1.0 or inputs.repeats < scorer.one_more_chance:
        return None
    c, age = scorer.r + inputs.repeats, scorer.alpha + inputs.recency
    watched = inputs.watched_from_ms is not None and scorer.visit_half_life_ms == inf
    unseen_slope = scorer.visit_rate_excess if watched else 0.0
    silence = silence_at(scorer, inputs, start_ms)
    frustration = frustration_at(scorer, inputs, start_ms)
    evidence = visit_evidence(scorer, inputs, start_ms) + frustration
    ln_nothing = -c * log1p(scorer.horizon / (age + silence))
    logit = risk_logit(ln_nothing, ln_odds_of_purchases(scorer, inputs, silence) + evidence)
    beside = calibrated(scorer, inputs, logit, silence, start_ms, frustration) - slope * logit
    ln_alive = -softplus((log(edge / (1.0 - edge)) - beside) / slope) - log(-expm1(ln_nothing))
    if ln_alive >= 0.0:
        return None
    ln_odds = log(-expm1(ln_alive)) - ln_alive
    level = ln_odds - ln_odds_of_purchases(scorer, inputs, 0.0) - evidence + unseen_slope * silence
    reached = duration_until(level, c, age, unseen_slope) * scorer.ms_per_unit
    return inputs.anchor_ms + int(min(reached, float(REACH_MS)))
