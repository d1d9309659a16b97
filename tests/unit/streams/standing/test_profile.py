"""The profile's ladders: until when a tier is held, by whom, and which ladder the customer block tells of."""

from typing import Any

from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import OverrideSet, TierMatchGranted
from tests.journal import Committed, Journal, folded, policy_of
from tests.unit.agents.silver import AT, STRICT, by_hand, order

DAY = MS_PER_DAY
TWO = """
[policy]
name = "two"
[[ladder]]
id = "service"
audience = "internal"
[[ladder.tier]]
id = "known"
enter.any = [{ metric = "orders", window = "lifetime", at_least = 1 }]
""" + STRICT.partition('name = "strict"')[2]


def standings(committed: Committed) -> list[dict[str, Any]]:
    """The newest profile's ladders."""
    tiers: list[dict[str, Any]] = committed.of("customer-profiles", b"c1")[-1].data["tiers"]
    return tiers


def one_order(text: str, total: int = 100_000) -> Journal:
    journal = Journal()
    journal.activate(policy_of(text, "USD", "UTC"), 0)
    journal.event(order(total=total), AT)
    return journal


def test_the_first_public_ladder_is_the_one_that_the_block_tells_of() -> None:
    committed = folded(one_order(TWO).records)

    told = [(tier["ladder"], tier["primary"], tier["tier"]["id"]) for tier in standings(committed)]

    assert told == [("service", False, "known"), ("standing", True, "silver")]
    assert committed.of("customer-profiles", b"c1")[-1].data["customer"]["tier"]["id"] == "silver"


def test_what_people_decided_says_until_when_a_tier_is_held() -> None:
    """As the change said it; a grace period of the rules beneath is none of the tier that is told."""
    for kind, total in ((OverrideSet, 100_000), (TierMatchGranted, 1_000)):
        journal, until = one_order(STRICT, total), AT + 400 * DAY
        journal.event(by_hand(kind, "silver", until=until), AT + 1)
        journal.tick(AT + 370 * DAY)
        committed = folded(journal.records)

        (standing,) = standings(committed)

        assert committed.state(b"c1").ladders[0].grace_until > 0 or total < 100_000
        assert (standing["valid_until"], standing["grace_until"]) == (format_instant(until), None)


def test_an_override_without_an_end_is_held_for_ever() -> None:
    journal = one_order(STRICT, 1_000)
    journal.event(by_hand(OverrideSet, "silver"), AT + 1)
    committed = folded(journal.records)

    (standing,) = standings(committed)
    change = committed.of("tier-changes", b"c1")[-1].data

    assert standing["valid_until"] is change["valid_until"] is None
    assert standing["override"] == change["override"] == {"reason": "complaint 17", "valid_until": None}
