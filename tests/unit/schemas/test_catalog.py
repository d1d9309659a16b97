"""The topic catalogue: names, retention and settings, and files that are wrong."""

import pytest

from schemas.catalog import CHANGELOG, RAW_TOPICS, TOPICS, load_topic
from schemas.clock import MS_PER_DAY

GOOD = "name: x\npurpose: p\nowner: o\nkey: k\ncleanup: delete\nretention: 5d\ntypes: []\n"


def test_the_topics_are_those_of_the_contract() -> None:
    """No topic appears or disappears unnoticed."""
    assert RAW_TOPICS == ("purchases", "browsing", "support", "engagement", "identity", "governance")
    assert set(TOPICS) == {
        *RAW_TOPICS,
        "imports",
        "customer-events",
        "intake-progress",
        "tier-changes",
        "churn-risk",
        "notices",
        "customer-profiles",
        "shadow-changes",
        "audit",
        "dead-letters",
    }


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("purchases", 400),
        ("browsing", 30),
        ("support", 400),
        ("engagement", 400),
        ("identity", 400),
        ("governance", 400),
        ("tier-changes", 90),
        ("churn-risk", 90),
        ("notices", 90),
        ("audit", 90),
        ("dead-letters", 30),
    ],
)
def test_a_topic_keeps_its_records_as_long_as_promised(name: str, days: int) -> None:
    """Retention in the settings is the one of the contract."""
    assert TOPICS[name].retention_ms == days * MS_PER_DAY
    assert TOPICS[name].config["retention.ms"] == str(days * MS_PER_DAY)
    assert TOPICS[name].config["cleanup.policy"] == "delete"


def test_the_journal_is_kept_for_ever() -> None:
    """The journal is what everything is rebuilt from."""
    assert TOPICS["customer-events"].config["retention.ms"] == "-1"


@pytest.mark.parametrize("name", ["customer-profiles", "intake-progress", "shadow-changes"])
def test_a_compacted_topic_has_no_retention(name: str) -> None:
    """The newest record per key stays."""
    assert TOPICS[name].config["cleanup.policy"] == "compact"
    assert "retention.ms" not in TOPICS[name].config


def test_what_was_removed_stays_visible_for_a_week() -> None:
    """A consumer may be away for days and still learn of an erasure, or that a trial was dropped."""
    for name in ("customer-profiles", "shadow-changes"):
        assert TOPICS[name].config["delete.retention.ms"] == str(7 * MS_PER_DAY)
    assert TOPICS["customer-profiles"].config["min.compaction.lag.ms"] == str(MS_PER_DAY // 24)


def test_changelogs_are_cleaned_early() -> None:
    """With the broker's defaults restoring grows to minutes."""
    assert CHANGELOG.config == {
        "cleanup.policy": "compact",
        "message.timestamp.type": "LogAppendTime",
        "segment.bytes": str(64 * 1024 * 1024),
        "segment.ms": "3600000",
        "min.cleanable.dirty.ratio": "0.2",
    }


def test_records_are_stamped_by_the_broker_everywhere() -> None:
    """With event times as timestamps, retention would delete an imported history at once."""
    for spec in (*TOPICS.values(), CHANGELOG):
        assert spec.config["message.timestamp.type"] == "LogAppendTime"


def test_a_catalogue_file_is_read() -> None:
    """The smallest file there can be."""
    assert load_topic(GOOD, source="x.yaml").retention_ms == 5 * MS_PER_DAY


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (GOOD.replace("purpose", "purpse"), "unknown field `purpse`"),
        (GOOD.replace("5d", "5h"), "written as"),
        (GOOD.replace("retention: 5d\n", ""), "belongs to"),
        (GOOD.replace("delete", "compact"), "belongs to"),
        (GOOD.replace("delete", "shred"), "Invalid enum value"),
        ("name: [", "x.yaml"),
    ],
)
def test_a_wrong_catalogue_file_is_an_error_that_names_the_file(text: str, complaint: str) -> None:
    """A misspelt key is never passed over in silence."""
    with pytest.raises(ValueError, match=complaint) as wrong:
        load_topic(text, source="x.yaml")
    assert str(wrong.value).startswith("x.yaml: ")
