"""Fixtures of the runtime's integration tests."""

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import redis

from agents.embedded import EmbeddedKafka, EmbeddedValkey
from tests.console import Console
from tests.integration.redis_state import client_of
from tests.integration.toy import Toy
from tests.prepared import prepare
from tests.profiles import ProfileTopic

MakeToy = Callable[..., Toy]


@pytest.fixture(scope="session", autouse=True)
def _prepared() -> None:
    """What workers import is imported while the broker starts."""
    prepare()


@pytest.fixture
def toy(kafka: EmbeddedKafka, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MakeToy]:
    """Make a deployment with topics of its own; its workers are killed afterwards."""
    made: list[Toy] = []

    def make(bootstrap: str | None = None, **config: Any) -> Toy:  # noqa: ANN401
        name = request.node.name.removeprefix("test_").replace("[", "-").replace("]", "")[:60]
        made.append(Toy(bootstrap or kafka.bootstrap, f"{name}-{len(made)}", tmp_path, **config))
        return made[-1].create()

    yield make
    for deployment in made:
        deployment.close()


@pytest.fixture(params=["valkey", "redis-server"])
def valkey(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A Redis of its own: the Valkey of the extra `embedded`, and Debian's redis-server where it is installed."""
    server = None if request.param == "valkey" else shutil.which(request.param)
    if request.param != "valkey" and server is None:
        pytest.skip("redis-server is not installed here (Debian: apt-get install redis-server)")
    with EmbeddedValkey(tmp_path / "redis", server=server) as running:
        yield running


@pytest.fixture
def topic(kafka: EmbeddedKafka, request: pytest.FixtureRequest) -> Iterator[ProfileTopic]:
    """A topic of profiles of its own."""
    name = f"profiles-{crc32(request.node.nodeid.encode()):08x}"
    made = ProfileTopic(kafka.bootstrap, name)
    yield made
    made.close()


@pytest.fixture
def embedded_valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """The Valkey of the extra `embedded`, for tests to which the make of the server is all the same."""
    with EmbeddedValkey(tmp_path / "redis") as running:
        yield running


@pytest.fixture
def client(valkey: EmbeddedValkey) -> Iterator[redis.Redis]:
    """A connection to it."""
    made = client_of(valkey.port or 0)
    yield made
    made.close()


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """An empty folder to follow a page in. Pages name the standard ports, so one is followed at a time."""
    with (Path(tempfile.gettempdir()) / "tierstream-standard-ports.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = Console(tmp_path)
        yield made
        made.close()
