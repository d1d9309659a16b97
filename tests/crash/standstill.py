"""What is asked at once when a partition stands still: whose transaction is open, who is in the group, what waits.

A standstill is over before anybody can look. So the harness asks in that moment, and leaves the answers beside the
logs of the run: `standstill.txt` in the deployment's folder; each worker writes the stacks of its threads to its log.
"""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from tests.crash.harness import Deployment

STAGES = ("intake", "customers")
BOOTSTRAP_TIMEOUT_MS = 5_000
READ_COMMITTED, READ_UNCOMMITTED = "read_committed", "read_uncommitted"


def dump(deployment: Deployment) -> Path:
    """Ask the brokers and the workers; returns the file with the answers. Never fails: what cannot be told is named."""
    path = deployment.folder / "standstill.txt"
    for worker in deployment.workers.values():
        worker.signal(signal.SIGUSR1)
    with path.open("a") as out:
        out.write(f"== {time.strftime('%H:%M:%S')}\n")
        for part in (_held_back, _transactions, _group):
            try:
                for line in part(deployment):
                    out.write(line + "\n")
            except (KafkaError, OSError) as error:
                out.write(f"{part.__name__}: {error!r}\n")
    return path


def _admin(deployment: Deployment) -> KafkaAdminClient:
    return KafkaAdminClient(bootstrap_servers=deployment.bootstrap, bootstrap_timeout_ms=BOOTSTRAP_TIMEOUT_MS)


def _changelogs(deployment: Deployment) -> list[TopicPartition]:
    topics = (f"{deployment.name}-{stage}-changelog" for stage in STAGES)
    return [TopicPartition(topic, number) for topic in topics for number in range(deployment.partitions)]


def _ends(deployment: Deployment, isolation: str) -> dict[TopicPartition, int]:
    consumer = KafkaConsumer(
        bootstrap_servers=deployment.bootstrap, bootstrap_timeout_ms=BOOTSTRAP_TIMEOUT_MS, isolation_level=isolation
    )
    try:
        return dict(consumer.end_offsets(_changelogs(deployment)))
    finally:
        consumer.close()


def _held_back(deployment: Deployment) -> Iterator[str]:
    """Yield each changelog partition, how far it is stable, and who is at work on one that is not to its end."""
    stable, ends = _ends(deployment, READ_COMMITTED), _ends(deployment, READ_UNCOMMITTED)
    admin = _admin(deployment)
    for place, end in ends.items():
        yield f"{place.topic}-{place.partition}: stable to {stable[place]} of {end}"
        if stable[place] < end:
            for producers in admin.describe_producers([place]).values():
                yield from (f"    {producer}" for producer in producers.active_producers)
    admin.close()


def _transactions(deployment: Deployment) -> Iterator[str]:
    """Yield every transactional id of the application, with its state at the coordinator."""
    admin = _admin(deployment)
    listings = (listing for listings in admin.list_transactions().values() for listing in listings)
    ids = [entry.transactional_id for entry in listings if entry.transactional_id.startswith(f"{deployment.name}-")]
    for name, description in admin.describe_transactions(ids).items():
        yield f"{name}: {description}"
    admin.close()


def _group(deployment: Deployment) -> Iterator[str]:
    """Yield the group's state and its members."""
    admin = _admin(deployment)
    for name, group in admin.describe_groups([deployment.name]).items():
        yield f"group {name}: {group}"
    admin.close()
