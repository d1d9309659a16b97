"""A replay of a file gives the live stage's files, byte by byte, at any partition count, share and beginning."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agents.errors import ConfigurationError
from agents.replay import unit
from agents.replay.event_files import DEAD_LETTERS, FILES, JOURNAL
from schemas.clock import MS_PER_DAY, format_instant
from schemas.journal import ClockTick, encode_journal
from tests.journal import default_policy
from tests.unit.agents.replay.journals import files, live, partitions, replayed, strict_policy, write_journal
from tests.unit.agents.silver import AT


@pytest.mark.parametrize(("batch", "jobs"), [(1, 1), (7, 2), (10_000, 1)])
def test_replay_is_live_byte_for_byte(tmp_path: Path, batch: int, jobs: int) -> None:
    """At any batch size of the live run, in one process or more."""
    expected = files(live(tmp_path / "live", 4, batch))
    replayed(write_journal(tmp_path, 4), tmp_path / "again", jobs=jobs)

    assert files(tmp_path / "again") == expected
    assert len(expected["tier-changes.jsonl"].splitlines()) > 40
    assert b'"policy":{"name":"strict"' in expected["tier-changes.jsonl"]
    assert b'"model":{"name":"full"' in expected["churn-risk.jsonl"]
    assert b"refund_without_order" in expected[FILES[DEAD_LETTERS]]


@pytest.mark.parametrize("count", [4, 12])
def test_customers_are_the_same_at_any_number_of_partitions(tmp_path: Path, count: int) -> None:
    """Ticks and activations belong to their home; which customers share one is all the same."""
    replayed(write_journal(tmp_path, 1), tmp_path / "one")
    replayed(write_journal(tmp_path, count), tmp_path / "more")

    assert files(tmp_path / "more") == files(tmp_path / "one")
    assert FILES[JOURNAL] not in files(tmp_path / "one")


def test_parquet_rows_are_lines(tmp_path: Path) -> None:
    """A column `value`, as text or bytes; other columns do no harm."""
    path = write_journal(tmp_path, 4)
    lines = path.read_text().splitlines()
    pq.write_table(
        pa.table({"offset": range(len(lines)), "value": lines}), tmp_path / "text.parquet", row_group_size=99
    )
    pq.write_table(pa.table({"value": [line.encode() for line in lines]}), tmp_path / "bytes.parquet")
    replayed(path, tmp_path / "lines")
    for name in ("text", "bytes"):
        replayed(tmp_path / f"{name}.parquet", tmp_path / name, jobs=2)
        assert files(tmp_path / name) == files(tmp_path / "lines")


def test_another_policy_decides_from_the_begin(tmp_path: Path) -> None:
    """Instead of all that were activated."""
    path = write_journal(tmp_path, 4)
    replayed(path, tmp_path / "strict", policy=strict_policy())
    changes = files(tmp_path / "strict")["tier-changes.jsonl"]

    assert b'"name":"strict"' in changes
    assert b'"name":"default"' not in changes
    strict, lenient = (replayed(path, policy=policy).tally.standings for policy in (strict_policy(), default_policy()))
    assert strict["standing"].keys() - {"member", "silver"} == set()
    assert lenient["standing"].keys() - {"member", "silver"} != set()


def test_until_leaves_the_future_out_and_lets_time_pass(tmp_path: Path) -> None:
    """As if the journal had ended there, with a tick of that instant."""
    until = AT + 40 * MS_PER_DAY + 3
    cut = tmp_path / "cut.jsonl"
    lines = []
    for number, partition in enumerate(partitions(4)):
        for record in partition:
            instant = (record.value or b"").split(b'"recordedtime":"')[-1][:24].decode()
            tick = b"clock.tick" in (record.key or b"")
            if tick and record.value and format_instant(until) < record.value.decode().split('"instant":"')[1][:24]:
                break
            if (record.key or b"\0")[0] == 0 or instant <= format_instant(until):
                lines.append(record.value or b"")
        lines.append(encode_journal(ClockTick(instant=format_instant(until), home=(number, 4))))
    cut.write_bytes(b"".join(line + b"\n" for line in lines))
    replayed(cut, tmp_path / "cut")
    replayed(write_journal(tmp_path, 4), tmp_path / "until", until=until)

    assert files(tmp_path / "until") == files(tmp_path / "cut")


def test_a_snapshot_goes_on_where_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """States, counts and what follows are those of a fold from the begin; a later instant takes the later snapshot."""
    whole = write_journal(tmp_path, 1)
    lines = whole.read_bytes().splitlines(keepends=True)
    grown = tmp_path / "grown.jsonl"
    grown.write_bytes(b"".join(lines[: len(lines) // 2]))
    first = replayed(grown, tmp_path / "first", snapshots=tmp_path / "snapshots")
    grown.write_bytes(b"".join(lines))
    second = replayed(grown, tmp_path / "second", snapshots=tmp_path / "snapshots")
    replayed(whole, tmp_path / "whole")

    assert (first.tally.resumed, second.tally.resumed) == (0, 1)
    assert second.tally.events == first.tally.folded + second.tally.folded
    for name in ("tier-changes.jsonl", "churn-risk.jsonl", "dead-letters.jsonl"):
        both = files(tmp_path / "first")[name] + files(tmp_path / "second")[name]
        assert sorted(both.splitlines()) == sorted(files(tmp_path / "whole")[name].splitlines())
    assert files(tmp_path / "second")["profiles.jsonl"] == files(tmp_path / "whole")["profiles.jsonl"]
    assert replayed(grown, until=AT + 59 * MS_PER_DAY, snapshots=tmp_path / "snapshots").tally.resumed == 1
    assert replayed(grown, until=AT, snapshots=tmp_path / "snapshots").tally.resumed == 0  # none is so old


def test_a_snapshot_of_another_journal_policy_or_version_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so is a torn one."""
    path, kept = write_journal(tmp_path, 1), tmp_path / "snapshots"
    replayed(path, snapshots=kept)
    assert replayed(path, snapshots=kept).tally.resumed == 1
    assert replayed(path, snapshots=kept, policy=strict_policy()).tally.resumed == 0
    changed = tmp_path / "changed.jsonl"
    changed.write_bytes(path.read_bytes().replace(b'"action":"search"', b'"action":"page_view"'))
    assert replayed(changed, snapshots=kept).tally.resumed == 0
    with monkeypatch.context() as patch:
        patch.setattr(unit, "APP_VERSION", "9.9.9")
        assert replayed(path, snapshots=kept).tally.resumed == 0
    (snapshot,) = (p for p in kept.iterdir() if p.name.startswith(kept_stem(kept)))
    snapshot.write_bytes(snapshot.read_bytes()[:-9])
    assert replayed(path, snapshots=kept).tally.resumed == 0


def kept_stem(folder: Path) -> str:
    """The first snapshot's name without its position: those of other policies and journals have others."""
    oldest = min(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    return oldest.name.rsplit("-", 1)[0]


def test_no_snapshot_is_made_of_what_left_something_out(tmp_path: Path) -> None:
    """Its states would be those of no place in the journal."""
    path = write_journal(tmp_path, 1)
    replayed(path, until=AT + 20 * MS_PER_DAY, snapshots=tmp_path / "snapshots")
    assert not (tmp_path / "snapshots").exists()


def test_what_is_no_journal_is_named(tmp_path: Path) -> None:
    """Where it stands, and what to give instead."""
    path = tmp_path / "journal.jsonl"
    tick = encode_journal(ClockTick(instant=format_instant(AT), home=(0, 1)))
    path.write_bytes(tick + b"\nnonsense\n")
    with pytest.raises(ConfigurationError, match="no journal record") as raised:
        replayed(path)
    assert raised.value.where == f"{path}, byte {len(tick) + 1}"
    write_journal(tmp_path, 4)
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_bytes((tmp_path / "journal-4.jsonl").read_bytes() + write_journal(tmp_path, 2).read_bytes())
    with pytest.raises(ConfigurationError, match="different numbers of partitions"):
        replayed(mixed)
    pq.write_table(pa.table({"values": ["x"]}), tmp_path / "other.parquet")
    with pytest.raises(ConfigurationError, match="no column `value`"):
        replayed(tmp_path / "other.parquet")
