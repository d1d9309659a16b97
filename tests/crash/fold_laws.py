"""Laws between the journal and everything made from it: what was published is what the reference fold gives.

States byte for byte, changes id by id and byte by byte in the order of each customer, profiles by their last value,
dead letters of the fold by reason and value. And nothing else is there.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

import msgspec

from tests.crash.evidence import Entry, Evidence, Finding, finding, header, key_hash
from tests.crash.reference import Change, Expected

RUNTIME_KEYS = b"\x00"  # positions and policies: the runtime's and the stage's own records, no customer's


class _Published(msgspec.Struct):
    id: str
    data: msgspec.Raw


_decode = msgspec.json.Decoder(_Published).decode


def check_fold(evidence: Evidence, expected: Expected) -> Iterator[Finding]:
    """Findings of all laws of this module."""
    yield from _states(evidence, expected)
    for topic, entries in evidence.outputs().items():
        yield from _changes(topic, entries, expected.changes[topic])
    yield from _profiles(evidence, expected)
    yield from _refusals(evidence, expected)


def _last(entries: list[Entry]) -> dict[bytes, Entry]:
    """What compaction would leave: the last record of each key, deleted keys left out."""
    last = {entry.key: entry for entry in entries if entry.key is not None}
    return {key: entry for key, entry in last.items() if entry.value is not None}


def _states(evidence: Evidence, expected: Expected) -> Iterator[Finding]:
    found = {key: entry for key, entry in _last(evidence.changelog).items() if not key.startswith(RUNTIME_KEYS)}
    for key, entry in found.items():
        state = expected.states.get(key)
        if state is None:
            yield finding("state_foreign", "changelog", entry, "nobody of that name is in the journal")
        elif state != entry.value:
            yield finding("state_wrong", "changelog", entry, _difference(state, entry.value or b""))
    for key in expected.states.keys() - found.keys():
        yield Finding("state_lost", "changelog", -1, -1, key_hash(key), "no state")


def _changes(topic: str, entries: list[Entry], expected: dict[bytes, list[Change]]) -> Iterator[Finding]:
    """Compare each customer's changes, in order, and name the first difference."""
    found: dict[bytes, list[tuple[Change, Entry]]] = defaultdict(list)
    for entry in entries:
        try:
            output = _decode(entry.value or b"")
        except msgspec.DecodeError:
            continue  # the envelope's law names it
        found[entry.key or b""].append((Change(output.id, bytes(output.data)), entry))
    for key, published in found.items():
        yield from _one_customer(topic, published, expected.get(key, []))
    for key in expected.keys() - found.keys():
        yield Finding("output_lost", topic, -1, -1, key_hash(key), f"{len(expected[key])} changes, none published")


def _one_customer(topic: str, published: list[tuple[Change, Entry]], expected: list[Change]) -> Iterator[Finding]:
    if [change for change, _ in published] == expected:
        return
    wanted = {change.id: change for change in expected}
    seen: Counter[str] = Counter()
    for change, entry in published:
        seen[change.id] += 1
        if change.id not in wanted:
            yield finding("output_foreign", topic, entry, f"{change.id} is not of the fold")
        elif seen[change.id] > 1:
            yield finding("output_doubled", topic, entry, change.id)
        elif wanted[change.id] != change:
            yield finding("output_wrong", topic, entry, _difference(wanted[change.id].data, change.data))
    for change in expected:
        if not seen[change.id]:
            yield finding("output_lost", topic, published[-1][1], f"{change.id}, before or after this record")
    order = [change.id for change, _ in published if change.id in wanted]
    if sorted(order) == sorted(wanted) and order != [change.id for change in expected]:
        yield finding("output_order", topic, published[0][1], "this customer's changes")


def _profiles(evidence: Evidence, expected: Expected) -> Iterator[Finding]:
    found = _last(evidence.profiles)
    for key, entry in found.items():
        profile = expected.profiles.get(key)
        if profile is None:
            yield finding("profile_foreign", "customer-profiles", entry)
            continue
        published = bytes(_decode(entry.value or b"{}").data)
        if profile != published:
            yield finding("profile_wrong", "customer-profiles", entry, _difference(profile, published))
    for key in expected.profiles.keys() - found.keys():
        yield Finding("profile_lost", "customer-profiles", -1, -1, key_hash(key), "no profile")


def _refusals(evidence: Evidence, expected: Expected) -> Iterator[Finding]:
    """The dead letters of the fold: the journal's value, under the customer's key, for the fold's reason."""
    found: dict[bytes, list[tuple[str, bytes]]] = defaultdict(list)
    last: dict[bytes, Entry] = {}
    for letter in evidence.dead_letters:
        if header(letter, "tierstream-dlq-topic") == evidence.journal_topic:
            key = letter.key or b""
            found[key].append((header(letter, "tierstream-dlq-reason") or "", letter.value or b""))
            last[key] = letter
    for key, letters in found.items():
        if letters != [tuple(refusal) for refusal in expected.refusals.get(key, [])]:
            detail = (
                f"{len(letters)} dead letters of the fold, expected {len(expected.refusals.get(key, []))}, or others"
            )
            yield finding("fold_refusals", "dead-letters", last[key], detail)
    for key in expected.refusals.keys() - found.keys():
        yield Finding("fold_refusals", "dead-letters", -1, -1, key_hash(key), "no dead letter of the fold")


def _difference(expected: bytes, found: bytes) -> str:
    """Where two values part, and a little of what follows, so that customers' ids at the front stay out."""
    pairs = enumerate(zip(expected, found, strict=False))
    at = next((place for place, (wanted, got) in pairs if wanted != got), min(len(expected), len(found)))
    return f"from byte {at}: {found[at : at + 40]!r} instead of {expected[at : at + 40]!r}"
