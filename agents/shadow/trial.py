"""What is tried, from when on, and how far each partition is with it, as the topic `shadow-changes` keeps them."""

import hashlib
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from schemas.clock import parse_canonical
from schemas.decisions import PolicyRef
from schemas.fields import Count, Id, Instant, Text

TOPIC: Final = "shadow-changes"
TRIAL_KEY: Final = b"\x00trial"
"""In partition 0: the trial under way; none, or a null value, when there is none."""
PROGRESS_KEY: Final = b"\x00progress"
"""In each partition: how far it is."""
SINCE_EVER: Final = "1970-01-01T00:00:00.000Z"
"""A candidate in force since then decides instead of every policy that was activated."""

Counts = dict[str, dict[str, int]]
"""Ladder (`churn_risk` for the bands) to tier to customers."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that is tried. Everything that is published of it follows from this and the journal."""

    id: Id
    name: Text
    hash: Id
    text: str
    """The whole policy as canonical JSON text."""
    effective_at: Instant
    """From when on it decides on the shadow's side."""
    started_at: Instant
    """Up to when the journal was known to be complete when the trial began."""
    positions: tuple[Annotated[int, Meta(ge=0)], ...]
    """Per partition, where the journal ended then: from there on differences are published."""

    @property
    def from_start(self) -> bool:
        """Whether the candidate decides from the begin of the history."""
        return self.effective_at == SINCE_EVER

    @property
    def effective_ms(self) -> int:
        """`effective_at` in epoch ms."""
        return parse_canonical(self.effective_at)

    @property
    def ref(self) -> PolicyRef:
        """The candidate as outputs name it."""
        return PolicyRef(name=self.name, hash=self.hash)


def trial_id(policy_hash: str, effective_at: str, started_at: str, positions: tuple[int, ...]) -> str:
    """The id of a trial: another one for each start."""
    told = f"{policy_hash} {effective_at} {started_at} {positions}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far one partition of a trial is. Operational: written every few seconds, never the same twice."""

    trial: Id
    position: Count
    """The first record of the journal that is not in it."""
    latest: Instant | None
    """The latest instant that is in it."""
    level: bool
    """Whether it had caught up when this was written."""
    customers: Count
    live: Counts
    """Where customers stand, by the activated policies."""
    begun: Count
    ended: Count


_encode: Final = msgspec.json.Encoder().encode


def encode_record(record: Trial | Progress) -> bytes:
    """The value of one of the shadow's own records."""
    return _encode(record)


def decode_trial(value: bytes | None) -> Trial | None:
    """The trial of a record; None after its end."""
    return None if value is None else msgspec.json.decode(value, type=Trial)


def decode_progress(value: bytes | None) -> Progress | None:
    """The progress of a record; None after the trial's end."""
    return None if value is None else msgspec.json.decode(value, type=Progress)


def is_own(record: Any) -> bool:  # noqa: ANN401 - kafka-python is untyped
    """Whether a record of the topic is the shadow's own, and not about a customer."""
    return bool(record.key[:1] == b"\0")
