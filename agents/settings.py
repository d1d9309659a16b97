"""What the operator chooses: one frozen tree of values with their meaning, defaults and limits. No reading, no acting.

A setting is documented by the string under its field; docs/reference/settings.md is generated from these strings, and
`agents/settings_reader.py` reads files and the environment.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from agents.secrets import SecretReference
from schemas.catalog import RAW_TOPICS, TOPICS
from schemas.clock import MS_PER_DAY

STAGES = ("intake", "customers")
"""The stages that keep state; each has a changelog."""
EVENT_CLOCK_TOPIC = "imports"
"""The one topic that is read when `intake.clock` is `event`: order over several topics could not be reproduced."""

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
"""What Kafka allows in a topic's or a group's name."""
Port = Annotated[int, Meta(ge=0, le=65_535)]
Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[int, Meta(ge=1)]


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the settings file."""


class KafkaSettings(Section, frozen=True):
    """The cluster and our place in it."""

    bootstrap: Annotated[str, Meta(pattern=r"^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$")] = "127.0.0.1:9092"
    """Brokers to begin with, as host:port, separated by commas."""
    application_id: Name = "tierstream"
    """Consumer group and first part of every changelog and transactional id. Workers that share it share the work."""
    partitions: Annotated[int, Meta(ge=1, le=1000)] = 12
    """Partitions of every topic. Fixed when the topics are created: changing it later is refused."""
    replication_factor: Annotated[int, Meta(ge=1, le=32)] = 1
    """Copies of every topic; 3 in production."""
    topic_prefix: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{0,50}$")] = ""
    """Set in front of the name of each of our topics, on a cluster shared with others. Topics of somebody else that
    `[[intake.source]]` binds keep their names."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """`SASL_SSL`: TLS and a password. `SSL`: TLS, with a client certificate where the cluster asks for one. The other
    two are clear text: only for brokers on this machine, unless `allow_plaintext` says otherwise."""
    sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = "SCRAM-SHA-512"
    """How the password is proved. `PLAIN` hands it to the broker, and is refused without TLS."""
    sasl_username: str | None = None
    """The principal's name, for the two SASL protocols."""
    sasl_password: SecretReference | None = None
    """Where its password lies: `file:/path` or `env:NAME`."""
    ssl_cafile: str | None = None
    """PEM file with the authorities that may vouch for the brokers; the machine's own when none is named. A relative
    path starts at the settings file, here and below."""
    ssl_certfile: str | None = None
    """PEM file with this client's certificate, and those between it and its authority."""
    ssl_keyfile: str | None = None
    """PEM file with the certificate's private key, where it is not in `ssl_certfile`."""
    ssl_key_password: SecretReference | None = None
    """Where the private key's pass phrase lies: `file:/path` or `env:NAME`."""
    allow_plaintext: bool = False
    """Clear text to brokers on other machines: whoever is on the path can read and change everything. For networks that
    are encrypted by other means."""


class WorkerSettings(Section, frozen=True):
    """One worker process."""

    instance_id: Name | None = None
    """Name of this worker, stable over restarts and unique in the group (`group.instance.id`): a worker that was
    killed gets its partitions back at once. Without it, the others wait for `session_timeout_s` first."""
    data_dir: str = ".tierstream"
    """Folder for what this worker keeps on disk. A relative path starts at the settings file."""
    commit_interval_ms: Annotated[int, Meta(ge=10, le=5_000)] = 100
    """Longest time between a fold and its commit; the greater part of the delay from event to output."""
    commit_records_max: Annotated[int, Meta(ge=1, le=100_000)] = 5_000
    """Input records of one partition after which it commits earlier than the interval says."""
    session_timeout_s: Annotated[int, Meta(ge=6, le=60)] = 6
    """Silence after which the group gives a worker's partitions to others. Brokers refuse less than 6 by default."""
    stalled_after_s: Annotated[int, Meta(ge=5, le=600)] = 30
    """A partition that has input but commits nothing for so long ends the worker with exit code 13."""
    decoded_states_max: Count = 50_000
    """Customers per partition whose state is kept decoded; the rest is kept encoded, at a fraction of the memory."""


class SourceSettings(Section, frozen=True):
    """A topic that intake reads besides the raw topics, or a raw topic in another format."""

    topic: Name
    """Its full name, or the catalogue's name of one of the raw topics to give it another format."""
    format: Literal["tierstream", "segment", "json", "debezium", "outbox"] = "tierstream"
    """`tierstream`: CloudEvents, structured or binary, or flat JSON of our event types. `segment`: Segment's calls.
    `json`, `debezium`, `outbox`: JSON objects, Debezium's change events, messages of its outbox router; these need a
    `map`. docs/reference/formats.md tells them all."""
    map: str | None = None
    """Path of the mapping file that says how a record becomes events. A relative path starts at the settings file.
    `tierstream map test` shows what it makes of a sample."""


class IntakeSettings(Section, frozen=True):
    """What is accepted into the journal."""

    clock: Literal["broker", "event"] = "broker"
    """What counts as an event's arrival. `broker`: the broker's append time. `event`: its own time, for imports and
    demos; needs input in order of time, as `tierstream feed --event-clock` writes it."""
    late_limit_days: Annotated[int, Meta(ge=1, le=400)] = 400
    """Events older than this when they arrive are refused as `late`."""
    ahead_limit_s: Annotated[int, Meta(ge=0, le=86_400)] = 300
    """Events further ahead of their arrival are refused as `bad_time`."""
    dedupe: bool = True
    """Recognise repeated event ids. Off only where the input is known to be free of repeats, and in tests."""
    breaker_ratio: Annotated[float, Meta(gt=0, le=1)] = 0.9
    """Share of refused records among a partition's last `breaker_window` at which the worker stops (exit code 14)."""
    breaker_window: Annotated[int, Meta(ge=10, le=1_000_000)] = 1_000
    """How many records of a partition the breaker looks back."""
    source: tuple[SourceSettings, ...] = ()
    """Existing topics to read besides the raw topics, one `[[intake.source]]` table each."""


class PolicySettings(Section, frozen=True):
    """The policy that `tierstream topics apply` activates first; later ones come by `tierstream policy activate`."""

    file: str | None = None
    """Path of a policy file. A relative path starts at the settings file."""
    preset: Name | None = None
    """Name of a policy that ships with tierstream; `default` when no file is named."""
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] | None = None
    """ISO 4217 code of the policy's amounts, where the policy leaves it open. Never guessed."""
    time_zone: str | None = None
    """IANA zone in which the policy's days begin, where the policy leaves it open. Never guessed."""


class RedisSettings(Section, frozen=True):
    """The projection of profiles into Redis 7 or Valkey (`tierstream project redis`), for readers that cannot wait."""

    host: Annotated[str, Meta(min_length=1)] | None = None
    """Name or address of the server; without one nothing reads or writes Redis."""
    port: Annotated[int, Meta(ge=1, le=65_535)] = 6379
    """Its port."""
    database: Annotated[int, Meta(ge=0)] = 0
    """Number of the database."""
    user: Annotated[str, Meta(min_length=1)] | None = None
    """ACL user; the server's `default` when none is named."""
    password: SecretReference | None = None
    """Where the password lies: `file:/path` or `env:NAME`, never the password itself. Read anew for every connection,
    so that a rotated one is taken up."""
    tls: bool = False
    """Encrypt, and check the server's certificate and name."""
    tls_ca: str | None = None
    """PEM file with the authorities to trust; the machine's when none is named. A relative path starts at the settings
    file."""
    tls_cert: str | None = None
    """PEM file with our own certificate, where the server asks for one."""
    tls_key: str | None = None
    """PEM file with its key."""
    allow_plaintext: bool = False
    """Also talk to another machine without TLS. Profiles and the password then cross the network in clear."""
    key_prefix: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,50}$")] = "tierstream"
    """First part of every key, in front of a colon. Two installations in one database need two."""
    shards: Annotated[int, Meta(ge=1, le=1024)] = 16
    """Parts of every index, so that no key grows too large to be moved. After a change: `tierstream redis rebuild`."""
    inactive_ttl_days: Annotated[int, Meta(ge=0, le=36_500)] = 0
    """Days after a profile's `as_of` at which Redis forgets it; 0 keeps everybody."""
    write_records_max: Annotated[int, Meta(ge=1, le=10_000)] = 500
    """Profiles per round trip."""
    pause_ms: Annotated[int, Meta(ge=1, le=10_000)] = 100
    """Shortest time between two writes: what changes repeatedly within it is written once."""
    queue_customers_max: Annotated[int, Meta(ge=100, le=10_000_000)] = 50_000
    """Customers that wait in memory while Redis is away, about 2 kB each; then reading pauses."""
    timeout_s: Annotated[int, Meta(ge=1, le=60)] = 5
    """Silence of the server after which a connection is given up."""
    metrics_port: Port = 0
    """Port of the projection's own figures, on `metrics.host`; 0 serves none."""


class ShadowSettings(Section, frozen=True):
    """Processes that try a policy on live traffic (`tierstream policy shadow`); what they publish is not in force."""

    snapshot_every_s: Annotated[int, Meta(ge=1, le=86_400)] = 300
    """Seconds after which a partition is kept on disk again, in `worker.data_dir`, readable by its owner alone. After a
    kill, what came since is folded again; where the disk is gone, all of it."""
    metrics_port: Port = 0
    """Port of a shadow's own figures, on `metrics.host`; 0 serves none."""


class MetricsSettings(Section, frozen=True):
    """The Prometheus endpoint."""

    host: str = "127.0.0.1"
    """Address to listen on. The figures are not secret, but not for everybody either."""
    port: Port = 0
    """Port of the endpoint, 9464 by custom; 0 switches it off."""


class LogSettings(Section, frozen=True):
    """What the worker says about itself. Customer ids never appear in clear."""

    format: Literal["auto", "json", "console"] = "auto"
    """`json`: one object per line. `console`: for eyes. `auto`: console on a terminal, else json."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least important kind of line that is written."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Each field is a table of the settings file; `TIERSTREAM_<TABLE>_<KEY>` in the environment overrides a key."""

    kafka: KafkaSettings = KafkaSettings()
    worker: WorkerSettings = WorkerSettings()
    intake: IntakeSettings = IntakeSettings()
    policy: PolicySettings = PolicySettings()
    redis: RedisSettings = RedisSettings()
    shadow: ShadowSettings = ShadowSettings()
    metrics: MetricsSettings = MetricsSettings()
    log: LogSettings = LogSettings()

    def topic(self, name: str) -> str:
        """The name on the cluster of a topic of the catalogue."""
        return self.kafka.topic_prefix + name

    def sources(self) -> dict[str, SourceSettings]:
        """Every topic that intake reads, by its name on the cluster, and what it holds."""
        if self.intake.clock == "event":
            return {self.topic(EVENT_CLOCK_TOPIC): SourceSettings(topic=EVENT_CLOCK_TOPIC)}
        ours = {self.topic(name): SourceSettings(topic=name) for name in RAW_TOPICS}
        bound = {self.topic(s.topic) if s.topic in TOPICS else s.topic: s for s in self.intake.source}
        return {**ours, **bound}

    @property
    def late_limit_ms(self) -> int:
        """`intake.late_limit_days` in milliseconds."""
        return self.intake.late_limit_days * MS_PER_DAY
