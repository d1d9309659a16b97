"""A state in words: every ladder with what decides how long its tier is held."""

from agents.customer_state import standing_of
from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import OverrideSet, TierMatchGranted
from streams.customer.state import CustomerState
from streams.policy.model import Policy
from tests.journal import Journal, folded, policy_of
from tests.unit.agents.silver import AT, by_hand, order

PROGRAMME = """
[policy]
name = "two"
[[ladder]]
id = "service"
audience = "internal"
review = { clock = "calendar-year" }
grace = "10 days"
[[ladder.tier]]
id = "known"
enter.any = [{ metric = "orders", window = "calendar year", at_least = 1 }]
[[ladder]]
id = "club"
[[ladder.tier]]
id = "member"
enter.any = [{ metric = "orders", window = "lifetime", at_least = 1 }]
[[ladder.tier]]
id = "gold"
notice = ["30 days"]
enter.any = [{ metric = "spend", window = "90 days", at_least = "90.00" }]
"""
POLICY = policy_of(PROGRAMME, "USD", "UTC")


def after(days: int, *decisions: OverrideSet | TierMatchGranted, small: bool = False) -> CustomerState:
    """c1 bought on the first of January; so many days later."""
    journal = Journal()
    journal.activate(POLICY, 0)
    journal.event(order(total=1_000 if small else 10_000), AT)
    for decision in decisions:
        journal.event(decision, AT + 1)
    journal.tick(AT + days * MS_PER_DAY)
    return folded(journal.records).state(b"c1")


def told(state: CustomerState, policy: Policy | None = POLICY) -> list[tuple[str, str]]:
    """The lines about ladders."""
    lines = list(standing_of(state, policy))
    return lines[: next(n for n, (name, _) in enumerate(lines) if name == "first seen")]


def test_every_ladder_is_told_by_name_with_its_review() -> None:
    assert told(after(1)) == [
        ("ladder service, internal", f"known (rank 1) since {format_instant(AT)}"),
        ("", "next review at 2027-01-01T00:00:00.000Z"),
        ("ladder club", f"gold (rank 2) since {format_instant(AT)}"),
    ]


def test_a_notice_and_a_grace_period_are_told() -> None:
    assert ("", "notice given of a fall at 2026-04-01T00:00:00.000Z, 30 days before") in told(after(70))
    assert ("", "in grace until 2028-01-11T00:00:00.000Z") in told(after(732))


def test_decisions_by_hand_are_told_with_what_the_rules_say() -> None:
    end = AT + 200 * MS_PER_DAY
    override = by_hand(OverrideSet, "member", ladder="club", until=end)
    match = by_hand(TierMatchGranted, "gold", number=2, ladder="club", until=end)
    text = f"until {format_instant(end)}"

    assert told(after(1, override))[2:] == [
        ("ladder club", f"member (rank 1) since {format_instant(AT + 1)}"),
        ("", f"override: member (rank 1) {text} (complaint 17)"),
        ("", "by the rules: gold (rank 2)"),
    ]
    matched = told(after(100, match, small=True))
    assert ("", f"match: gold (rank 2) {text}") in matched
    assert ("", "by the rules: member (rank 1)") in matched


def test_without_the_policy_ranks_are_told() -> None:
    assert told(after(1), None)[-1] == ("ladder 2", f"rank 2 since {format_instant(AT)}")
