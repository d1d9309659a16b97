"""Fixtures that more than one folder of tests needs."""

import os
import random
import signal
from collections.abc import Iterator

import hypothesis
import pytest

from agents.embedded import EmbeddedKafka
from agents.embedded.guarded import somebody_listens

# How busy the machine is says nothing about the code, so no deadlines. And whether a commit passes must not be a matter
# of luck: its examples follow from the tests alone. `make laws` looks for new ones.
hypothesis.settings.register_profile("same-examples", deadline=None, derandomize=True)
hypothesis.settings.register_profile("new-examples", deadline=None)
hypothesis.settings.load_profile(os.environ.get("LAWS", "same-examples"))
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # started in the background; processes would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that asks for the broker, so that `-m "not kafka"` leaves it out."""
    for item in items:
        if "kafka" in getattr(item, "fixturenames", ()):
            item.add_marker("kafka")


def quiet_port() -> int:
    """A free port that no system hands out by itself: it is still free when a test comes to need it."""
    return next(port for port in random.sample(range(20_000, 30_000), 100) if not somebody_listens(port))


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """One broker for the session (for each xdist worker). Tests that kill or restart it must leave it running.

    Its second listener is for clients that are to come through a proxy.
    """
    with EmbeddedKafka(tmp_path_factory.mktemp("kafka"), proxied_port=quiet_port()) as broker:
        yield broker
