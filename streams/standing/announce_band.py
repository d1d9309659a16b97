"""Turns a move between bands of churn risk into the decision that is published: why, and what silence leads to next."""

from schemas.clock import format_instant
from schemas.decisions import CausedBy, ChurnRiskChanged, Driver, Reason
from streams.customer import daylog
from streams.customer.standing import NO_BAND, NOT_DUE
from streams.customer.state import CustomerState
from streams.effects import Effects, Trigger, output_id
from streams.models import mbgnbd
from streams.models.crossing import MS_PER_WEEK
from streams.policy.model import ChurnRules
from streams.regime import Regime, model_ref
from streams.standing import churn
from streams.standing.churn import BandMove
from streams.standing.profile import customer_block

CHURN_RISK = "churn-risk"
RISK_SEQUENCE = 1


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
        value_at_risk_minor=state.sums[daylog.PLACES["spend", 365]],
        suggested_action=None,
        model=model_ref(rules),
        next_band=_band_name(rules, move.current + 1) if following is not None else None,
        next_band_at=format_instant(following) if following is not None else None,
        corrects=None,
    )
    change_id = output_id(effects.customer_id, "churn_risk_changed", sequence, regime.policy.hash, at, trigger.event_id)
    effects.publish(CHURN_RISK, decision, change_id)


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
