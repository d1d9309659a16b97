"""What a look can find. Pure: no looking here."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from agents.errors import TierstreamError

PAGE = "docs/reference/doctor.md"


class Level(StrEnum):
    """How bad it is; only errors make the command fail."""

    OK = "ok"
    HINT = "hint"
    WARNING = "warning"
    ERROR = "error"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    check: str
    """Its section in docs/reference/doctor.md."""
    level: Level
    what: str
    where: str = ""
    why: str = ""
    remedy: str = ""
    """The next command, or what to change."""
    link: str = ""

    def __post_init__(self) -> None:
        """The link follows from the check."""
        if not self.link:
            msgspec.structs.force_setattr(self, "link", f"{PAGE}#{self.check}")


def fine(check: str, what: str, where: str = "") -> Finding:
    """Nothing to do."""
    return Finding(check=check, level=Level.OK, what=what, where=where)


def from_error(check: str, error: TierstreamError) -> Finding:
    """A failure with a name, as a finding."""
    return Finding(
        check=check,
        level=Level.ERROR,
        what=error.what,
        where=error.where,
        why=error.why.strip(),
        remedy=error.next_step,
    )


def worst(findings: Iterable[Finding]) -> Level:
    """The highest level among them."""
    order = list(Level)
    return max((finding.level for finding in findings), key=order.index, default=Level.OK)


CHECKS: dict[str, str] = {
    "settings": (
        "The settings file and the environment are read as every command reads them; all mistakes are reported "
        "together, each with its line. Nothing else can be looked at before they are right."
    ),
    "broker": (
        "Whether a broker of `kafka.bootstrap` answers and lets us in: address, TLS, certificate, password, in "
        "this order. A missing right is told with the resource's name. docs/reference/security.md says what each "
        "side needs."
    ),
    "broker-version": (
        "Whether the brokers speak the requests that tierstream sends. Kafka 2.8 is the oldest that knows topics "
        "by id, without which a topic that was made anew would go unnoticed; tested are 3.x and 4.x."
    ),
    "request-timeout": (
        "How long a broker waits for another's answer, its `request.timeout.ms`. The coordinator of transactions ends "
        "none while an answer to its markers is missing, and Kafka (4.3.1 at least) owes that answer for ever in some "
        "restarts: 30 s, the default, are then lost. docs/explanation/recovery.md tells why. Nothing is said when "
        "the right to describe the brokers' settings is missing."
    ),
    "topic-missing": (
        "Workers never create topics: their settings are part of the promise. `tierstream topics apply` creates "
        "ours; a topic of somebody else that `[[intake.source]]` binds has to exist."
    ),
    "topic-partitions": (
        "All topics have `kafka.partitions` partitions. A customer's home is a partition number: under another "
        "count their state would lie elsewhere, so workers refuse to start."
    ),
    "topic-setting": (
        "A setting of a topic is not what the catalogue says (docs/reference/topics.md). `tierstream topics apply` "
        "puts it right."
    ),
    "timestamp-type": (
        "`message.timestamp.type` has to be `LogAppendTime`: the broker's arrival time is the clock of everything, "
        "and with event times as record timestamps retention deletes an imported history within seconds. In a "
        "bound topic of somebody else, the producers' stamps are believed, but never ahead of now."
    ),
    "cleanup-policy": (
        "With `compact` on a topic of events, Kafka deletes all but the newest event per key; with `delete` on a "
        "compacted topic, standings and state disappear with age."
    ),
    "journal-retention": (
        "The journal `customer-events` is the only input of the fold. Shorter than the longest window (365 days) "
        "and the time that a refund waits for its order (30 days), it can no longer explain or rebuild a standing."
    ),
    "replication": (
        "One copy means that a lost disk loses events. Three copies with `min.insync.replicas` = 2 survive the "
        "loss of a broker without losing anything or standing still; more copies than brokers cannot be made."
    ),
    "partitioner": (
        "Producers whose partitioner is not Kafka's own (murmur2 of the key), such as those on librdkafka by "
        "default, put a key elsewhere. It does no harm: intake keys and places every event itself. It only matters "
        "to whoever else joins these topics by partition."
    ),
    "clock-skew": (
        "Arrival times are the broker's. A machine whose clock differs stamps its own events too late or too "
        "early: more than `intake.ahead_limit_s` ahead, they are refused. Without a running worker, only a broker "
        "that is ahead can be noticed."
    ),
    "redis": (
        "The profile store is rebuildable, but it must not forget silently: `maxmemory-policy` has to be "
        "`noeviction`, or customers disappear from it one by one. Persistence only saves a rebuild."
    ),
    "disk": (
        "`worker.data_dir` holds little: workers keep their state in memory and in changelog topics. A full disk "
        "still stops logs and the embedded broker."
    ),
    "port": "`metrics.port` has to be free when a worker starts. Taken may also mean that the worker runs already.",
    "embedded": (
        "For a broker on this machine (`tierstream broker start`): a Java from 17 on, and Kafka's jars, which are "
        "downloaded once."
    ),
    "clear-text": (
        "`kafka.allow_plaintext` lets customers' events cross the network in clear text. Right only where the "
        "network itself is encrypted."
    ),
    "certificate": "The end of `kafka.ssl_certfile`. An expired one ends the worker at its next connection.",
    "instance-id": (
        "With `worker.instance_id`, a worker that was killed gets its partitions back at once; without it the "
        "others wait for `worker.session_timeout_s` first. Each worker needs a name of its own."
    ),
    "metrics": "Without `metrics.port` nobody sees that a worker is late. 9464 is the custom.",
    "python": (
        "Python and `tzdata`, whose rules say when a customer's day begins. Rules older than a year may miss a "
        "country's last change."
    ),
    "policy": "The policy that the settings name is read as `tierstream policy check` reads it.",
    "model": (
        "Which churn model decides: the newest activated one if it fits the policy in force, else the policy's own. "
        "`cdnow-1997` was fitted on a music shop of 1997. Its scores put customers in a plausible order, but its "
        "probabilities are not those of another shop. `tierstream fit` makes a model of your own purchases, and "
        "`tierstream model activate` lets it decide in place of the policy's."
    ),
    "counters": (
        "Whether an activation was ended while it counted the past anew: what it declared stays declared, and every "
        "customer goes on being counted for a policy that is not in force. The same `tierstream policy activate` goes "
        "on, `tierstream policy abandon` gives up."
    ),
    "check": "A look itself failed or took too long. The others are not affected.",
}
"""Check to what is looked at and why: the sections of the reference."""
