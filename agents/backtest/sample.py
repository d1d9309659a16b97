"""Customers drawn by a hash of their id: the same ones in every run, whatever else is in the journal."""

from collections.abc import Iterator
from hashlib import blake2b
from heapq import nsmallest
from math import sqrt
from typing import Final, NamedTuple

import msgspec

from agents.replay.journal_file import Home, Read
from agents.replay.unit import Journal
from schemas.fields import ANONYMOUS_PREFIX
from schemas.journal import is_control_key

ALL: Final = 2**64
"""A limit below which every hash lies."""
_ANONYMOUS = ANONYMOUS_PREFIX.encode()


class Drawn(msgspec.Struct, frozen=True):
    """A journal with the drawn customers alone. May be pickled."""

    journal: Journal
    limit: int
    """Below it lie the hashes of those who are drawn."""

    @property
    def name(self) -> str:
        """What errors call it."""
        return self.journal.name

    def units(self, processes: int) -> list[str]:
        """Names of the parts that are folded apart."""
        return self.journal.units(processes)

    def identity(self, unit: str) -> str:
        """What tells this journal from others."""
        return f"{self.journal.identity(unit)}/{self.limit}"

    def proof(self, position: int) -> str:
        """What it holds before a position."""
        return self.journal.proof(position)

    def homes(self, unit: str) -> list[Home | None]:
        """By which its customers are parted."""
        return self.journal.homes(unit)

    def span(self, unit: str) -> tuple[int, int]:
        """Where it begins and ends."""
        return self.journal.span(unit)

    def read(self, unit: str, position: int) -> Iterator[Read]:
        """Its records from a position to the present end."""
        for entries, after in self.journal.read(unit, position):
            kept = [e for e in entries if is_control_key(e.key) or is_drawn(e.key, self.limit)]
            yield Read(kept, after)


class Sample(NamedTuple):
    """Who is looked at."""

    limit: int = ALL
    population: int | None = None
    """How many customers there are, where they were counted."""

    def standard_error(self, share: float, customers: int) -> float:
        """Of a share that was found among so many drawn customers; 0 when nobody was left out.

        Without replacement, from this journal's customers: the more of them are drawn, the less is left to chance.
        """
        if customers <= 1 or self.limit == ALL:
            return 0.0
        drawn = customers / self.population if self.population else self.limit / ALL
        return sqrt(share * (1 - share) / (customers - 1) * max(0.0, 1 - drawn))


def drawn_by(key: bytes, salt: bytes = b"") -> int:
    """The hash by which a customer is drawn or not."""
    return int.from_bytes(blake2b(key, digest_size=8, salt=salt, person=b"sample").digest(), "big")


def is_drawn(key: bytes, limit: int, salt: bytes = b"") -> bool:
    """Whether a customer is drawn."""
    return limit == ALL or drawn_by(key, salt) < limit


def of_share(share: float) -> Sample:
    """A share of all customers, about."""
    return Sample(round(share * ALL))


def of_number(journal: Journal, number: int) -> Sample:
    """So many customers, exactly: their ids are read first."""
    keys = {
        entry.key
        for unit in journal.units(1)
        for entries, _ in journal.read(unit, journal.span(unit)[0])
        for entry in entries
        if not is_control_key(entry.key) and not entry.key.startswith(_ANONYMOUS)
    }
    if number >= len(keys):
        return Sample(ALL, len(keys))
    return Sample(nsmallest(number + 1, map(drawn_by, keys))[-1], len(keys))
