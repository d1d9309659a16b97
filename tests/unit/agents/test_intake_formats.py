"""Topics in other formats: each has its decoder, what means nothing is counted, the rest is as with our own."""

import json
from collections import Counter
from math import inf
from pathlib import Path

import pytest

from agents.errors import BreakerOpenError, ConfigurationError
from agents.intake import IntakePartition, IntakeStage
from agents.mapping_file import foreign_decoders, load_mapping
from agents.runtime.stage import Headers, Record
from agents.settings import Settings
from agents.settings_reader import load_settings
from schemas.catalog import TOPICS
from schemas.clock import parse_instant
from streams.intake import Limits
from tests.journal import Published

NOW = parse_instant("2026-06-10T12:00:00.000Z")
POINTS = """[mapping]
format = "json"
otherwise = "skip"

[[event]]
type = "points.redeemed"
when = [{ path = "used", above = 0 }]
[event.fields]
id = "id"
customer_id = "who"
time = "at"
points = "used"
reason = { constant = "order" }

[[event]]
type = "preference.set"
when = [{ path = "shop", given = true }]
[event.fields]
id = "id"
customer_id = "who"
time = "at"
name = { constant = "shop" }
value = "shop"
"""
SETTINGS = """[kafka]
topic_prefix = "x."
[[intake.source]]
topic = "loyalty"
format = "json"
map = "maps/points.toml"
[[intake.source]]
topic = "browsing"
format = "segment"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Two bound topics, one of them a raw topic of ours in another format."""
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "points.toml").write_text(POINTS)
    (tmp_path / "tierstream.toml").write_text(SETTINGS)
    return load_settings(tmp_path / "tierstream.toml", {})


@pytest.fixture
def partition(settings: Settings) -> IntakePartition:
    names = {name: settings.topic(name) for name in TOPICS}
    return IntakeStage(
        tuple(settings.sources()),
        settings.topic("imports"),
        names,
        1,
        limits=Limits(),
        breaker=(0.5, 10),
        counts=Counter(),
        decoders=foreign_decoders(settings),
    ).partition(0)


def record(topic: str, value: object, headers: Headers = ()) -> Record:
    return Record(topic, 0, 7, NOW, 1, b"k", None if value is None else json.dumps(value).encode(), headers)


def taken(partition: IntakePartition, *records: Record) -> tuple[list[dict[str, object]], list[Published]]:
    """Events in the journal and dead letters."""
    assert partition.fold(records, inf) == len(records)
    outputs = partition.drain().outputs
    events = [json.loads(value or b"") for _, value, _ in outputs.get(("x.customer-events", 0), [])]
    return events, [Published(*letter) for letter in outputs.get(("x.dead-letters", 0), [])]


def used(**changes: object) -> dict[str, object]:
    return {"id": "p1", "who": "c1", "at": "2026-06-10T11:59:00Z", "used": 5, **changes}


def test_each_topic_is_read_in_its_own_format(partition: IntakePartition) -> None:
    """A mapped topic, a raw topic of ours that holds Segment's calls, and a raw topic as it always was."""
    page = {"type": "page", "messageId": "m", "userId": "c2", "timestamp": "2026-06-10T11:00:00Z"}
    visit = {"type": "browse.activity", "id": "v", "time": "2026-06-10T11:00:00Z", "customer_id": "c3", "action": "x"}

    events, letters = taken(
        partition, record("loyalty", used()), record("x.browsing", page), record("x.purchases", visit)
    )

    assert [event["type"] for event in events] == ["points.redeemed", "browse.activity", "browse.activity"]
    assert [event["customer_id"] for event in events] == ["c1", "c2", "c3"]
    assert all(event["recordedtime"] == "2026-06-10T12:00:00.000Z" for event in events)
    assert letters == []
    assert partition._stage.counts["received", "loyalty", "points.redeemed"] == 1


def test_events_of_one_record_are_judged_one_by_one(partition: IntakePartition) -> None:
    """A refused one is a dead letter of the whole record; the other one is in the journal."""
    events, letters = taken(partition, record("loyalty", used(used=2.5, shop="Berlin")))

    assert [(event["type"], event["id"]) for event in events] == [("preference.set", "p1/2")]
    [letter] = letters
    assert json.loads(letter.value or b"")["used"] == 2.5
    assert letter.header["tierstream-dlq-reason"] == b"schema"
    assert letter.header["tierstream-dlq-topic"] == b"loyalty"


def test_an_event_of_another_format_can_be_late_or_early(partition: IntakePartition) -> None:
    """The limits of intake hold for all formats."""
    _, letters = taken(
        partition,
        record("loyalty", used(at="2020-01-01T00:00:00Z")),
        record("loyalty", used(at="2026-06-11T00:00:00Z")),
        record("loyalty", used(at="1899-12-31T00:00:00Z")),
    )

    assert [letter.header["tierstream-dlq-reason"] for letter in letters] == [b"late", b"bad_time", b"bad_time"]


def test_what_means_nothing_is_counted_and_opens_no_breaker(partition: IntakePartition) -> None:
    """A topic may be full of other things; a null value is one of them."""
    events, letters = taken(partition, *[record("loyalty", {"other": 1})] * 30, record("loyalty", None))

    assert (events, letters) == ([], [])
    assert partition._stage.counts["skipped", "loyalty", "no_rule"] == 30
    assert partition._stage.counts["skipped", "loyalty", "tombstone"] == 1


def test_a_mapping_that_does_not_fit_opens_the_breaker(partition: IntakePartition) -> None:
    """Refused records are counted as they are in our own form."""
    with pytest.raises(BreakerOpenError, match="loyalty"):
        partition.fold([record("loyalty", used(who=[]))] * 20, inf)


def test_only_other_formats_have_a_decoder(settings: Settings) -> None:
    """Our own form keeps its one way."""
    assert set(foreign_decoders(settings)) == {"loyalty", "x.browsing"}
    assert foreign_decoders(Settings()) == {}


def test_a_mapping_for_another_format_is_told(settings: Settings, tmp_path: Path) -> None:
    """Both files, and what each says."""
    (tmp_path / "maps" / "points.toml").write_text(POINTS.replace('"json"', '"outbox"'))

    with pytest.raises(ConfigurationError, match=r'(?s)for format = "outbox".*says format = "json"'):
        foreign_decoders(settings)


def test_mistakes_of_a_mapping_are_told_with_its_path(tmp_path: Path) -> None:
    """All of them, each with its line."""
    path = tmp_path / "m.toml"
    path.write_text(POINTS.replace("points.redeemed", "points.used").replace('"skip"', '"drop"'))

    with pytest.raises(ConfigurationError, match=r"(?s)has 2 mistakes.*m\.toml.*line 3.*line 6"):
        load_mapping(path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_mapping(tmp_path / "none.toml")
