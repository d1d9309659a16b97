"""The due index against a plain dictionary: nobody is ever late, nobody is run twice, the order is (due, id)."""

from itertools import islice

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from streams.due import BUCKET_MS, DueIndex

keys = st.sampled_from([b"a", b"b", b"c", b"d", "客户".encode()])
instants = st.integers(0, 6).map(lambda hour: hour * BUCKET_MS) | st.integers(0, 6 * BUCKET_MS)
NEVER = 2**62


class DueIndexAgainstADictionary(RuleBasedStateMachine):
    """Customers get due, get due earlier, get due later without a word, and are taken when their time has come."""

    def __init__(self) -> None:
        super().__init__()
        self.truth: dict[bytes, int] = {}
        self.index = DueIndex(self.truth.__getitem__)

    @rule(key=keys, due=instants | st.just(NEVER))
    def becomes_due(self, key: bytes, due: int) -> None:
        """As after an event: only an earlier due instant is told to the index."""
        before = self.truth.get(key, NEVER)
        self.truth[key] = due
        if due < before:
            self.index.add(key, due)

    @rule(key=keys)
    def is_told_again(self, key: bytes) -> None:
        """As after a restart or a new policy: entries may be there already."""
        if key in self.truth:
            self.index.add(key, self.truth[key])

    @rule(key=keys, early=instants)
    def is_told_too_early(self, key: bytes, early: int) -> None:
        """An entry may be earlier than the truth, never later."""
        if early <= self.truth.get(key, -1):
            self.index.add(key, early)

    @rule(until=instants)
    def asks_for_the_earliest(self, until: int) -> None:
        """The true earliest instant, if it has come."""
        earliest = min(self.truth.values(), default=NEVER)
        assert self.index.earliest(until) == (earliest if earliest <= until else None)

    @rule(until=instants, again=st.lists(instants | st.just(NEVER), max_size=6), stops_after=st.integers(0, 8))
    def runs_who_is_due(self, until: int, again: list[int], stops_after: int) -> None:
        """Each one run gets due again later, perhaps within the same run; the run may stop in between."""
        for key in islice(self.index.take(until), stops_after):
            due, expected = min((due, key) for key, due in self.truth.items())
            assert key == expected
            assert due <= until
            later = again.pop() if again else NEVER
            self.truth[key] = max(later, due + 1)
            self.index.add(key, self.truth[key])

    @invariant()
    def nobody_is_lost(self) -> None:
        """Whoever is due at all is found when everything has come."""
        earliest = min(self.truth.values(), default=NEVER)
        if not self.index_is_open_to(earliest):
            return
        assert self.index.earliest(earliest) == earliest

    def index_is_open_to(self, earliest: int) -> bool:
        """Looking opens hours, so the invariant looks only where that is nothing new."""
        return earliest < NEVER and earliest // BUCKET_MS <= self.index._open_until


TestDueIndex = DueIndexAgainstADictionary.TestCase
TestDueIndex.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
