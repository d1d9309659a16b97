"""The one door into the fold.

One journal record of one customer, or the passing of time, into state and decisions.

The order is the law of time: what time alone changed before the record comes first, each at its own instant, and
policies that took effect since come in between, each at its own; then the record. The state is changed in place:
whoever calls throws it away on any failure.
"""

from collections.abc import Sequence
from typing import Final

from schemas.clock import parse_canonical
from schemas.events import InputEvent
from schemas.rejections import RefusalReason, Rejected
from streams.customer import daylog, orders, series
from streams.customer.booking import WAITING_DAYS, Books
from streams.customer.outcome import UNCHANGED, Outcome
from streams.customer.standing import NO_BAND, LadderStanding, RiskStanding
from streams.customer.state import NEVER, CustomerState
from streams.effects import Effects, Trigger
from streams.hearing import hear
from streams.recount import let_go
from streams.regime import Regime
from streams.standing import churn, ladder
from streams.standing.announce_band import announce_band
from streams.standing.announce_tier import announce_notice, announce_tier
from streams.standing.forecast import keep_forecast
from streams.standing.ladder_rules import LadderRules
from streams.standing.moment import Moment
from streams.standing.notices import due_notices
from streams.standing.risk_rules import VISIT_DAY, RiskRules
from streams.standing.succession import carry_over, departures

WAITED_IN_VAIN: Final = Rejected(
    reason=RefusalReason.REFUND_WITHOUT_ORDER,
    stage="customers",
    detail=f"its order has not come in {WAITING_DAYS} days",
)

_VISIT_ALONE: Final = frozenset({VISIT_DAY})


def new_state(regimes: Sequence[Regime], at: int) -> CustomerState:
    """The state of a customer of whom nothing is known yet, under the policy in force at `at`.

    Policies follow each other in the order of their activation: one that takes effect before its predecessor waits.
    """
    ordinal = 0
    while ordinal + 1 < len(regimes) and regimes[ordinal + 1].effective_at <= at:
        ordinal += 1
    declaration = regimes[ordinal].declaration
    state = CustomerState(first_seen_at=at, ordinal=ordinal, declaration=declaration.number if declaration else 0)
    state.ladders = [LadderStanding() for _ in regimes[ordinal].policy.ladders]
    return state


def due_under(regimes: Sequence[Regime], due: int, ordinal: int) -> int:
    """When time or a new policy next concerns a customer with this due instant under this policy."""
    following = ordinal + 1
    return min(due, regimes[following].effective_at) if following < len(regimes) else due


def pass_time(state: CustomerState, regimes: Sequence[Regime], until: int, effects: Effects) -> None:
    """Run all that is due not after `until`, policies that took effect included: in order, each as of its instant."""
    while True:
        following = state.ordinal + 1
        activation = max(regimes[following].effective_at, state.clock) if following < len(regimes) else NEVER
        if state.due <= min(until, activation):
            _run_due(state, regimes[state.ordinal], effects)
        elif following < len(regimes) and regimes[following].effective_at <= until:
            _change_regime(state, regimes[state.ordinal], regimes[following], activation, effects)
        else:
            return


def process(
    state: CustomerState,
    event: InputEvent,
    value: bytes,
    regimes: Sequence[Regime],
    effects: Effects,
    *,
    dedupe: bool = True,
) -> None:
    """Fold one event, after everything that was due before it. `value` is the journal record it was decoded from.

    With `dedupe` off, repeats other than of orders and refunds are counted again: for sources known to be free of them.
    """
    recorded_at = parse_canonical(event.recordedtime)
    if state.due <= recorded_at or state.ordinal + 1 < len(regimes):
        pass_time(state, regimes, recorded_at, effects)
    regime = regimes[state.ordinal]
    if state.declaration:
        let_go(state, regime)
    at = max(state.clock, recorded_at)
    as_of = reach(state, regime, at, effects)
    state.journal_seq += 1
    state.revision += 1
    occurred_at = recorded_at if event.time == event.recordedtime else parse_canonical(event.time)
    days, first, last = state.purchase_days, state.first_day, state.last_day
    outcome = hear(state, event, value, regime, as_of, occurred_at, dedupe=dedupe)
    if not outcome.changed:
        if outcome.repeated:
            effects.repeated += 1
        elif outcome.refused is not None:
            effects.refuse(outcome.refused, value)
        return
    state.changed_by = ("backfill" if effects.backfill else "event", event.id)
    if event.test:
        state.test = True
    # The first record is judged whatever it tells: who has done nothing may meet a rule too.
    ladders = outcome.taken or outcome.by_hand or state.journal_seq == 1
    ladders = ladders or not regime.subjects.isdisjoint(outcome.subjects)
    risk = state.purchase_days != days or state.last_day != last or state.first_day != first
    eased = False
    if not risk and days and regime.risk is not None:
        heeded = regime.risk.heeded & outcome.subjects
        eased = heeded == _VISIT_ALONE  # it only lowers the score: the lowest band stays what it is, until when it was
        risk = bool(heeded) and not (eased and state.risk.band == 0 and effects.late_bands is None)
    if ladders or risk or state.waiting:
        trigger = Trigger("override" if outcome.by_hand else "event", event.id, at, occurred_at, effects.backfill)
        _review(state, regime, trigger, effects, ladders=ladders, risk=risk, eased=eased, outcome=outcome)
        _set_due(state, at)


def _run_due(state: CustomerState, regime: Regime, effects: Effects) -> None:
    """Everything that is due at the state's due instant, as of that instant."""
    at = state.due
    as_of = reach(state, regime, at, effects)
    state.revision += 1
    trigger = Trigger("time", None, at, None, effects.backfill)
    for value in Books(state, at, as_of, regime.policy.currency).expire_waiting():
        effects.refuse(WAITED_IN_VAIN, value, waited=True)
    ladders = any(standing.due <= at for standing in state.ladders)
    _review(state, regime, trigger, effects, ladders=ladders, risk=state.risk.due <= at)
    _set_due(state, at)


def _change_regime(state: CustomerState, old: Regime, new: Regime, at: int, effects: Effects) -> None:
    """Carry the standing over, then judge it by the new policy, or by the new model."""
    keep_forecast(state, old, effects.key, old.calendar.day_of(at))
    if effects.late_bands is not None:
        effects.late_bands.settle(effects.key, state, old, at)
    left = carry_over(state, old, new)
    state.ordinal = new.ordinal
    state.revision += 1
    reach(state, new, at, effects)
    trigger = Trigger("model" if new.by_model else "policy", None, at, None, effects.backfill)
    moves = [
        (rules, standing, move)
        for rules, standing, move in _review_ladders(state, new, trigger, UNCHANGED)
        if rules.ladder.id not in left.tiers
    ]
    band = _review_risk(state, new, trigger, effects)
    moves += departures(state, new, left, at)
    if left.band is not None:
        band = (band or churn.BandMove(NO_BAND, state.risk.band, at))._replace(left=left.band)
    _announce(state, new, trigger, effects, moves, band, judged_by=new.risk or old.risk)
    notify(state, new, trigger, effects)
    _set_due(state, at)


def _review(
    state: CustomerState,
    regime: Regime,
    trigger: Trigger,
    effects: Effects,
    *,
    ladders: bool,
    risk: bool,
    eased: bool = False,
    outcome: Outcome = UNCHANGED,
) -> None:
    """Judge what is asked for, then announce all of it: every output of one instant shows the same standing."""
    moves = _review_ladders(state, regime, trigger, outcome) if ladders else []
    band = _review_risk(state, regime, trigger, effects, eased=eased) if risk else None
    if moves or band is not None:
        _announce(state, regime, trigger, effects, moves, band, judged_by=regime.risk)
    if ladders:
        notify(state, regime, trigger, effects)


def _announce(
    state: CustomerState,
    regime: Regime,
    trigger: Trigger,
    effects: Effects,
    moves: list[tuple[LadderRules, LadderStanding, ladder.Move]],
    band: churn.BandMove | None,
    *,
    judged_by: RiskRules | None,
) -> None:
    for rules, standing, move in moves:
        announce_tier(state, regime, rules, standing, move, trigger, effects)
    if band is not None and judged_by is not None:
        announce_band(state, regime, judged_by, band, trigger, effects)


def notify(state: CustomerState, regime: Regime, trigger: Trigger, effects: Effects) -> None:
    """Say which falls are coming, and which are not after all. A history that is loaded announces none."""
    if trigger.backfill or effects.in_brief:
        return
    for rules, standing in zip(regime.ladders, state.ladders, strict=True):
        if not rules.announces and not standing.noticed:
            continue
        now = Moment(state, standing, regime.calendar, trigger.at)
        for notice in due_notices(now, rules):
            announce_notice(state, regime, rules, standing, notice, trigger, effects)


def _review_ladders(
    state: CustomerState, regime: Regime, trigger: Trigger, outcome: Outcome
) -> list[tuple[LadderRules, LadderStanding, ladder.Move]]:
    moves = []
    recompute = outcome.taken or outcome.by_hand or trigger.cause in {"policy", "model"}
    for rules, standing in zip(regime.ladders, state.ladders, strict=True):
        for booked in outcome.booked:
            ladder.restate(rules, standing, state, booked, regime.calendar)
        grace_until = standing.grace_until
        move = ladder.review(
            state,
            rules,
            standing,
            trigger.at,
            regime.calendar,
            recompute=recompute,
            taken=outcome.taken,
            booked_at=trigger.occurred_at,
        )
        if move is not None:
            moves.append((rules, standing, move))
        elif standing.grace_until != grace_until:
            state.changed_by = (trigger.told, trigger.event_id)
    return moves


def _review_risk(
    state: CustomerState, regime: Regime, trigger: Trigger, effects: Effects, *, eased: bool = False
) -> churn.BandMove | None:
    if regime.risk is None:
        state.risk = RiskStanding()
        return None
    if effects.late_bands is not None and effects.late_bands.heard(effects.key, state, regime, trigger.at):
        return None
    changed = trigger.cause != "time"
    return churn.review(state, regime.risk, state.risk, trigger.at, regime.calendar, changed=changed, eased=eased)


def reach(state: CustomerState, regime: Regime, at: int, effects: Effects) -> int:
    """Bring clock, forecast and windows of the customer under way to an instant, and return its local day."""
    as_of = regime.calendar.day_of(at)
    if not effects.in_brief:
        keep_forecast(state, regime, effects.key, as_of)
    state.clock = max(state.clock, at)
    if daylog.advance(state, as_of):
        if state.orders or state.takings:
            orders.forget(state, as_of)
        if state.series:
            series.forget(state, as_of)
    return as_of


def _set_due(state: CustomerState, at: int) -> None:
    """The earliest of all due instants; always after `at`, so that every review is followed by progress."""
    due = state.risk.due
    for standing in state.ladders:
        due = min(due, standing.due)
    for waiting in state.waiting:
        due = min(due, waiting.expires_at)
    state.due = max(due, at + 1)
