"""Topics and the first policy on a real cluster: created once, aligned, checked, and refused where nothing can help."""

import time
from collections.abc import Iterator

import pytest
from kafka import KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic

from agents.embedded import EmbeddedKafka
from agents.errors import BrokerUnreachableError, ConfigurationError, RefusedPositionError
from agents.kafka_clients import admin_client
from agents.policy_activation import activate, activate_first, partitions_without_policy
from agents.policy_files import configured_policy
from agents.settings import IntakeSettings, KafkaSettings, PolicySettings, Settings, SourceSettings
from agents.topics import Difference, create_and_align, differences, found_topics, wanted_topics
from schemas.journal import PolicyActivated, decode_journal
from streams.policy.parse import load_canonical
from tests.integration.committed import records_of

pytestmark = pytest.mark.kafka
PARTITIONS = 3


@pytest.fixture
def settings(kafka: EmbeddedKafka, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Topics of their own for each test, removed afterwards."""
    name = request.node.name.removeprefix("test_")[:40]
    chosen = Settings(
        kafka=KafkaSettings(
            bootstrap=kafka.bootstrap, application_id=f"{name}-app", topic_prefix=f"{name}.", partitions=PARTITIONS
        ),
        policy=PolicySettings(currency="USD", time_zone="UTC"),
    )
    yield chosen
    with admin_client(chosen) as admin:
        admin.delete_topics([topic for topic in admin.list_topics() if topic.startswith(name)])


def _apply(settings: Settings) -> list[Difference]:
    with admin_client(settings) as admin:
        return create_and_align(admin, settings)


def _plan(settings: Settings) -> list[Difference]:
    wanted = wanted_topics(settings)
    with admin_client(settings) as admin:
        return differences(wanted, found_topics(admin, [topic.name for topic in wanted]))


def _journal(settings: Settings, isolation: str = "read_committed") -> dict[int, list[bytes]]:
    found = records_of(settings.kafka.bootstrap, settings.topic("customer-events"), PARTITIONS, isolation=isolation)
    return {number: [record.value for record in records] for number, records in found.items()}


def test_an_empty_cluster_gets_every_topic_once(settings: Settings) -> None:
    """Everything is missing, then created with its settings, then nothing is left to do."""
    assert {difference.kind for difference in _plan(settings)} == {"missing"}

    created = _apply(settings)

    assert len(created) == len(wanted_topics(settings))
    assert _plan(settings) == []
    assert _apply(settings) == []


def test_changelogs_are_compacted_in_small_segments(settings: Settings) -> None:
    """With the broker's defaults the newest gigabyte would never be cleaned."""
    _apply(settings)

    name = f"{settings.kafka.application_id}-customers-changelog"
    with admin_client(settings) as admin:
        found = found_topics(admin, [name])[name].config

    assert found["cleanup.policy"] == "compact"
    assert found["segment.bytes"] == str(64 * 1024 * 1024)
    assert found["message.timestamp.type"] == "LogAppendTime"


def test_a_changed_setting_is_found_and_aligned(settings: Settings) -> None:
    """Somebody's `retention.ms` on the journal is named with both values, and put right by apply."""
    _apply(settings)
    journal = settings.topic("customer-events")
    with admin_client(settings) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, journal, {"retention.ms": "1000"})])
    while not (todo := _plan(settings)):  # brokers hear of it a little later
        time.sleep(0.1)

    [difference] = todo
    assert (difference.topic, difference.what, difference.wanted, difference.found) == (
        journal,
        "retention.ms",
        "-1",
        "1000",
    )
    assert _apply(settings) == [difference]
    assert _plan(settings) == []


def test_another_partition_count_is_refused_with_the_way_around(settings: Settings) -> None:
    """Nothing is created when one topic cannot be put right."""
    with admin_client(settings) as admin:
        admin.create_topics([NewTopic(settings.topic("purchases"), 2, 1)])
        admin.wait_for_topics([settings.topic("purchases")])

    with pytest.raises(RefusedPositionError, match="need 3 partitions") as refused:
        _apply(settings)

    assert "kafka.partitions = 2" in refused.value.next_step
    assert {d.kind for d in _plan(settings) if d.topic != settings.topic("purchases")} == {"missing"}


def test_a_bound_topic_of_another_count_can_be_bridged(settings: Settings) -> None:
    """Somebody else's topic is never created or changed; the refusal says how to bridge."""
    foreign = f"{settings.kafka.topic_prefix}shop-orders"
    bound = Settings(
        kafka=settings.kafka, intake=IntakeSettings(source=(SourceSettings(topic=foreign),)), policy=settings.policy
    )
    with pytest.raises(ConfigurationError, match="does not exist"):
        _apply(bound)
    with admin_client(bound) as admin:
        admin.create_topics([NewTopic(foreign, 5, 1)])
        admin.wait_for_topics([foreign])

    with pytest.raises(RefusedPositionError) as refused:
        _apply(bound)

    assert "keys do not matter" in refused.value.next_step


def test_the_first_policy_is_the_first_record_of_every_partition(settings: Settings) -> None:
    """One activation, effective since 1970, once: a second apply writes nothing."""
    _apply(settings)
    assert partitions_without_policy(settings) == [0, 1, 2]
    policy = configured_policy(settings)

    first = activate_first(settings, policy)
    second = activate_first(settings, policy)

    assert first is not None
    assert second is None
    assert partitions_without_policy(settings) == []
    for number, records in _journal(settings).items():
        [record] = [decode_journal(value) for value in records]
        assert isinstance(record, PolicyActivated)
        assert (record.effective_at, record.home) == ("1970-01-01T00:00:00.000Z", (number, PARTITIONS))
        assert load_canonical(record.text) == policy


def test_an_activation_that_was_cut_off_leaves_the_journal_empty(settings: Settings) -> None:
    """Records of an open transaction are nobody's policy: the next apply aborts them and writes its own."""
    _apply(settings)
    app = f"{settings.kafka.topic_prefix}{settings.kafka.application_id}-policy-activation"
    cut_off = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap, transactional_id=app)
    cut_off.init_transactions()
    cut_off.begin_transaction()
    cut_off.send(settings.topic("customer-events"), b"half an activation", partition=0).get(30)

    assert activate_first(settings, configured_policy(settings)) is not None

    assert [len(records) for records in _journal(settings).values()] == [1, 1, 1]
    assert len(_journal(settings, "read_uncommitted")[0]) == 2
    cut_off.close(timeout=1)


def test_a_later_policy_needs_a_first(settings: Settings) -> None:
    """`activate` on an empty journal is refused; after the first it adds one record to each partition."""
    _apply(settings)
    policy = configured_policy(settings)
    with pytest.raises(ConfigurationError, match="journal is empty"):
        activate(settings, policy, 1_000)
    activate_first(settings, policy)

    activate(settings, policy, 1_000)

    assert [len(records) for records in _journal(settings).values()] == [2, 2, 2]


def test_an_unreachable_broker_is_named(settings: Settings) -> None:
    """No stack trace: the address and what to try."""
    away = Settings(kafka=KafkaSettings(bootstrap="127.0.0.1:1"))

    with pytest.raises(BrokerUnreachableError, match=r"127\.0\.0\.1:1"):
        _plan(away)
