"""`tierstream policy backtest` and `policy suggest`: answers in words and JSON, and what is wrong."""

import csv
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.cli import USAGE_EXIT_CODE, run
from schemas.clock import MS_PER_DAY, format_instant
from schemas.journal import encode_journal
from tests.journal import policy_of
from tests.unit.agents.backtest.shops import policy_text, some_journal
from tests.unit.agents.replay.journals import CUSTOMERS, write_journal
from tests.unit.agents.silver import AT, STRICT, order

ZONED = '[policy]\ncurrency = "USD"\ntime_zone = "UTC"'
DAY_20 = format_instant(AT + 20 * MS_PER_DAY)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, with two policies and no settings."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "strict.toml").write_text(STRICT.replace("[policy]", ZONED))
    for name, amounts in (("now.toml", ("60.00", "150.00")), ("new.toml", ("75.00", "120.00"))):
        (tmp_path / name).write_text(policy_text(*amounts).replace("[policy]", ZONED))
    return tmp_path


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:  # noqa: ANN401 - any JSON
    capsys.readouterr()
    assert run(["policy", *arguments, "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert run(["policy", *arguments]) == USAGE_EXIT_CODE
    return capsys.readouterr().err


def test_against_what_was_active(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A journal with two activations, of several partitions, against a policy that always held."""
    where = ("backtest", "strict.toml", "--input", str(write_journal(folder, 4)), "--jobs", "1")
    found = answer(capsys, *where)
    assert (found["against"], found["new"], found["customers"]) == ("active", "strict", CUSTOMERS)
    assert found["tiers"] == ["member", "silver", "gold", "platinum"]
    assert sum(flow["customers"] for flow in found["flows"]) == CUSTOMERS
    assert found["moves"]["elsewhere"]["customers"] > 0
    early = answer(capsys, *where, "--to", DAY_20)
    assert (early["until"], early["events"] < found["events"]) == (DAY_20, True)


def test_files_and_words(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same figures in JSON, CSV, JSONL, on the page and on the terminal."""
    arguments = ("backtest", "new.toml", "--against", "now.toml", "--input", some_journal().path, "--jobs", "1")
    found = answer(capsys, *arguments, "--cost", "gold=2.50", "--out", "out")
    with (folder / "out" / "differences.csv").open() as file:
        rows = list(csv.DictReader(file))
    lines = [json.loads(line) for line in (folder / "out" / "differences.jsonl").read_text().splitlines()]
    assert [(r["customer_id"], r["since"], r["until"] or None, r["new_is"]) for r in rows] == [
        (each["customer_id"], each["since"], each["until"], each["new_is"]) for each in lines
    ]
    assert len({row["customer_id"] for row in rows}) == found["moves"]["elsewhere"]["customers"]
    assert sum(row["until"] == "" and row["new_is"] == "lower" for row in rows) == found["lower"]["customers"] > 0
    assert all(reason["metric"] for each in lines for reason in each["current"]["reasons"])
    kept = json.loads((folder / "out" / "backtest.json").read_text())
    assert kept["flows"] == found["flows"]
    assert kept["costs"]["gold"]["new_minor"] > kept["costs"]["gold"]["current_minor"] > 0
    assert f"{found['lower']['customers']} stand lower" in (folder / "out" / "report.html").read_text()
    assert run(["policy", *arguments]) == 0
    said = capsys.readouterr().out
    assert f"{found['lower']['customers']} (" in said
    assert "events folded twice" in said


def test_plain_events_are_a_journal_in_order_of_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Against the settings' policy; a line that intake would refuse is told."""
    events = [order(f"c{n % 5}", number=n, total=3_000) for n in range(20)]
    (folder / "events.jsonl").write_bytes(
        b"".join(encode_journal(event) + b"\n" for event in reversed(events)) + b'{"type":"order.completed"}\n'
    )
    (folder / "tierstream.toml").write_text('[policy]\nfile = "now.toml"\n')
    found = answer(capsys, "backtest", "new.toml", "--input", "events.jsonl", "--jobs", "1")
    assert (found["against"], found["events"], found["customers"]) == (
        policy_of(policy_text("60.00", "150.00"), "USD", "UTC").name,
        20,
        5,
    )
    assert sum(found["left_out"].values()) == 1


def test_backtest_names_what_is_wrong(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is folded, where that is possible."""

    def against(file: str) -> tuple[str, ...]:
        return "backtest", "new.toml", "--against", file, "--input", some_journal().path, "--jobs", "1"

    where = against("now.toml")
    for option, value, told in (
        ("--sample", "0", "--sample 0 is no sample"),
        ("--sample", "120%", "--sample 120% is no sample"),
        ("--cost", "bronze=1", "there is no tier `bronze`"),
        ("--cost", "gold=much", "--cost gold=much is no amount"),
        ("--ladder", "vip", "no ladder `vip`"),
        ("--from", "yesterday", "--from yesterday is no instant"),
    ):
        assert told in refusal(capsys, *where, option, value)
    order_of_time = ("--from", "1998-01-01T00:00:00Z", "--to", "1997-01-01T00:00:00Z")
    assert "does not lie before" in refusal(capsys, *where, *order_of_time)
    assert "before its first policy" in refusal(
        capsys, "backtest", "new.toml", "--input", some_journal().path, "--jobs", "1"
    )
    other = (folder / "now.toml").read_text().replace('id = "standing"', 'id = "club"')
    (folder / "club.toml").write_text(other)
    assert "current policy has no ladder `standing`" in refusal(capsys, *against("club.toml"))
    (folder / "euro.toml").write_text((folder / "now.toml").read_text().replace("USD", "EUR"))
    assert "different currencies" in refusal(capsys, *against("euro.toml"))
    (folder / "odd.jsonl").write_text("no journal\n")
    assert "neither a journal nor events" in refusal(capsys, "backtest", "new.toml", "--input", "odd.jsonl")


def test_suggest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A policy that checks clean, on the terminal, in a file and in JSON; from a file of events too."""
    arguments = ("suggest", "--dataset", "cdnow", "--shares", "30,7,1.5", "--until", "1997-12-31")
    found = answer(capsys, *arguments, "--out", "policy.toml")
    assert [tier["threshold"] for tier in found["tiers"]] == [7_500, 25_000, 60_000]
    assert (folder / "policy.toml").read_text() == found["policy"]
    assert run(["policy", "check", "policy.toml"]) == 0
    exact = answer(capsys, *arguments, "--exact")
    assert [tier["threshold"] for tier in exact["tiers"]] == [tier["exact"] for tier in found["tiers"]]
    sample = ("suggest", "--dataset", "cdnow-sample", "--shares", "30,7,1.5")
    orders = answer(capsys, *sample, "--metric", "orders", "--window", "lifetime")
    assert 'metric = "orders", window = "lifetime"' in orders["policy"]

    events = [order(f"c{n}", number=n, total=1_000 + n) for n in range(50)]
    events.append(msgspec.structs.replace(order("late", 99, 1), time=format_instant(AT + 3 * MS_PER_DAY)))
    (folder / "events.jsonl").write_bytes(b"".join(encode_journal(event) + b"\n" for event in events))
    (folder / "tierstream.toml").write_text('[policy]\ncurrency = "USD"\ntime_zone = "UTC"\n')
    assert run(["policy", "suggest", "--input", "events.jsonl", "--shares", "20", "--exact"]) == 0
    said = capsys.readouterr().out
    assert "of 50 customers who ever bought" in said
    assert 'at_least = "10.40"' in said


def test_suggest_names_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    for option, value, told in (
        ("--shares", "7,30", "each smaller than the one before"),
        ("--shares", "some", "are no shares"),
        ("--window", "calendar-year", "--window calendar-year is none of these"),
        ("--until", "then", "--until then is no day"),
        ("--until", "1990-01-01", "There are no customers"),
    ):
        given = {"--shares": "30", option: value}
        arguments = [part for pair in given.items() for part in pair]
        assert told in refusal(capsys, "suggest", "--dataset", "cdnow-sample", *arguments)
    told = refusal(capsys, "suggest", "--dataset", "cdnow-sample", "--shares", "30,29.99", "--metric", "orders")
    assert "No thresholds give these shares" in told
