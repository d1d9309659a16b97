"""How administrative clients are opened; what they do with a broker is tested on a real one."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from agents import kafka_clients
from agents.settings import KafkaSettings, Settings


class Opened:
    """Stands for any client of kafka-python; remembers what it was opened with."""

    options: dict[str, object]

    def __init__(self, **options: object) -> None:
        Opened.options = options

    def close(self, timeout: float = 0) -> None:
        """Nothing was opened."""


@pytest.mark.parametrize(
    ("kind", "open_client"),
    [
        ("KafkaAdminClient", kafka_clients.admin_client),
        ("KafkaConsumer", kafka_clients.consumer),
        ("KafkaProducer", kafka_clients.producer),
    ],
)
def test_a_client_that_lost_its_broker_asks_again_every_second(
    monkeypatch: pytest.MonkeyPatch, kind: str, open_client: Callable[[Settings], AbstractContextManager[Any]]
) -> None:
    """Half a minute, kafka-python's own longest pause, is too long for a projection that runs beside the workers."""
    monkeypatch.setattr(kafka_clients, kind, Opened)
    monkeypatch.setattr(kafka_clients, "why_not_let_in", lambda bootstrap, security: None)

    with open_client(Settings(kafka=KafkaSettings(bootstrap="127.0.0.1:1"))):
        assert Opened.options["reconnect_backoff_max_ms"] == 1_000
