"""Every step of every story can be explained, and what is explained is what the stage holds and published."""

from pathlib import Path

import pytest

from agents.replay.explaining import explanation_at
from streams.explain.words import LANGUAGES, lines_of
from tests.explaining import history_in
from tests.scenarios.language import stories
from tests.scenarios.playing import Play

TOLD = dict(stories(Path(__file__).parent))


@pytest.mark.parametrize("name", TOLD)
def test_every_step_of_a_story_is_explained(name: str) -> None:
    """The tier, since when, and the change that brought it are those of the topics; all of it follows from events."""
    play = Play(TOLD[name])
    for step in TOLD[name].steps:
        play.play(step)
        explained = explanation_at(history_in(play.journal, play.key), None)
        if explained is None:
            assert play.key not in play.committed.changelog
            continue
        held = {each["ladder"]: each for each in play.profile().data["tiers"]}
        changes = {record.data["ladder"]: record.data for record in play.committed.of("tier-changes", play.key)}
        assert {ladder.ladder for ladder in explained.ladders} >= held.keys()
        for ladder in explained.ladders:
            standing, change = held.get(ladder.ladder), changes.get(ladder.ladder)
            assert (ladder.tier.id if ladder.tier else None) == (standing and standing["tier"]["id"])
            if standing is not None:
                assert ladder.since == standing["since"]
            if change is not None:  # while a history is loaded, nothing is told
                assert ladder.decision is not None
                assert ladder.decision.id == change["id"]
                assert bool(ladder.decided_by) is bool(change["reasons"])


def test_what_keeps_a_tier_is_told_with_enter_where_keep_leaves_it_out() -> None:
    """While it is kept by `enter` alone, and as it is found missing; in both languages."""
    play = Play(TOLD["staying: Who still meets enter keeps a tier that asks for something else to be kept"])
    kept = {
        "en": "What keeps friend: at least 2 visits in the last 30 days or at least 100.00 USD net spend in the last",
        "zh": "friend的保级条件：近 30 天访问满 2 次，或近 365 天净消费满 100.00 USD。目前",  # noqa: RUF001 - as it is set
    }
    found = []
    for step in play.story.steps[:2]:
        play.play(step)
        explained = explanation_at(history_in(play.journal, play.key), None)
        assert explained is not None
        found.append(explained.ladders[0])
        for language in LANGUAGES:
            lines = [line.text for line in lines_of(explained, language)]
            assert [line for line in lines if line.startswith(kept[language])], lines
    before, ladder = found
    assert [each.keep.met for each in found if each.keep] == [True, False]
    assert before.to_keep == ladder.to_keep
    assert [(each.metric, each.value) for each in ladder.to_keep] == [("visits", 2), ("spend_minor", 10_000)]
