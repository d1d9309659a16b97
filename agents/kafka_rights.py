"""The rights (ACLs) that each role needs on the cluster, exactly: what is not listed is not needed. Pure.

docs/reference/security.md is written from it, and the integration tests run a worker under exactly these.
"""

import shlex
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from agents.control_records import JOURNAL, control_id
from agents.profiles.run import group_of, topic_of
from agents.recount.partition import PURPOSE as RECOUNT
from agents.runtime.names import changelog, transactional_prefix
from agents.settings import STAGES, Settings
from agents.shadow.control import PURPOSE
from agents.shadow.run import group_of as shadows_group
from agents.shadow.run import writer_id
from agents.shadow.trial import TOPIC as TRIED
from agents.topics import wanted_topics
from schemas.catalog import RAW_TOPICS, SHADOW, TOPICS

PROGRESS = "intake-progress"


Role = Literal[
    "worker",
    "feeder",
    "admin",
    "redriver",
    "operator",
    "projection",
    "shadow",
    "reader",
    "analyst",
    "auditor",
    "rebuilder",
    "doctor",
]
Resource = Literal["topic", "group", "transactional-id"]
Operation = Literal["READ", "WRITE", "DESCRIBE", "CREATE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS", "DELETE"]

ROLES: dict[Role, str] = {
    "worker": "`tierstream worker`",
    "feeder": "`tierstream feed`, and every producer of events (which needs no changelog)",
    "admin": "`tierstream topics`, `tierstream policy` with `shadow promote`, `tierstream go-live`",
    "redriver": "`tierstream dlq`; READ only for `list` and `show`",
    "operator": "`tierstream override`; READ on `audit` and `dead-letters` only for `--wait`",
    "projection": "`tierstream project redis`, `tierstream redis`",
    "shadow": "`tierstream policy shadow` with `show` and `drop`, which publish nothing that is in force",
    "reader": "`tierstream customer`, and every consumer downstream, which also needs READ on its own group",
    "analyst": "`tierstream fit`, which reads the whole journal and writes nothing",
    "auditor": "`tierstream replay`, `tierstream audit`, `tierstream customer` with `timeline`, `index` or `--at`",
    "rebuilder": "`tierstream state rebuild`",
    "doctor": "`tierstream doctor` and `tierstream doctor data`; READ only for the latter, for keys and the model",
}


class Right(msgspec.Struct, frozen=True, order=True):
    """One ACL to allow. Kafka gives DESCRIBE to whoever may READ or WRITE."""

    resource: Resource
    name: str
    operation: Operation
    prefixed: bool = False
    """Whether it holds for every name that begins so."""


def rights(settings: Settings, role: Role) -> list[Right]:
    """What a role needs under these settings: topic by topic, then group and transactional ids."""
    makers = {"worker": _worker, "feeder": _feeder, "admin": _admin}
    makers |= {
        "redriver": _redriver,
        "operator": _operator,
        "projection": _projection,
        "shadow": _shadow,
        "reader": _reader,
        "analyst": _analyst,
        "auditor": _auditor,
        "rebuilder": _rebuilder,
        "doctor": _doctor,
    }
    return sorted(set(makers[role](settings)))


def grants(needed: Iterable[Right], principal: str, bootstrap: str) -> Iterator[str]:
    """Command lines for Kafka's own tool, one per resource; whoever runs them adds their own --command-config."""
    by_resource: dict[tuple[Resource, str, bool], list[str]] = {}
    for right in needed:
        by_resource.setdefault((right.resource, right.name, right.prefixed), []).append(right.operation)
    for (resource, name, prefixed), operations in by_resource.items():
        words = ["kafka-acls.sh", "--bootstrap-server", bootstrap, "--add", "--allow-principal", principal]
        words += [word for operation in operations for word in ("--operation", operation.title().replace("_", ""))]
        words += [f"--{resource}", name, *(["--resource-pattern-type", "prefixed"] if prefixed else [])]
        yield shlex.join(words)


def _worker(settings: Settings) -> Iterator[Right]:
    app = settings.kafka.application_id
    yield from (Right("topic", name, "READ") for name in settings.sources())
    for name in TOPICS:
        if name in RAW_TOPICS or TOPICS[name].owner == SHADOW:
            continue
        if name != "imports":
            yield Right("topic", settings.topic(name), "WRITE")
        elif settings.topic(name) not in settings.sources():
            yield Right("topic", settings.topic(name), "DESCRIBE")
    tables = [changelog(app, stage) for stage in STAGES]
    yield from (Right("topic", settings.topic(name), "READ") for name in (JOURNAL, PROGRESS))
    yield from (Right("topic", table, operation) for table in tables for operation in ("READ", "WRITE"))
    yield Right("group", app, "READ")
    for stage in STAGES:
        yield Right("transactional-id", transactional_prefix(app, stage), "WRITE", prefixed=True)


def _feeder(settings: Settings) -> Iterator[Right]:
    yield from (Right("topic", name, "WRITE") for name in settings.sources())
    yield Right("topic", changelog(settings.kafka.application_id, "intake"), "READ")


def _admin(settings: Settings) -> Iterator[Right]:
    kafka = settings.kafka
    for topic in wanted_topics(settings):
        ours: tuple[Operation, ...] = ("CREATE", "DESCRIBE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS")
        operations = ours if topic.config is not None else ("DESCRIBE", "DESCRIBE_CONFIGS")
        yield from (Right("topic", topic.name, operation) for operation in operations)
    yield from (Right("topic", settings.topic(JOURNAL), operation) for operation in ("READ", "WRITE"))
    yield Right("topic", changelog(kafka.application_id, "customers"), "READ")
    yield Right("topic", settings.topic(PROGRESS), "READ")
    yield Right("topic", settings.topic("audit"), "WRITE")
    for purpose in ("policy-activation", "go-live"):
        yield Right("transactional-id", control_id(settings, purpose), "WRITE")
    yield Right("transactional-id", control_id(settings, f"{RECOUNT}-"), "WRITE", prefixed=True)
    yield from _trials(settings)


def _redriver(settings: Settings) -> Iterator[Right]:
    yield from (Right("topic", name, "WRITE") for name in settings.sources())
    yield Right("topic", settings.topic("dead-letters"), "READ")
    yield from (Right("topic", settings.topic("audit"), operation) for operation in ("READ", "WRITE"))
    yield Right("transactional-id", control_id(settings, "redrive"), "WRITE")


def _operator(settings: Settings) -> Iterator[Right]:
    yield Right("topic", settings.topic("governance"), "WRITE")
    yield Right("topic", changelog(settings.kafka.application_id, "customers"), "READ")
    yield from (Right("topic", settings.topic(name), "READ") for name in (JOURNAL, "audit", "dead-letters"))


def _projection(settings: Settings) -> Iterator[Right]:
    yield Right("topic", topic_of(settings), "READ")
    yield Right("group", group_of(settings), "READ")


def _shadow(settings: Settings) -> Iterator[Right]:
    yield from (Right("topic", settings.topic(name), "READ") for name in (JOURNAL, PROGRESS))
    yield from _trials(settings)
    yield Right("transactional-id", writer_id(settings), "WRITE", prefixed=True)


def _trials(settings: Settings) -> Iterator[Right]:
    """Whoever begins or ends a trial, and removes what it left."""
    yield from (Right("topic", settings.topic(TRIED), operation) for operation in ("READ", "WRITE"))
    yield from (Right("group", shadows_group(settings), operation) for operation in ("READ", "DELETE"))
    yield Right("transactional-id", control_id(settings, PURPOSE), "WRITE")


def _reader(settings: Settings) -> Iterator[Right]:
    for name, spec in TOPICS.items():
        if spec.owner in ("customers", SHADOW):
            yield Right("topic", settings.topic(name), "READ")


def _analyst(settings: Settings) -> Iterator[Right]:
    yield Right("topic", settings.topic(JOURNAL), "READ")


def _auditor(settings: Settings) -> Iterator[Right]:
    """Everything that the fold reads and writes, to be read."""
    yield from _reader(settings)
    for name in (JOURNAL, "dead-letters"):
        yield Right("topic", settings.topic(name), "READ")
    yield Right("topic", changelog(settings.kafka.application_id, "customers"), "READ")


def _rebuilder(settings: Settings) -> Iterator[Right]:
    """All that an auditor reads, and to write what a worker of the stage keeps."""
    app = settings.kafka.application_id
    yield from _auditor(settings)
    yield Right("topic", changelog(app, "customers"), "WRITE")
    yield Right("group", app, "DESCRIBE")
    yield Right("transactional-id", transactional_prefix(app, "customers"), "WRITE", prefixed=True)


def _doctor(settings: Settings) -> Iterator[Right]:
    for topic in wanted_topics(settings):
        yield from (Right("topic", topic.name, operation) for operation in ("DESCRIBE", "DESCRIBE_CONFIGS"))
    read = (*settings.sources(), settings.topic("dead-letters"), settings.topic(PROGRESS))
    read = (*read, settings.topic(JOURNAL), changelog(settings.kafka.application_id, "customers"))  # the model in force
    yield from (Right("topic", name, "READ") for name in read)
