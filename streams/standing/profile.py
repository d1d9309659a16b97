"""The standing in short: the block that every output carries, and the profile record with the aggregates."""

from typing import Final

from schemas.clock import format_instant
from schemas.decisions import (
    Aggregates,
    CausedBy,
    ChurnStanding,
    Consent,
    Contactable,
    CustomerBlock,
    LadderStanding,
    OverrideRef,
    Profile,
)
from streams.customer import daylog, facts
from streams.customer.standing import NO_BAND, NO_RANK
from streams.customer.standing import LadderStanding as Standing
from streams.customer.state import NEVER, CustomerState
from streams.effects import output_id
from streams.models.scoring import p_alive, score
from streams.regime import Regime
from streams.standing import churn, hand

_UNASKED: Final = Contactable()
_ORDERS_365D: Final = daylog.PLACES["orders", 365]
_SPEND_365D: Final = daylog.PLACES["spend", 365]


def customer_block(state: CustomerState, regime: Regime) -> CustomerBlock:
    """The standing in short, as of the windows' day. What no rule judges yet is null."""
    tier = None
    if regime.public >= 0 and (rank := state.ladders[regime.public].shown):
        tier = regime.tier_refs[regime.public][rank - 1]
    risk = regime.risk
    return CustomerBlock(
        tier=tier,
        lifecycle=None,
        value_class=None,
        risk_band=risk.rules.bands[state.risk.band].name if risk and state.risk.band != NO_BAND else None,
        preferred_channel=facts.preferred_channel(state),
        contactable=_contactable(state) if state.contact else _UNASKED,
        top_categories=facts.top_categories(state) if state.categories else (),
        last_order_at=format_instant(state.last_order_at) if state.last_order_at else None,
        orders_365d=state.sums[_ORDERS_365D],
        spend_365d_minor=state.sums[_SPEND_365D],
        currency=regime.policy.currency,
        locale=str(locale) if (locale := state.traits.get("locale")) else None,
        test=state.test,
    )


def profile(state: CustomerState, regime: Regime, customer_id: str) -> Profile:
    """The whole standing as of the state's clock: a function of the state alone, however often it is written."""
    at = state.clock
    cause, event_id = state.changed_by
    as_of = format_instant(at)
    block = customer_block(state, regime)
    return Profile(
        customer_id=customer_id,
        effective_at=as_of,
        sequence=state.revision,
        revision=state.revision,
        cause=cause,
        caused_by=CausedBy(event_id=event_id, journal_seq=state.journal_seq),
        policy=regime.ref,
        reasons=(),
        customer=block,
        as_of=as_of,
        tiers=_ladder_standings(state, regime),
        churn=_churn_standing(state, regime, at),
        aggregates=Aggregates(*daylog.windows(state)),
        first_seen_at=format_instant(state.first_seen_at),
        first_order_at=format_instant(state.first_order_at) if state.first_order_at else None,
        last_order_at=block.last_order_at,
    )


def profile_id(profile: Profile) -> str:
    """The id of a profile record: one per revision of a customer."""
    return output_id(profile.customer_id, "profile", profile.revision, profile.policy.hash, 0, None)


def _contactable(state: CustomerState) -> Contactable:
    answers: dict[str, Consent] = {name: "yes" if agreed else "no" for name, agreed in state.contact.items()}
    return Contactable(**answers)


def _ladder_standings(state: CustomerState, regime: Regime) -> tuple[LadderStanding, ...]:
    standings = []
    ladders = zip(regime.policy.ladders, regime.tier_refs, state.ladders, strict=True)
    for place, (rules, refs, standing) in enumerate(ladders):
        if standing.shown:
            by_hand = hand.held_until(standing)
            held_until = max(standing.valid_until, standing.review_at) if by_hand is None else by_hand
            grace_until = standing.grace_until if by_hand is None else 0
            standings.append(
                LadderStanding(
                    ladder=rules.id,
                    primary=place == regime.public,
                    tier=refs[standing.shown - 1],
                    since=format_instant(standing.shown_since),
                    valid_until=format_instant(held_until) if state.clock < held_until < NEVER else None,
                    grace_until=format_instant(grace_until) if grace_until else None,
                    override=override_ref(standing),
                )
            )
    return tuple(standings)


def override_ref(standing: Standing) -> OverrideRef | None:
    """The tier that was set by hand, as outputs tell it."""
    decided = standing.hand
    if decided is None or decided.override == NO_RANK:
        return None
    until = decided.override_until
    return OverrideRef(reason=decided.reason, valid_until=format_instant(until) if until < NEVER else None)


def _churn_standing(state: CustomerState, regime: Regime, at: int) -> ChurnStanding | None:
    risk = regime.risk
    if risk is None or state.risk.band == NO_BAND:
        return None
    inputs = churn.inputs_of(risk, state, regime.calendar)
    value = churn.value_of(risk, inputs, at)
    return ChurnStanding(
        band=risk.rules.bands[state.risk.band].name,
        since=format_instant(state.risk.since),
        score=score(risk.scorer, inputs, at),
        p_alive=p_alive(risk.scorer, inputs, at),
        value_minor=None if value is None else value.spend_minor,
        at_risk_minor=None if value is None else value.at_risk_minor,
        model=risk.ref,
    )
