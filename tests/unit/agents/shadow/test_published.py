"""What was published before a process began is not published again, and what is wrong on the topic is put right."""

from agents.replay.entry import Entry
from agents.shadow.differences import Differences, Publication
from agents.shadow.published import Newest, Published
from tests.journal import Journal
from tests.unit.agents.shadow.test_pair import HARD, HOUR, begun
from tests.unit.agents.shadow.trials import pair_of, trial_of
from tests.unit.agents.silver import AT, order

LEVEL = 10


def found_by(journal: Journal) -> tuple[list[Publication], Differences]:
    """Everything that a shadow finds in a journal, and how it stands in the end."""
    pair = pair_of(trial_of(HARD))
    for record in journal.records:
        pair.take(Entry(record.key or b"", record.value or b"", 0, record.offset, 0))
    return pair.differences.drain(), pair.differences


def history() -> Journal:
    """C1 differs and is level again; c2 differs."""
    journal = begun()
    journal.event(order(number=2), AT + HOUR)
    journal.event(order("c2"), AT + 2 * HOUR)
    return journal


def test_only_what_comes_after_the_topics_newest_is_news() -> None:
    """C1's first record is there already, its second got lost with the process that had found it."""
    found, differences = found_by(history())
    first, second, other = found
    published = Published({b"c1": Newest(1, first.known.id)}, LEVEL)

    assert published.news(found) == [second, other]
    assert published.news(found) == []
    assert published.corrections(LEVEL - 1, differences) == {}
    assert published.corrections(LEVEL, differences) == {}
    assert published.news(found) == found


def test_what_another_trial_left_gives_way() -> None:
    """Overwritten where the customer differs now, removed where they never did; once."""
    found, differences = found_by(history())
    published = Published({b"c2": Newest(0, "old"), b"c9": Newest(0, "old")}, LEVEL)

    assert published.news(found) == found
    assert published.corrections(LEVEL, differences) == {b"c9": None}
    assert published.corrections(LEVEL, differences) == {}


def test_what_another_release_found_is_put_right() -> None:
    """The same sequence with another id: as it stands now, it is written again."""
    found, differences = found_by(history())
    published = Published({b"c1": Newest(2, "another"), b"c2": Newest(7, "more than we know of")}, LEVEL)

    assert published.news(found) == []
    assert published.corrections(LEVEL, differences) == {b"c1": found[1].known, b"c2": found[2].known}
