"""Journals in files: JSONL, one journal value per line, or Parquet, one per row in a column `value`.

The order is that of the journal, as far as one customer and the control records before and after are concerned;
partitions may interleave or follow each other. A control record with a `home` concerns the customers of that home, one
without concerns all. A Parquet file's other columns are ignored.
"""

from collections.abc import Iterator
from hashlib import blake2b
from os import SEEK_END
from pathlib import Path
from typing import Any, Final, NamedTuple
from zlib import crc32

import msgspec

from agents.errors import ConfigurationError
from agents.replay.entry import Entry
from agents.user_files import unreadable
from schemas.fields import ANONYMOUS_PREFIX
from schemas.journal import ControlRecord, CountersRestated, decode_journal, is_control_key

BATCH: Final = 4_096
PROOF_BYTES: Final = 4_096
IDENTITY_BYTES: Final = 65_536
LOOK_FOR_HOMES: Final = 1_000
"""A journal begins with its policies: among so many first records there is one with a home, if any has."""
Home = tuple[int, int]


class _Keyed(msgspec.Struct, gc=False):
    """As much of a record as its key takes."""

    type: str = ""
    customer_id: str = ""
    anonymous_id: str = ""


class Read(NamedTuple):
    """Some records, and the position after them."""

    entries: list[Entry]
    position: int


_keyed = msgspec.json.Decoder(_Keyed).decode


def key_of(value: bytes) -> bytes:
    """The journal key of a value. msgspec.DecodeError when it is no record."""
    found = _keyed(value)
    if found.customer_id:
        return found.customer_id.encode()
    if found.anonymous_id:
        return (ANONYMOUS_PREFIX + found.anonymous_id).encode()
    return b"\0" + found.type.encode()


class JournalFile(msgspec.Struct, frozen=True):
    """A file that is there. May be pickled."""

    path: str

    @property
    def name(self) -> str:
        """What errors call it."""
        return self.path

    def check(self) -> None:
        """Raise ConfigurationError when it cannot be read."""
        try:
            with Path(self.path).open("rb"):
                pass
        except OSError as error:
            raise unreadable(Path(self.path), "The journal file", error) from error

    def units(self, processes: int) -> list[str]:
        """Names of the parts that are folded apart: shares of the customers."""
        return [f"share-{number}-of-{processes}" for number in range(processes)]

    def identity(self, _unit: str) -> str:
        """What tells this journal from others; the same when records are appended."""
        with Path(self.path).open("rb") as file:
            if self._parquet:  # its end describes all of it
                file.seek(max(0, file.seek(0, SEEK_END) - IDENTITY_BYTES))
            telling = file.read(IDENTITY_BYTES) if self._parquet else file.readline(IDENTITY_BYTES)
        return f"file:{blake2b(telling, digest_size=16).hexdigest()}"

    def proof(self, position: int) -> str:
        """What it holds before a position."""
        if self._parquet:
            return ""  # its identity covers the whole file
        with Path(self.path).open("rb") as file:
            file.seek(max(0, position - PROOF_BYTES))
            return blake2b(file.read(min(position, PROOF_BYTES)), digest_size=16).hexdigest()

    def span(self, _unit: str) -> tuple[int, int]:
        """The positions of its begin and its end."""
        return 0, _parquet(self.path).metadata.num_rows if self._parquet else Path(self.path).stat().st_size

    def homes(self, _unit: str) -> list[Home | None]:
        """The homes of its control records: its customers are parted by them. `[None]` when they name none."""
        for entries, _ in self._batches(0, LOOK_FOR_HOMES):
            for entry in entries:
                home = home_in(entry)
                if home is not None:
                    return [(number, home[1]) for number in range(home[1])]
            break
        return [None]

    def read(self, unit: str, position: int, *, batch: int = BATCH) -> Iterator[Read]:
        """The records of a share from a position on; control records are in every share."""
        _, number, _, count = unit.split("-")
        share, shares = int(number), int(count)
        for entries, after in self._batches(position, batch):
            if shares > 1:
                entries = [e for e in entries if is_control_key(e.key) or crc32(e.key) % shares == share]  # noqa: PLW2901 - narrowed, not another
            yield Read(entries, after)

    def entries_at(self, _unit: str, positions: list[int]) -> Iterator[Entry]:
        """The records at these positions, ascending; only of a seekable one."""
        with Path(self.path).open("rb") as file:
            for position in positions:
                file.seek(position)
                yield self._entry(file.readline(), position)

    @property
    def seekable(self) -> bool:
        """Whether single records can be read."""
        return not self._parquet

    @property
    def _parquet(self) -> bool:
        return self.path.endswith(".parquet")

    def _batches(self, position: int, size: int) -> Iterator[Read]:
        if self._parquet:
            yield from self._rows(position, size)
            return
        with Path(self.path).open("rb", buffering=1 << 20) as file:
            file.seek(position)
            entries: list[Entry] = []
            for line in file:
                if not line.endswith(b"\n"):  # is being written
                    break
                entries.append(self._entry(line, position))
                position += len(line)
                if len(entries) == size:
                    yield Read(entries, position)
                    entries = []
            yield Read(entries, position)

    def _rows(self, position: int, size: int) -> Iterator[Read]:
        file, row = _parquet(self.path), 0
        if "value" not in file.schema_arrow.names:
            raise ConfigurationError(
                "The Parquet file has no column `value`.",
                where=self.path,
                why=f"its columns are {', '.join(file.schema_arrow.names)}",
                next_step="write one journal value per row into a column `value`, binary or string, in journal order",
            )
        for batch in file.iter_batches(batch_size=size, columns=["value"]):
            values = batch.column(0).to_pylist()
            first, row = row, row + len(values)
            if row > position:
                held = enumerate(values[max(0, position - first) :], max(position, first))
                yield Read([self._entry(v.encode() if isinstance(v, str) else v, n) for n, v in held], row)

    def _entry(self, line: bytes, position: int) -> Entry:
        value = line.rstrip(b"\r\n")
        try:
            return Entry(key_of(value), value, 0, position, -1)
        except msgspec.DecodeError as error:
            raise self._no_record(position, error) from error

    def _no_record(self, position: int, error: Exception) -> ConfigurationError:
        return ConfigurationError(
            "The file holds something that is no journal record.",
            where=f"{self.path}, {'row' if self._parquet else 'byte'} {position}",
            why=str(error),
            next_step="give a journal, such as the journal.jsonl of `tierstream demo --out DIR`",
        )


def home_in(entry: Entry) -> Home | None:
    """The home of a control record that names one."""
    if is_control_key(entry.key):
        record = decode_journal(entry.value)
        if isinstance(record, ControlRecord) and not isinstance(record, CountersRestated):
            return record.home
    return None


def _parquet(path: str) -> Any:  # noqa: ANN401 - pyarrow is untyped
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise ConfigurationError(
            "Parquet files need pyarrow.", where=path, next_step="pip install 'tierstream[parquet]'"
        ) from error
    try:
        return ParquetFile(path)
    except (ArrowException, OSError) as error:
        raise ConfigurationError("The Parquet file cannot be read.", where=path, why=str(error)) from error
