"""A small history as a journal file of any number of partitions, and the files that the live stage makes of it."""

from collections.abc import Iterator, Sequence
from math import inf
from pathlib import Path

from agents.partitioning import home_of
from agents.replay.event_files import CHANGES, DEAD_LETTERS, PROFILES, Collector, write_file
from agents.replay.fold import FOR_EVER
from agents.replay.journal_file import JournalFile
from agents.replay.run import Replay, replay
from agents.replay.unit import Journal, Options
from agents.runtime.stage import Record
from schemas.catalog import TOPICS
from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import InputEvent
from schemas.journal import (
    ClockTick,
    ControlRecord,
    ModelActivated,
    PolicyActivated,
    control_key,
    encode_journal,
    journal_key,
)
from streams.models.churn_model import ChurnModel, canonical_model, model_hash
from streams.policy.model import Policy
from streams.policy.parse import canonical
from tests.churn import FULL
from tests.journal import JOURNAL, customers_stage, default_policy, policy_of
from tests.unit.agents.silver import AT, STRICT, order, refund, visit

CUSTOMERS = 24
DAYS = 60
OUTPUTS = (*CHANGES, PROFILES, DEAD_LETTERS)
Partition = list[Record]


def strict_policy() -> Policy:
    """What takes over in the middle."""
    return policy_of(STRICT, "USD", "UTC")


def happenings() -> Iterator[tuple[int, InputEvent | Policy | ChurnModel | None]]:
    """Orders, visits, refunds of unknown orders, a model and a policy in between; None: how far the clock is."""
    yield 0, default_policy()
    for day in range(DAYS):
        at = AT + day * MS_PER_DAY
        yield at, None
        if day == DAYS // 2:
            yield at, strict_policy()
        if day == DAYS // 3:
            yield at, FULL
        for number in range(CUSTOMERS):
            customer = f"c{number}"
            if (day + number) % (number + 3) == 0:
                yield at + number, order(customer, number=day, total=1_000 * (number + day))
            if (day * number) % 7 == 1:
                yield at + number, visit(customer, at)
            if day == number % 20 and number % 5 == 0:
                yield at + number, refund(f"unknown-{day}", customer)


def partitions(count: int) -> list[Partition]:
    """The journal that intake and the stage write of it, with ticks, a partition each."""
    journal: list[Partition] = [[] for _ in range(count)]
    for at, item in happenings():
        if item is None or isinstance(item, Policy | ChurnModel):
            for number in range(count):
                control = _control(at, item, (number, count))
                _append(journal[number], number, control_key(control), encode_journal(control))
        else:
            item.recordedtime = format_instant(at)
            key = journal_key(item)
            number = home_of(key, count)
            _append(journal[number], number, key, encode_journal(item))
    return journal


def write_journal(folder: Path, count: int) -> Path:
    """The partitions one after the other in a file of lines."""
    path = folder / f"journal-{count}.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join((r.value or b"") + b"\n" for partition in partitions(count) for r in partition))
    return path


def live(folder: Path, count: int, batch: int) -> Path:
    """The event files of the stage, with a commit after so many records."""
    collectors = {topic: Collector(topic) for topic in OUTPUTS}
    stage = customers_stage(partitions=count)
    for number, records in enumerate(partitions(count)):
        partition = stage.partition(number)
        partition.ready()
        for begin in range(0, len(records), batch):
            partition.fold(records[begin : begin + batch], inf)
            while partition.work(inf):
                pass
            for (topic, _), outputs in partition.drain().outputs.items():
                if topic in collectors:
                    for output in outputs:
                        collectors[topic].take(*output)
            partition.committed()
    for topic, collector in collectors.items():
        write_file(folder, topic, collector.lines)
    return folder


def replayed(
    journal: Path | Journal,
    out: Path | None = None,
    *,
    jobs: int = 1,
    until: int = FOR_EVER,
    policy: Policy | None = None,
    snapshots: Path | None = None,
) -> Replay:
    """Fold it again."""
    options = Options(
        topics={name: name for name in TOPICS},
        dedupe=True,
        until=until,
        policy=canonical(policy) if policy else "",
        snapshots=str(snapshots or ""),
    )
    source = JournalFile(str(journal)) if isinstance(journal, Path) else journal
    return replay(source, options, out=out, jobs=jobs, told=lambda _done, _total: None)


def files(folder: Path, names: Sequence[str] = ()) -> dict[str, bytes]:
    """What the files of a folder hold."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if not names or path.name in names}


def _control(at: int, item: Policy | ChurnModel | None, home: tuple[int, int]) -> ControlRecord:
    if item is None:
        return ClockTick(instant=format_instant(at), home=home)
    since = format_instant(at)
    if isinstance(item, ChurnModel):
        text = canonical_model(item)
        return ModelActivated(id="m", effective_at=since, name=item.name, hash=model_hash(text), text=text, home=home)
    text = canonical(item)
    return PolicyActivated(id="p", effective_at=since, name=item.name, hash=item.hash, text=text, home=home)


def _append(partition: Partition, number: int, key: bytes, value: bytes) -> None:
    partition.append(Record(JOURNAL, number, len(partition), 0, 1, key, value, ()))
