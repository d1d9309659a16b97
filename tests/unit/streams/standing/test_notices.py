"""Notices end with the fall that they announced: it has come, and is not averted."""

from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import OverrideSet, TierMatchGranted
from tests.journal import Journal, folded, policy_of
from tests.unit.agents.silver import AT, by_hand, order

DAY = MS_PER_DAY
PROGRAMME = """
[policy]
name = "noticed"
[[ladder]]
id = "standing"
[[ladder.tier]]
id = "member"
enter.any = [{ metric = "orders", window = "lifetime", at_least = 1 }]
[[ladder.tier]]
id = "gold"
notice = ["30 days", "7 days"]
enter.any = [{ metric = "spend", window = "90 days", at_least = "90.00" }]
"""
WITHOUT_GOLD = PROGRAMME.partition('[[ladder.tier]]\nid = "gold"')[0].replace("noticed", "plain")
FALLS = AT + 90 * DAY


def begun(total: int = 10_000) -> Journal:
    """c1 bought once: gold for 90 days, by the sum that is given by default."""
    journal = Journal()
    journal.activate(policy_of(PROGRAMME, "USD", "UTC"), 0)
    journal.event(order(total=total), AT)
    return journal


def notices(journal: Journal) -> list[tuple[str, str | None]]:
    """What was noticed: how many days before the fall, or that it was averted; and when it falls."""
    told = [record.data for record in folded(journal.records).of("notices", b"c1")]
    return [(str(data.get("days_before", "averted")), data["falls_at"]) for data in told]


def test_a_fall_that_came_is_not_averted() -> None:
    journal = begun()
    journal.tick(FALLS + DAY)

    assert notices(journal) == [("30", format_instant(FALLS)), ("7", format_instant(FALLS))]


def test_a_purchase_averts_a_fall() -> None:
    """It is put off by as much as the purchase is younger."""
    journal = begun()
    journal.tick(AT + 70 * DAY)
    late = order(number=2)
    late.time = format_instant(AT + 70 * DAY)
    journal.event(late, AT + 70 * DAY)

    assert notices(journal) == [("30", format_instant(FALLS)), ("averted", format_instant(AT + 160 * DAY))]


def test_a_match_that_ends_was_announced_and_has_come() -> None:
    journal = begun(total=1_000)
    ends = AT + 20 * DAY
    journal.event(by_hand(TierMatchGranted, until=ends), AT + 1)
    journal.tick(ends + DAY)

    assert notices(journal) == [("30", format_instant(ends)), ("7", format_instant(ends))]


def test_an_override_averts_a_fall_and_one_below_settles_it() -> None:
    """Whoever is held by hand does not fall; whoever is put lower has fallen already."""
    told = {}
    for tier in ("gold", "member"):
        journal = begun()
        journal.tick(AT + 70 * DAY)
        journal.event(by_hand(OverrideSet, tier), AT + 70 * DAY)
        told[tier] = notices(journal)

    assert told == {
        "gold": [("30", format_instant(FALLS)), ("averted", None)],
        "member": [("30", format_instant(FALLS))],
    }


def test_a_tier_that_a_policy_does_away_with_is_not_kept_from_falling() -> None:
    journal = begun()
    journal.tick(AT + 70 * DAY)
    journal.activate(policy_of(WITHOUT_GOLD, "USD", "UTC"), AT + 71 * DAY)
    journal.tick(AT + 72 * DAY)

    assert notices(journal) == [("30", format_instant(FALLS))]
