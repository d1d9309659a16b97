"""One partition under two policies: when a difference begins, changes and ends, and whose decision it was."""

import pytest

from agents.errors import ConfigurationError
from agents.replay.entry import Entry
from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import OrderCompleted
from schemas.inputs.purchases import Product
from schemas.shadow import ShadowChanged
from tests.journal import Journal, policy_of
from tests.unit.agents.shadow.trials import POINTS, pair_of, take, trial_of
from tests.unit.agents.silver import AT, FALLS, order

EASY, HARD = (policy_of(POINTS.replace("LIMIT", limit), "USD", "UTC") for limit in ("50.00", "150.00"))
BY_CATEGORY = policy_of(
    POINTS.replace('"365 days",', '"365 days", category = "tea",').replace("LIMIT", "50.00"), "USD", "UTC"
)
HOUR = 3_600_000


def begun() -> Journal:
    """Easy is in force, and c1 bought for 100: silver."""
    journal = Journal()
    journal.activate(EASY, 0)
    journal.event(order(), AT)
    return journal


def told(one: ShadowChanged) -> tuple[object, ...]:
    """The gist of it."""
    tiers = [(d.ladder, d.live and d.live.id, d.shadow and d.shadow.id) for d in one.ladders]
    return one.sequence, one.difference, one.moved, one.cause, tiers


def test_a_difference_begins_and_ends_with_the_customers_own_records() -> None:
    """Both take the order, and make different tiers of it; when the candidate follows, they are level again."""
    journal = begun()
    journal.event(order(number=2), AT + HOUR)
    pair = pair_of(trial_of(HARD))

    (first, begins), (second, ends) = take(pair, journal)

    assert first == second == b"c1"
    assert told(begins) == (1, "begun", "both", "event", [("standing", "silver", "member")])
    assert (begins.caused_by.event_id, begins.policy.hash, begins.candidate.hash) == ("e1", HARD.hash, HARD.hash)
    assert [(r.metric, r.value, r.threshold) for r in begins.reasons] == [("orders", 1, 1)]
    assert told(ends) == (2, "ended", "shadow", "event", [])
    assert (ends.since, ends.effective_at) == (format_instant(AT), format_instant(AT + HOUR))
    assert ends.policy.hash == HARD.hash
    assert [(r.metric, r.value, r.threshold) for r in ends.reasons] == [("spend_minor", 20_000, 15_000)]
    assert pair.standings == {"standing": {"silver": 1}}
    assert len(pair.differences) == 0
    assert sum(pair.differences.flows.values()) == 0


def test_the_block_shows_the_live_tier_whoever_moved() -> None:
    journal = begun()
    (_, begins), *_ = take(pair_of(trial_of(HARD)), journal)

    assert begins.customer.tier is not None
    assert begins.customer.tier.id == "silver"
    assert begins.customer.spend_365d_minor == 10_000


def test_in_force_from_now_everybody_is_looked_at_when_the_trial_begins() -> None:
    """Silently up to there; then who stands differently is published, as of the candidate's instant."""
    journal = begun()
    journal.event(order("c2"), AT + HOUR)
    journal.tick(AT + 2 * HOUR)
    pair = pair_of(trial_of(HARD, opens_at=4, effective_at=AT + 3 * HOUR))

    published = take(pair, journal)

    assert [key for key, _ in published] == [b"c1", b"c2"]
    falls = [told(one) for _, one in published]
    assert falls == [(1, "begun", "shadow", "policy", [("standing", "silver", "member")])] * 2
    assert {one.since for _, one in published} == {format_instant(AT + 3 * HOUR)}


def test_what_was_before_the_trial_is_published_once_as_it_stands() -> None:
    """As if always in force: three differences in the past make one record."""
    journal = begun()
    journal.event(order(number=2), AT + HOUR)  # level again
    journal.event(order("c2"), AT + 2 * HOUR)
    pair = pair_of(trial_of(HARD, opens_at=len(journal.records)))

    ((key, one),) = take(pair, journal)

    assert key == b"c2"
    assert told(one) == (1, "begun", "both", "event", [("standing", "silver", "member")])


def test_the_live_side_follows_another_policy_and_the_shadow_stays() -> None:
    """Activated for real, the candidate's rules end the difference; the shadow hears of no policy."""
    journal = begun()
    pair = pair_of(trial_of(HARD, opens_at=2, effective_at=AT + HOUR))
    take(pair, journal)
    journal.activate(HARD, AT + 2 * HOUR)
    journal.tick(AT + 3 * HOUR)

    ((_, ends),) = take(pair, journal, 2)

    assert told(ends) == (2, "ended", "live", "policy", [])
    assert pair.shadow is not None
    assert [regime.policy.hash for regime in pair.shadow.regimes] == [EASY.hash, HARD.hash]
    assert [regime.policy.hash for regime in pair.live.regimes] == [EASY.hash, HARD.hash]
    journal.activate(EASY, AT + 4 * HOUR)
    journal.tick(AT + 5 * HOUR)
    ((_, again),) = take(pair, journal, 4)
    assert told(again) == (3, "begun", "live", "policy", [("standing", "silver", "member")])
    assert [regime.policy.hash for regime in pair.shadow.regimes] == [EASY.hash, HARD.hash]


def test_a_policy_that_waits_never_takes_effect_in_the_shadow() -> None:
    journal = begun()
    journal.activate(EASY, AT + 90 * MS_PER_DAY)
    pair = pair_of(trial_of(HARD, opens_at=3, effective_at=AT + HOUR))
    take(pair, journal)
    journal.tick(AT + 91 * MS_PER_DAY)
    take(pair, journal, 3)

    assert pair.shadow is not None
    assert [regime.policy.hash for regime in pair.shadow.regimes] == [EASY.hash, HARD.hash]
    assert len(pair.live.regimes) == 2
    assert [known.differs for _, known in pair.differences] == [True]


def test_a_candidate_may_count_what_the_live_policy_does_not() -> None:
    """The shadow folds from the begin, and counts for the candidate before it comes in force."""
    journal = Journal()
    journal.activate(EASY, 0)
    tea = OrderCompleted(
        id="e1",
        time=format_instant(AT),
        customer_id="c1",
        order_id="o1",
        currency="USD",
        total_minor=10_000,
        products=(Product(product_id="p1", category="tea"),),
    )
    journal.event(tea, AT)
    journal.event(order("c2"), AT + HOUR)
    pair = pair_of(trial_of(BY_CATEGORY, opens_at=3, effective_at=AT + 2 * HOUR))

    published = take(pair, journal)

    assert [key for key, _ in published] == [b"c2"]
    assert told(published[0][1]) == (1, "begun", "shadow", "policy", [("standing", "silver", "member")])
    live = pair.live.state_now(b"c1")
    assert live is not None
    assert live.ladders[0].shown == 2


def test_it_makes_no_difference_whether_time_was_let_pass_in_between() -> None:
    """By time alone c1 falls, then buys again: told with the record or long before it, it is the same two changes."""
    journal = begun()
    journal.tick(AT + 400 * MS_PER_DAY)
    later = order(number=2)
    later.time = format_instant(AT + 500 * MS_PER_DAY)
    journal.event(later, AT + 500 * MS_PER_DAY)
    lazy, eager = pair_of(trial_of(HARD)), pair_of(trial_of(HARD))

    late = take(lazy, journal)
    early = []
    for place, record in enumerate(journal.records):
        eager.take(Entry(record.key or b"", record.value or b"", 0, record.offset, 0))
        eager.reached(place + 1)
        eager.settle()
        early += [(one.key, one.known.decision) for one in eager.differences.drain()]

    assert early == late
    assert [one.difference for _, one in late] == ["begun", "ended", "begun"]
    assert [one.cause for _, one in late] == ["event", "time", "event"]


def test_who_is_about_to_fall_alive_as_well_is_no_difference() -> None:
    """Due before the trial's begin, with a tick that is still to come: live would be where the shadow is."""
    journal = begun()
    pair = pair_of(trial_of(HARD, opens_at=2, effective_at=AT + 500 * MS_PER_DAY))

    assert take(pair, journal) == []
    journal.tick(AT + 501 * MS_PER_DAY)
    assert take(pair, journal, 2) == []
    assert pair.standings == {"standing": {"member": 1, "silver": 0}}


def test_what_time_changes_alike_is_no_difference_while_policies_change() -> None:
    """An activation lets time pass on the live side; what it brings there, it brings to the candidate's as well."""
    journal = begun()
    journal.tick(FALLS + HOUR)
    journal.activate(EASY, FALLS + 2 * HOUR)

    assert take(pair_of(trial_of(EASY)), journal) == []


def test_a_candidate_of_another_currency_is_refused_when_the_trial_begins() -> None:
    """It would read what was spent as amounts of its own."""
    abroad = policy_of(POINTS.replace("LIMIT", "50.00"), "EUR", "UTC")

    with pytest.raises(ConfigurationError, match="points cannot be tried beside points") as refused:
        take(pair_of(trial_of(abroad, opens_at=1)), begun())

    assert "USD" in refused.value.why
    assert "shadow drop" in refused.value.next_step
