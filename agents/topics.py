"""The topics on the cluster against the catalogue: what is missing, what differs, and how it is put right.

`differences` is pure; `found_topics` and `create_and_align` talk to the cluster.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import AuthorizationError, KafkaError, TopicAuthorizationFailedError

from agents.errors import ConfigurationError, RefusedPositionError
from agents.kafka_clients import admin_client
from agents.runtime.names import changelog
from agents.settings import STAGES, Settings
from schemas.catalog import CHANGELOG, TOPICS

PRODUCTION_COPIES = 3
"""From this replication factor on, a write waits for two copies (`min.insync.replicas`)."""

APPLIED = frozenset({"missing", "setting"})
"""What `create_and_align` puts right."""
PROPAGATION_S_MAX = 30

Kind = Literal["missing", "setting", "partitions", "copies", "policy"]


class WantedTopic(msgspec.Struct, frozen=True):
    """A topic as it should be. `config` is None for a topic of somebody else, of which only the partitions matter."""

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str] | None


class FoundTopic(msgspec.Struct, frozen=True):
    """A topic as it is."""

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str]


class Difference(msgspec.Struct, frozen=True):
    """One thing that is not as it should be."""

    topic: str
    kind: Kind
    what: str
    wanted: str
    found: str
    remedy: str


def wanted_topics(settings: Settings) -> list[WantedTopic]:
    """Every topic that the settings need, in the catalogue's order, then changelogs, then bound topics."""
    kafka = settings.kafka
    durable = {"min.insync.replicas": "2"} if kafka.replication_factor >= PRODUCTION_COPIES else {}
    ours = {settings.topic(name): spec for name, spec in TOPICS.items()}
    ours |= {changelog(kafka.application_id, stage): CHANGELOG for stage in STAGES}
    wanted = [
        WantedTopic(name, kafka.partitions, kafka.replication_factor, {**spec.config, **durable})
        for name, spec in ours.items()
    ]
    bound = [name for name in settings.sources() if name not in ours]
    return wanted + [WantedTopic(name, kafka.partitions, kafka.replication_factor, None) for name in bound]


def differences(wanted: Iterable[WantedTopic], found: Mapping[str, FoundTopic]) -> list[Difference]:
    """Everything that is not as it should be, topic by topic."""
    return [difference for topic in wanted for difference in _of_topic(topic, found.get(topic.name))]


def _of_topic(wanted: WantedTopic, found: FoundTopic | None) -> Iterable[Difference]:
    partitions = str(wanted.partitions)
    if found is None:
        remedy = "tierstream topics apply" if wanted.config is not None else "correct [[intake.source]], or create it"
        yield Difference(wanted.name, "missing", "topic", f"{partitions} partitions", "none", remedy)
        return
    if found.partitions != wanted.partitions:
        yield Difference(
            wanted.name, "partitions", "partitions", partitions, str(found.partitions), _bridge(wanted, found)
        )
    if wanted.config is None:
        return
    if found.replication_factor != wanted.replication_factor:
        copies = str(wanted.replication_factor), str(found.replication_factor)
        yield Difference(
            wanted.name, "copies", "replication factor", *copies, "add copies with kafka-reassign-partitions.sh"
        )
    for key, value in wanted.config.items():
        if not _same(value, now := found.config.get(key, "")):
            yield Difference(wanted.name, "setting", key, value, now, "tierstream topics apply")


def _same(wanted: str, found: str) -> bool:
    """Brokers write numbers in their own way (0.2 and 0.20, 1E3)."""
    if wanted == found:
        return True
    try:
        return float(wanted) == float(found)
    except ValueError:
        return False


def _bridge(wanted: WantedTopic, found: FoundTopic) -> str:
    """How to live with another partition count: it can't be changed under a state that depends on it."""
    if wanted.config is None:
        return (
            f"copy it into one of our raw topics, or into a topic of {wanted.partitions} partitions and bind that one "
            "(MirrorMaker, Connect, any consumer that produces): keys do not matter, intake keys every event itself"
        )
    return (
        f"set kafka.partitions = {found.partitions}; for another count, set another kafka.topic_prefix and "
        "kafka.application_id, apply, and copy the raw topics over: intake keys every event itself"
    )


def require_topics(settings: Settings, *names: str) -> None:
    """Raise ConfigurationError for topics that the cluster has not; a producer would wait for them for minutes.

    Names as the cluster has them.
    """
    with admin_client(settings) as admin:
        described = _described(admin, names)
    missing = [name for name in names if name not in described]
    if missing:
        raise ConfigurationError(
            "The topic does not exist." if len(missing) == 1 else "Topics do not exist.",
            where=", ".join(missing),
            next_step="tierstream topics apply; or correct kafka.bootstrap or kafka.topic_prefix",
        )


def _described(admin: Any, names: Sequence[str]) -> dict[str, Any]:  # noqa: ANN401 - kafka-python is untyped
    answered = admin.describe_topics(list(names))
    denied = [t["name"] for t in answered if t["error_code"] == TopicAuthorizationFailedError.errno]
    if denied:  # it may well exist: "missing" would mislead
        raise TopicAuthorizationFailedError(", ".join(denied))
    return {t["name"]: t for t in answered if not t["error_code"]}


def found_topics(admin: Any, names: Sequence[str]) -> dict[str, FoundTopic]:  # noqa: ANN401 - kafka-python is untyped
    """Those of the named topics that exist, as they are."""
    described = _described(admin, names)
    if not described:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in described]
    configs = admin.describe_configs(resources, config_filter="all")["topic"]
    return {
        name: FoundTopic(
            name,
            len(topic["partitions"]),
            min((len(p["replica_nodes"]) for p in topic["partitions"]), default=0),
            {key: entry["value"] or "" for key, entry in configs[name].items()},
        )
        for name, topic in described.items()
    }


def create_and_align(admin: Any, settings: Settings) -> list[Difference]:  # noqa: ANN401 - kafka-python is untyped
    """Create what is missing and align settings; returns what was put right.

    Raises before it changes anything when something cannot be put right.
    """
    wanted = wanted_topics(settings)
    todo = differences(wanted, found_topics(admin, [topic.name for topic in wanted]))
    _refuse_what_cannot_be(todo, wanted)
    missing = {difference.topic for difference in todo if difference.kind == "missing"}
    new = [
        NewTopic(topic.name, topic.partitions, topic.replication_factor, topic_configs=dict(topic.config or {}))
        for topic in wanted
        if topic.name in missing
    ]
    settings_of: dict[str, dict[str, str]] = {}
    for difference in todo:
        if difference.kind == "setting":
            settings_of.setdefault(difference.topic, {})[difference.what] = difference.wanted
    try:
        if new:
            admin.create_topics(new)
            admin.wait_for_topics([topic.name for topic in new])
        if settings_of:
            admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, n, c) for n, c in settings_of.items()])
    except AuthorizationError:  # told where the client was opened
        raise
    except KafkaError as error:
        raise ConfigurationError(
            "The cluster refused to create or change a topic.",
            where=settings.kafka.bootstrap,
            why=_told(error),
            next_step="tierstream topics plan",
        ) from error
    return _seen_by_all(admin, wanted, [difference for difference in todo if difference.kind in APPLIED])


def _seen_by_all(admin: Any, wanted: Sequence[WantedTopic], done: list[Difference]) -> list[Difference]:  # noqa: ANN401 - kafka-python is untyped
    """Wait until the brokers know of the changes: the controller answers before they do."""
    deadline = time.monotonic() + PROPAGATION_S_MAX
    names = [topic.name for topic in wanted]
    while left := [d for d in differences(wanted, found_topics(admin, names)) if d.kind in APPLIED]:
        if time.monotonic() > deadline:
            raise ConfigurationError(
                "The cluster took the changes, but does not show them.",
                where=", ".join(f"{d.topic} {d.what}" for d in left),
                next_step="tierstream topics plan",
            )
        time.sleep(0.1)
    return done


def _refuse_what_cannot_be(todo: Sequence[Difference], wanted: Sequence[WantedTopic]) -> None:
    other_count = [d for d in todo if d.kind == "partitions"]
    if other_count:
        first = other_count[0]
        names = ", ".join(f"{d.topic} has {d.found}" for d in other_count)
        raise RefusedPositionError(
            f"All topics need {first.wanted} partitions.", where=names, why=PARTITIONS_WHY, next_step=first.remedy
        )
    foreign = {topic.name for topic in wanted if topic.config is None}
    absent = [d.topic for d in todo if d.kind == "missing" and d.topic in foreign]
    if absent:
        raise ConfigurationError(
            "A bound topic does not exist.",
            where=", ".join(absent),
            next_step="correct [[intake.source]], or create it",
        )


PARTITIONS_WHY = "a customer's home is a partition number: under another count their state would lie elsewhere"


def _told(error: KafkaError) -> str:
    """The broker's sentence, without the request around it."""
    text = str(error)
    start = text.rfind("error_message=")
    return text[start + len("error_message=") :].partition(", topic_config_error_code")[0] if start >= 0 else text
