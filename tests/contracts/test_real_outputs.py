"""What the pipeline really publishes and journals obeys the published schemas, over all told stories."""

import json
from functools import cache
from pathlib import Path

import pytest

from schemas.cloudevents import decode_output
from schemas.rejections import RefusalReason
from tests.contracts.corpus import validator
from tests.scenarios.language import stories
from tests.scenarios.playing import Play

TOLD = dict(stories(Path(__file__).parent.parent / "scenarios"))
SCHEMA_OF = {
    "tier-changes": "customer.tier_changed.v1.json",
    "churn-risk": "customer.churn_risk_changed.v1.json",
    "customer-profiles": "customer.profile.v1.json",
}


@cache
def played(name: str) -> Play:
    play = Play(TOLD[name])
    for step in TOLD[name].steps:
        play.play(step)
    return play


@pytest.mark.parametrize("name", TOLD)
def test_what_is_published_obeys_its_schema(name: str) -> None:
    """Every change and profile is a message that consumers were promised, and its headers repeat its attributes."""
    topics = played(name).committed.topics
    for topic, file in SCHEMA_OF.items():
        for record in topics[topic]:
            assert record.value is not None
            message = json.loads(record.value)
            assert [str(error) for error in validator(file).iter_errors(message)] == []
            assert record.key == decode_output(record.value).decision.customer_id.encode()
            attributes = {
                name.removeprefix("ce_"): text.decode() for name, text in record.headers if text and "ce_" in name
            }
            assert attributes.items() <= message.items()


@pytest.mark.parametrize("name", TOLD)
def test_what_is_journalled_obeys_its_schema(name: str) -> None:
    """Every journal record can be checked by anybody who reads the topic."""
    for record in played(name).journal.records:
        assert record.value is not None
        errors = [str(error) for error in validator("journal.v1.json").iter_errors(json.loads(record.value))]
        assert errors == []


def test_the_stories_publish_every_kind_and_refuse_something() -> None:
    """The two facts above are about something."""
    counts = dict.fromkeys([*SCHEMA_OF, "dead-letters"], 0)
    for name in TOLD:
        for topic in counts:
            counts[topic] += len(played(name).committed.topics[topic])
    reasons = {
        text.decode()
        for name in TOLD
        for record in played(name).committed.topics["dead-letters"]
        for header, text in record.headers
        if header == "tierstream-dlq-reason" and text
    }

    assert all(counts.values()), counts
    assert reasons <= {reason.value for reason in RefusalReason}
