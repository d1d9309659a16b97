"""States, policies and position of one unit of a replay on disk, so that a later one need not begin at the begin.

A snapshot holds what the changelog holds, so customers' ids stand in it: its files are readable by their owner alone.
It is written beside its name and renamed when it is whole; a checksum at its end tells a torn one. It fits the same
journal, application version, state version, policy and settings only; whatever else is found is passed over.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from struct import Struct
from struct import error as StructError  # noqa: N812 - an exception's name
from typing import Final
from zlib import crc32

import msgspec

from agents.runtime.stage import StateRecord

FORMAT: Final = 1
KEPT: Final = 8
"""Snapshots of a unit that are kept, the newest ones."""
_LENGTHS: Final = Struct(">iI")
_END: Final = -1
_SUFFIX: Final = ".snapshot"


class Fit(msgspec.Struct, frozen=True, array_like=True):
    """What a snapshot must agree with to be of use."""

    journal: str
    """Which journal it is: a topic's id, or what identifies a file."""
    app_version: str
    state_version: int
    policy: str
    """Hash of the policy that decides instead of the activated ones; else empty."""
    dedupe: bool
    unit: str
    """Which part of the journal, of how many."""
    format: int = FORMAT


class Head(msgspec.Struct, frozen=True, array_like=True):
    """How far it is."""

    fit: Fit
    position: int
    """The first record that is not in it."""
    latest: int
    """The latest instant that is in it: it is of no use for an earlier one."""
    events: int
    proof: str
    """What the journal holds just before the position, where the journal can tell."""
    homes: list[tuple[int, int] | None]
    """The folds whose states follow, in this order."""


class Found(msgspec.Struct, frozen=True):
    """A snapshot that fits."""

    head: Head
    path: Path

    def states(self) -> Iterator[list[StateRecord]]:
        """The states of each of its folds."""
        with self.path.open("rb") as file:
            _read_head(file.read)
            for _ in self.head.homes:
                yield list(_records(file.read))


class Snapshots:
    """The snapshots of one unit in a folder."""

    def __init__(self, folder: Path, fit: Fit, *, kept: int = KEPT) -> None:
        """`kept` newest ones stay."""
        self._folder, self._fit, self._kept = folder, fit, kept
        self._stem = f"{crc32(fit.journal.encode()):08x}-{fit.unit}-{crc32(fit.policy.encode()):08x}-"

    def newest(self, until: int, holds: Callable[[Head], bool]) -> Found | None:
        """The newest one that fits, holds nothing after `until`, and whose place in the journal `holds` confirms."""
        for path in sorted(self._folder.glob(f"{self._stem}*{_SUFFIX}"), reverse=True):
            head = _verified(path)
            if head is not None and head.fit == self._fit and head.latest <= until and holds(head):
                return Found(head, path)
        return None

    def write(self, head: Head, states: Iterator[Iterator[StateRecord]]) -> None:
        """Write one, and remove the oldest beyond those that are kept."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{self._stem}{head.position:020d}{_SUFFIX}"
        beside = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            said, check = msgspec.msgpack.encode(head), 0
            parts = _packed(len(said).to_bytes(4, "big") + said, states)
            for part in parts:
                check = crc32(part, check)
                file.write(part)
            file.write(check.to_bytes(4, "big"))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        for old in sorted(self._folder.glob(f"{self._stem}*{_SUFFIX}"))[: -self._kept]:
            old.unlink(missing_ok=True)


def forget(folder: Path, policy: str) -> None:
    """Remove the snapshots of every unit that were made under a policy's `Fit.policy`."""
    for path in folder.glob(f"*-{crc32(policy.encode()):08x}-*{_SUFFIX}"):
        path.unlink(missing_ok=True)


def forget_others(folder: Path, fit: Fit) -> None:
    """Remove the snapshots of the same journal that were made under another `Fit.policy`."""
    for path in folder.glob(f"{crc32(fit.journal.encode()):08x}-*{_SUFFIX}"):
        if f"-{crc32(fit.policy.encode()):08x}-" not in path.name:
            path.unlink(missing_ok=True)


def _packed(head: bytes, states: Iterator[Iterator[StateRecord]]) -> Iterator[bytes]:
    yield head
    for records in states:
        for key, value in records:
            if value is not None:
                yield _LENGTHS.pack(len(key), len(value)) + key + value
        yield _LENGTHS.pack(_END, 0)


def _verified(path: Path) -> Head | None:
    """The head of a whole snapshot; None when it is torn or of another format."""
    try:
        with path.open("rb") as file:
            left, check = path.stat().st_size - 4, 0
            while left > 0 and (part := file.read(min(left, 1 << 20))):
                check, left = crc32(part, check), left - len(part)
            if file.read() != check.to_bytes(4, "big"):
                return None
            file.seek(0)
            return _read_head(file.read)
    except (OSError, msgspec.DecodeError, StructError):
        return None


def _read_head(read: Callable[[int], bytes]) -> Head:
    return msgspec.msgpack.decode(read(int.from_bytes(read(4), "big")), type=Head)


def _records(read: Callable[[int], bytes]) -> Iterator[StateRecord]:
    while True:
        key_bytes, value_bytes = _LENGTHS.unpack(read(_LENGTHS.size))
        if key_bytes == _END:
            return
        yield read(key_bytes), read(value_bytes)
