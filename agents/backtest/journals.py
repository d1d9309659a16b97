"""The journal that is folded: Kafka's, a file's, or one made of plain events or a public data set, in order of time."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args

import msgspec

from agents.demo.cdnow import ENDS_AT, order_events, read_purchases
from agents.errors import ConfigurationError
from agents.feed_file import open_events
from agents.fit.datasets import JOURNEY_ENDS_AT, JOURNEY_ZONE, journey_baskets
from agents.replay.journal_file import JournalFile
from agents.replay.unit import Journal
from agents.settings import Settings
from schemas.clock import format_instant, parse_instant
from schemas.cloudevents import decode_input
from schemas.events import InputEvent, OrderCompleted
from schemas.journal import ClockClosed, ControlRecord, encode_journal
from schemas.rejections import Rejected

FILE: Final = "journal.jsonl"
FIRST_LINE_BYTES: Final = 1 << 20
CONTROLS: Final = frozenset(str(record.__struct_config__.tag) for record in get_args(ControlRecord))


class History(NamedTuple):
    """A journal, and what of its source did not come into it."""

    journal: Journal
    left_out: dict[str, int]
    has_policies: bool


class Dataset(NamedTuple):
    """A public one, as events."""

    events: Callable[[], Iterable[InputEvent]]
    ends_at: int
    currency: str
    time_zone: str


def _cdnow() -> Iterator[InputEvent]:
    return iter(order_events(sorted(read_purchases(), key=lambda purchase: purchase.occurred_at)))


def _journey() -> Iterator[InputEvent]:
    for basket in journey_baskets():
        order = f"basket-{basket.basket}"
        yield OrderCompleted(
            id=order,
            source="completejourney",
            time=format_instant(basket.at),
            customer_id=f"household-{basket.household}",
            channel="store",
            channel_type="offline",
            order_id=order,
            currency="USD",
            total_minor=basket.minor,
        )


DATASETS: Final = {
    "cdnow": Dataset(_cdnow, ENDS_AT, "USD", "UTC"),
    "completejourney": Dataset(_journey, JOURNEY_ENDS_AT, "USD", JOURNEY_ZONE),
}


@contextmanager
def history_of(file: Path | None, dataset: str | None, settings: Settings) -> Iterator[History]:
    """The journal to fold; what has to be made for it is gone afterwards."""
    if dataset is not None:
        chosen = DATASETS[dataset]
        with _made(chosen.events(), chosen.ends_at) as journal:
            yield History(journal, {}, has_policies=False)
    elif file is None:
        from agents.replay.journal_topic import JournalTopic  # here, for work on files does without a client

        topic = JournalTopic(settings)
        topic.check()
        yield History(topic, {}, has_policies=True)
    elif is_journal(file):
        yield History(JournalFile(str(file)), {}, has_policies=True)
    else:
        left_out: Counter[str] = Counter()
        with open_events(file) as opened:
            refused, events = opened.in_time_order()
            left_out.update(f"refused: {line.reason}" for line in refused)
            values = (decode_input(each.value) for each in events)
            with _made((event for event in values if not isinstance(event, Rejected)), None) as journal:
                yield History(journal, dict(left_out), has_policies=False)


def is_journal(file: Path) -> bool:
    """Whether a file is a journal, and no file of plain events: only the journal stamps and controls."""
    JournalFile(str(file)).check()
    if file.suffix == ".parquet":
        return True
    with file.open("rb") as opened:
        first = opened.readline(FIRST_LINE_BYTES)
    try:
        told: Any = msgspec.json.decode(first)
    except msgspec.DecodeError as error:
        raise ConfigurationError(
            "The file holds neither a journal nor events.", where=f"{file}, line 1", why=str(error)
        ) from error
    return isinstance(told, dict) and ("recordedtime" in told or told.get("type") in CONTROLS)


@contextmanager
def _made(events: Iterable[InputEvent], ends_at: int | None) -> Iterator[JournalFile]:
    """A journal of events in order of time, each recorded when it happened; time ends with the last one, or later."""
    with tempfile.TemporaryDirectory(prefix="tierstream-backtest-") as folder:
        path, latest = Path(folder) / FILE, -1
        with path.open("wb") as file:
            for event in events:
                latest = parse_instant(event.time)
                event.recordedtime = format_instant(latest)
                file.write(encode_journal(event) + b"\n")
            if latest < 0:
                raise ConfigurationError("There are no events to fold.", next_step="tierstream policy backtest --help")
            file.write(encode_journal(ClockClosed(instant=format_instant(ends_at or latest))) + b"\n")
        yield JournalFile(str(path))
