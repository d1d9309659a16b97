"""Every step of every story can be explained, and what is explained is what the stage holds and published."""

from pathlib import Path

import pytest

from agents.replay.explaining import explanation_at
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
