"""Puts an explanation together: standings, what decided them, what would change them; and has it checked again."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import msgspec

from schemas.clock import format_instant, parse_instant
from schemas.decisions import ChurnRiskChanged, TierChanged
from schemas.events import OverrideSet, TierMatchGranted
from streams.customer.standing import NO_BAND, NO_RANK, NOT_DUE, LadderStanding
from streams.customer.state import CustomerState
from streams.explain.judgement import Asked, in_words, judge
from streams.explain.ledger import Line
from streams.explain.outlook import ahead
from streams.explain.recheck import judgements, mismatches
from streams.explain.report import (
    ByHand,
    Correction,
    Decided,
    Explanation,
    HeldBy,
    Judgement,
    LadderExplained,
    NextRung,
    RiskExplained,
)
from streams.explain.witness import Witness, Witnessed
from streams.models.scoring import p_alive, score
from streams.regime import Regime, tier_ref
from streams.standing import churn
from streams.standing.evidence import missing, reasons
from streams.standing.ladder_rules import LadderRules
from streams.standing.moment import FOREVER, Moment
from streams.standing.notices import foresee


class MismatchError(ValueError):
    """What was decided does not follow from what is known of the customer; the text names it."""


class Customer(NamedTuple):
    """Somebody as of an instant, to whose day the state's windows have been advanced."""

    id: str
    state: CustomerState
    regime: Regime
    at: int
    witness: Witness


def explain(customer: Customer) -> Explanation:
    """Explain where a customer stands; MismatchError when a decision does not follow from its own evidence."""
    regime = customer.regime
    pairs = zip(regime.ladders, customer.state.ladders, strict=True)
    explanation = Explanation(
        customer_id=customer.id,
        as_of=format_instant(customer.at),
        policy=regime.ref,
        currency=regime.policy.currency,
        time_zone=regime.policy.time_zone,
        records=customer.witness.records,
        ladders=tuple(_ladder(customer, rules, standing) for rules, standing in pairs),
        risk=_risk(customer),
        rechecked=0,
    )
    checked = list(judgements(explanation))
    found = [mismatch for judged in checked for mismatch in mismatches(judged)]
    if found:
        raise MismatchError("; ".join(found))
    return msgspec.structs.replace(explanation, rechecked=sum(len(judged.conditions) for judged in checked))


def _ladder(customer: Customer, rules: LadderRules, standing: LadderStanding) -> LadderExplained:
    state, regime, lines = customer.state, customer.regime, customer.witness.ledger.lines
    now = Moment(state, standing, regime.calendar, customer.at)
    changes = [w for w in customer.witness.decisions if _is_of(w, rules.ladder.id)]
    shown, foreseen = rules.tier(standing.shown), foresee(now, rules)
    told = _told_tier(changes[-1]) if changes else None
    if told != (shown.id if shown else None):
        raise MismatchError(f"{rules.ladder.id}: the last change told {told}, the standing is {shown and shown.id}")
    keep = None
    if standing.rank:
        asked = asked_of(regime, rules, f"{rules.ladder.id}.{rules.tiers[standing.rank - 1].tier.id}.keep")
        keep = judge(asked, now, lines) if asked else None
    failing = foreseen.judged if foreseen.at < FOREVER else None
    ruled = rules.tier(standing.rank)
    return LadderExplained(
        ladder=rules.ladder.id,
        names={tier.tier.id: tier.tier.name for tier in rules.tiers},
        tier=tier_ref(shown),
        held_by=_held_by(standing),
        rules_tier=ruled.id if ruled else None,
        since=format_instant(standing.shown_since) if changes else None,
        decision=_decided(changes[-1]) if changes else None,
        decided_by=_deciding(customer.witness, changes) if changes else None,
        keep=keep,
        to_keep=missing(rules.tiers[standing.shown - 1].keep, failing) if standing.shown and failing else (),
        next=_next(regime, rules, standing, now),
        ahead=ahead(now, rules, foreseen),
        by_hand=_by_hand(rules, standing, lines),
        corrections=_corrections(changes),
    )


def asked_of(regime: Regime, rules: LadderRules, name: str) -> Asked | None:
    """The rule that reasons call by this name."""
    for tier in rules.tiers:
        head = f"{rules.ladder.id}.{tier.tier.id}"
        if name == f"{head}.enter":
            return Asked(rules.ladder, name, tier.tier.enter, tier.enter, regime.policy.currency)
        if name == f"{head}.keep":
            return Asked(rules.ladder, name, tier.stays_with, tier.keep, regime.policy.currency)
    return None


def _deciding(witness: Witness, changes: Sequence[Witnessed]) -> Judgement | None:
    """The rule behind the last change, judged again as of then: its reasons must be those that were published."""
    witnessed = changes[-1]
    decision, regime, state = witnessed.change.decision, witnessed.regime, witnessed.state
    if not decision.reasons or not isinstance(decision, TierChanged):
        return None
    name = decision.reasons[0].rule
    place = next(i for i, rules in enumerate(regime.ladders) if rules.ladder.id == decision.ladder)
    rules, at = regime.ladders[place], parse_instant(decision.effective_at)
    asked = asked_of(regime, rules, name)
    if asked is None:
        raise MismatchError(f"{name} decided, but the policy {regime.policy.name!r} has no such rule")
    standing = witnessed.judged or state.ladders[place]
    now = Moment(state, standing, regime.calendar, at)
    reviewed = now.end_of(standing.judged_day) if standing.judged_day else now
    before, after = decision.previous_tier, decision.tier
    rose = after is not None and (before is None or after.rank > before.rank)
    for moment in dict.fromkeys((now, reviewed)):
        if reasons(asked.rule, moment, name, met=rose) == decision.reasons:
            earlier = None
            if len(changes) > 1 and not rose:
                reached = parse_instant(changes[-2].change.decision.effective_at)
                earlier = Moment(state, standing, regime.calendar, reached, present=False)
            return judge(asked, moment, witness.lines_of(witnessed), earlier)
    raise MismatchError(f"{name}: the reasons that were published at {decision.effective_at} can't be found again")


def _next(regime: Regime, rules: LadderRules, standing: LadderStanding, now: Moment) -> NextRung | None:
    if standing.shown >= len(rules.tiers):
        return None
    tier = rules.tiers[standing.shown]
    asked = asked_of(regime, rules, f"{rules.ladder.id}.{tier.tier.id}.enter")
    ref = tier_ref(tier.tier)
    if asked is None or ref is None:
        return None
    wanted = missing(rules.minimum, now) if rules.minimum is not None else ()
    return NextRung(tier=ref, missing=(*missing(tier.enter, now), *wanted), asked=in_words(asked))


def _held_by(standing: LadderStanding) -> HeldBy:
    hand = standing.hand
    if hand is not None and hand.override != NO_RANK:
        return "override"
    return "match" if hand is not None and hand.match > standing.rank else "rules"


def _by_hand(rules: LadderRules, standing: LadderStanding, lines: Sequence[Line]) -> tuple[ByHand, ...]:
    hand, found = standing.hand, []
    if hand is not None and hand.override != NO_RANK:
        events = [x.event for x in lines if isinstance(x.event, OverrideSet) and x.event.ladder == rules.ladder.id]
        said = events[-1] if events else None
        tier = rules.tier(hand.override)
        found.append(
            ByHand(
                kind="override",
                tier=tier.id if tier else None,
                actor=said.actor if said else None,
                reason=hand.reason,
                event_id=said.id if said else None,
                until=format_instant(hand.override_until) if hand.override_until < FOREVER else None,
            )
        )
    if hand is not None and hand.match > 0:
        tier = rules.tier(hand.match)
        matches = [event for line in lines if isinstance(event := line.event, TierMatchGranted)]
        of_tier = [e for e in matches if e.ladder == rules.ladder.id and tier is not None and e.tier == tier.id]
        granted = of_tier[-1] if of_tier else None
        found.append(
            ByHand(
                kind="match",
                tier=tier.id if tier else None,
                actor=granted.actor if granted else None,
                reason=granted.reason if granted else "",
                event_id=granted.id if granted else None,
                until=format_instant(hand.match_until) if hand.match_until < FOREVER else None,
            )
        )
    return tuple(found)


def _corrections(changes: Sequence[Witnessed]) -> tuple[Correction, ...]:
    by_id = {witnessed.change.id: witnessed.change.decision for witnessed in changes}
    found = []
    for witnessed in changes:
        decision = witnessed.change.decision
        if isinstance(decision, TierChanged) and decision.corrects in by_id:
            corrected = by_id[decision.corrects]
            found.append(
                Correction(
                    id=witnessed.change.id,
                    at=decision.effective_at,
                    event_id=decision.caused_by.event_id,
                    tier=_told_tier(witnessed),
                    corrects=decision.corrects,
                    corrected_at=corrected.effective_at,
                    corrected_tier=corrected.tier.id if isinstance(corrected, TierChanged) and corrected.tier else None,
                )
            )
    return tuple(found)


def _risk(customer: Customer) -> RiskExplained | None:
    state, risk = customer.state, customer.regime.risk
    if risk is None or state.risk.band == NO_BAND:
        return None
    rules, inputs = risk.rules, churn.inputs_of(risk, state, customer.regime.calendar)
    crosses = churn.crossing(risk, inputs, state.risk.band, customer.at)
    following = (
        None if crosses == NOT_DUE else churn.band_of(risk, score(risk.scorer, inputs, crosses), state.risk.band)
    )
    changes = [w for w in customer.witness.decisions if isinstance(w.change.decision, ChurnRiskChanged)]
    return RiskExplained(
        band=rules.bands[state.risk.band].name,
        since=format_instant(state.risk.since),
        score=score(risk.scorer, inputs, customer.at),
        horizon_days=rules.horizon_days,
        p_alive=p_alive(risk.scorer, inputs, customer.at),
        purchase_days=state.purchase_days,
        last_purchase_day=date.fromordinal(state.last_day).isoformat(),
        next_band=None if following is None else rules.bands[following].name,
        next_band_at=None if following is None else format_instant(crosses),
        decision=_decided(changes[-1]) if changes else None,
    )


def _decided(witnessed: Witnessed) -> Decided:
    decision = witnessed.change.decision
    tier_change = decision if isinstance(decision, TierChanged) else None
    band_change = decision if isinstance(decision, ChurnRiskChanged) else None
    before = tier_change.previous_tier.id if tier_change and tier_change.previous_tier else None
    return Decided(
        id=witnessed.change.id,
        at=decision.effective_at,
        cause=decision.cause,
        event_id=decision.caused_by.event_id,
        policy=decision.policy,
        previous=band_change.previous_band if band_change else before,
        direction=tier_change.direction if tier_change else None,
        corrects=tier_change.corrects if tier_change else None,
    )


def _is_of(witnessed: Witnessed, ladder: str) -> bool:
    return isinstance(witnessed.change.decision, TierChanged) and witnessed.change.decision.ladder == ladder


def _told_tier(witnessed: Witnessed) -> str | None:
    decision = witnessed.change.decision
    return decision.tier.id if isinstance(decision, TierChanged) and decision.tier else None
