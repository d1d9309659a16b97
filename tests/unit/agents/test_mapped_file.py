"""Files in other formats: what is sent, what is not, and that the same file always gives the same feed."""

import json
from pathlib import Path

import pytest

from agents.cli import run
from agents.errors import ConfigurationError
from agents.feed_file import PassedLine, Ready, RefusedLine
from agents.mapped_file import MappedFile, open_mapped
from tests.contracts.format_corpus import EXAMPLES

TILL, TILL_MAP = EXAMPLES / "csv" / "till.csv", EXAMPLES / "csv" / "till.toml"
RETAIL, RETAIL_MAP = EXAMPLES / "csv" / "retail.csv", EXAMPLES / "csv" / "retail.toml"


def lines_of(file: Path, mapping: Path) -> list[Ready | RefusedLine | PassedLine]:
    with open_mapped(file, mapping) as opened:
        return list(opened.in_file_order())


def test_every_line_of_a_table_is_accounted_for() -> None:
    """Sent, a repeat of another line, or refused: by number, none twice and none in silence."""
    found = lines_of(TILL, TILL_MAP)

    assert [line.line for line in found if isinstance(line, Ready)] == [2, 3, 4, 13]
    assert [line.line for line in found if isinstance(line, RefusedLine)] == [6, 7, 8, 9, 10, 12]
    assert [line[:3] for line in found if isinstance(line, PassedLine)] == [(11, "duplicate", "the same as line 3")]


def test_events_go_where_their_types_belong() -> None:
    """In our own form, keyed by the customer, at places that rise."""
    events = [line for line in lines_of(TILL, TILL_MAP) if isinstance(line, Ready)]

    assert [event.place for event in events] == [1, 2, 3, 4]
    assert {event.topic for event in events} == {"purchases"}
    assert [event.key for event in events] == [b"13800", b"13801", b"13800", b"13803"]
    assert json.loads(events[0].value)["total_minor"] == 129_900


def test_rows_of_an_invoice_are_one_order() -> None:
    """As the online retailers' exports have it: repeated rows, returns, rows without a customer."""
    found = lines_of(RETAIL, RETAIL_MAP)

    orders = {json.loads(line.value)["order_id"]: json.loads(line.value) for line in found if isinstance(line, Ready)}
    assert orders["536365"]["total_minor"] == 1530 + 2034 + 2034
    assert orders["C536383"]["refund_minor"] == 465 + 930
    assert orders["536371"]["total_minor"] == 510 - 110
    assert [(line.line, line.reason) for line in found if isinstance(line, RefusedLine)] == [
        (7, "no_customer"),
        (8, "no_customer"),
        (11, "no_customer"),
        (16, "bad_amount"),
    ]


def test_a_history_is_put_in_order_of_time() -> None:
    """Refusals apart, events by instant."""
    with open_mapped(RETAIL, RETAIL_MAP) as opened:
        rest, events = opened.in_time_order()

    times = [event.occurred_at for event in events]
    assert times == sorted(times)
    assert len(times) == 6
    assert len(rest) == 4


def test_the_feed_is_named_after_the_file_and_its_mapping(tmp_path: Path) -> None:
    """A corrected mapping is another feed, or its events would pass for those that were sent."""
    other = tmp_path / "other.toml"
    other.write_text(TILL_MAP.read_text().replace("till-7", "till-8"))
    prints = []
    for mapping in (TILL_MAP, TILL_MAP, other):
        with open_mapped(TILL, mapping) as opened:
            prints.append(opened.fingerprint)

    assert prints[0] == prints[1] != prints[2]


def test_columns_that_are_not_there_are_told_at_once(tmp_path: Path) -> None:
    """All of them, with the nearest name that is there, before anything is read."""
    table = tmp_path / "till.csv"
    table.write_bytes(TILL.read_bytes().replace("会员;时间".encode("gbk"), "会员;会员".encode("gbk"), 1))

    with pytest.raises(ConfigurationError, match=r"(?s)no column `时间`.*column `会员` stands twice"):
        lines_of(table, TILL_MAP)
    table.write_bytes(b"\n\n")
    with pytest.raises(ConfigurationError, match="no header"):
        lines_of(table, TILL_MAP)


def test_a_line_may_be_a_whole_record_of_kcat(tmp_path: Path) -> None:
    """With its key and headers, which a mapping can name."""
    example = json.loads((EXAMPLES / "outbox" / "valid-order.json").read_text())
    line = {
        "topic": "outbox.event.order",
        "partition": 0,
        "offset": 3,
        "headers": [part for pair in example["headers"].items() for part in pair],
        "key": example["key"],
        "payload": json.dumps(example["value"]),
    }
    file = tmp_path / "sample.jsonl"
    file.write_text(json.dumps(line) + "\n" + json.dumps(line | {"payload": None, "offset": 4}) + "\n")

    event, tombstone = lines_of(file, EXAMPLES / "outbox" / "orders.toml")

    assert isinstance(event, Ready)
    assert json.loads(event.value) == example["events"][0]
    assert isinstance(tombstone, PassedLine)
    assert tombstone.cause == "tombstone"


def test_segment_needs_no_mapping_file(tmp_path: Path) -> None:
    """The word is enough; two events of one line have two places."""
    file = tmp_path / "calls.jsonl"
    calls = [
        json.loads((EXAMPLES / "segment" / f"{name}.json").read_text())["value"]
        for name in ("valid-identify", "skipped-group")
    ]
    file.write_text("\n".join(json.dumps(call) for call in calls))

    first, second, skipped = lines_of(file, Path("segment"))

    assert isinstance(first, Ready)
    assert isinstance(second, Ready)
    assert (first.line, first.place, second.line, second.place) == (1, 1, 1, 2)
    assert isinstance(skipped, PassedLine)


def test_map_test_shows_every_line(capsys: pytest.CaptureFixture[str]) -> None:
    """As text and as JSON; exit code 1 says that something is refused."""
    assert run(["map", "test", str(TILL), "--map", str(TILL_MAP)]) == 1
    text = capsys.readouterr().out
    assert run(["map", "test", str(TILL), "--map", str(TILL_MAP), "--json"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert "     6  refused  no_customer: " in text
    assert text.splitlines()[-1] == "4 order.completed, 1 order.refunded, 6 refused"
    assert [line["line"] for line in lines] == [2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13]
    assert lines[0]["events"][0]["order_id"] == "r-1001"
    assert lines[3]["refused"] == [{"reason": "no_customer", "detail": lines[3]["refused"][0]["detail"]}]


def test_map_test_passes_over_what_means_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is shown, and is no failure."""
    file = tmp_path / "calls.jsonl"
    file.write_text('{"type":"group"}\n')

    assert run(["map", "test", str(file), "--map", "segment"]) == 0
    assert "     1  skipped  no_meaning: call group" in capsys.readouterr().out
    assert run(["map", "test", str(file), "--map", "segment", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["skipped"] == "no_meaning"


def test_map_test_tells_the_mistakes_of_a_mapping(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, every mistake with its line."""
    mapping = tmp_path / "m.toml"
    mapping.write_text('[mapping]\nformat = "csv"\n[[event]]\ntype = "order.complete"\n')

    assert run(["map", "test", str(TILL), "--map", str(mapping)]) == 2
    assert "line 4, event[0].type: no event is called" in capsys.readouterr().err


def test_an_open_file_knows_its_size() -> None:
    """For the bar on the terminal."""
    with open_mapped(TILL, TILL_MAP) as opened:
        assert isinstance(opened, MappedFile)
        assert opened.size == TILL.stat().st_size
