"""Where purchase histories come from: the journal in Kafka, a file of our events, or a public data set."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from kafka import KafkaConsumer, TopicPartition

from agents.control_records import JOURNAL
from agents.errors import BrokerUnreachableError, ConfigurationError
from agents.feed_file import open_events
from agents.fit.collector import Collector
from agents.fit.datasets import cdnow, cdnow_sample, complete_journey
from agents.fit.histories import Histories
from agents.kafka_clients import consumer
from agents.lookup import FETCH_BYTES, QUIET_S_MAX
from agents.policy_files import configured_policy
from agents.settings import Settings
from schemas.cloudevents import decode_input
from schemas.journal import Control, decode_journal, is_control_key
from schemas.rejections import Rejected
from streams.calendar import Calendar

Told = Callable[[int, int], None]
"""Called with how much is done, and of how much."""
Dataset = Literal["cdnow-sample", "cdnow", "completejourney"]
DATASETS: dict[Dataset, Callable[[], Histories]] = {
    "cdnow-sample": cdnow_sample,
    "cdnow": cdnow,
    "completejourney": complete_journey,
}
PARQUET_REMEDY = "uv sync --extra parquet   (or: uv pip install pyarrow)"
LINES_PER_WORD = 5_000


def from_journal(settings: Settings, told: Told) -> Histories:
    """All events of the journal, from its beginning to its present end."""
    topic = settings.topic(JOURNAL)
    collector = _collector(topic, settings)
    with consumer(
        settings, fetch_max_bytes=FETCH_BYTES, max_partition_fetch_bytes=FETCH_BYTES, max_poll_records=20_000
    ) as reader:
        numbers = sorted(reader.partitions_for_topic(topic) or ())
        if not numbers:
            raise ConfigurationError("The topic does not exist.", where=topic, next_step="tierstream topics plan")
        for value in _values(reader, [TopicPartition(topic, number) for number in numbers], told):
            event = decode_journal(value)
            if not isinstance(event, Control):
                collector.add(event)
    return collector.histories()


def from_file(path: Path, settings: Settings, told: Told) -> Histories:
    """Our events in a file: one JSON object per line, or Parquet with one row per event."""
    collector = _collector(path.name, settings)
    lines = _parquet(path, told) if path.suffix.lower() == ".parquet" else _lines(path, told)
    for line in lines:
        event = decode_input(line)
        if isinstance(event, Rejected):
            collector.left_out[f"refused: {event.reason.value}"] += 1
        else:
            collector.add(event)
    return collector.histories()


def _collector(name: str, settings: Settings) -> Collector:
    policy = configured_policy(settings)
    return Collector(name, policy.currency, Calendar(policy.time_zone))


def _values(reader: KafkaConsumer, places: list[TopicPartition], told: Told) -> Iterator[bytes]:
    """Committed values of all partitions up to their present ends."""
    reader.assign(places)
    begins, ends = reader.beginning_offsets(places), reader.end_offsets(places)
    for place in places:
        reader.seek(place, begins[place])
    total = sum(ends[place] - begins[place] for place in places)
    heard = time.monotonic()
    while left := [place for place in places if reader.position(place) < ends[place]]:
        polled = reader.poll(timeout_ms=1_000)
        for place, records in polled.items():
            for record in records:
                # Ticks are many, and say nothing here: they are not even decoded.
                if record.offset < ends[place] and record.value is not None and not is_control_key(record.key):
                    yield record.value
        if polled:
            heard = time.monotonic()
        elif time.monotonic() - heard > QUIET_S_MAX:
            raise BrokerUnreachableError("The journal could not be read to its end.", where=str(left[0].topic))
        told(sum(min(reader.position(place), ends[place]) - begins[place] for place in places), total)


def _lines(path: Path, told: Told) -> Iterator[bytes]:
    with open_events(path) as file:
        done = 0
        for number, line in file.lines():
            done += len(line) + 1
            if number % LINES_PER_WORD == 0:
                told(done, file.size)
            yield line


def _parquet(path: Path, told: Told) -> Iterator[bytes]:
    """Rows as JSON: a column per field of the event; what is null is left out."""
    import msgspec

    try:
        from pyarrow import parquet
    except ImportError as error:
        raise ConfigurationError(
            "Parquet cannot be read by this installation.", where=str(path), next_step=PARQUET_REMEDY
        ) from error
    try:
        file = parquet.ParquetFile(path)
    except (OSError, ValueError) as error:
        raise ConfigurationError("The file of events cannot be read.", where=str(path), why=str(error)) from error
    done = 0
    for batch in file.iter_batches():
        done += batch.num_rows
        for row in batch.to_pylist():
            yield msgspec.json.encode({name: value for name, value in row.items() if value is not None})
        told(done, file.metadata.num_rows)
