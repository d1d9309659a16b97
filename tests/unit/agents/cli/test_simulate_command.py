"""`simulate` as it is typed: files, figures, and clear words for what cannot be."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from agents.cli import run
from schemas.clock import format_instant, parse_instant


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings but those of the test."""
    monkeypatch.chdir(tmp_path)


def events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_bytes().splitlines()]


def test_it_writes_events_and_truth_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The figures are those of the files."""
    assert run(["simulate", "--customers", "30", "--days", "120", "--seed", "9", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    truths = [json.loads(line) for line in (tmp_path / "simulated" / "truth.jsonl").read_bytes().splitlines()]

    assert (said["file"], said["truth"]) == ("simulated/events.jsonl", "simulated/truth.jsonl")
    assert said["types"] == Counter(event["type"] for event in events(tmp_path / "simulated"))
    assert said["events"] == sum(said["types"].values())
    assert (said["customers"], said["alive_at_end"]) == (len(truths), sum(truth["alive_at_end"] for truth in truths))


def test_it_says_what_to_do_with_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "--customers", "3", "--out", "shop"]) == 0
    assert "Next: tierstream feed shop/events.jsonl" in capsys.readouterr().out


def test_currency_and_zone_are_those_of_the_settings_unless_told(tmp_path: Path) -> None:
    """A shop's own folder simulates that shop."""
    Path("tierstream.toml").write_text('[policy]\ncurrency = "CNY"\ntime_zone = "Asia/Shanghai"\n')
    run(["simulate", "--customers", "20", "--json", "--start", "2026-03-01", "--days", "1"])
    run(["simulate", "--customers", "20", "--json", "--currency", "EUR", "--out", "other"])

    assert {event["currency"] for event in events(tmp_path / "simulated") if "currency" in event} == {"CNY"}
    assert {event["currency"] for event in events(tmp_path / "other") if "currency" in event} == {"EUR"}
    times = [event["time"] for event in events(tmp_path / "simulated")]
    assert "2026-02-28T16:00:00.000Z" <= min(times) <= max(times) < "2026-03-01T16:00:00.000Z"


def test_no_visits_are_no_visits(tmp_path: Path) -> None:
    """Neither around orders nor unknown."""
    run(["simulate", "--customers", "50", "--visits", "0", "--json"])
    types = {event["type"] for event in events(tmp_path / "simulated")}
    assert types.isdisjoint({"browse.activity", "identity.linked"})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rate", "100"], "--rate needs --kafka"),
        (["--start", "soon"], "cannot be simulated"),
        (["--currency", "ABC"], "'ABC' is not an ISO 4217 currency code"),
        (["--time-zone", "Europe/Atlantis"], "no IANA time zone"),
        (["--model", "none.toml"], "The model file cannot be used"),
        (["--refunds", "1.5"], "Must be <= 1"),
        (["--customers", "0"], "Must be >= 1"),
    ],
)
def test_what_cannot_be_is_told(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and nothing was written."""
    assert run(["simulate", *arguments]) == 2
    said = capsys.readouterr()
    assert words in said.err + said.out
    assert not Path("simulated").exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("a file")
    assert run(["simulate", "--out", "taken"]) == 2
    assert "The folder cannot be written." in capsys.readouterr().err


@pytest.mark.parametrize(("start", "word"), [("2100-01-01", "ahead of now"), ("2001-01-01", "too far back")])
def test_days_that_intake_would_refuse_are_not_sent(start: str, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is made; the advice has days that can be sent."""
    assert run(["simulate", "--kafka", "--days", "380", "--start", start]) == 2
    said = capsys.readouterr().err
    assert word in said
    advice = said.partition("--days ")[2].split()
    days, begin = int(advice[0]), advice[2].rstrip(",")
    assert days == 380
    assert format_instant(parse_instant(f"{begin}T00:00:00Z"))[:10] == begin
    assert not Path("simulated").exists()
