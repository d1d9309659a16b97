"""`tierstream schemas`: what it prints, writes and returns."""

import json
from pathlib import Path

import pytest

from agents.cli.schemas import app
from agents.errors import ConfigurationError
from schemas.events import EVENT_CLASSES
from schemas.generate import published_files

GOOD = (
    '{"type":"order.completed","id":"e1","time":"2026-11-22T10:00:00Z","customer_id":"c1","order_id":"o1",'
    '"currency":"CNY","total_minor":9900,"couponn":"x"}'
)
BAD = GOOD.replace("9900", "99.5")


def run(*arguments: str) -> object:
    return app(arguments, result_action="return_value")


def test_a_file_of_good_events_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Blank lines do not count, and a member that nobody reads is named."""
    file = tmp_path / "orders.jsonl"
    file.write_text(f"{GOOD}\n\n{GOOD}\n")

    assert run("check", str(file)) == 0
    printed = capsys.readouterr().out
    assert "2 order.completed" in printed
    assert "2 x ignored, not part of order.completed: couponn" in printed
    assert printed.endswith("2 accepted, 0 refused\n")


def test_a_bad_event_is_named_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """File, line, reason and place, and a failing exit code."""
    file = tmp_path / "orders.jsonl"
    file.write_text(f"{GOOD}\n\n{BAD}\n")

    assert run("check", str(file)) == 1
    assert f"{file}:3: bad_amount: $.total_minor: expected `int`" in capsys.readouterr().out


def test_a_check_can_be_read_by_a_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON document with every refusal."""
    file = tmp_path / "orders.jsonl"
    file.write_text(f"{BAD}\n" * 30)

    assert run("check", str(file), "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["accepted"] == {}
    assert [refusal["line"] for refusal in report["refused"]] == list(range(1, 31))


def test_a_json_file_is_one_event(tmp_path: Path) -> None:
    """A pretty-printed event is checked as a whole."""
    file = tmp_path / "order.json"
    file.write_text(json.dumps(json.loads(GOOD), indent=2))

    assert run("check", str(file)) == 0


def test_a_missing_file_is_a_mistake_with_a_remedy(tmp_path: Path) -> None:
    """What, why and the next command, no stack trace for the command line to print."""
    with pytest.raises(ConfigurationError, match="cannot be read") as mistake:
        run("check", str(tmp_path / "nothing.jsonl"))
    assert mistake.value.next_step


def test_all_types_are_listed_with_their_topics(capsys: pytest.CaptureFixture[str]) -> None:
    """Inputs by their topic, outputs by theirs."""
    run("list", "--json")
    listed = json.loads(capsys.readouterr().out)

    assert set(listed["inputs"]) == set(EVENT_CLASSES)
    assert listed["outputs"]["tierstream.customer.profile.v1"] == "customer-profiles"


def test_the_published_files_can_be_written_anywhere(tmp_path: Path) -> None:
    """A second run changes nothing, and --check tells whether anything differs."""
    assert run("generate", "--out", str(tmp_path), "--check") == 1
    assert run("generate", "--out", str(tmp_path)) == 0
    assert run("generate", "--out", str(tmp_path), "--check") == 0
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")} == set(published_files())


def test_what_moves_nothing_is_not_passed_off_as_heard(capsys: pytest.CaptureFixture[str]) -> None:
    """Who sends a merge or an erasure learns here that nothing comes of it, not from a customer."""
    run("list")
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")}

    assert lines["order.completed"].endswith(" purchases")
    assert lines["identity.merged"].endswith("kept in the journal, moves nothing")
    assert lines["privacy.erasure_requested"].endswith("refused into the dead letters")
