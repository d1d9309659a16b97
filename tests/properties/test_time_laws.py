"""The law of time: every change is dated to the instant at which it became true, found without looking for it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.clock import MS_PER_DAY, parse_instant
from schemas.decisions import ChurnRiskChanged, TierChanged
from streams.effects import Effects
from streams.policy.model import Policy
from streams.process import pass_time
from streams.regime import regime_of
from tests.properties.journals import POLICIES, START_MS, Happening, arrivals, lives
from tests.properties.naive import Moved, Shopper
from tests.properties.one_customer import Folded, once_each, visit
from tests.properties.small_policies import policies

KINDS = (*("order",) * 5, "refund", "refund", "cancel", "browse", "browse", "ticket")
GAP_MAX = 5
END_MS = 430 * MS_PER_DAY


def moves(folded: Folded) -> tuple[list[Moved], list[Moved]]:
    """What was published, as the naive reading says it."""
    bands = folded.regimes[0].policy.churn.bands if folded.regimes[0].policy.churn else ()
    index: dict[str | None, int] = {None: -1, **{band.name: n for n, band in enumerate(bands)}}
    tiers, risk = [], []
    for change in folded.changes:
        decision = change.decision
        at = parse_instant(decision.effective_at)
        if isinstance(decision, TierChanged):
            before, after = (tier.rank if tier else 0 for tier in (decision.previous_tier, decision.tier))
            tiers.append(Moved(at, before, after, decision.cause))
        elif isinstance(decision, ChurnRiskChanged):
            risk.append(Moved(at, index[decision.previous_band], index[decision.band], decision.cause))
    return tiers, risk


def told_shortly(happening: Happening) -> Happening:
    """No foreign currency, and a life so short that nothing is forgotten while it lasts."""
    return happening._replace(gap=min(happening.gap, GAP_MAX), order=happening.order if happening.order != 1 else 2)


@settings(max_examples=100, deadline=None)
@given(lives(customers=1, kinds=KINDS, max_size=12), st.sampled_from(POLICIES) | policies())
def test_every_change_has_the_instant_that_looking_at_every_moment_finds(life: list[Happening], policy: Policy) -> None:
    """The same changes of tier and band, to the millisecond, with the same causes, as a naive reading of the policy."""
    regime = regime_of(policy, 0, 0)
    folded, shopper, now = Folded(regime), Shopper(regime.policy, START_MS), START_MS
    for arrival in [
        visit(START_MS, "first"),
        *arrivals(once_each([told_shortly(h) for h in life])),
    ]:
        folded.take(arrival)
        shopper.hear(arrival.event, arrival.recorded_at)
        now = arrival.recorded_at
    effects = Effects(b"c0")
    pass_time(folded.state, folded.regimes, now + END_MS, effects)
    folded.changes += effects.changes
    shopper.pass_time(now + END_MS)

    tiers, risk = moves(folded)

    assert tiers == shopper.tiers
    assert risk == shopper.bands
    assert len(folded.refusals) + len(effects.refused) == shopper.given_up
