"""What `dlq`, `go-live` and `feed --backfill` refuse before they ask a broker: with the reason and what to do."""

from pathlib import Path

import pytest

from agents.cli import run
from agents.cli.dlq import Filters, _assignment, _range, _selection
from agents.settings import KafkaSettings, Settings
from schemas.rejections import RefusalReason


@pytest.fixture
def config(tmp_path: Path) -> str:
    """Settings of a cluster that is not there."""
    path = tmp_path / "tierstream.toml"
    path.write_text('[kafka]\nbootstrap = "127.0.0.1:1"\n')
    return str(path)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["dlq", "redrive"], "Which letters?"),
        (["dlq", "redrive", "--limit", "5"], "Which letters?"),
        (["dlq", "drop", "--why", "x"], "Which letters?"),
        (["dlq", "redrive", "--all", "--set", "x"], "--set x is no assignment"),
        (["dlq", "redrive", "1-2", "--set", "a=1", "--edit", "f"], "exclude each other"),
        (["dlq", "list", "--since", "yesterday"], "--since yesterday is no instant"),
        (["dlq", "list", "--range", "x:1"], "--range x:1 is none"),
        (["go-live", "--at", "now"], "--at now is no instant"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused(
    config: str, arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing has been touched, and the text says what to write instead."""
    assert run([*arguments, "--config", config]) == 2

    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["dlq", "redrive", "1-2", "--reason", "nonsense"], ["dlq", "drop", "1-2"]])
def test_usage_is_checked(config: str, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A reason that is none, and dropping without saying why."""
    assert run([*arguments, "--config", config]) == 2
    capsys.readouterr()


@pytest.mark.parametrize("arguments", [["feed", "f", "--backfill", "--event-clock"], ["go-live"]])
def test_an_event_clock_has_no_backfill(
    tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """All of its input is history."""
    path = tmp_path / "tierstream.toml"
    path.write_text('[intake]\nclock = "event"\n')

    assert run([*arguments, "--config", str(path)]) == 2
    assert "event" in capsys.readouterr().err


def test_filters_become_a_selection() -> None:
    """Reasons by their value, topics of the catalogue by their full name, times in epoch ms, open ranges."""
    filters = Filters(
        reason=(RefusalReason.UNKNOWN_TYPE,),
        topic=("purchases", "pos"),
        since="1970-01-01T00:00:01Z",
        range=("3", "4:7", "5:1-2"),
    )

    selection = _selection(Settings(kafka=KafkaSettings(topic_prefix="shop.")), filters)

    assert selection.reasons == {"unknown_type"}
    assert selection.topics == {"shop.purchases", "pos"}
    assert (selection.since, selection.until) == (1_000, None)
    assert [entry[:2] for entry in selection.ranges] == [(3, 0), (4, 7), (5, 1)]
    assert selection.ranges[0][2] > 10**15
    assert _range("4:7") == (4, 7, 7)


@pytest.mark.parametrize(
    ("text", "value"), [("a=1", 1), ("a=USD", "USD"), ('a="1"', "1"), ("a=", ""), ("a=b=c", "b=c"), ("a=null", None)]
)
def test_a_value_to_set_is_json_or_text(text: str, value: object) -> None:
    """A number stays a number, a word needs no quotes."""
    assert _assignment(text) == ("a", value)
