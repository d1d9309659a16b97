"""The lazy fold where laziness would show: records stamped before a tick, policies put in force behind one."""

from collections import defaultdict
from collections.abc import Callable

import pytest

from agents.errors import ConfigurationError
from agents.replay.entry import Entry
from agents.replay.fold import JournalFold
from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import InputEvent
from streams.effects import Effects
from tests.journal import HOME, Journal, folded
from tests.unit.agents.replay.journals import strict_policy
from tests.unit.agents.silver import AT, FALLS, journal_with_orders, order

LATER = FALLS + 5 * MS_PER_DAY


def on(day: int, customer: str = "c1", number: int = 1) -> InputEvent:
    """An order of a day, and its number."""
    event = order(customer, number=number)
    event.time = format_instant(AT + day * MS_PER_DAY)
    return event


def stamped_behind_a_tick(journal: Journal) -> None:
    """A customer who comes after a tick, stamped before it: the tick was not about them."""
    journal.tick(LATER)
    journal.event(on(0, "late", 8), AT)
    journal.event(on(1, "late", 9), AT + MS_PER_DAY)


def a_tick_behind_another(journal: Journal) -> None:
    """The second one changes nothing for who was there, and is all that passes for who came between."""
    journal.tick(LATER)
    journal.event(on(0, "late", 8), AT)
    journal.tick(AT + 200 * MS_PER_DAY)
    journal.event(on(1, "late", 9), AT + MS_PER_DAY)


def a_policy_behind_a_tick(journal: Journal) -> None:
    """What was due up to the tick was judged by the policy of then."""
    journal.tick(LATER)
    journal.activate(strict_policy(), AT + 100 * MS_PER_DAY)
    journal.tick(LATER + 1)


def a_history_behind_a_tick(journal: Journal) -> None:
    """What was due up to the tick was told; what is due later is not, before the go-live."""
    journal.tick(LATER)
    old = on(500, "old", 7)
    old.backfill = True
    journal.event(old, AT + 500 * MS_PER_DAY)
    journal.event(on(501, "c1", 9), AT + 501 * MS_PER_DAY)
    journal.go_live(AT + 502 * MS_PER_DAY)


@pytest.mark.parametrize(
    "write", [stamped_behind_a_tick, a_tick_behind_another, a_policy_behind_a_tick, a_history_behind_a_tick]
)
def test_it_gives_what_the_stage_gives(write: Callable[[Journal], None]) -> None:
    """Decisions in their order, with their causes and instants, and the bytes of the states."""
    journal = journal_with_orders("c1", "c2")
    write(journal)
    told: dict[bytes, list[tuple[str, str]]] = defaultdict(list)

    def tell(effects: Effects, _entry: Entry | None, /) -> None:
        told[effects.key] += [(change.decision.cause, change.id) for change in effects.changes]

    fold = JournalFold(HOME, tell)
    for record in journal.records:
        fold.take(Entry(record.key or b"", record.value or b""))
    fold.close()
    expected = folded(journal.records)

    assert dict(fold.encoded()) == {key: expected.changelog[key] for key in expected.customers()}
    for key, changes in told.items():
        published = [r.data for topic in ("tier-changes", "churn-risk") for r in expected.of(topic, key)]
        assert sorted(changes) == sorted((data["cause"], data["id"]) for data in published)
    assert told.keys() == set(expected.customers())


def test_events_before_any_policy_are_refused() -> None:
    """Unless one is given."""
    journal = journal_with_orders()
    records = [Entry(record.key or b"", record.value or b"") for record in journal.records[1:]]
    with pytest.raises(ConfigurationError, match="before its first policy"):
        JournalFold(HOME, lambda _effects, _entry: None).take(records[0])
    fold = JournalFold(HOME, lambda _effects, _entry: None, policy=strict_policy())
    fold.take(records[0])
    assert len(fold) == fold.events == 1
