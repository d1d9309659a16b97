"""Where a profile lies in Redis and what its hash says. Pure; docs/reference/redis.md is the page for other readers.

    <prefix>:c:{<customer>}             hash    the profile
    <prefix>:tier:<tier>:<shard>        zset    customers of a tier of the first public ladder; score: since when (ms)
    <prefix>:tier:<ladder>:<tier>:<shard>       the same for every other ladder
    <prefix>:churn:<band>:<shard>       zset    customers of a risk band; score: value at risk (spend of 365 days)
    <prefix>:mark:<partition>           hash    up to where the topic is here, and who writes

A field whose value is unknown is absent. Instants are RFC 3339 as in the topic; amounts are whole minor units.
"""

from binascii import crc_hqx
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from schemas.clock import parse_canonical
from schemas.decisions import Aggregates, LadderStanding, Profile

_AGGREGATES = tuple(field.name for field in msgspec.structs.fields(Aggregates))
_CONTACT = ("email", "sms", "push", "call", "wechat")

Fields = dict[str, str]
"""A profile as its hash says it, without the bookkeeping."""


class Place(NamedTuple):
    """One index that a customer stands in: its key without the prefix, and the score there."""

    key: str
    score: int


class Entry(NamedTuple):
    """Everything that is written for one customer."""

    revision: int
    as_of_ms: int
    fields: Fields
    places: tuple[Place, ...]


class Layout:
    """The names of keys under one prefix, with one number of shards."""

    def __init__(self, prefix: str, shards: int) -> None:
        self.prefix = f"{prefix}:"
        self._shards = shards
        self._hash_prefix = f"{prefix}:c:{{".encode()

    def hash_key(self, customer: bytes) -> bytes:
        """The key of a customer's hash; the braces keep all that is ever stored per customer on one node."""
        return self._hash_prefix + customer + b"}"

    def customer_of(self, hash_key: bytes) -> bytes:
        """The inverse of `hash_key`."""
        return hash_key[len(self._hash_prefix) : -1]

    def marker_key(self, partition: int) -> str:
        """The key of a partition's marker."""
        return f"{self.prefix}mark:{partition}"

    @property
    def hashes(self) -> bytes:
        """A pattern that matches every customer's hash."""
        return self._hash_prefix + b"*}"

    @property
    def indexes(self) -> tuple[str, ...]:
        """Patterns that match every index."""
        return tuple(f"{self.prefix}{kind}:*" for kind in ("tier", "churn"))

    def entry(self, profile: Profile) -> Entry:
        """A profile as it is written."""
        shard = shard_of(profile.customer_id.encode(), self._shards)
        return Entry(
            profile.revision, parse_canonical(profile.as_of), fields_of(profile), tuple(_places(profile, shard))
        )


def shard_of(customer: bytes, shards: int) -> int:
    """The shard of a customer: CRC16 as Redis Cluster computes it (XMODEM), modulo the number of shards."""
    return crc_hqx(customer, 0) % shards


def fields_of(profile: Profile) -> Fields:
    """What the hash says of a profile."""
    block = profile.customer
    first = _primary(profile)
    further = [standing for standing in profile.tiers if standing is not first]
    said: dict[str, object] = {
        **(_of_ladder(first) if first else {}),
        "ladders": msgspec.json.encode(further).decode() if further else None,
        **(_of_churn(profile)),
        "lifecycle": block.lifecycle,
        "value_class": block.value_class,
        "currency": block.currency,
        **{name: getattr(profile.aggregates, name) for name in _AGGREGATES},
        "first_seen_at": profile.first_seen_at,
        "first_order_at": profile.first_order_at,
        "last_order_at": profile.last_order_at,
        "preferred_channel": block.preferred_channel,
        "top_categories": ",".join(block.top_categories) or None,
        "locale": block.locale,
        **{f"contact_{way}": answer for way in _CONTACT if (answer := getattr(block.contactable, way)) != "unknown"},
        "test": "true" if block.test else None,
        "policy": profile.policy.name,
        "policy_version": profile.policy.hash,
        "cause": profile.cause,
        "caused_by": profile.caused_by.event_id,
        "journal_seq": profile.caused_by.journal_seq,
        "revision": profile.revision,
        "as_of": profile.as_of,
    }
    return {name: str(value) for name, value in said.items() if value is not None}


def _primary(profile: Profile) -> LadderStanding | None:
    """The standing that `customer.tier` tells of; where a writer didn't mark it, the first that says the same."""
    marked = next((standing for standing in profile.tiers if standing.primary), None)
    told = profile.customer.tier
    return marked or next((standing for standing in profile.tiers if standing.tier == told), None)


def _of_ladder(standing: LadderStanding) -> dict[str, object]:
    return {
        "ladder": standing.ladder,
        "tier": standing.tier.id,
        "tier_name": standing.tier.name,
        "tier_rank": standing.tier.rank,
        "tier_since": standing.since,
        "tier_valid_until": standing.valid_until,
        "tier_grace_until": standing.grace_until,
        "tier_override": standing.override.reason if standing.override else None,
    }


def _of_churn(profile: Profile) -> dict[str, object]:
    churn = profile.churn
    if churn is None:
        return {}
    return {
        "churn_band": churn.band,
        "churn_since": churn.since,
        "churn_score": f"{churn.score:.6f}",
        "churn_p_alive": f"{churn.p_alive:.6f}",
        "churn_model": f"{churn.model.name} {churn.model.version}",
    }


def _places(profile: Profile, shard: int) -> Iterator[Place]:
    first = _primary(profile)
    for standing in profile.tiers:
        ladder = "" if standing is first else f"{standing.ladder}:"
        yield Place(f"tier:{ladder}{standing.tier.id}:{shard}", parse_canonical(standing.since))
    if profile.churn:
        yield Place(f"churn:{profile.churn.band}:{shard}", profile.aggregates.spend_365d_minor)
