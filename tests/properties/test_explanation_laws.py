"""Whatever the life and the instant: an explanation follows from its own events, and agrees with the state."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.replay.explaining import explanation_at
from agents.replay.history import standing_at
from schemas.clock import MS_PER_DAY, format_instant, parse_instant
from streams.explain.report import Explanation
from streams.explain.words import LANGUAGES, lines_of
from tests.explaining import history_in
from tests.properties.rich_lives import Life, lives, rich_journal


@settings(max_examples=150, deadline=None)
@given(lives, st.integers(0, 29), st.sampled_from((0, 1, 20, 90, 400)))
def test_an_explanation_agrees_with_the_state(life: Life, place: int, days: int) -> None:
    """Made without an error, so every value follows; tiers are those of the state, and JSON gives it back whole."""
    journal, instants = rich_journal(life)
    at = instants[place % len(instants)] + days * MS_PER_DAY
    history = history_in(journal, b"c0")
    explained, stood = explanation_at(history, at), standing_at(history, at)

    assert explained is not None
    assert stood is not None
    assert explained.as_of == format_instant(at)
    for ladder, rules, standing in zip(explained.ladders, stood.regime.ladders, stood.state.ladders, strict=True):
        shown, ruled = rules.tier(standing.shown), rules.tier(standing.rank)
        assert (ladder.tier.id if ladder.tier else None) == (shown.id if shown else None)
        assert ladder.rules_tier == (ruled.id if ruled else None)
        assert all(format_instant(at) < each.at for each in ladder.ahead)
        for hand in ladder.by_hand:
            assert hand.actor is not None
            assert hand.actor.startswith("agent-")
    again = msgspec.json.decode(msgspec.json.encode(explained), type=Explanation)
    assert again == explained
    for language in LANGUAGES:
        assert all(lines_of(explained, language))


@settings(max_examples=150, deadline=None)
@given(lives, st.integers(0, 29), st.sampled_from((0, 1, 20, 90, 400)))
def test_what_is_foretold_comes_true(life: Life, place: int, days: int) -> None:
    """If nothing more happens, the tier falls at the instant foretold, to the tier foretold; so does the risk rise."""
    journal, instants = rich_journal(life[: place + 1])
    at = instants[-1] + days * MS_PER_DAY
    history = history_in(journal, b"c0")
    explained = explanation_at(history, at)

    assert explained is not None
    for number, ladder in enumerate(explained.ladders):
        changes = [a for a in ladder.ahead if a.kind == "fall"]
        for fall in changes:
            if any(a.kind != "fall" and a.at <= fall.at and a.kind.endswith("_ends") for a in ladder.ahead):
                continue
            falls_at = parse_instant(fall.at)
            before, after = (explanation_at(history, instant) for instant in (falls_at - 1, falls_at))
            assert before is not None
            assert after is not None
            assert before.ladders[number].tier == ladder.tier
            assert (told := after.ladders[number].tier) is None or told.id == fall.tier
    if explained.risk is not None and explained.risk.next_band_at is not None:
        risen = explanation_at(history, parse_instant(explained.risk.next_band_at))
        assert risen is not None
        assert risen.risk is not None
        assert risen.risk.band == explained.risk.next_band
