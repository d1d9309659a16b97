"""Sends dead letters again, or settles them unsent.

The copies and the audit entry that settles their letters are one transaction: killed anywhere, a letter is sent and
settled, or neither. (Sent twice it would do no harm either: intake and fold recognise repeats.) One redrive works at a
time, because opening its producer ends whatever another one left open.

What intake refused goes back to its topic as it came. What the fold refused is a journal record, and nothing but intake
writes to the journal: it is flat JSON of ours, so it goes to the raw topic of its type and is stamped anew.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec
import orjson
from kafka.errors import KafkaError, ProducerFencedError

from agents.control_records import JOURNAL, control_writer
from agents.dead_letters import AUDIT, DROPPED, REDRIVEN, Progress, Selection, Status, letters, settled
from agents.errors import BrokerUnreachableError, RestartError
from agents.outputs import APP_VERSION
from agents.settings import Settings
from schemas.dead_letters import DeadLetter, Header
from schemas.events import TOPIC_OF, Event, type_of
from schemas.journal import decode_journal
from schemas.marks import BACKFILL_HEADER, FEED_HEADER
from schemas.rejections import ATTEMPTS_HEADER, REDRIVEN_FROM_HEADER

NATIVE: Final = "tierstream"
"""The format of our own flat JSON."""
BATCH_LETTERS: Final = 500
BATCH_S: Final = 1.0
"""An open transaction holds back the readers of what it writes to."""
TRANSACTION_TIMEOUT_MS: Final = 20_000
SEND_TIMEOUT_S: Final = 15
"""Within the transaction's: a slow broker is waited for, and a command that was killed holds nobody back for long."""
REQUEST_BYTES_MAX: Final = 100_000_000
"""No limit of ours: a copy is smaller than its letter, which the broker took."""

Edit = Callable[[bytes | None], bytes | None]
"""A letter's value to the one that is sent; None when it cannot be made."""


class Copy(msgspec.Struct, frozen=True):
    """A letter as it is sent again."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[Header]


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """What is done to the letters, by whom and why."""

    selection: Selection
    who: str
    why: str = ""
    send: bool = True
    """False: settle them unsent."""
    edit: Edit | None = None
    edited: str = ""
    """What the edit does, for the audit."""
    force: bool = False
    """Parked letters too."""
    limit: int | None = None
    per_s: float | None = None


class Outcome(msgspec.Struct):
    """What became of the letters that were meant."""

    done: int = 0
    by_reason: Counter[str] = msgspec.field(default_factory=Counter)
    by_topic: Counter[str] = msgspec.field(default_factory=Counter)
    """Of those sent: the topics they went to."""
    backfill: int = 0
    """Of those sent: how many are part of a history."""
    settled: int = 0
    """Left alone: redriven or dropped before."""
    parked: int = 0
    unroutable: Counter[str] = msgspec.field(default_factory=Counter)
    """Left alone: intake no longer reads their topic."""
    unedited: int = 0
    """Left alone: the edit does not fit them."""


def perform(settings: Settings, deed: Deed, progress: Progress | None = None) -> Outcome:
    """Do it. RestartError when another redrive took over, BrokerUnreachableError without an answer."""
    with control_writer(
        settings, "redrive", timeout_ms=TRANSACTION_TIMEOUT_MS, max_request_size=REQUEST_BYTES_MAX
    ) as writer:
        # Only now: what another redrive had under way is settled, or was never sent.
        chosen, outcome = _chosen(settings, deed, progress)
        for batch in _batches(chosen, deed.per_s):
            _transact(writer, settings, deed, batch)
            _count(outcome, batch)
    return outcome


def rehearse(settings: Settings, deed: Deed, progress: Progress | None = None) -> Outcome:
    """What `perform` would do, without doing it."""
    chosen, outcome = _chosen(settings, deed, progress)
    _count(outcome, chosen)
    return outcome


def copy_of(letter: DeadLetter, settings: Settings) -> Copy | None:
    """A letter as it is sent again; None when intake no longer reads a topic that would take it."""
    sources = settings.sources()
    native = [name for name, source in sources.items() if source.format == NATIVE]
    marks: list[Header] = []
    topic = letter.topic
    if topic == settings.topic(JOURNAL):
        event = decode_journal(letter.value or b"")
        if not isinstance(event, Event):
            return None
        own = settings.topic(TOPIC_OF[type_of(event)])
        topic = own if own in native else next(iter(native), "")
        marks = [(BACKFILL_HEADER, b"1")] if event.backfill else []
    if topic not in sources:
        return None
    # With the place in its file, it would be taken for a part of the file that was read before.
    headers = [*(header for header in letter.headers if header[0] != FEED_HEADER), *marks]
    headers += [(ATTEMPTS_HEADER, b"%d" % letter.attempts), (REDRIVEN_FROM_HEADER, letter.place.encode())]
    return Copy(topic, letter.key, letter.value, headers)


def with_fields(changes: dict[str, Any]) -> Edit:
    """An edit that sets members of a JSON object, by dotted paths; values that are no object are left alone."""

    def edit(value: bytes | None) -> bytes | None:
        try:
            whole = orjson.loads(value or b"")
        except orjson.JSONDecodeError:
            return None
        for path, new in changes.items():
            *parents, name = path.split(".")
            part = whole
            for parent in parents:
                part = part.get(parent) if isinstance(part, dict) else None
            if not isinstance(part, dict):
                return None
            part[name] = new
        return orjson.dumps(whole)

    return edit


_Chosen = tuple[DeadLetter, Copy | None]


def _chosen(settings: Settings, deed: Deed, progress: Progress | None) -> tuple[Iterator[_Chosen], Outcome]:
    """The letters that are to be dealt with, and the outcome, in which those left alone are counted on the way."""
    known, outcome = settled(settings), Outcome()

    def choose() -> Iterator[_Chosen]:
        taken = 0
        for letter in letters(settings, deed.selection, progress):
            if taken == deed.limit:
                return
            if not _wanted(known.status(letter), deed, outcome):
                continue
            copy = _copy(letter, settings, deed, outcome) if deed.send else None
            if copy is not None or not deed.send:
                taken += 1
                yield letter, copy

    return choose(), outcome


def _wanted(status: Status, deed: Deed, outcome: Outcome) -> bool:
    if status == "open" or (status == "parked" and (deed.force or not deed.send)):
        return True
    if status == "parked":
        outcome.parked += 1
    else:
        outcome.settled += 1
    return False


def _copy(letter: DeadLetter, settings: Settings, deed: Deed, outcome: Outcome) -> Copy | None:
    copy = copy_of(letter, settings)
    if copy is None:
        outcome.unroutable[letter.topic] += 1
        return None
    if deed.edit is None:
        return copy
    value = deed.edit(copy.value)
    if value is None:
        outcome.unedited += 1
        return None
    return msgspec.structs.replace(copy, value=value)


def _batches(chosen: Iterable[_Chosen], per_s: float | None) -> Iterator[list[_Chosen]]:
    """Batches small enough for one transaction each, not faster than the rate allows."""
    batch: list[_Chosen] = []
    size = BATCH_LETTERS if per_s is None else max(1, min(BATCH_LETTERS, int(per_s * BATCH_S)))
    for each in chosen:
        batch.append(each)
        if len(batch) == size:
            began = time.monotonic()
            yield batch
            if per_s is not None:
                time.sleep(max(0.0, began + len(batch) / per_s - time.monotonic()))
            batch = []
    if batch:
        yield batch


def _transact(writer: Any, settings: Settings, deed: Deed, batch: list[_Chosen]) -> None:  # noqa: ANN401 - kafka-python is untyped
    where = settings.topic(AUDIT)
    try:
        writer.begin_transaction()
        sent = [
            writer.send(copy.topic, copy.value, key=copy.key, partition=letter.partition, headers=copy.headers)
            for letter, copy in batch
            if copy is not None
        ]
        sent += [
            writer.send(where, orjson.dumps(entry), partition=entry["partition"])
            for entry in _entries(deed, [letter for letter, _ in batch])
        ]
        writer.flush(timeout=SEND_TIMEOUT_S)
        for each in sent:
            each.get(timeout=1)
        writer.commit_transaction()
    except ProducerFencedError as error:
        raise RestartError(
            "Another redrive began before this one ended; what this one had committed stays.",
            where=where,
            next_step="tierstream dlq list",
        ) from error
    except KafkaError as error:
        raise BrokerUnreachableError(
            "The last letters did not come through: each was sent and settled, or neither.",
            where=where,
            why=str(error) or type(error).__name__,
            next_step="the same command again: what is settled is left alone",
        ) from error


def _entries(deed: Deed, done: list[DeadLetter]) -> Iterator[dict[str, Any]]:
    """Audit entries, one per partition of the letters, with runs of offsets. No personal data."""
    said = {"why": deed.why, "edited": deed.edited}
    by_partition: dict[int, list[list[int]]] = {}
    for letter in done:
        runs = by_partition.setdefault(letter.partition, [])
        if runs and runs[-1][1] == letter.offset - 1:
            runs[-1][1] = letter.offset
        else:
            runs.append([letter.offset, letter.offset])
    for partition, runs in by_partition.items():
        yield {
            "type": REDRIVEN if deed.send else DROPPED,
            "who": deed.who,
            **{name: text for name, text in said.items() if text},
            "partition": partition,
            "offsets": runs,
            "letters": sum(last - first + 1 for first, last in runs),
            "app_version": APP_VERSION,
        }


def _count(outcome: Outcome, chosen: Iterable[_Chosen]) -> None:
    for letter, copy in chosen:
        outcome.done += 1
        outcome.by_reason[letter.reason] += 1
        if copy is not None:
            outcome.by_topic[copy.topic] += 1
            outcome.backfill += any(name == BACKFILL_HEADER for name, _ in copy.headers)
