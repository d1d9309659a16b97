"""The law of time over the whole policy language, and what follows from it for notices, reasons and due instants."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.clock import MS_PER_DAY, parse_instant
from schemas.decisions import TierChanged
from streams.effects import Effects
from streams.policy.model import Policy
from streams.process import pass_time
from streams.regime import regime_of
from tests.properties.journals import START_MS, Arrival
from tests.properties.naive_programme import NaiveProgramme, Told
from tests.properties.one_customer import Folded
from tests.properties.programme_lives import Step, arrivals, lives
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
            found.append(
                Told(decision.ladder, parse_instant(decision.effective_at), before, after, decision.cause)
            )
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
