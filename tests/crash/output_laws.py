"""Laws of the output topics that need no fold: what any consumer could check for itself.

Keys, home partitions and CloudEvents headers agree with the value; sequences rise from 1 without a gap; revisions rise;
each change starts where the one before ended; an id names one content; every output points at a journal record of its
own customer or at a control record.
"""

from collections import defaultdict
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tests.crash.evidence import Entry, Evidence, Finding, finding, header, home
from tests.crash.intake_laws import control

TYPES = {
    "tier-changes": ("tierstream.customer.tier_changed.v1",),
    "churn-risk": ("tierstream.customer.churn_risk_changed.v1",),
    "notices": ("tierstream.customer.downgrade_upcoming.v1", "tierstream.customer.downgrade_averted.v1"),
    "customer-profiles": ("tierstream.customer.profile.v1",),
}


@dataclass
class Chain:
    """What one customer was told last on one topic."""

    sequence: int = 0
    revision: int = 0
    standing: dict[str, Any] = field(default_factory=dict)
    """By ladder; of bands under the empty name."""


def check_outputs(evidence: Evidence) -> Iterator[Finding]:
    """Findings of all laws of this module."""
    places = {(entry.partition, entry.offset): entry for entry in evidence.journal}
    contents: dict[str, bytes | None] = {}
    revisions: dict[bytes, set[int]] = defaultdict(set)
    for topic, entries in evidence.outputs().items():
        chains: dict[bytes, Chain] = defaultdict(Chain)
        for entry in entries:
            event = yield from _envelope(evidence, topic, entry, places)
            if event is None or entry.key is None:
                continue
            if contents.setdefault(event["id"], entry.value) != entry.value:
                yield finding("id_with_two_contents", topic, entry, event["id"])
            data = event["data"]
            yield from _chain(topic, entry, data, chains[entry.key])
            if data["revision"] in revisions[entry.key]:
                yield finding("revision_repeated", topic, entry, str(data["revision"]))
            revisions[entry.key].add(data["revision"])
    yield from _profiles(evidence, places)


def _envelope(
    evidence: Evidence, topic: str, entry: Entry, places: dict[tuple[int, int], Entry]
) -> Generator[Finding, None, dict[str, Any] | None]:
    """Check one record's envelope; returns the decoded event, or None when it is none."""
    try:
        event: dict[str, Any] = msgspec.json.decode(entry.value or b"")
        key, kind = event["data"]["customer_id"].encode(), event["type"]
    except (msgspec.DecodeError, KeyError, TypeError):
        yield finding("output_unreadable", topic, entry)
        return None
    if kind not in TYPES[topic]:
        yield finding("output_foreign", topic, entry, f"type {kind}")
    if entry.key != key or event["subject"].encode() != key:
        yield finding("output_key", topic, entry, "key, subject and customer_id differ")
    elif home(key, evidence.partitions) != entry.partition:
        yield finding("output_misplaced", topic, entry, f"home is {home(key, evidence.partitions)}")
    for name in ("id", "type", "source", "time", "subject"):
        if header(entry, f"ce_{name}") != event[name]:
            yield finding("output_headers", topic, entry, f"ce_{name} is {header(entry, f'ce_{name}')}")
    yield from _coordinates(topic, entry, places)
    return event


def _coordinates(topic: str, entry: Entry, places: dict[tuple[int, int], Entry]) -> Iterator[Finding]:
    """The header `tierstream-journal` names the record behind the output: partition:offset, or a partition for time."""
    where = header(entry, "tierstream-journal")
    if where is None:
        return
    partition, _, offset = where.partition(":")
    cause = places.get((int(partition), int(offset or 0)))
    if cause is None or int(partition) != entry.partition:
        yield finding("output_cause", topic, entry, f"no journal record at {where}")
    elif offset and not control(cause) and cause.key != entry.key:
        yield finding("output_cause", topic, entry, f"the journal record at {where} is another customer's")


def _chain(topic: str, entry: Entry, data: dict[str, Any], chain: Chain) -> Iterator[Finding]:
    """Sequence, revision and before/after of one customer on one topic; tiers go on ladder by ladder."""
    if data["sequence"] != chain.sequence + 1:
        yield finding("sequence", topic, entry, f"{data['sequence']} after {chain.sequence}")
    if data["revision"] <= chain.revision:
        yield finding("revision", topic, entry, f"{data['revision']} after {chain.revision}")
    chain.sequence, chain.revision = data["sequence"], data["revision"]
    if topic == "notices":
        return
    ladder = data.get("ladder", "")
    if topic == "tier-changes":
        before, after = ((tier and tier["id"]) for tier in (data["previous_tier"], data["tier"]))
    else:
        before, after = data["previous_band"], data["band"]
    if before != chain.standing.get(ladder):
        yield finding("chain", topic, entry, f"from {before}, was {chain.standing.get(ladder)}")
    if before == after:
        yield finding("no_change", topic, entry, f"{before} to {after}")
    chain.standing[ladder] = after


def _profiles(evidence: Evidence, places: dict[tuple[int, int], Entry]) -> Iterator[Finding]:
    """Profiles never go back to an older revision."""
    newest: dict[bytes, int] = {}
    for entry in evidence.profiles:
        if entry.value is None or entry.key is None:
            continue
        event = yield from _envelope(evidence, "customer-profiles", entry, places)
        if event is None:
            continue
        revision = event["data"]["revision"]
        if revision < newest.get(entry.key, 0):
            yield finding("profile_older", "customer-profiles", entry, f"{revision} after {newest[entry.key]}")
        newest[entry.key] = revision
