"""The topics as they are against what the settings need. Pure but for `check_topics`, which asks the cluster."""

from collections.abc import Iterable, Iterator, Mapping

from agents.doctor.findings import Finding, Level, fine
from agents.kafka_clients import admin_client
from agents.settings import Settings
from agents.topics import Difference, FoundTopic, WantedTopic, differences, found_topics, wanted_topics
from schemas.clock import MS_PER_DAY
from streams.customer.booking import WAITING_DAYS
from streams.policy.windows import ROLLING_DAYS_MAX

JOURNAL_DAYS_MIN = ROLLING_DAYS_MAX + WAITING_DAYS
CHECK_OF_SETTING = {"message.timestamp.type": "timestamp-type", "cleanup.policy": "cleanup-policy"}
"""Settings that break a promise; others only differ."""
CHECK_OF_KIND = {"missing": "topic-missing", "partitions": "topic-partitions", "copies": "replication"}


def check_topics(settings: Settings) -> Iterator[Finding]:
    """Ask the cluster, and judge."""
    wanted = wanted_topics(settings)
    with admin_client(settings) as admin:
        found = found_topics(admin, [topic.name for topic in wanted])
        brokers = len(admin.describe_cluster()["brokers"])
    yield from judge_topics(wanted, found, journal=settings.topic("customer-events"))
    yield from judge_copies(found.values(), brokers, wanted_copies=settings.kafka.replication_factor)


def judge_topics(wanted: Iterable[WantedTopic], found: Mapping[str, FoundTopic], *, journal: str) -> Iterator[Finding]:
    """Every deviation, and the bound topics whose stamps are the producers'."""
    wanted = list(wanted)
    deviations = differences(wanted, found)
    for difference in deviations:
        if difference.topic == journal and difference.what == "retention.ms":
            yield _journal_finding(difference)
        else:
            yield _deviation_finding(difference)
    for topic in wanted:
        if topic.config is None and topic.name in found:
            yield from _bound_finding(found[topic.name])
    if not deviations:
        yield fine("topic-missing", f"All {len(wanted)} topics are as they should be.")


def judge_copies(found: Iterable[FoundTopic], brokers: int, *, wanted_copies: int) -> Iterator[Finding]:
    """Copies against brokers, and how many of them a write waits for."""
    if wanted_copies > brokers:
        yield Finding(
            check="replication",
            level=Level.ERROR,
            what=f"{wanted_copies} copies cannot be kept by {brokers} brokers.",
            where=f"kafka.replication_factor = {wanted_copies}",
            remedy="add brokers, or lower kafka.replication_factor",
        )
    stiff: list[str] = []
    loose: list[str] = []
    for topic in found:
        in_sync = int(topic.config.get("min.insync.replicas") or 1)
        if in_sync >= topic.replication_factor > 1:
            stiff.append(topic.name)
        elif in_sync < 2 <= topic.replication_factor:  # noqa: PLR2004 - two: the leader and one more
            loose.append(topic.name)
    if stiff:
        yield Finding(
            check="replication",
            level=Level.WARNING,
            what="Writes stop as soon as one broker is away.",
            where=", ".join(sorted(stiff)),
            why="min.insync.replicas is as large as the number of copies",
            remedy="3 copies with min.insync.replicas = 2",
        )
    if loose:
        yield Finding(
            check="replication",
            level=Level.WARNING,
            what="A write counts as safe when only one broker has it.",
            where=", ".join(sorted(loose)),
            why="min.insync.replicas = 1: losing that broker before the others have copied loses it",
            remedy="tierstream topics apply with kafka.replication_factor = 3, which sets min.insync.replicas = 2",
        )


def _deviation_finding(difference: Difference) -> Finding:
    if difference.kind == "setting":
        check = CHECK_OF_SETTING.get(difference.what, "topic-setting")
        level = Level.WARNING if check == "topic-setting" else Level.ERROR
        if difference.what == "retention.ms" and _kept_longer(difference):
            level = Level.HINT
    else:
        check = CHECK_OF_KIND[difference.kind]
        level = Level.WARNING if difference.kind == "copies" else Level.ERROR
    return Finding(
        check=check,
        level=level,
        what=f"{difference.what} is {difference.found or 'not set'}, wanted is {difference.wanted}.",
        where=difference.topic,
        remedy=difference.remedy,
    )


def _kept_longer(difference: Difference) -> bool:
    """Whether records only stay longer than they have to."""
    wanted, found = (int(text or 0) for text in (difference.wanted, difference.found))
    return found < 0 or 0 <= wanted < found


def _journal_finding(difference: Difference) -> Finding:
    days = int(difference.found or 0) // MS_PER_DAY
    too_short = days < JOURNAL_DAYS_MIN
    return Finding(
        check="journal-retention",
        level=Level.ERROR if too_short else Level.HINT,
        what=f"The journal is kept for {days} days only.",
        where=f"{difference.topic}, retention.ms = {difference.found}",
        why=f"a year's window and a refund's wait need {JOURNAL_DAYS_MIN} days"
        if too_short
        else "older standings cannot be explained or rebuilt from it",
        remedy=difference.remedy,
    )


def _bound_finding(topic: FoundTopic) -> Iterator[Finding]:
    stamps = topic.config.get("message.timestamp.type", "")
    if stamps != "LogAppendTime":
        yield Finding(
            check="timestamp-type",
            level=Level.HINT,
            what="Arrival times in this topic are what its producers write.",
            where=f"{topic.name}, message.timestamp.type = {stamps}",
            why="they are believed, but never ahead of now",
            remedy="its owner may set message.timestamp.type = LogAppendTime",
        )
