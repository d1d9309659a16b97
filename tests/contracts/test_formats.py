"""Every example of a foreign format is executed: the events, the refusals and what is passed over are as it says."""

import json
from pathlib import Path

import pytest

from agents.mapped_file import open_mapped
from schemas.formats import segment
from schemas.formats.record import FORMATS, MAPPED_FORMATS, SkipCause, Skipped
from schemas.journal import decode_journal, encode_journal
from schemas.rejections import Rejected
from tests.contracts.corpus import validator_of
from tests.contracts.format_corpus import EXAMPLES, decoded, name_of, read, record_files, table_files

ACROSS_FORMATS = "not_json", "schema", "no_customer", "bad_amount", "bad_time", "bad_id", "unknown_currency"


@pytest.mark.parametrize("path", record_files(), ids=name_of)
def test_a_record_gives_what_its_example_says(path: Path) -> None:
    """Events to the last member; refusals with reason and detail; the cause of a skip."""
    example, found = read(path), decoded(path)

    if isinstance(found, Skipped):
        assert found.cause == example["skipped"]
        assert found.detail
        return
    events = [json.loads(encode_journal(event)) for event in found if not isinstance(event, Rejected)]
    refused = [{"reason": event.reason, "detail": event.detail} for event in found if isinstance(event, Rejected)]

    assert events == example.get("events", [])
    assert refused == example.get("refused", [])
    assert "skipped" not in example


@pytest.mark.parametrize("path", record_files(), ids=name_of)
def test_an_example_is_named_after_what_becomes_of_it(path: Path) -> None:
    """`valid` gives events alone, `invalid` a refusal at least, `skipped` neither."""
    example = read(path)
    kind = "skipped" if "skipped" in example else "invalid" if "refused" in example else "valid"

    assert path.stem.startswith(kind + "-")


@pytest.mark.parametrize("path", record_files(), ids=name_of)
def test_events_of_an_example_pass_the_published_schema(path: Path) -> None:
    """What a decoder makes is what a producer of ours might have sent, and keeps in the journal."""
    for event in read(path).get("events", []):
        assert [str(error) for error in validator_of(event["type"], event).iter_errors(event)] == []
        assert json.loads(encode_journal(decode_journal(json.dumps(event).encode()))) == event


@pytest.mark.parametrize("path", record_files(), ids=name_of)
def test_a_redelivery_is_recognised(path: Path) -> None:
    """The same record gives the same events with the same ids, and no two events of one record share an id."""
    first, again = decoded(path), decoded(path)

    assert first == again
    if not isinstance(first, Skipped):
        ids = [event.id for event in first if not isinstance(event, Rejected)]
        assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("path", table_files(), ids=name_of)
def test_a_table_gives_what_is_expected_of_it(path: Path) -> None:
    """Line by line: the event, or why there is none."""
    expected = [json.loads(line) for line in path.with_suffix(".expected.jsonl").read_text().splitlines()]
    found = []
    with open_mapped(path, path.with_suffix(".toml")) as file:
        for line, decoded_row in file.judged():
            assert not isinstance(decoded_row, Skipped)
            events = [json.loads(encode_journal(each)) for each in decoded_row if not isinstance(each, Rejected)]
            refused = [{"reason": r.reason, "detail": r.detail} for r in decoded_row if isinstance(r, Rejected)]
            found.append({"line": line, "events": events, "refused": refused})

    assert found == expected


def test_every_format_has_examples_of_every_kind() -> None:
    """No format can be added without showing what it takes, what it refuses and what it passes over."""
    foreign = {name for name in (*FORMATS, *MAPPED_FORMATS) if name not in ("tierstream", "csv")}
    kinds = {(path.parent.name, path.stem.partition("-")[0]) for path in record_files()}

    assert kinds == {(name, kind) for name in foreign for kind in ("valid", "invalid", "skipped")}
    assert {path.name for path in EXAMPLES.iterdir()} == foreign | {"csv"}
    assert len(table_files()) >= 3


def test_every_cause_and_the_usual_reasons_are_shown() -> None:
    """Examples cover what a reader of the reference page will ask about."""
    examples = [read(path) for path in record_files()]

    assert {example["skipped"] for example in examples if "skipped" in example} == set(SkipCause)
    reasons = {refusal["reason"] for example in examples for refusal in example.get("refused", [])}
    assert reasons >= set(ACROSS_FORMATS)


def test_every_segment_event_with_a_meaning_is_shown() -> None:
    """Each name of the tables has a valid example."""
    shown = [read(path)["value"] for path in record_files() if path.match("segment/valid-*")]

    assert {str(call.get("event", "")).lower().replace("_", " ") for call in shown} >= {
        *segment.ACTIONS,
        *segment.ORDERS,
    }
    assert {call["type"] for call in shown} == set(segment.CALLS)
