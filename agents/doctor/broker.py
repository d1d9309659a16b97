"""The cluster itself: whether it lets us in, what it speaks, what its clock says, where producers put their keys."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aiokafka.conn import create_conn
from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from agents.doctor.findings import Finding, Level, fine, from_error
from agents.errors import ConfigurationError, TierstreamError
from agents.kafka_access import STEP_WITHIN_S, why_not_let_in
from agents.kafka_clients import admin_client, consumer
from agents.kafka_security import Security, security_of
from agents.partitioning import home_of
from agents.settings import Settings

NEEDED = {
    "Produce": (0, 3),
    "Fetch": (1, 4),
    "ListOffsets": (2, 2),
    "Metadata": (3, 10),
    "InitProducerId": (22, 0),
    "AddPartitionsToTxn": (24, 0),
    "EndTxn": (26, 0),
    "DescribeConfigs": (32, 1),
}
"""Request to its key and the least version that tierstream sends; Metadata 10 brings topic ids."""
SKEW_S_MAX = 2.0
"""The watermark's margin for clocks that differ."""
NEXT_PROGRESS_WITHIN_S = 3.0
"""A running worker tells its progress once a second."""
KEYS_MIN, KEYS_PER_PARTITION = 20, 50
AGREEING_SHARE_MIN = 0.99
READ_WITHIN_S = 5.0
REQUEST_TIMEOUT_MS_MAX = 10_000
"""With a claim behind it, all is at work again within the 15 s that are promised after a fault."""


def check_broker(settings: Settings) -> Iterator[Finding]:
    """Whether we are let in, and what the broker speaks."""
    bootstrap = settings.kafka.bootstrap
    reason: TierstreamError | None
    try:
        security = security_of(settings.kafka)
        reason = why_not_let_in(bootstrap, security)
    except ConfigurationError as error:
        reason = error
    if reason is not None:
        yield from_error("broker", reason)
        return
    with admin_client(settings) as admin:
        brokers = admin.describe_cluster()["brokers"]
        release = ".".join(map(str, admin._manager.broker_version))  # noqa: SLF001 - kafka-python tells it nowhere else
        timeouts_ms = _request_timeouts_ms(admin, [broker["broker_id"] for broker in brokers])
    yield fine("broker", f"{len(brokers)} brokers answer; {security.protocol}, Kafka {release} or newer.", bootstrap)
    yield judge_versions(asyncio.run(_versions(bootstrap, security)), bootstrap)
    yield from judge_request_timeouts(timeouts_ms)


async def _versions(bootstrap: str, security: Security) -> Mapping[int, tuple[int, int]]:
    """The requests that the first server that answers knows, by key, with their versions."""
    options: dict[str, Any] = {"client_id": "tierstream", "request_timeout_ms": int(STEP_WITHIN_S * 1000)}
    for server in bootstrap.split(","):
        host, _, port = server.rpartition(":")
        try:
            connection = await create_conn(host, int(port), **options, **security.options())
        except Exception:  # noqa: BLE001, S112 - why a server does not answer was said before
            continue
        connection.close()
        return dict(connection._versions)  # noqa: SLF001 - aiokafka tells it nowhere else
    return {}


def judge_versions(versions: Mapping[int, tuple[int, int]], where: str) -> Finding:
    """Whether every request that we send is known."""
    lacking = [name for name, (key, least) in NEEDED.items() if versions.get(key, (0, -1))[1] < least]
    if not lacking:
        return fine("broker-version", "The broker knows every request that tierstream sends.", where)
    return Finding(
        check="broker-version",
        level=Level.ERROR,
        what="The broker is too old.",
        where=where,
        why=f"it does not know {', '.join(lacking)} as tierstream sends them",
        remedy="upgrade the brokers to Kafka 3 or newer",
    )


def _request_timeouts_ms(admin: Any, nodes: Iterable[int]) -> dict[int, int]:  # noqa: ANN401 - kafka-python is untyped
    """How long each broker waits for an answer of another; empty when we may not know (DESCRIBE_CONFIGS)."""
    resources = [ConfigResource(ConfigResourceType.BROKER, str(node)) for node in nodes]
    try:
        configs = admin.describe_configs(resources, config_filter="all").get("broker", {})
    except KafkaError:
        return {}
    told = {node: settings.get("request.timeout.ms") for node, settings in configs.items()}
    return {int(node): int(entry["value"]) for node, entry in told.items() if entry}


def judge_request_timeouts(timeouts_ms: Mapping[int, int]) -> Iterator[Finding]:
    """How long a lost answer between brokers holds all transactions back."""
    if not timeouts_ms:
        return
    longest_ms = max(timeouts_ms.values())
    if longest_ms <= REQUEST_TIMEOUT_MS_MAX:
        yield fine("request-timeout", f"A lost answer between brokers costs {longest_ms / 1000:.0f} s at most.")
        return
    slow = ", ".join(str(node) for node, timeout_ms in sorted(timeouts_ms.items()) if timeout_ms == longest_ms)
    yield Finding(
        check="request-timeout",
        level=Level.HINT,
        what=f"A lost answer between brokers holds all transactions back for {longest_ms / 1000:.0f} s.",
        where=f"request.timeout.ms of broker {slow}",
        why="a broker that starts after a crash can owe such an answer for ever; nothing is committed meanwhile",
        remedy="set request.timeout.ms=5000 in the settings of every broker (docs/explanation/recovery.md)",
    )


def check_clock(settings: Settings) -> Iterator[Finding]:
    """Compare this machine's clock with the append times of `intake-progress`, which workers write every second."""
    topic = settings.topic("intake-progress")
    with consumer(settings, max_poll_records=1_000) as reader:
        places = _places(reader, topic)
        ends = reader.end_offsets(places)
        reader.assign(places)
        for place in places:
            reader.seek(place, max(ends[place] - 1, 0))
        newest = _newest(reader, 1.0)
        for place in places:
            reader.seek(place, ends[place])
        fresh = _newest(reader, NEXT_PROGRESS_WITHIN_S)
    yield judge_clock(newest, fresh, topic)


def _newest(reader: Any, within_s: float) -> tuple[float, float] | None:  # noqa: ANN401 - kafka-python is untyped
    """Append time and our own time at its arrival, in seconds, of the newest record that comes within a time."""
    deadline = time.monotonic() + within_s
    while (left_s := deadline - time.monotonic()) > 0:
        polled = reader.poll(timeout_ms=int(left_s * 1000))
        stamps = [record.timestamp for records in polled.values() for record in records]
        if stamps:
            return max(stamps) / 1000, time.time()
    return None


def judge_clock(newest: tuple[float, float] | None, fresh: tuple[float, float] | None, where: str) -> Finding:
    """`newest` was there before; `fresh` came while we listened, so that its age is the difference of the clocks."""
    told = fresh or newest
    if told is None or (fresh is None and told[0] - told[1] < SKEW_S_MAX):
        return Finding(
            check="clock-skew",
            level=Level.HINT,
            what="The clocks cannot be compared: no worker tells its progress.",
            where=where,
            remedy="start a worker, then look again: tierstream doctor",
        )
    ahead_s = told[0] - told[1]
    if abs(ahead_s) <= SKEW_S_MAX:
        return fine("clock-skew", f"This machine's clock and the broker's agree within {SKEW_S_MAX:.0f} s.", where)
    return Finding(
        check="clock-skew",
        level=Level.WARNING,
        what=f"The broker's clock is {abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} this machine's.",
        where=where,
        why="events stamped here would count as late or as being ahead of their arrival",
        remedy="have both keep time (chrony, ntpd)",
    )


def check_partitioner(settings: Settings) -> Iterator[Finding]:
    """Whether keys of raw records lie where Kafka's own partitioner would put them."""
    for topic in settings.sources():
        with consumer(settings, max_poll_records=500) as reader:
            places = _places(reader, topic)
            keys = _keys(reader, places) if places else []
        yield from judge_keys(keys, len(places), topic)


def _keys(reader: Any, places: list[TopicPartition]) -> list[tuple[bytes, int]]:  # noqa: ANN401 - as above
    """The last keys of each partition."""
    begins, ends = reader.beginning_offsets(places), reader.end_offsets(places)
    reader.assign(places)
    for place in places:
        reader.seek(place, max(begins[place], ends[place] - KEYS_PER_PARTITION))
    found: list[tuple[bytes, int]] = []
    deadline = time.monotonic() + READ_WITHIN_S
    while any(reader.position(p) < ends[p] for p in places) and time.monotonic() < deadline:
        for place, records in reader.poll(timeout_ms=500).items():
            found += [(record.key, place.partition) for record in records if record.key]
    return found


def judge_keys(keys: Iterable[tuple[bytes, int]], partitions: int, topic: str) -> Iterator[Finding]:
    """Each key with the partition that it lies in; too few say nothing."""
    distinct = set(keys)
    if len(distinct) < KEYS_MIN:
        return
    agreeing = sum(home_of(key, partitions) == partition for key, partition in distinct) / len(distinct)
    if agreeing >= AGREEING_SHARE_MIN:
        yield fine("partitioner", "Producers place keys as Kafka's own partitioner does.", topic)
        return
    yield Finding(
        check="partitioner",
        level=Level.HINT,
        what="Producers place keys by another rule than Kafka's own.",
        where=f"{topic}: {agreeing:.0%} of {len(distinct)} keys agree with murmur2, chance is {1 / partitions:.0%}",
        why="librdkafka's default is another; intake keys every event itself, so nothing is lost by it",
        remedy="nothing to do; or partitioner=murmur2_random in librdkafka's settings",
    )


def _places(reader: Any, topic: str) -> list[TopicPartition]:  # noqa: ANN401 - as above
    return [TopicPartition(topic, number) for number in sorted(reader.partitions_for_topic(topic) or ())]
