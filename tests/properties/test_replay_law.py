"""The lazy fold of replay and the customers stage give the same: bytes of states, decisions, refusals, in order."""

from collections import Counter, defaultdict

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agents.outputs import Outbox
from agents.replay.entry import Entry
from agents.replay.fold import JournalFold
from agents.runtime.stage import Record
from schemas.catalog import TOPICS
from schemas.clock import MS_PER_DAY
from streams.effects import Effects
from streams.standing.profile import profile
from tests.journal import HOME, JOURNAL, Journal, Published, folded
from tests.properties.journals import GAPS_MS, POLICIES, START_MS, Happening, arrivals, happenings, long
from tests.properties.test_partition_laws import CHANGES, Control, by_customer, controls, last, states, write

END_MS = 400 * MS_PER_DAY


class Collected:
    """A fold, and what it told, as the topics would have it."""

    def __init__(self, decoded_max: int) -> None:
        self._outbox = Outbox({name: name for name in TOPICS}, 0, Counter())
        self.fold = JournalFold(HOME, self.tell, decoded_max=decoded_max)

    def tell(self, effects: Effects, entry: Entry | None) -> None:
        """As the stage does."""
        record = entry and Record(JOURNAL, 0, entry.offset, 0, 1, entry.key, entry.value, ())
        self._outbox.collect(effects.key, effects, record)

    def take(self, journal: Journal, first: int = 0, end: int | None = None) -> None:
        """Fold records of a journal."""
        for record in journal.records[first:end]:
            assert record.key is not None
            assert record.value is not None
            self.fold.take(Entry(record.key, record.value, 0, record.offset, 0))

    def topics(self) -> dict[str, list[Published]]:
        """Everything told so far."""
        found: dict[str, list[Published]] = defaultdict(list)
        for (topic, _), records in self._outbox.drain().items():
            found[topic] += [Published(*record) for record in records]
        return found


def journal_of(items: list[Happening | Control | int], first: int) -> Journal:
    """Events, control records, and numbers: from an odd one on, events are history; an even one goes live."""
    journal, now, history = Journal(), START_MS, False
    journal.activate(POLICIES[first], 0)
    for number, item in enumerate(items):
        match item:
            case Happening():
                now += GAPS_MS[item.gap]
                for event, recorded_at in arrivals([item._replace(gap=0)]):
                    event.id, event.backfill = f"e{number}", history
                    journal.event(event, recorded_at + now - START_MS)
            case Control():
                write(journal, item, now + item.shift)
            case _ if item % 2:
                history = True
            case _:
                history = False
                journal.go_live(now)
    journal.close(now + END_MS)
    return journal


items = long(st.one_of(happenings(), happenings(), happenings(), controls, st.integers(0, 1)), 40)


@settings(max_examples=200, deadline=None)
@given(items, st.integers(1, 4), st.integers(0, len(POLICIES) - 1), st.integers(0, 40))
@example(  # whose first record is stamped before a tick that it follows: the tick found nobody
    [
        Control("activate", 3_600_000, 0),
        Happening(0, "order", 0, 0, 0, 0),
        Control("tick", 3_600_000, 0),
        Happening(0, "order", 1, 0, 0, 0),
    ],
    1,
    0,
    0,
)
def test_replay_gives_what_the_stage_gives(
    items: list[Happening | Control | int], decoded_max: int, first: int, cut: int
) -> None:
    """Whatever the journal; and a fold that is restored from the states of another goes on as that one."""
    journal = journal_of(items, first)
    expected = folded(journal.records)
    whole, begun, resumed = (Collected(decoded_max) for _ in range(3))
    whole.take(journal)
    whole.fold.close()
    begun.take(journal, 0, cut)
    resumed.fold.restore(list(begun.fold.states()))
    resumed.take(journal, cut)
    resumed.fold.close()
    one, first_part, second_part = whole.topics(), begun.topics(), resumed.topics()

    for topic in (*CHANGES, "dead-letters"):
        assert by_customer(one[topic]) == by_customer(expected.topics[topic]), topic
        assert by_customer(first_part[topic] + second_part[topic]) == by_customer(expected.topics[topic]), topic
    wanted = {key: value for key, value in states(expected).items() if not key.startswith(b"\0")}
    assert dict(whole.fold.encoded()) == dict(resumed.fold.encoded()) == wanted
    profiles = {
        key: profile(state, whole.fold.regimes[state.ordinal], key.decode()) for key, state in whole.fold.customers()
    }
    assert {key: record.data["revision"] for key, record in last(expected.topics["customer-profiles"]).items()} == {
        key: found.revision for key, found in profiles.items()
    }
