"""Keys and fields: what other readers rely on (docs/reference/redis.md)."""

import msgspec
import pytest
from redis.crc import key_slot

from agents.profiles.layout import Layout, Place, fields_of, shard_of
from schemas.decisions import LadderStanding, TierRef
from tests.profiles import AT, profile

LAYOUT = Layout("shop", 4)


@pytest.mark.parametrize("customer", [b"c1", "客户-7".encode(), b"a}b{c", b"with:colon", b"*?[x]"])
def test_a_key_gives_its_customer_back(customer: bytes) -> None:
    """Whatever the id looks like."""
    assert LAYOUT.customer_of(LAYOUT.hash_key(customer)) == customer
    assert LAYOUT.hash_key(customer) == b"shop:c:{" + customer + b"}"


def test_shards_are_those_of_redis_cluster() -> None:
    """CRC16 as Redis computes it, so that other readers find a customer's shard with any client's slot function."""
    assert [shard_of(name, 16_384) for name in (b"c1", b"customer-2", b"123456789")] == [
        key_slot(name) for name in (b"c1", b"customer-2", b"123456789")
    ]


def test_fields_say_the_profile_and_leave_out_the_unknown() -> None:
    """Every value is text; amounts stay whole minor units."""
    fields = fields_of(profile("c1", 7, tier=2, band=3))

    assert fields["tier"] == "gold"
    assert (fields["tier_rank"], fields["tier_since"]) == ("3", "2026-01-01T00:00:00.007Z")
    assert (fields["churn_band"], fields["churn_score"]) == ("very_high", "0.250000")
    assert (fields["spend_365d_minor"], fields["currency"], fields["revision"]) == ("700", "USD", "7")
    assert fields["contact_email"] == "yes"
    assert not fields.keys() & {"tier_grace_until", "locale", "contact_sms", "test", "ladders", "lifecycle"}
    assert not any(name.startswith("_") for name in fields)
    assert all(len(value) <= 64 for value in fields.values())  # longer ones make Redis keep the hash at twice the size


def test_without_tier_and_risk_nothing_is_said_of_them() -> None:
    """No empty texts, no place in an index."""
    entry = LAYOUT.entry(profile("c1", 7, tier=None, band=None))

    assert entry.places == ()
    assert not any(name.startswith(("tier", "churn", "ladder")) for name in entry.fields)


def test_places_are_tier_since_when_and_band_with_the_value_at_risk() -> None:
    """Scores are what readers page by."""
    entry = LAYOUT.entry(profile("c1", 7, tier=1, band=0))
    shard = shard_of(b"c1", 4)

    assert entry.places == (Place(f"tier:silver:{shard}", AT + 7), Place(f"churn:low:{shard}", 700))
    assert (entry.revision, entry.as_of_ms) == (7, AT + 7_000)


def standing_on(ladder: str, tier: str = "gold", *, primary: bool = False) -> LadderStanding:
    return LadderStanding(
        ladder=ladder,
        primary=primary,
        tier=TierRef(id=tier, name=tier.title(), rank=1),
        since="2026-01-01T00:00:00.000Z",
        valid_until=None,
        grace_until=None,
        override=None,
    )


def test_further_ladders_have_indexes_of_their_own() -> None:
    """The first ladder's tiers are named alone, those of others with their ladder."""
    one = profile("c1", 7)
    second = standing_on("club")
    entry = LAYOUT.entry(msgspec.structs.replace(one, tiers=(*one.tiers, second)))

    assert entry.places[1] == Place(f"tier:club:gold:{shard_of(b'c1', 4)}", AT)
    assert msgspec.json.decode(entry.fields["ladders"], type=list[LadderStanding]) == [second]


def test_the_primary_ladder_is_the_first_public_one_wherever_it_stands() -> None:
    """An internal ladder before it has an index under its name, though its tier is called and ranked the same."""
    internal, public = standing_on("service", "member"), standing_on("club", "member", primary=True)
    one = profile("c1", 7, tier=0, band=None)

    entry = LAYOUT.entry(msgspec.structs.replace(one, tiers=(internal, public)))

    shard = shard_of(b"c1", 4)
    assert [place.key for place in entry.places] == [f"tier:service:member:{shard}", f"tier:member:{shard}"]
    assert entry.fields["ladder"] == "club"
    assert msgspec.json.decode(entry.fields["ladders"], type=list[LadderStanding]) == [internal]


def test_who_has_no_tier_on_the_primary_ladder_is_in_none_of_its_indexes() -> None:
    """What another ladder says is not taken for it."""
    one = msgspec.structs.replace(profile("c1", 7, tier=None, band=None), tiers=(standing_on("service"),))

    entry = LAYOUT.entry(one)

    assert [place.key for place in entry.places] == [f"tier:service:gold:{shard_of(b'c1', 4)}"]
    assert "tier" not in entry.fields
