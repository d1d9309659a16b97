"""A file in another format: what becomes of each line, or of each order in a table. Reads, never sends."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from agents.errors import ConfigurationError
from agents.feed_file import FINGERPRINT_DIGITS, EventFile, PassedLine, Ready, RefusedLine, open_events, ready
from agents.mapping_file import load_mapping
from schemas.formats.decoders import decoder_of
from schemas.formats.mapped import events_of
from schemas.formats.mapping import Mapping
from schemas.formats.record import Decoded, Decoder, Raw, Skipped
from schemas.formats.table import found_in, header_of
from schemas.journal import encode_journal
from schemas.rejections import Rejected
from streams.policy.reading import did_you_mean

SEGMENT = "segment"
_KCAT = frozenset({"topic", "partition", "offset", "payload"})
"""Members by which a line of `kcat -J` is told: a whole record, with its key and headers."""


class Judged(NamedTuple):
    """What became of a line, or of the rows that begin there."""

    line: int
    decoded: Decoded


class MappedFile:
    """An open file in another format; made by `open_mapped`."""

    def __init__(self, file: EventFile, where: str, decode: Decoder | Mapping, fingerprint: str) -> None:
        """`decode` is the mapping of a table, and of all else the decoder of a record."""
        self._file, self._decode = file, decode
        self.size = file.size
        self.fingerprint = fingerprint
        """Names the content and what is made of it: a corrected mapping makes another feed of the same file."""
        if isinstance(decode, Mapping):
            self._check_columns(decode, where)

    def judged(self) -> Iterator[Judged]:
        """Every line or order, in the order of the file."""
        if isinstance(self._decode, Mapping):
            mapping = self._decode
            for line, rows, refused in found_in(self._file.raw_lines(), mapping.layout):
                if refused is not None:
                    yield Judged(line, (refused,))
                else:
                    yield Judged(line, events_of(mapping, {"": rows[0], "rows": list(rows)}))
        else:
            for line, value in self._file.lines():
                yield Judged(line, self._decode(_record_of(value)))

    def in_file_order(self) -> Iterator[Ready | RefusedLine | PassedLine]:
        """Every event, and every line that gave none."""
        seen: dict[tuple[str, str], int] = {}
        place = 0
        for line, decoded in self.judged():
            if isinstance(decoded, Skipped):
                yield PassedLine(line, decoded.cause.value, decoded.detail)
                continue
            for event in decoded:
                if isinstance(event, Rejected):
                    yield RefusedLine(line, event.reason.value, event.detail)
                    continue
                first = seen.setdefault((event.source, event.id), line)
                if first != line:
                    yield PassedLine(line, "duplicate", f"the same as line {first}")
                    continue
                place += 1
                yield ready(event, encode_journal(event), line=line)._replace(place=place)

    def in_time_order(self) -> tuple[list[RefusedLine | PassedLine], Iterator[Ready]]:
        """What gives no event, and the events in (time, id) order. Holds all events in memory."""
        rest: list[RefusedLine | PassedLine] = []
        events: list[tuple[int, bytes, Ready]] = []
        for found in self.in_file_order():
            if isinstance(found, Ready):
                events.append((found.occurred_at, found.value, found))
            else:
                rest.append(found)
        events.sort(key=lambda event: event[:2])
        return rest, (event for *_, event in events)

    def _check_columns(self, mapping: Mapping, where: str) -> None:
        names = header_of(self._file.raw_lines(), mapping.layout)
        if isinstance(names, Rejected):
            raise ConfigurationError("The table has no header.", where=where, why=names.detail)
        missing = [f"no column `{name}`; {did_you_mean(name, names)}" for name in sorted(mapping.columns - set(names))]
        twice = [name for name, count in Counter(names).items() if count > 1 and name in mapping.columns]
        mistakes = missing + [f"column `{name}` stands twice" for name in twice]
        if mistakes:
            raise ConfigurationError(
                "The table does not have the columns that the mapping reads.",
                where=where,
                why="".join(f"\n    {mistake}" for mistake in mistakes),
                next_step="correct the mapping's paths, or its [csv] delimiter and encoding",
            )


@contextmanager
def open_mapped(path: Path, mapping_path: Path) -> Iterator[MappedFile]:
    """Open a file by its mapping file, or by the word `segment`; ConfigurationError when either cannot be read."""
    mapping = load_mapping(mapping_path) if str(mapping_path) != SEGMENT else None
    said = mapping_path.read_bytes() if mapping is not None else SEGMENT.encode()
    with open_events(path) as file:
        digest = hashlib.sha256(file.fingerprint.encode() + said).hexdigest()[:FINGERPRINT_DIGITS]
        is_table = mapping is not None and mapping.format == "csv"
        decode = mapping if is_table and mapping is not None else decoder_of(SEGMENT, mapping)
        yield MappedFile(file, str(path), decode, digest)


def _record_of(value: bytes) -> Raw:
    """A line as a record: the value alone, or all that `kcat -J` prints of it."""
    if b'"payload"' not in value or b'"offset"' not in value:
        return Raw(value)
    try:
        line: Any = msgspec.json.decode(value)
    except msgspec.DecodeError:
        return Raw(value)
    if not isinstance(line, dict) or not line.keys() >= _KCAT:
        return Raw(value)
    pairs = line.get("headers") or []
    headers = [(str(name), _bytes(text)) for name, text in zip(pairs[::2], pairs[1::2], strict=False)]
    return Raw(_bytes(line["payload"]), headers, _bytes(line.get("key")))


def _bytes(text: object) -> bytes | None:
    return text.encode() if isinstance(text, str) else None
