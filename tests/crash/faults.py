"""Faults planted by hand in a small faultless run: what a runtime could get wrong, one thing at a time.

A batch folded twice, a write lost, a stale owner's state, a record out of order. Each names the finding it must cause.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.crash.evidence import Entry, Evidence, header, home
from tests.crash.intake_laws import control
from tests.crash.reference import fold
from tests.crash.sample import PARTITIONS

Plant = Callable[[Evidence], Evidence]


def busiest(entries: list[Entry], *, at_least: int = 3) -> list[int]:
    """Indices of the records of the customer who has the most."""
    by_key: dict[bytes | None, list[int]] = {}
    for index, entry in enumerate(entries):
        if not control(entry):
            by_key.setdefault(entry.key, []).append(index)
    found = max(by_key.values(), key=len)
    assert len(found) >= at_least
    return found


def renumbered(entries: list[Entry]) -> list[Entry]:
    """Offsets as a broker would have given them."""
    ends: dict[int, int] = {}
    result = []
    for entry in entries:
        offset = ends[entry.partition] = ends.get(entry.partition, -1) + 1
        result.append(entry._replace(offset=offset))
    return result


def dropped(entries: list[Entry], index: int) -> list[Entry]:
    """All but one."""
    return renumbered(entries[:index] + entries[index + 1 :])


def doubled(entries: list[Entry], index: int) -> list[Entry]:
    """One of them twice, the second time right after the first."""
    return renumbered([*entries[: index + 1], entries[index], *entries[index + 1 :]])


def swapped(entries: list[Entry], first: int, second: int) -> list[Entry]:
    """Two records of one partition with their places exchanged."""
    changed = list(entries)
    changed[first], changed[second] = (
        entries[second]._replace(offset=entries[first].offset),
        entries[first]._replace(offset=entries[second].offset),
    )
    return changed


def edited(entries: list[Entry], index: int, old: bytes, new: bytes) -> list[Entry]:
    """One of them with other bytes."""
    value = entries[index].value or b""
    assert old in value
    return [*entries[:index], entries[index]._replace(value=value.replace(old, new, 1)), *entries[index + 1 :]]


def from_one_line(evidence: Evidence) -> tuple[int, int]:
    """Two journal records of one journal partition that came from one raw partition, in this order."""
    lines: dict[tuple[str, int, int], int] = {}
    places = {
        (entry.value or b"").split(b'"id":"')[1].split(b'"')[0]: (topic, entry.partition)
        for topic, entries in evidence.raw.items()
        for entry in entries
        if b'"id":"' in (entry.value or b"")
    }
    for index, entry in enumerate(evidence.journal):
        if control(entry):
            continue
        topic, partition = places[(entry.value or b"").split(b'"id": "')[1].split(b'"')[0]]
        line = (topic, partition, entry.partition)
        if line in lines and evidence.journal[lines[line]].key != entry.key:
            return lines[line], index
        lines[line] = index
    raise AssertionError("no such pair")


def lose_event(run: Evidence) -> Evidence:
    return run._replace(journal=dropped(run.journal, busiest(run.journal)[1]))


def double_event(run: Evidence) -> Evidence:
    return run._replace(journal=doubled(run.journal, busiest(run.journal)[1]))


def swap_events(run: Evidence) -> Evidence:
    return run._replace(journal=swapped(run.journal, *from_one_line(run)))


def invent_event(run: Evidence) -> Evidence:
    index = busiest(run.journal)[0]
    return run._replace(journal=edited(doubled(run.journal, index), index + 1, b'"id": "e', b'"id": "x'))


def change_event(run: Evidence) -> Evidence:
    index = next(n for n, entry in enumerate(run.journal) if b'"total_minor"' in (entry.value or b""))
    return run._replace(journal=edited(run.journal, index, b'"total_minor": ', b'"total_minor": 1'))


def stamp_late(run: Evidence) -> Evidence:
    return run._replace(
        journal=edited(run.journal, busiest(run.journal)[2], b'"recordedtime": "2026', b'"recordedtime": "2027')
    )


def misplace_event(run: Evidence) -> Evidence:
    index = busiest(run.journal)[0]
    entry = run.journal[index]
    elsewhere = (entry.partition + 1) % PARTITIONS
    moved = sorted(
        [*dropped(run.journal, index), entry._replace(partition=elsewhere, offset=10**9)], key=lambda e: e[3:5]
    )
    return run._replace(journal=moved)


def rekey_event(run: Evidence) -> Evidence:
    index = busiest(run.journal)[0]
    other = next(e.key for e in run.journal if not control(e) and e.key != run.journal[index].key)
    entry = run.journal[index]._replace(key=other)
    return run._replace(journal=[*run.journal[:index], entry, *run.journal[index + 1 :]])


def stale_state(run: Evidence) -> Evidence:
    """A zombie writes what it held in memory after the new owner's write."""
    entry = run.changelog[-1]
    stale = entry._replace(value=b"an older state", offset=entry.offset + 2)
    return run._replace(changelog=[*run.changelog, stale])


def lose_state(run: Evidence) -> Evidence:
    key = run.changelog[-1].key
    return run._replace(changelog=[entry for entry in run.changelog if entry.key != key])


def foreign_state(run: Evidence) -> Evidence:
    entry = run.changelog[-1]._replace(key=b"nobody", offset=10**9)
    return run._replace(changelog=[*run.changelog, entry])


def lose_output(run: Evidence) -> Evidence:
    return run._replace(tier_changes=dropped(run.tier_changes, busiest(run.tier_changes)[1]))


def lose_last_output(run: Evidence) -> Evidence:
    return run._replace(churn_risk=dropped(run.churn_risk, busiest(run.churn_risk)[-1]))


def double_output(run: Evidence) -> Evidence:
    return run._replace(tier_changes=doubled(run.tier_changes, busiest(run.tier_changes)[1]))


def swap_outputs(run: Evidence) -> Evidence:
    return run._replace(churn_risk=swapped(run.churn_risk, *busiest(run.churn_risk)[:2]))


def wrong_sequence(run: Evidence) -> Evidence:
    index = busiest(run.tier_changes)[1]
    return run._replace(tier_changes=edited(run.tier_changes, index, b'"sequence":2', b'"sequence":3'))


def wrong_revision(run: Evidence) -> Evidence:
    index = busiest(run.churn_risk)[-1]
    return run._replace(churn_risk=edited(run.churn_risk, index, b'"revision":', b'"revision":0.'))


def same_id_other_bytes(run: Evidence) -> Evidence:
    index = busiest(run.tier_changes)[0]
    twice = doubled(run.tier_changes, index)
    return run._replace(tier_changes=edited(twice, index + 1, b'"currency":"USD"', b'"currency":"EUR"'))


def wrong_content(run: Evidence) -> Evidence:
    index = busiest(run.tier_changes)[0]
    return run._replace(tier_changes=edited(run.tier_changes, index, b'"spend_365d_minor":', b'"spend_365d_minor":9'))


def foreign_output(run: Evidence) -> Evidence:
    entry = run.tier_changes[0]
    stranger = next(f"n{n}".encode() for n in range(100) if home(f"n{n}".encode(), PARTITIONS) == 0)
    value = (entry.value or b"").replace(entry.key or b"", stranger)
    headers = [(name, stranger if name == "ce_subject" else text) for name, text in entry.headers]
    return run._replace(tier_changes=[Entry(stranger, value, headers, 0, 10**9, 0), *run.tier_changes])


def misplace_output(run: Evidence) -> Evidence:
    entry = run.tier_changes[0]
    return run._replace(tier_changes=[entry._replace(partition=entry.partition + 1), *run.tier_changes[1:]])


def wrong_header(run: Evidence) -> Evidence:
    entry = run.churn_risk[0]
    headers = [(name, b"other" if name == "ce_id" else text) for name, text in entry.headers]
    return run._replace(churn_risk=[entry._replace(headers=headers), *run.churn_risk[1:]])


def stale_profile(run: Evidence) -> Evidence:
    index = next(n for n, entry in enumerate(run.profiles) if b'"revision":1,' not in (entry.value or b""))
    older = edited([run.profiles[index]], 0, b'"revision":', b'"revision":0.')[0]
    return run._replace(profiles=[*run.profiles, older._replace(offset=10**9)])


def lose_profile(run: Evidence) -> Evidence:
    return run._replace(profiles=run.profiles[1:])


def lose_dead_letter(run: Evidence) -> Evidence:
    return run._replace(dead_letters=run.dead_letters[1:])


def double_dead_letter(run: Evidence) -> Evidence:
    return run._replace(dead_letters=[run.dead_letters[0], *run.dead_letters])


def alter_dead_letter(run: Evidence) -> Evidence:
    entry = run.dead_letters[0]
    return run._replace(dead_letters=[entry._replace(value=b"?"), *run.dead_letters[1:]])


def refuse_good_record(run: Evidence) -> Evidence:
    """A good event thrown into the dead letters instead of the journal is lost all the same."""
    letter = next(entry for entry in run.dead_letters if entry.headers[-1][0] == "tierstream-dlq-offset")
    topic, entry = next((t, e) for t, entries in run.raw.items() for e in entries if not e.headers)
    values = {"reason": "schema", "topic": topic, "partition": str(entry.partition), "offset": str(entry.offset)}
    headers = [(f"tierstream-dlq-{name}", value.encode()) for name, value in values.items()]
    return run._replace(
        dead_letters=[letter._replace(key=entry.key, value=entry.value, headers=headers), *run.dead_letters]
    )


def lose_dead_letters_of_a_topic(run: Evidence) -> Evidence:
    topic = header(run.dead_letters[0], "tierstream-dlq-topic")
    return run._replace(dead_letters=[e for e in run.dead_letters if header(e, "tierstream-dlq-topic") != topic])


def fold_twice(run: Evidence) -> Evidence:
    """Two chunks that overlap: journal and changes look right, one event is counted twice in the state."""
    index = next(n for n, entry in enumerate(run.journal) if b'"browse.activity"' in (entry.value or b""))
    twice = fold(doubled(run.journal, index), PARTITIONS, dedupe=False).states
    key = run.journal[index].key or b""
    entries = [entry._replace(value=twice[key]) if entry.key == key else entry for entry in run.changelog]
    return run._replace(changelog=entries)


@dataclass(frozen=True)
class Fault:
    """A fault and a finding that must name it."""

    plant: Plant
    named: str


FAULTS = [
    Fault(lose_event, "journal_lost"),
    Fault(double_event, "journal_doubled"),
    Fault(swap_events, "journal_order"),
    Fault(invent_event, "journal_foreign"),
    Fault(change_event, "journal_foreign"),
    Fault(stamp_late, "journal_foreign"),
    Fault(misplace_event, "journal_misplaced"),
    Fault(rekey_event, "journal_key"),
    Fault(stale_state, "state_wrong"),
    Fault(fold_twice, "state_wrong"),
    Fault(lose_state, "state_lost"),
    Fault(foreign_state, "state_foreign"),
    Fault(lose_output, "sequence"),
    Fault(lose_output, "output_lost"),
    Fault(lose_last_output, "output_lost"),
    Fault(double_output, "output_doubled"),
    Fault(swap_outputs, "output_order"),
    Fault(swap_outputs, "chain"),
    Fault(wrong_sequence, "sequence"),
    Fault(wrong_revision, "revision"),
    Fault(same_id_other_bytes, "id_with_two_contents"),
    Fault(wrong_content, "output_wrong"),
    Fault(foreign_output, "output_foreign"),
    Fault(misplace_output, "output_misplaced"),
    Fault(wrong_header, "output_headers"),
    Fault(stale_profile, "profile_older"),
    Fault(lose_profile, "profile_lost"),
    Fault(lose_dead_letter, "not_refused"),
    Fault(double_dead_letter, "dead_letter_doubled"),
    Fault(alter_dead_letter, "dead_letter_altered"),
    Fault(refuse_good_record, "good_record_refused"),
    Fault(lose_dead_letters_of_a_topic, "not_refused"),
]
