"""Turns a move into the decision that is published: why, since when, until when, and what would change it."""

from uuid import UUID

from schemas.clock import format_instant
from schemas.decisions import (
    CausedBy,
    ChurnRiskChanged,
    Direction,
    Driver,
    Missing,
    NextTier,
    Reason,
    TierChanged,
)
from streams.customer import daylog
from streams.customer.standing import NO_BAND, NOT_DUE, LadderStanding
from streams.customer.state import CustomerState
from streams.effects import Effects, Trigger, output_id
from streams.models import mbgnbd
from streams.models.crossing import MS_PER_WEEK
from streams.policy.model import ChurnRules, Condition, Ladder, Requirement, Tier
from streams.regime import Regime, model_ref, tier_ref
from streams.standing import churn
from streams.standing.churn import BandMove
from streams.standing.ladder import Move, tier_at
from streams.standing.metrics import FOREVER, Measured, holds_until, measure
from streams.standing.profile import customer_block, window_name

TIER_CHANGES = "tier-changes"
CHURN_RISK = "churn-risk"
TIER_SEQUENCE, RISK_SEQUENCE = 0, 1


def announce_tier(
    state: CustomerState,
    regime: Regime,
    rules: Ladder,
    standing: LadderStanding,
    move: Move,
    trigger: Trigger,
    effects: Effects,
) -> None:
    """Publish a change of tier."""
    as_of = regime.calendar.day_of(move.effective_at)
    previous, current = move.left or tier_at(rules, move.previous), tier_at(rules, move.current)
    valid_until, grace_until = _validity(state, rules, standing, move, regime)
    state.sequences[TIER_SEQUENCE] += 1
    state.revision += 1
    state.changed_by = (trigger.told, trigger.event_id)
    corrects = str(UUID(bytes=standing.last_id)) if move.correction else None
    change_id = output_id(
        effects.customer_id,
        "tier_changed",
        state.sequences[TIER_SEQUENCE],
        regime.policy.hash,
        move.effective_at,
        trigger.event_id,
    )
    decision = TierChanged(
        customer_id=effects.customer_id,
        effective_at=format_instant(move.effective_at),
        sequence=state.sequences[TIER_SEQUENCE],
        revision=state.revision,
        cause="correction" if move.correction and not trigger.backfill else trigger.told,
        caused_by=CausedBy(event_id=trigger.event_id, journal_seq=state.journal_seq),
        policy=regime.ref,
        reasons=_tier_reasons(state, rules, previous, current, as_of),
        customer=customer_block(state, regime),
        ladder=rules.id,
        tier=tier_ref(current),
        previous_tier=tier_ref(previous),
        direction="initial" if trigger.cause == "initial" else _direction(standing, previous, current),
        valid_until=valid_until,
        grace_until=grace_until,
        next_tier=_next_tier(state, rules, move.current, as_of),
        to_keep=_to_keep(current),
        override=None,
        benefits=current.benefits if current else (),
        service_level=current.service_level if current else None,
        corrects=corrects,
    )
    standing.last_id, standing.last_at = UUID(change_id).bytes, move.effective_at
    effects.publish(TIER_CHANGES, decision, change_id)


def announce_band(
    state: CustomerState, regime: Regime, rules: ChurnRules, move: BandMove, trigger: Trigger, effects: Effects
) -> None:
    """Publish a change of the churn risk band."""
    at = move.effective_at
    state.sequences[RISK_SEQUENCE] += 1
    state.revision += 1
    state.changed_by = (trigger.told, trigger.event_id)
    sequence = state.sequences[RISK_SEQUENCE]
    past = churn.history(state, regime.calendar) if move.current != NO_BAND else None
    following = state.risk.due if past and state.risk.due != NOT_DUE else None
    judged = churn.scores(rules, past, at) if past else None
    decision = ChurnRiskChanged(
        customer_id=effects.customer_id,
        effective_at=format_instant(at),
        sequence=sequence,
        revision=state.revision,
        cause=trigger.told,
        caused_by=CausedBy(event_id=trigger.event_id, journal_seq=state.journal_seq),
        policy=regime.ref,
        reasons=_band_reasons(rules, move, judged.no_purchase if judged else None),
        customer=customer_block(state, regime),
        band=_band_name(rules, move.current),
        previous_band=move.left or _band_name(rules, move.previous),
        score=judged.no_purchase if judged else None,
        horizon_days=rules.horizon_days,
        p_alive=judged.p_alive if judged else None,
        drivers=_drivers(rules, past, at) if past else (),
        expected_next_order_by=_expected_by(rules, past, at) if past else None,
        value_at_risk_minor=daylog.total(state, "spend", 365, regime.calendar.day_of(at)),
        suggested_action=None,
        model=model_ref(rules),
        next_band=_band_name(rules, move.current + 1) if following is not None else None,
        next_band_at=format_instant(following) if following is not None else None,
        corrects=None,
    )
    change_id = output_id(effects.customer_id, "churn_risk_changed", sequence, regime.policy.hash, at, trigger.event_id)
    effects.publish(CHURN_RISK, decision, change_id)


def _direction(standing: LadderStanding, previous: Tier | None, current: Tier | None) -> Direction:
    if not standing.last_id:
        return "initial"
    before, after = previous.rank if previous else 0, current.rank if current else 0
    if after == before:
        return "lateral"
    return "upgrade" if after > before else "downgrade"


def _validity(
    state: CustomerState, rules: Ladder, standing: LadderStanding, move: Move, regime: Regime
) -> tuple[str | None, str | None]:
    """Until when the tier's `keep` holds if nothing more happens, and when the grace period after it would end."""
    current = tier_at(rules, move.current)
    if current is None:
        return None, None
    if standing.grace_until:
        return format_instant(move.effective_at), format_instant(standing.grace_until)
    until = holds_until(state, current.keep, regime.calendar.day_of(move.effective_at), regime.calendar)
    if until == FOREVER:
        return None, None
    end = regime.calendar.start_of(regime.calendar.day_of(until) + rules.grace_days)
    return format_instant(until), format_instant(end)


def _tier_reasons(
    state: CustomerState, rules: Ladder, previous: Tier | None, current: Tier | None, as_of: int
) -> tuple[Reason, ...]:
    """What was reached on the way up; on the way down, what is no longer kept of the tier above.

    A tier that is introduced may have been reached long ago: then what keeps it.
    """
    rose = current is not None and (previous is None or current.rank > previous.rank)
    if rose and current is not None:
        reached = _reasons(rules, current, "enter", measure(state, current.enter, as_of), met=True)
        return reached or _reasons(rules, current, "keep", measure(state, current.keep, as_of), met=True)
    if previous is not None:
        return _reasons(rules, previous, "keep", measure(state, previous.keep, as_of), met=False)
    return ()


def _reasons(rules: Ladder, tier: Tier, part: str, measured: list[Measured], *, met: bool) -> tuple[Reason, ...]:
    return tuple(
        Reason(
            rule=f"{rules.id}.{tier.id}.{part}",
            metric=_metric_name(m.condition),
            window=window_name(m.condition.window_days),
            value=m.value,
            operator=">=" if met else "<",
            threshold=m.condition.at_least,
        )
        for m in measured
        if m.met is met
    )


def _next_tier(state: CustomerState, rules: Ladder, rank: int, as_of: int) -> NextTier | None:
    if rank >= len(rules.tiers):
        return None
    tier = rules.tiers[rank]
    missing = [m for m in measure(state, tier.enter, as_of) if not m.met]
    return NextTier(id=tier.id, missing=tuple(_missing(m.condition, m.condition.at_least - m.value) for m in missing))


def _to_keep(current: Tier | None) -> tuple[Missing, ...]:
    """What the tier asks for to be kept, as a whole: it does not shrink as the customer buys."""
    keep: Requirement | None = current.keep if current else None
    return tuple(_missing(c, c.at_least) for c in keep.conditions) if keep else ()


def _missing(condition: Condition, value: int) -> Missing:
    return Missing(metric=_metric_name(condition), window=window_name(condition.window_days), value=value)


def _metric_name(condition: Condition) -> str:
    """Money carries its unit in its name."""
    return "spend_minor" if condition.metric == "spend" else condition.metric


def _band_name(rules: ChurnRules, band: int) -> str | None:
    return None if band == NO_BAND else rules.bands[band].name


def _band_reasons(rules: ChurnRules, move: BandMove, score: float | None) -> tuple[Reason, ...]:
    """The edge that was crossed: reached on the way up, undercut by the hysteresis on the way down."""
    if score is None:
        return ()
    window = f"{rules.horizon_days}d"
    if move.current > move.previous:
        edge = rules.bands[move.current].lower_edge
        if score < edge:  # introduced in a band that the hysteresis holds
            edge -= rules.hysteresis
        rule = f"churn.{rules.bands[move.current].name}"
        return (Reason(rule=rule, metric="p_no_purchase", window=window, value=score, operator=">=", threshold=edge),)
    left = rules.bands[move.current + 1]
    edge = left.lower_edge - rules.hysteresis
    return (
        Reason(
            rule=f"churn.{left.name}", metric="p_no_purchase", window=window, value=score, operator="<", threshold=edge
        ),
    )


def _drivers(rules: ChurnRules, past: churn.History, at: int) -> tuple[Driver, ...]:
    """The two parts of the log-odds of having left.

    Silence measured by the customer's own pace, and how few purchase days there were.
    """
    weeks = past.weeks_at(at)
    base = mbgnbd.ln_odds_of_death(rules.model, past.repeats, past.weeks, past.weeks)
    silence = mbgnbd.ln_odds_of_death(rules.model, past.repeats, past.weeks, weeks) - base
    return (
        Driver(code="silence_days", contribution=silence, value=round((weeks - past.weeks) * 7, 3)),
        Driver(code="purchase_days", contribution=base, value=past.repeats + 1),
    )


def _expected_by(rules: ChurnRules, past: churn.History, at: int) -> str:
    """The instant by which half of such customers who have not left will have bought again.

    P(purchase | alive) = 1/2.
    """
    rate = rules.model.r + past.repeats
    weeks = (rules.model.alpha + past.weeks_at(at)) * (2 ** (1 / rate) - 1)
    return format_instant(at + int(weeks * MS_PER_WEEK))
