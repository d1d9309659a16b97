"""A worker does not begin on topics that are missing or unequal."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from agents.errors import ConfigurationError, RefusedPositionError
from agents.runtime.cluster import Cluster, TopicIdentity
from agents.runtime.engine_settings import EngineSettings, ProgressSettings
from agents.runtime.topics_check import check_topics
from tests.unit.agents.runtime.fakes import ToyStage

SETTINGS = EngineSettings(
    "app", "nowhere:1", 4, Path("x"), output_topics=("out",), progress=ProgressSettings("progress", "toy", ("in",))
)
ALL = ("in", "out", "progress", "app-toy-changelog")


class TopicsCluster(Cluster):
    """Has the topics that it is given."""

    def __init__(self, **partitions: int) -> None:
        super().__init__("nowhere:1", client_id="test")
        self.partitions = {name.replace("_", "-"): count for name, count in partitions.items()}

    async def topics(self, names: Iterable[str]) -> dict[str, TopicIdentity]:
        """Answer for those that exist."""
        return {n: TopicIdentity("id", self.partitions[n]) for n in names if n in self.partitions}


async def test_equal_topics_are_accepted() -> None:
    """Sources, outputs, changelogs and the progress topic."""
    cluster = TopicsCluster(**dict.fromkeys(ALL, 4))
    await check_topics(cluster, SETTINGS, [ToyStage()])


@pytest.mark.parametrize("missing", ALL)
async def test_a_missing_topic_is_named_with_the_command(missing: str) -> None:
    """Whichever it is."""
    cluster = TopicsCluster(**dict.fromkeys((n for n in ALL if n != missing), 4))

    with pytest.raises(ConfigurationError) as caught:
        await check_topics(cluster, SETTINGS, [ToyStage()])

    assert caught.value.where == missing
    assert caught.value.next_step == "tierstream topics apply"


@pytest.mark.parametrize("odd", ALL)
async def test_another_partition_count_is_refused(odd: str) -> None:
    """Partitions of one number belong to one worker, so all must have as many."""
    cluster = TopicsCluster(**dict.fromkeys(ALL, 4) | {odd: 6})

    with pytest.raises(RefusedPositionError) as caught:
        await check_topics(cluster, SETTINGS, [ToyStage()])

    assert caught.value.where == f"{odd} (6)"
