"""The event files hold what the topics hold, in an order that does not depend on the run."""

from pathlib import Path

import msgspec

from agents.demo.reading import Held
from agents.replay.event_files import FILES, Collector, write_file
from schemas.journal import ClockClosed, PolicyActivated, decode_journal, encode_journal


def held(partition: int, offset: int, key: str, value: str | None, **headers: str) -> Held:
    return Held(
        partition,
        offset,
        key.encode(),
        None if value is None else value.encode(),
        [(name, text.encode()) for name, text in headers.items()],
    )


def write_topic(folder: Path, topic: str, records: list[Held]) -> int:
    collector = Collector(topic)
    for record in records:
        collector.take(record.key, record.value, record.headers)
    return write_file(folder, topic, collector.lines)


def test_lines_stand_in_key_then_topic_order(tmp_path: Path) -> None:
    """Records of one key keep their order, whatever lay between them and wherever."""
    records = [held(1, 0, "b", "1"), held(0, 0, "a", "2"), held(1, 1, "b", "3"), held(0, 1, "a", "4")]
    assert write_topic(tmp_path, "tier-changes", records) == 4
    assert (tmp_path / "tier-changes.jsonl").read_text().split() == ["2", "4", "1", "3"]


def test_the_journal_is_written_with_each_policy_once_and_the_clocks_end_last(tmp_path: Path) -> None:
    """Ticks depend on the run; activations and closings lie once in every partition, each with its number."""
    activated = [
        encode_journal(PolicyActivated(id="a", effective_at="t", name="n", hash="h", text="{}", home=(number, 2)))
        for number in (0, 1)
    ]
    closed = [encode_journal(ClockClosed(instant="t", home=(number, 2))) for number in (0, 1)]
    records = [
        held(0, 0, "\0policy.activated", activated[0].decode()),
        held(1, 0, "\0policy.activated", activated[1].decode()),
        held(0, 1, "c", '"event"'),
        held(0, 2, "\0clock.tick", '"tick"'),
        held(0, 3, "\0clock.advanced", '"advanced"'),
        *(held(number, 4, "\0clock.closed", closed[number].decode()) for number in (0, 1)),
    ]
    assert write_topic(tmp_path, "customer-events", records) == 3
    policy, event, end = (tmp_path / "journal.jsonl").read_bytes().splitlines()
    assert (decode_journal(policy), event, decode_journal(end)) == (
        PolicyActivated(id="a", effective_at="t", name="n", hash="h", text="{}"),
        b'"event"',
        ClockClosed(instant="t"),
    )


def test_profiles_are_the_last_of_each_customer(tmp_path: Path) -> None:
    """How often a profile was rewritten depends on the run; an erased one leaves no line."""
    records = [held(0, 0, "b", "1"), held(0, 1, "a", "2"), held(0, 2, "b", "3"), held(0, 3, "a", None)]
    assert write_topic(tmp_path, "customer-profiles", records) == 1
    assert (tmp_path / "profiles.jsonl").read_text() == "3\n"


def test_dead_letters_are_written_without_their_coordinates(tmp_path: Path) -> None:
    """Any bytes become one line of JSON; where the original lay is left out."""
    letter = Held(0, 0, b"k", b"\xff{", [("tierstream-dlq-reason", b"not_json"), ("tierstream-dlq-offset", b"17")])
    assert write_topic(tmp_path, "dead-letters", [letter]) == 1
    assert msgspec.json.decode((tmp_path / "dead-letters.jsonl").read_bytes()) == {
        "key": "k",
        "value": "\\xff{",
        "headers": {"tierstream-dlq-reason": "not_json"},
    }


def test_an_empty_topic_is_an_empty_file(tmp_path: Path) -> None:
    """All files are there after every run."""
    for topic, name in FILES.items():
        assert write_topic(tmp_path / "new", topic, []) == 0
        assert (tmp_path / "new" / name).read_bytes() == b""
