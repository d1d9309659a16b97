"""The law of time over the whole policy language, and what follows from it for notices, reasons and due instants."""

from collections.abc import Callable
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.clock import MS_PER_DAY, parse_instant
from schemas.decisions import ChurnRiskChanged, DowngradeUpcoming, Reason, TierChanged
from streams.customer.record import decode_state, encode_state
from streams.effects import Effects
from streams.policy.model import AnyOf, Comparison, NotMet, Policy, Requirement
from streams.policy.staying import stays_with
from streams.process import pass_time
from streams.regime import regime_of
from streams.standing.evidence import asked_about, metric_name, window_name
from tests.properties.journals import START_MS, Arrival
from tests.properties.member import COMPARE
from tests.properties.naive_place import Told
from tests.properties.naive_programme import NaiveProgramme
from tests.properties.one_customer import Folded
from tests.properties.programme_lives import PLAIN, Step, arrivals, lives
from tests.properties.programmes import asks_for_membership_years, programmes

END_MS = 430 * MS_PER_DAY
sign_ups = st.sampled_from((None, 0, 10, 246, 400))


def arrived(life: list[Step], policy: Policy, signed_up: int | None) -> list[Arrival]:
    """The events of a life; who joined when is known from the begin where it counts."""
    if signed_up is None and asks_for_membership_years(policy):
        signed_up = 246
    return arrivals(life, policy, signed_up_days=signed_up)


def to_the_end(folded: Folded, now: int) -> Effects:
    """Let time pass after the last event."""
    effects = Effects(b"c0")
    pass_time(folded.state, folded.regimes, now + END_MS, effects)
    folded.changes += effects.changes
    return effects


def told(folded: Folded) -> list[Told]:
    """The changes of tier that were published."""
    found = []
    for change in folded.changes:
        if isinstance(decision := change.decision, TierChanged):
            before, after = (tier.rank if tier else 0 for tier in (decision.previous_tier, decision.tier))
            found.append(Told(decision.ladder, parse_instant(decision.effective_at), before, after, decision.cause))
    return found


@settings(max_examples=120)
@given(lives(), programmes(), sign_ups)
def test_due_instants_find_what_looking_at_every_moment_finds(
    life: list[Step], policy: Policy, signed_up: int | None
) -> None:
    """The same changes on every ladder, to the millisecond and with the same causes, as a naive reading."""
    folded, naive, now = Folded(regime_of(policy, 0, 0)), NaiveProgramme(policy, START_MS), START_MS
    for arrival in arrived(life, policy, signed_up):
        folded.take(arrival)
        naive.hear(arrival.event, arrival.recorded_at)
        now = arrival.recorded_at
    effects = to_the_end(folded, now)
    naive.pass_time(now + END_MS)

    assert told(folded) == naive.told
    assert len(folded.refusals) + len(effects.refused) == naive.given_up


@settings(max_examples=60)
@given(lives(), programmes(), sign_ups, st.lists(st.integers(0, 600 * MS_PER_DAY), max_size=20))
def test_when_time_is_told_changes_nothing(
    life: list[Step], policy: Policy, signed_up: int | None, ticks: list[int]
) -> None:
    """Ticks at any instants, before and after events, lead to the same outputs and the same state, byte for byte."""
    quiet, ticked = Folded(regime_of(policy, 0, 0)), Folded(regime_of(policy, 0, 0))
    pending, now = sorted(START_MS + tick for tick in ticks), START_MS
    for arrival in arrived(life, policy, signed_up):
        now = arrival.recorded_at
        quiet.take(arrival)
        while pending and pending[0] < now:
            tick_at(ticked, pending.pop(0))
        ticked.state = decode_state(encode_state(ticked.state))
        ticked.take(arrival)
    for instant in pending:
        tick_at(ticked, min(instant, now + END_MS))
    to_the_end(quiet, now)
    to_the_end(ticked, now)

    assert ticked.changes == quiet.changes
    assert encode_state(ticked.state) == encode_state(quiet.state)


@settings(max_examples=60)
@given(lives(kinds=PLAIN), programmes(steady=True), sign_ups)
def test_a_rise_on_a_steady_ladder_never_needs_time_to_pass(
    life: list[Step], policy: Policy, signed_up: int | None
) -> None:
    """Sums against lower limits rise by events alone; time alone only lowers a tier."""
    folded, now = Folded(regime_of(policy, 0, 0)), START_MS
    for arrival in arrived(life, policy, signed_up):
        folded.take(arrival)
        now = arrival.recorded_at
    to_the_end(folded, now)

    assert all(rules.steady for rules in folded.regimes[0].ladders)
    assert all(move.current < move.previous for move in told(folded) if move.cause == "time")


@settings(max_examples=60)
@given(lives(), programmes(), sign_ups)
def test_reasons_decide_by_their_own_numbers(life: list[Step], policy: Policy, signed_up: int | None) -> None:
    """Each reason is true of its number, and with these numbers alone, all others unknown, the requirement decides."""
    folded, now = Folded(regime_of(policy, 0, 0)), START_MS
    for arrival in arrived(life, policy, signed_up):
        folded.take(arrival)
        now = arrival.recorded_at
    to_the_end(folded, now)
    rules = {
        f"{ladder.id}.{tier.id}.{name}": rule
        for ladder in policy.ladders
        for tier in ladder.tiers
        for name, rule in (("enter", tier.enter), ("keep", stays_with(tier)))
    }
    for change in folded.changes:
        decision = change.decision
        if not isinstance(decision, TierChanged):
            continue
        assert decision.reasons or decision.cause in {"override", "correction", "time"}
        assert all(true_of(reason) for reason in decision.reasons)
        for rule in {reason.rule for reason in decision.reasons}:
            verdict = decides(rules[rule], [reason for reason in decision.reasons if reason.rule == rule])
            before, after = (tier.rank if tier else 0 for tier in (decision.previous_tier, decision.tier))
            assert verdict is (after > before)


@settings(max_examples=80)
@given(lives(), programmes(), sign_ups)
def test_a_fall_that_is_announced_comes_then_or_is_averted(
    life: list[Step], policy: Policy, signed_up: int | None
) -> None:
    """Every notice is followed by its fall at its instant, or before it by another change or a word that it is off."""
    folded, now = Folded(regime_of(policy, 0, 0)), START_MS
    for arrival in arrived(life, policy, signed_up):
        folded.take(arrival)
        now = arrival.recorded_at
    to_the_end(folded, now)
    decisions = [change.decision for change in folded.changes]
    for place, notice in enumerate(decisions):
        if not isinstance(notice, DowngradeUpcoming) or parse_instant(notice.falls_at) > now + END_MS:
            continue
        said = parse_instant(notice.effective_at)
        assert said < parse_instant(notice.falls_at)
        after = [
            d
            for d in decisions[place + 1 :]
            if not isinstance(d, ChurnRiskChanged) and d.ladder == notice.ladder and d.effective_at <= notice.falls_at
        ]
        assert after, notice
        if isinstance(after[0], TierChanged) and after[0].cause == "time" and after[0].direction == "downgrade":
            assert (after[0].effective_at, after[0].tier) == (notice.falls_at, notice.falls_to)


def tick_at(folded: Folded, at: int) -> None:
    """Tell a customer what time it is."""
    effects = Effects(b"c0")
    pass_time(folded.state, folded.regimes, at, effects)
    folded.changes += effects.changes


BROKEN: Final = {">=": "<", ">": "<=", "<=": ">", "<": ">=", "==": "!=", "in": "not in"}
MEANS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    **COMPARE,
    "!=": lambda value, threshold: value is None or value != threshold,
    "not in": lambda value, among: value is None or value not in among,
}


def true_of(reason: Reason) -> bool:
    """Whether a reason's words are true of its number; of an unknown one only that a limit is not met."""
    if reason.value is None:
        return reason.operator in {*BROKEN.values()}
    return bool(MEANS[reason.operator](reason.value, reason.threshold))


def decides(requirement: Requirement, numbers: list[Reason]) -> bool | None:
    """What a requirement comes to by these numbers alone; None if they do not decide it."""
    match requirement:
        case Comparison():
            for reason in numbers:
                if named(requirement) == (reason.metric, reason.window, reason.where, reason.threshold):
                    met = reason.operator == requirement.operator
                    if met or reason.operator == BROKEN[requirement.operator]:
                        return met
            return None
        case NotMet():
            inner = decides(requirement.part, numbers)
            return None if inner is None else not inner
        case _:
            found = [decides(part, numbers) for part in requirement.parts]
            decisive = isinstance(requirement, AnyOf)
            if decisive in found:
                return decisive
            return None if None in found else not decisive


def named(c: Comparison) -> tuple[object, ...]:
    """How outputs name a comparison."""
    return metric_name(c), window_name(c), asked_about(c), c.threshold
