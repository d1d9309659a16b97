"""A topic that is not what the stored position believes stops the worker, with the remedy; nothing is dropped."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import NewPartitions, NewTopic, OffsetSpec
from kafka.errors import KafkaError

from agents.embedded import EmbeddedKafka
from tests.crash.harness import JOINED_WITHIN_S, Ends, Place, wait_until
from tests.crash.reading import Reader
from tests.crash.run import Run

pytestmark = [pytest.mark.crash, pytest.mark.timeout(480)]

REFUSED = 12
FEW = 600


@pytest.fixture
def run(kafka: EmbeddedKafka, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Run]:
    """A deployment that has folded some hundred records and was ended in order."""
    name = "refused-" + request.node.name.split("_")[2].lower()
    with Run(kafka.bootstrap, tmp_path, name, seed=10, rate=0) as run:
        run.feeder.send(FEW)
        run.deployment.start("w1")
        run.settle(quiet_s=0.0)  # position and state of every partition are there
        assert run.deployment.worker("w1").terminate() == 0
        yield run


REMEDIES = ("tierstream worker --accept-topic", "bind", "tierstream topics check")


def refuses(run: Run, why: str, *arguments: str) -> None:
    """Start the worker: it must end by itself with the refusal's code and text, and have folded nothing."""
    before = folded(run)
    worker = run.deployment.worker("w1").start(arguments=arguments)
    code = worker.wait(JOINED_WITHIN_S)
    assert code == REFUSED, f"ended with {code}, log {worker.log}"
    assert why in worker.output(), worker.output()[-2_000:]
    assert any(remedy in worker.output() for remedy in REMEDIES)
    assert folded(run) == before


def folded(run: Run) -> tuple[dict[Place, int], dict[bytes, bytes | None]]:
    """The journal's ends, and every customer's state: a position may be written again, a state may not change."""
    ends = Ends(run.bootstrap)
    journal = ends.of([run.deployment.prefix + "customer-events"], run.partitions, committed=False)
    ends.close()
    changelog = Reader(run.bootstrap).read(f"{run.deployment.name}-customers-changelog")
    states = {entry.key: entry.value for entry in changelog if entry.key and not entry.key.startswith(b"\x00runtime")}
    return journal, states


def with_admin(run: Run, act: Callable[[KafkaAdminClient], None]) -> None:
    """Do something that an administrator might do."""
    admin = KafkaAdminClient(bootstrap_servers=run.bootstrap)
    act(admin)
    admin.close()


def recreate(run: Run, topic: str) -> None:
    """Delete a topic and make it again under its name."""

    def act(admin: KafkaAdminClient) -> None:
        admin.delete_topics([topic])
        wait_until(lambda: topic not in admin.list_topics(), 30, "the deletion")
        config = {"message.timestamp.type": "LogAppendTime"}
        admin.create_topics([NewTopic(topic, run.partitions, 1, topic_configs=config)])
        wait_until(lambda: led(admin, topic, run.partitions), 30, "the creation")

    with_admin(run, act)


def led(admin: KafkaAdminClient, topic: str, partitions: int) -> bool:
    """Whether every partition answers."""
    try:
        admin.list_partition_offsets({TopicPartition(topic, n): OffsetSpec.LATEST for n in range(partitions)})
    except KafkaError:
        return False
    return True


def test_a_raw_topic_made_again_is_refused_until_it_is_accepted(run: Run) -> None:
    """Reading on from the old position would skip what the new topic holds; with the remedy everything is taken."""
    purchases = run.deployment.prefix + "purchases"
    recreate(run, purchases)
    run.feeder.send(FEW)

    refuses(run, "deleted and made again")

    run.deployment.worker("w1").start(arguments=("--accept-topic", purchases))
    reader = Reader(run.bootstrap)
    sound = {id_of(entry.value) for entry in reader.read(purchases) if "expect" not in dict(entry.headers)}
    assert sound
    journal = run.deployment.prefix + "customer-events"
    wait_until(lambda: sound <= journalled(reader, journal), 60, "that the new topic's records are all taken")


def journalled(reader: Reader, topic: str) -> set[str]:
    """Ids of the events in the journal."""
    return {id_of(entry.value) for entry in reader.read(topic) if not (entry.key or b"").startswith(b"\x00")}


def id_of(value: bytes | None) -> str:
    """The id of an event, as fed or as journalled."""
    return str(json.loads(value or b"{}")["id"])


def test_records_that_retention_deleted_unread_are_refused(run: Run) -> None:
    """A gap in the input is not passed over in silence."""
    purchases = run.deployment.prefix + "purchases"
    run.feeder.send(FEW)
    with_admin(run, lambda admin: gone(admin, purchases, run.partitions))

    refuses(run, "Records were deleted before they were read")


def gone(admin: KafkaAdminClient, topic: str, partitions: int) -> None:
    """Delete all records of a topic, as retention does."""
    admin.delete_records({TopicPartition(topic, number): -1 for number in range(partitions)})


def test_partitions_added_to_a_raw_topic_are_refused(run: Run) -> None:
    """Records in a new partition would have no owner."""
    purchases = run.deployment.prefix + "purchases"
    with_admin(run, lambda admin: admin.create_partitions({purchases: NewPartitions(run.partitions + 1)}))

    refuses(run, "another number of partitions")


def test_a_journal_made_again_is_refused(run: Run) -> None:
    """The state no longer follows from the journal: nothing is folded on top of it."""
    recreate(run, run.deployment.prefix + "customer-events")

    refuses(run, "deleted and made again")
