"""Turns a move on a ladder, or a notice of one, into what is published.

Why, since when, until when, and what would change it.
"""

from typing import Any
from uuid import UUID

import msgspec

from schemas.clock import format_instant
from schemas.decisions import (
    Cause,
    CausedBy,
    Direction,
    DowngradeAverted,
    DowngradeUpcoming,
    NextTier,
    Reason,
    TierChanged,
)
from streams.customer.standing import LadderStanding
from streams.customer.state import CustomerState
from streams.effects import Effects, Moved, Trigger, output_id
from streams.policy.model import Tier
from streams.regime import Regime, tier_ref
from streams.standing import hand
from streams.standing.clocks import days_later
from streams.standing.evidence import missing, reasons, wanted
from streams.standing.ladder import Move
from streams.standing.ladder_rules import LadderRules
from streams.standing.moment import FOREVER, Moment
from streams.standing.notices import Notice
from streams.standing.places import keep_ends
from streams.standing.profile import customer_block, override_ref

TIER_CHANGES = "tier-changes"
NOTICES = "notices"
_TOLD = b"in brief"
"""In place of the id of a change that is not published."""
TIER_SEQUENCE, NOTICE_SEQUENCE = 0, 2


def announce_tier(
    state: CustomerState,
    regime: Regime,
    rules: LadderRules,
    standing: LadderStanding,
    move: Move,
    trigger: Trigger,
    effects: Effects,
) -> None:
    """Publish a change of tier; tell it in brief where nothing is published."""
    if effects.in_brief:
        _tell(state, regime, rules, standing, move, trigger, effects)
        return
    now = Moment(state, standing, regime.calendar, move.effective_at)
    previous, current = move.left or rules.tier(move.previous), rules.tier(move.current)
    valid_until, grace_until = _validity(now, rules)
    sequence = _count(state, TIER_SEQUENCE, trigger)
    corrects = str(UUID(bytes=standing.last_id)) if move.correction else None
    told = regime.policy.hash, move.effective_at, trigger.event_id
    change_id = output_id(effects.customer_id, "tier_changed", sequence, *told)
    then = _as_judged(state, regime, standing, move)
    effects.judge(then.standing)
    decision = TierChanged(
        customer_id=effects.customer_id,
        effective_at=format_instant(move.effective_at),
        sequence=sequence,
        revision=state.revision,
        cause=_cause(move, trigger),
        caused_by=CausedBy(event_id=trigger.event_id, journal_seq=state.journal_seq),
        policy=regime.ref,
        reasons=_reasons(then, rules, previous, current, move),
        customer=customer_block(state, regime),
        ladder=rules.ladder.id,
        tier=tier_ref(current),
        previous_tier=tier_ref(previous),
        direction=_direction(standing, previous, current, trigger),
        valid_until=valid_until,
        grace_until=grace_until,
        next_tier=_next_tier(now, rules, move.current),
        to_keep=wanted(rules.tiers[move.current - 1].keep) if move.current else (),
        override=override_ref(standing),
        benefits=current.benefits if current else (),
        service_level=current.service_level if current else None,
        corrects=corrects,
    )
    standing.last_id = UUID(change_id).bytes
    effects.publish(TIER_CHANGES, decision, change_id)


def _tell(
    state: CustomerState,
    regime: Regime,
    rules: LadderRules,
    standing: LadderStanding,
    move: Move,
    trigger: Trigger,
    effects: Effects,
) -> None:
    previous, current = move.left or rules.tier(move.previous), rules.tier(move.current)
    reasons = _reasons(_as_judged(state, regime, standing, move), rules, previous, current, move)
    direction = _direction(standing, previous, current, trigger)
    standing.last_id = _TOLD
    state.changed_by = (trigger.told, trigger.event_id)
    effects.moved(Moved(rules.ladder, current, move.effective_at, _cause(move, trigger), direction, reasons))


def announce_notice(
    state: CustomerState,
    regime: Regime,
    rules: LadderRules,
    standing: LadderStanding,
    notice: Notice,
    trigger: Trigger,
    effects: Effects,
) -> None:
    """Publish that a fall is coming, or that one that was announced is not."""
    sequence = _count(state, NOTICE_SEQUENCE, trigger)
    foreseen, tier = notice.foreseen, rules.tier(standing.shown)
    kind = "downgrade_upcoming" if notice.days else "downgrade_averted"
    told = regime.policy.hash, trigger.at, trigger.event_id
    change_id = output_id(effects.customer_id, kind, sequence, *told)
    common: dict[str, Any] = {
        "customer_id": effects.customer_id,
        "effective_at": format_instant(trigger.at),
        "sequence": sequence,
        "revision": state.revision,
        "cause": trigger.told,
        "caused_by": CausedBy(event_id=trigger.event_id, journal_seq=state.journal_seq),
        "policy": regime.ref,
        "customer": customer_block(state, regime),
        "ladder": rules.ladder.id,
    }
    falls_at = format_instant(foreseen.at) if foreseen.at < FOREVER else None
    if notice.days and tier is not None and foreseen.judged is not None and falls_at is not None:
        keep, name = rules.tiers[standing.shown - 1].keep, f"{rules.ladder.id}.{tier.id}.keep"
        upcoming = DowngradeUpcoming(
            **common,
            reasons=reasons(keep, foreseen.judged, name, met=False),
            tier=regime.tier_refs[regime.policy.ladders.index(rules.ladder)][standing.shown - 1],
            falls_at=falls_at,
            falls_to=tier_ref(rules.tier(foreseen.rank)),
            days_before=notice.days,
            to_keep=missing(keep, foreseen.judged),
        )
        standing.notice_id = UUID(change_id).bytes
        effects.publish(NOTICES, upcoming, change_id)
    else:
        averted = DowngradeAverted(
            **common,
            reasons=(),
            tier=tier_ref(tier),
            would_have_fallen_at=format_instant(notice.withdrawn),
            withdraws=str(UUID(bytes=standing.notice_id)),
            falls_at=falls_at,
        )
        effects.publish(NOTICES, averted, change_id)


def _as_judged(state: CustomerState, regime: Regime, standing: LadderStanding, move: Move) -> Moment:
    """The customer as the move was judged."""
    judged_by = msgspec.structs.replace(standing, judged_day=move.judged_day)
    if move.changed is not None:  # the move itself has begun to count anew what is counted since the last one
        judged_by.since, judged_by.base = move.changed
    return Moment(state, judged_by, regime.calendar, move.effective_at)


def _cause(move: Move, trigger: Trigger) -> Cause:
    return "correction" if move.correction and not trigger.backfill else trigger.told


def _count(state: CustomerState, topic: int, trigger: Trigger) -> int:
    state.sequences[topic] += 1
    state.revision += 1
    state.changed_by = (trigger.told, trigger.event_id)
    return state.sequences[topic]


def _direction(standing: LadderStanding, previous: Tier | None, current: Tier | None, trigger: Trigger) -> Direction:
    if trigger.cause == "initial" or not standing.last_id:
        return "initial"
    before, after = previous.rank if previous else 0, current.rank if current else 0
    if after == before:
        return "lateral"
    return "upgrade" if after > before else "downgrade"


def _validity(now: Moment, rules: LadderRules) -> tuple[str | None, str | None]:
    """Until when the tier is held if nothing more happens, and when the grace period after it would end.

    On a ladder with a clock that is the next review, whatever it will find.
    """
    standing, calendar = now.standing, now.calendar
    by_hand = hand.held_until(standing)
    if by_hand is not None:
        return (format_instant(by_hand) if by_hand < FOREVER else None), None
    if not standing.rank:
        return None, None
    if standing.grace_until:
        return format_instant(now.at), format_instant(standing.grace_until)
    until = standing.review_at if rules.clocked else keep_ends(now, rules)
    if not until or until >= FOREVER:
        return None, None
    return format_instant(until), format_instant(days_later(calendar, until, rules.ladder.grace_days))


def _reasons(
    now: Moment, rules: LadderRules, previous: Tier | None, current: Tier | None, move: Move
) -> tuple[Reason, ...]:
    """What was reached on the way up; on the way down, what is no longer kept of the tier above.

    A tier that is introduced may have been reached long ago: then what keeps it, or kept it at a review. What people
    decided has its own reason, told by `override`.
    """
    rose = current is not None and (previous is None or current.rank > previous.rank)
    closed = now.end_of(move.judged_day) if move.judged_day else now
    if rose and current is not None:
        tier, name = rules.tiers[current.rank - 1], f"{rules.ladder.id}.{current.id}"
        entered = reasons(tier.enter, now, f"{name}.enter", met=True)
        return entered or next(
            filter(None, (reasons(tier.keep, m, f"{name}.keep", met=True) for m in (now, closed))), ()
        )
    if previous is None or not move.previous:
        return ()
    keep, name = rules.tiers[move.previous - 1].keep, f"{rules.ladder.id}.{previous.id}.keep"
    return reasons(keep, closed, name, met=False)


def _next_tier(now: Moment, rules: LadderRules, rank: int) -> NextTier | None:
    if rank >= len(rules.tiers):
        return None
    tier = rules.tiers[rank]
    guard = () if rules.minimum is None else missing(rules.minimum, now)
    return NextTier(id=tier.tier.id, missing=guard + missing(tier.enter, now))
