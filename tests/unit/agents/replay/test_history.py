"""One customer out of a journal: found with and without the index, and folded to what the whole journal says."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from agents.replay import index as index_module
from agents.replay.entry import Entry
from agents.replay.event_files import CHANGES
from agents.replay.explaining import explanation_at
from agents.replay.fold import JournalFold
from agents.replay.history import History, history_of, newest_policy, standing_at, steps
from agents.replay.index import CustomerIndex
from agents.replay.journal_file import JournalFile, home_in
from agents.replay.words import rows_of
from schemas.clock import MS_PER_DAY, format_instant
from schemas.journal import is_control_key
from streams.effects import Effects
from tests.journal import HOME, Journal, default_policy, policy_of
from tests.recounting import activate_counted
from tests.unit.agents.replay.journals import CUSTOMERS, strict_policy, write_journal
from tests.unit.agents.silver import AT, STRICT, order, visit

Decisions = list[tuple[str, str]]


def whole(path: Path) -> dict[bytes, Decisions]:
    """Topic and id of every customer's decisions, from a fold of everything."""
    found: dict[bytes, Decisions] = {}
    journal = JournalFile(str(path))
    homes = journal.homes("share-0-of-1")
    for home in homes:

        def tell(effects: Effects, _entry: Entry | None, /) -> None:
            found.setdefault(effects.key, []).extend((topic, change_id) for topic, _, change_id in effects.changes)

        fold = JournalFold(home, tell)
        marks = CustomerIndex(path.parent / "none", journal, "share-0-of-1").marks([])
        for entries, _ in journal.read("share-0-of-1", 0):
            for entry in entries:
                mine = home_in(entry) in (None, home) if is_control_key(entry.key) else marks.home_of(entry.key) == home
                if mine:
                    fold.take(entry)
        fold.close()
    return found


def found_for(path: Path, customer: bytes, index: Path | None) -> History:
    return history_of(JournalFile(str(path)), customer, index, lambda _done, _total: None)


def decided(history: History) -> Decisions:
    return [(change.topic, change.id) for step in steps(history) for change in step.changes]


def indexed(path: Path, folder: Path) -> int:
    """Bring the index up to date; by how much it grew."""
    return sum(CustomerIndex(folder, JournalFile(str(path)), "share-0-of-1").extend())


@pytest.mark.parametrize("count", [1, 4])
def test_a_customer_alone_folds_to_what_the_journal_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """With the index in many segments, and without it; everybody, and nobody."""
    monkeypatch.setattr(index_module, "ENTRIES_MAX", 50)
    path, folder = write_journal(tmp_path, count), tmp_path / "index"
    expected = whole(path)
    assert indexed(path, folder) == path.stat().st_size

    for number in range(CUSTOMERS):
        customer = b"c%d" % number
        with_index, without = found_for(path, customer, folder), found_for(path, customer, None)
        assert decided(with_index) == decided(without) == expected.get(customer, [])
        assert (with_index.scanned, with_index.time) == (0, without.time)
        assert without.scanned > 100
    nobody = found_for(path, b"nobody", folder)
    assert list(steps(nobody)) == []
    assert standing_at(nobody, AT) is None


def test_the_index_grows_with_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came since is entered; what is not entered yet is read one by one; small segments are written together."""
    path, folder = write_journal(tmp_path, 1), tmp_path / "index"
    lines = path.read_bytes().splitlines(keepends=True)
    history = []
    for end in (len(lines) // 3, len(lines) // 2, len(lines)):
        path.write_bytes(b"".join(lines[:end]))
        history.append(found_for(path, b"c1", folder))
        indexed(path, folder)
        assert len(list(folder.iterdir())) == 1
        assert found_for(path, b"c1", folder).entries == history[-1].entries
    assert [h.scanned for h in history] == [
        len(lines) // 3,
        len(lines) // 2 - len(lines) // 3,
        len(lines) - len(lines) // 2,
    ]


def test_an_index_of_another_journal_is_passed_over(tmp_path: Path) -> None:
    """And so is a torn one."""
    path, folder = write_journal(tmp_path, 1), tmp_path / "index"
    indexed(path, folder)
    (segment,) = folder.iterdir()
    kept = segment.read_bytes()
    segment.write_bytes(kept[:-8])
    assert found_for(path, b"c1", folder).scanned > 0
    segment.write_bytes(kept)
    path.write_bytes(path.read_bytes().replace(b'"total_minor":59000', b'"total_minor":59001'))
    assert found_for(path, b"c1", folder).scanned == 0  # what changed lies far before the end: files are not rewritten
    path.write_bytes(path.read_bytes()[:-200])
    assert found_for(path, b"c1", folder).scanned > 0


def test_where_a_customer_stood(tmp_path: Path) -> None:
    """Under the policy of then, or another; the windows are those of the day."""
    history = found_for(write_journal(tmp_path, 4), b"c3", None)
    early, late = AT + 10 * MS_PER_DAY, AT + 50 * MS_PER_DAY
    stood = [standing_at(history, instant) for instant in (early, late)]

    assert [s.regime.policy.name for s in stood if s] == ["default", "strict"]
    assert newest_policy(history) == strict_policy()
    again = standing_at(history, early, policy=newest_policy(history))
    assert again is not None
    assert again.regime.policy == strict_policy()
    assert stood[1] is not None
    assert stood[1].state.clock == late
    assert standing_at(history, AT - 1) is None


def test_a_timeline_tells_time_apart_from_records(tmp_path: Path) -> None:
    """What was due before a record stands before it, at its own instant."""
    journal, path = Journal(), tmp_path / "journal.jsonl"
    journal.activate(default_policy(), 0)
    journal.event(order(), AT)
    late = order(number=2)
    late.time = format_instant(AT + 500 * MS_PER_DAY)
    journal.event(late, AT + 500 * MS_PER_DAY)
    path.write_bytes(b"".join((record.value or b"") + b"\n" for record in journal.records))
    rows = [row for step in steps(found_for(path, b"c1", None)) for row in rows_of(step)]

    events = [number for number, row in enumerate(rows) if row.kind == "event"]
    assert [rows[number].event_id for number in events] == ["e1", "e2"]
    assert {row.event_id for row in rows[1 : events[1]]} == {"e1", None}
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    fallen = next(row for row in rows if "→ Member" in row.words and row.event_id is None)
    assert fallen.at == format_instant(AT + 395 * MS_PER_DAY)
    assert "by time" in fallen.words


def test_a_customer_who_came_while_others_were_loaded(tmp_path: Path) -> None:
    """Their home loads a history, so what is decided is not told before the go-live, as in the whole journal."""
    journal, path, folder = Journal(), tmp_path / "journal.jsonl", tmp_path / "index"
    journal.activate(default_policy(), 0)
    for number, (customer, backfill) in enumerate([("c1", False), ("old", True), ("c1", False), ("c2", False)]):
        event = order(customer, number=number)
        event.backfill = backfill
        journal.event(event, AT + number)
    journal.go_live(AT + MS_PER_DAY)
    journal.event(order("c2", number=9, total=90_000), AT + 2 * MS_PER_DAY)
    path.write_bytes(b"".join((record.value or b"") + b"\n" for record in journal.records))
    expected = whole(path)
    indexed(path, folder)

    for name in (b"c1", b"old", b"c2"):
        for index in (folder, None):
            assert decided(found_for(path, name, index)) == expected[name]
    causes = Counter(c.decision.cause for s in steps(found_for(path, b"c2", folder)) for c in s.changes)
    assert {"backfill", "initial"} <= causes.keys()
    assert set(CHANGES) >= {topic for topic, _ in expected[b"c2"]}


def test_what_was_counted_anew_shows_under_the_records_that_it_came_from() -> None:
    """Not under the record after the restatement: each order of the category stands for its own part."""
    metric = 'metric = "orders", window = "lifetime"'
    by_store = policy_of(
        STRICT.replace('"strict"', '"by-store"').replace(metric, metric + ', store = "s1"'), "USD", "UTC"
    )
    journal = Journal()
    journal.activate(policy_of(STRICT, "USD", "UTC"), 0)
    for number in (1, 2):
        bought = order(number=number)
        bought.store_id = "s1"
        journal.event(bought, AT + number)
    journal.tick(AT + 2 * MS_PER_DAY)
    activate_counted(journal, by_store, AT + 3 * MS_PER_DAY)
    journal.event(visit(at=AT + 4 * MS_PER_DAY), AT + 4 * MS_PER_DAY)
    keys = (b"c1", b"\x00policy.activated", b"\x00counters.declared")
    entries = [Entry(r.key, r.value, 0, r.offset, 0) for r in journal.records if r.key in keys and r.value is not None]
    history = History(b"c1", HOME, entries, [], AT + 5 * MS_PER_DAY, 0)

    explanation = explanation_at(history, None)

    assert explanation is not None
    (asked,) = {c for c in conditions_in(msgspec.to_builtins(explanation)) if c[0] == "store=s1"}
    assert asked == ("store=s1", 2, ("e1", "e2"))
    found = standing_at(history, AT + 5 * MS_PER_DAY)
    assert found is not None
    assert found.state.series["store=s1"].count == 2


def conditions_in(part: object) -> Iterator[tuple[str, object, tuple[str, ...]]]:
    """Filter, value and contributing events of every condition of an explanation."""
    if isinstance(part, dict):
        if "contributions" in part:
            yield part["where"], part["value"], tuple(one["event_id"] for one in part["contributions"])
        part = list(part.values())
    if isinstance(part, list | tuple):
        for inner in part:
            yield from conditions_in(inner)
