"""When silence alone lifts the churn score over a threshold: exact instants and cheap bounds on them.

The score is P(no purchase within the horizon) = 1 - p, p from `mbgnbd`. It only rises while a customer is silent, so
each threshold is crossed once. The instant `anchor_ms` is the one at which t = tx, the start of the last purchase day;
`tx` and `horizon` are weeks, instants are epoch milliseconds. A crossing depends on the customer's numbers alone: the
instant of asking (`from_ms`) only clips it, so that asking earlier or later never moves it.

Both searches rest on one fact: with u = alpha + t, v = horizon / (u + horizon), c = r + x, the function
G = -ln p is convex and rising in y = ln u. For -ln P(alive) = ln(1 + e^(k + c y)) that is plain; the other factor,
B = 1 - (1 - v)^c, has d(-ln B)/dy = c v / ((1 - v)^-c - 1), whose inverse is the slope of a chord of the convex
(1 - v)^-c starting at v = 0: it falls as v falls, hence as y rises. So a chord of G reaches a level before G does.
"""

from math import exp, expm1, floor, inf, log, log1p

from streams.models.mbgnbd import Parameters, purchase_after_silence

MS_PER_WEEK = 604_800_000
# A threshold that a century of silence does not reach is never reached: no state waits for it.
REACH_MS = 36_525 * 86_400_000
# Taken off the distance to a level of G, far above its rounding error, so that a bound is never late by rounding.
ROUNDING_MARGIN = 1e-12
# Turns of the bound before the integer search: more cost more than the search steps that they save.
NARROWING_TURNS = 3
# Below it e^-ln_odds would overflow, and the probability of being gone is 0 in double precision long before.
LN_ODDS_MIN = -700.0


def score_at(model: Parameters, x: int, tx: float, horizon: float, anchor_ms: int, at_ms: int) -> float:
    """Return the churn score at an instant: P(no purchase in the `horizon` weeks after `at_ms`)."""
    silence = (at_ms - anchor_ms) / MS_PER_WEEK if at_ms > anchor_ms else 0.0
    return 1.0 - purchase_after_silence(model, x, tx, silence, horizon)


def score_crossing(
    model: Parameters, x: int, tx: float, horizon: float, threshold: float, anchor_ms: int, from_ms: int
) -> int | None:
    """Return the first millisecond >= `from_ms` at which the score is >= `threshold`; None if not within a century.

    One millisecond before it, `score_at` is below the threshold (unless it is `from_ms` itself).
    """
    low_ms = 0
    for _ in range(NARROWING_TURNS):
        bound_ms = _silence_before(model, x, tx, horizon, threshold, low_ms)
        if bound_ms is None:
            return None
        low_ms = bound_ms
    if score_at(model, x, tx, horizon, 0, low_ms) >= threshold:
        if low_ms == 0:
            return max(anchor_ms, from_ms)
        low_ms = 0
    step_ms = 1
    while score_at(model, x, tx, horizon, 0, low_ms + step_ms) < threshold:
        low_ms += step_ms
        step_ms *= 4
        if low_ms > REACH_MS:
            return None
    high_ms = low_ms + step_ms
    while high_ms - low_ms > 1:
        middle_ms = (low_ms + high_ms) // 2
        if score_at(model, x, tx, horizon, 0, middle_ms) >= threshold:
            high_ms = middle_ms
        else:
            low_ms = middle_ms
    return max(anchor_ms + high_ms, from_ms) if high_ms <= REACH_MS else None


def score_crossing_lower_bound(
    model: Parameters, x: int, tx: float, horizon: float, threshold: float, anchor_ms: int, from_ms: int
) -> int | None:
    """Return an instant >= `from_ms` that is never after `score_crossing`; None only if that is None.

    Nothing is searched: the cost is constant, two evaluations of the score. On ordinary customers at least half of the
    way to the crossing is skipped.
    """
    start_ms = from_ms - anchor_ms if from_ms > anchor_ms else 0
    bound_ms = _silence_before(model, x, tx, horizon, threshold, start_ms)
    return None if bound_ms is None else max(anchor_ms + bound_ms, from_ms)


def _silence_before(
    model: Parameters, x: int, tx: float, horizon: float, threshold: float, start_ms: int
) -> int | None:
    """Return silence in ms, >= `start_ms`, that does not pass the threshold (the start, if that does); None: never.

    The tangent of G at the start reaches the level no earlier than G, which lies above it; so does -ln P(alive), whose
    crossing has a closed form. The chord of G from the start to the nearer of the two reaches it no later than G.
    """
    at_last_purchase = model.alpha + tx
    start = start_ms / MS_PER_WEEK
    c = model.r + x
    u = at_last_purchase + start
    ln_odds = log(model.a / (model.b + x)) + c * log1p(start / at_last_purchase)
    gone = 1.0 / (1.0 + exp(-ln_odds)) if ln_odds > LN_ODDS_MIN else 0.0
    ln_nothing_if_alive = -c * log1p(horizon / u)
    buys_if_alive = -expm1(ln_nothing_if_alive)
    p = buys_if_alive * (1.0 - gone)
    if threshold <= 1.0 - p or p <= 0.0:
        return start_ms
    until_reach = log((at_last_purchase + REACH_MS / MS_PER_WEEK) / u)
    if threshold >= 1.0 or until_reach <= 0.0:
        return None
    rise = log(p / (1.0 - threshold)) - ROUNDING_MARGIN
    slope = c * (gone + horizon / (u + horizon) * exp(ln_nothing_if_alive) / buys_if_alive)
    until_gone = (log(threshold / (1.0 - threshold)) - ln_odds) / c
    span = min(rise / slope if slope > 0.0 else until_reach, until_gone, until_reach)
    if rise <= 0.0 or span <= 0.0:
        return start_ms
    p_at_end = purchase_after_silence(model, x, tx, start + u * expm1(span), horizon)
    climb = log(p / p_at_end) if p_at_end > 0.0 else inf
    if climb > rise:
        span *= rise / climb
    elif span == until_reach:
        return None
    return max(start_ms, start_ms + floor(u * expm1(span) * MS_PER_WEEK) - 1)
