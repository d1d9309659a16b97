"""What must be true of the topics before anything is read: they exist, and all have the same number of partitions."""

from collections.abc import Iterable

from agents.errors import ConfigurationError, RefusedPositionError
from agents.runtime import names
from agents.runtime.cluster import Cluster
from agents.runtime.engine_settings import EngineSettings
from agents.runtime.stage import Stage


async def check_topics(cluster: Cluster, settings: EngineSettings, stages: Iterable[Stage]) -> None:
    """Raise ConfigurationError for missing topics, RefusedPositionError for another partition count.

    Faust leaves missing topics out of the assignment and waits for ever; with unequal counts it gives a partition
    number of two topics to two workers.
    """
    wanted = set(settings.output_topics)
    for stage in stages:
        wanted |= {*stage.sources, names.changelog(settings.application, stage.name)}
    if settings.progress is not None:
        wanted |= {settings.progress.topic, *settings.progress.sources}
    found = await cluster.topics(wanted)
    missing = sorted(wanted - set(found))
    if missing:
        raise ConfigurationError(
            "Topics are missing.",
            where=", ".join(missing),
            why="workers never create topics: their settings are part of the promise",
            next_step="tierstream topics apply",
        )
    unequal = {name: topic.partitions for name, topic in found.items() if topic.partitions != settings.partitions}
    if unequal:
        raise RefusedPositionError(
            "A topic has another number of partitions than the deployment.",
            where=", ".join(f"{name} ({count})" for name, count in sorted(unequal.items())),
            why=f"kafka.partitions = {settings.partitions}; customers are bound to partition numbers",
            next_step="tierstream topics check   (it says how each topic can be bridged)",
        )
