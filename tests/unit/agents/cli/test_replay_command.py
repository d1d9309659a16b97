"""The commands about the past as they are typed, on files: words, JSON, and what is wrong."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agents.cli import USAGE_EXIT_CODE, run
from schemas.clock import MS_PER_DAY, format_instant
from tests.unit.agents.replay.journals import CUSTOMERS, write_journal
from tests.unit.agents.silver import AT, STRICT

DAY_20 = format_instant(AT + 20 * MS_PER_DAY)


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A journal in a folder of its own, without settings."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "strict.toml").write_text(STRICT.replace("[policy]", '[policy]\ncurrency = "USD"\ntime_zone = "UTC"'))
    return str(write_journal(tmp_path, 4))


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:  # noqa: ANN401 - any JSON
    capsys.readouterr()
    assert run([*arguments, "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert run(list(arguments)) == USAGE_EXIT_CODE
    return capsys.readouterr().err


def test_replay_counts(journal: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In JSON and in words; at an instant; under another policy."""
    arguments = ("replay", "--input", journal, "--jobs", "1")
    whole = answer(capsys, *arguments)
    early = answer(capsys, *arguments, "--until", DAY_20)
    other = answer(capsys, *arguments, "--policy", "strict.toml")
    assert whole["customers"] == CUSTOMERS
    assert sum(whole["standings"]["standing"].values()) == CUSTOMERS
    assert (early["latest"], early["events"] < whole["events"]) == (DAY_20, True)
    assert set(other["standings"]["standing"]) <= {"member", "silver"}
    assert whole["refused"] == other["refused"]

    assert run([*arguments, "--out", "again"]) == 0
    said = capsys.readouterr().out
    assert f"{CUSTOMERS} customers, {whole['events']:,} events" in said
    assert "lines written to again" in said


def test_replay_names_what_is_wrong(journal: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake is told before anything is folded."""
    assert "--until yesterday is no instant" in refusal(capsys, "replay", "--input", journal, "--until", "yesterday")
    assert "cannot be read" in refusal(capsys, "replay", "--input", "nowhere.jsonl")
    assert "policy file cannot be read" in refusal(capsys, "replay", "--input", journal, "--policy", "nowhere.toml")
    Path("headless.jsonl").write_bytes(Path(journal).read_bytes().split(b"\n", 1)[1].split(b'{"type":"policy')[0])
    assert "before its first policy" in refusal(capsys, "replay", "--input", "headless.jsonl", "--jobs", "1")


def test_a_customers_life_and_standing(journal: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Record by record, and at an instant, under the policy of then or another."""
    index = answer(capsys, "customer", "index", "--input", journal, "--index", "index")
    where = ("--input", journal, "--index", "index")
    told = answer(capsys, "customer", "timeline", "c3", *where)
    assert (index["segments"], told["scanned"], told["customer_id"]) == (1, 0, "c3")
    assert {row["kind"] for row in told["timeline"]} == {"event", "decision"}
    assert run(["customer", "timeline", "c3", *where]) == 0
    assert "order o3: 60.00 USD" in capsys.readouterr().out

    then, other = (
        answer(capsys, "customer", "show", "c3", "--at", DAY_20, *where, *more) for more in ((), ("--policy", "now"))
    )
    assert (then["policy"]["name"], other["policy"]["name"]) == ("default", "strict")
    assert then["as_of"] == DAY_20
    assert then["aggregates"] == other["aggregates"]
    assert run(["customer", "show", "c3", "--at", DAY_20, *where]) == 0
    assert f"the journal, up to {DAY_20}" in capsys.readouterr().out
    assert run(["customer", "show", "nobody", "--at", DAY_20, *where]) == 1
    assert run(["customer", "timeline", "nobody", *where]) == 1


def test_customer_names_what_is_wrong(journal: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Options that do not go together, and a file of which no index can be made."""
    assert "--at" in refusal(capsys, "customer", "show", "c1", "--policy", "now")
    assert "Only the journal knows" in refusal(capsys, "customer", "show", "c1", "--at", DAY_20, "--from-state")
    pq.write_table(pa.table({"value": Path(journal).read_text().splitlines()}), "journal.parquet")
    assert "Parquet" in refusal(capsys, "customer", "index", "--input", "journal.parquet")
    assert run(["customer", "timeline", "c3", "--input", "journal.parquet"]) == 0
