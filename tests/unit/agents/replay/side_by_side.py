"""A journal record by record, with what each led to, under several policies side by side: for comparing policies."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from agents.replay.entry import Entry
from agents.replay.fold import FOR_EVER, JournalFold
from agents.replay.routing import Routes
from agents.replay.unit import Journal
from streams.effects import Change, Effects, Refused
from streams.policy.model import Policy


class Outcome(NamedTuple):
    """What one policy made of it."""

    changes: list[Change]
    refused: list[Refused]


class Judged(NamedTuple):
    """A customer's record, or the passing of time, and the decisions of each policy."""

    customer: bytes
    entry: Entry | None
    """None: time or a control record brought it about."""
    outcomes: tuple[Outcome, ...]
    """One per policy, in their order; empty lists where it decided nothing."""


class Walk:
    """One way through a unit of a journal. `None` among the policies stands for those that were activated."""

    def __init__(
        self,
        journal: Journal,
        unit: str,
        policies: Sequence[Policy | None] = (None,),
        *,
        dedupe: bool = True,
        until: int = FOR_EVER,
    ) -> None:
        self._journal, self._unit, self._count = journal, unit, len(policies)
        homes = journal.homes(unit)
        self._routes = Routes(journal.name, homes)
        self._told: dict[bytes, list[list[Effects]]] = {}
        self.folds = [
            [
                JournalFold(home, self._collector(place), dedupe=dedupe, policy=policy, until=until)
                for place, policy in enumerate(policies)
            ]
            for home in homes
        ]
        """Per home, one fold per policy."""

    def __iter__(self) -> Iterator[Judged]:
        """Every event, also where it led to nothing, and every stretch of time that led to something."""
        begin, _ = self._journal.span(self._unit)
        for entries, _ in self._journal.read(self._unit, begin):
            for entry in entries:
                for place in self._routes.of(entry):
                    for fold in self.folds[place]:
                        fold.take(entry)
                yield from self._judged(None if entry.key[:1] == b"\0" else entry)
        for folds in self.folds:
            for fold in folds:
                fold.close()
        yield from self._judged(None)

    def _judged(self, entry: Entry | None) -> Iterator[Judged]:
        told, self._told = self._told, {}
        if entry is not None:
            own = told.pop(entry.key, self._nothing())
            told = {**told, entry.key: own}
        for customer, per_policy in told.items():
            outcomes = (
                Outcome([c for e in effects for c in e.changes], [r for e in effects for r in e.refused])
                for effects in per_policy
            )
            yield Judged(customer, entry if entry and entry.key == customer else None, tuple(outcomes))

    def _nothing(self) -> list[list[Effects]]:
        return [[] for _ in range(self._count)]

    def _collector(self, place: int) -> "_Collector":
        return _Collector(self, place)

    def collect(self, place: int, effects: Effects) -> None:
        """Keep what a policy's fold tells until the record is through."""
        kept = Effects(effects.key)
        kept.changes, kept.refused = effects.changes, effects.refused
        self._told.setdefault(effects.key, self._nothing())[place].append(kept)


class _Collector:
    """Hears one policy's fold."""

    def __init__(self, walk: Walk, place: int) -> None:
        self._walk, self._place = walk, place

    def __call__(self, effects: Effects, _entry: Entry | None, /) -> None:
        self._walk.collect(self._place, effects)
