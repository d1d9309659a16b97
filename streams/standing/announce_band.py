"""Turns a move between bands of churn risk into the decision that is published: why, and what time leads to next."""

from schemas.clock import format_instant
from schemas.decisions import CausedBy, ChurnRiskChanged, Reason
from streams.customer import daylog
from streams.customer.standing import NO_BAND, NOT_DUE
from streams.customer.state import CustomerState
from streams.effects import Effects, Trigger, output_id
from streams.models.drivers import drivers
from streams.models.rhythm import expected_next_order_by
from streams.models.scoring import ChurnInputs, p_alive, score
from streams.policy.model import ChurnRules
from streams.regime import Regime
from streams.standing import churn
from streams.standing.churn import BandMove
from streams.standing.profile import customer_block
from streams.standing.risk_rules import RiskRules

CHURN_RISK = "churn-risk"
RISK_SEQUENCE = 1


def announce_band(
    state: CustomerState, regime: Regime, risk: RiskRules, move: BandMove, trigger: Trigger, effects: Effects
) -> None:
    """Publish a change of the churn risk band, where anything is published."""
    if effects.in_brief:
        state.changed_by = (trigger.told, trigger.event_id)
        return
    at, rules, scorer = move.effective_at, risk.rules, risk.scorer
    state.sequences[RISK_SEQUENCE] += 1
    state.revision += 1
    state.changed_by = (trigger.told, trigger.event_id)
    sequence = state.sequences[RISK_SEQUENCE]
    inputs = churn.inputs_of(risk, state, regime.calendar) if move.current != NO_BAND else None
    judged = score(scorer, inputs, at) if inputs else None
    next_band, next_band_at = _next(risk, inputs, state.risk.due, move.current) if inputs else (None, None)
    expected = expected_next_order_by(scorer, inputs, at) if inputs else None
    band = _band_name(rules, move.current)
    decision = ChurnRiskChanged(
        customer_id=effects.customer_id,
        effective_at=format_instant(at),
        sequence=sequence,
        revision=state.revision,
        cause=trigger.told,
        caused_by=CausedBy(event_id=trigger.event_id, journal_seq=state.journal_seq),
        policy=regime.ref,
        reasons=_band_reasons(rules, move, judged),
        customer=customer_block(state, regime),
        band=band,
        previous_band=move.left or _band_name(rules, move.previous),
        score=judged,
        horizon_days=rules.horizon_days,
        p_alive=p_alive(scorer, inputs, at) if inputs else None,
        drivers=drivers(scorer, inputs, at) if inputs else (),
        expected_next_order_by=format_instant(expected) if expected is not None else None,
        value_at_risk_minor=_value_at_risk(state, risk, inputs, at),
        suggested_action=rules.action(band) if band else None,
        model=risk.ref,
        next_band=next_band,
        next_band_at=next_band_at,
        corrects=None,
    )
    change_id = output_id(effects.customer_id, "churn_risk_changed", sequence, regime.policy.hash, at, trigger.event_id)
    effects.publish(CHURN_RISK, decision, change_id)


def _band_name(rules: ChurnRules, band: int) -> str | None:
    return None if band == NO_BAND else rules.bands[band].name


def _next(risk: RiskRules, inputs: ChurnInputs, due: int, band: int) -> tuple[str | None, str | None]:
    """The band that time alone leads to, upwards or downwards, and when: `due` is exact after a move."""
    if due == NOT_DUE:
        return None, None
    following = churn.band_of(risk, score(risk.scorer, inputs, due), band)
    return _band_name(risk.rules, following), format_instant(due)


def _value_at_risk(state: CustomerState, risk: RiskRules, inputs: ChurnInputs | None, at: int) -> int:
    """What would come besides if the customer had certainly not left; by a model without spend, that of the last year.

    That year's spend is also what is at risk of who has no purchase left to judge by.
    """
    value = churn.value_of(risk, inputs, at) if inputs else None
    return state.sums[daylog.PLACES["spend", 365]] if value is None else value.at_risk_minor


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
