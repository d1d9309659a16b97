"""Fixtures of the runtime's integration tests."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.embedded import EmbeddedKafka
from tests.integration.toy import Toy

MakeToy = Callable[..., Toy]


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
