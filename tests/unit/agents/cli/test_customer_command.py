"""What `customer show` says of a profile: every ladder, for how long its tier is held, and whether people set it."""

import msgspec

from agents.cli.customer import _standing
from agents.profiles.layout import fields_of
from schemas.decisions import LadderStanding, OverrideRef, TierRef
from tests.profiles import profile


def standing(ladder: str, *, primary: bool, reason: str | None, grace_until: str | None) -> LadderStanding:
    """Gold since the first of January, held until the first of May."""
    return LadderStanding(
        ladder=ladder,
        primary=primary,
        tier=TierRef(id="gold", name="Gold", rank=3),
        since="2026-01-01T00:00:00.000Z",
        valid_until="2026-05-01T00:00:00.000Z",
        grace_until=grace_until,
        override=OverrideRef(reason=reason, valid_until=None) if reason else None,
    )


def test_every_ladder_is_told_the_primary_one_first() -> None:
    """Also when an internal one stands before it in the policy."""
    service = standing("service", primary=False, reason=None, grace_until="2026-06-01T00:00:00.000Z")
    club = standing("club", primary=True, reason="complaint 17", grace_until=None)
    fields = fields_of(msgspec.structs.replace(profile("c1", 7), tiers=(service, club)))

    told = [line for name, line in _standing(fields) if name == "tier"]

    held = "since 2026-01-01T00:00:00.000Z, held until 2026-05-01T00:00:00.000Z"
    assert told == [
        f"Gold (rank 3 of club) {held}, set by hand: complaint 17",
        f"Gold (rank 3 of service) {held}, in grace until 2026-06-01T00:00:00.000Z",
    ]


def test_who_stands_nowhere_has_no_tier() -> None:
    fields = fields_of(profile("c1", 7, tier=None, band=None))

    assert [line for name, line in _standing(fields) if name == "tier"] == ["none"]
