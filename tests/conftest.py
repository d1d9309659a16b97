"""Fixtures that more than one folder of tests needs."""

from collections.abc import Iterator

import hypothesis
import pytest

from agents.embedded import EmbeddedKafka

hypothesis.settings.register_profile("tierstream", deadline=None)  # how busy the machine is says nothing about the code
hypothesis.settings.load_profile("tierstream")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that asks for the broker, so that `-m "not kafka"` leaves it out."""
    for item in items:
        if "kafka" in getattr(item, "fixturenames", ()):
            item.add_marker("kafka")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """One broker for the session (for each xdist worker). Tests that kill or restart it must leave it running."""
    with EmbeddedKafka(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker
