"""States made anew from the journal: what a worker then goes on from is what it had, and nobody downstream notices."""

from pathlib import Path
from typing import Any

import pytest

from agents.cli import run
from agents.embedded import EmbeddedKafka
from agents.errors import RefusedPositionError, StalledError
from agents.kafka_clients import producer
from agents.lookup import newest_value
from agents.partitioning import home_of
from agents.runtime.names import changelog
from agents.settings import Settings
from tests.integration.shop import PARTITIONS, Shop, days_ago, eventually

CUSTOMERS = 20


def orders(first: int, count: int) -> list[dict[str, Any]]:
    """Orders of several customers, some of whom reach a tier by them."""
    return [
        {
            "type": "order.completed",
            "id": f"e{number}",
            "time": days_ago(57 - number % 27),
            "customer_id": f"c{number % CUSTOMERS}",
            "order_id": f"o{number}",
            "currency": "USD",
            "total_minor": 1_000 + 137 * number,
        }
        for number in range(first, first + count)
    ]


def told(shop: Shop) -> int:
    """How many journal records the newest profiles have in them."""
    return sum(profile["caused_by"]["journal_seq"] for profile in shop.profiles().values())


def state_of(settings: Settings, key: bytes) -> bytes | None:
    """The changelog's newest record of a customer."""
    return newest_value(settings, changelog(settings.kafka.application_id, "customers"), key)


def tell(settings: Settings, key: bytes, value: bytes | None) -> None:
    """Write into the changelog as no worker would."""
    with producer(settings) as writer:
        table = changelog(settings.kafka.application_id, "customers")
        writer.send(table, value, key=key, partition=home_of(key, PARTITIONS)).get(10)


@pytest.mark.timeout(240)
def test_states_of_an_unread_version_are_made_anew(
    kafka: EmbeddedKafka, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The worker refuses them and says how to go on; then it goes on as if nothing had been, numbers included."""
    shop = Shop(kafka.bootstrap, tmp_path, "rebuild")
    shop.config.write_text(shop.config.read_text() + f'data_dir = "{tmp_path}/data"\n')
    arguments = ["state", "rebuild", "--config", str(shop.config)]
    shop.start()
    try:
        shop.send(orders(0, 100))
        eventually(lambda: told(shop) == 100, "all orders are told")
        assert run([*arguments, "--wait", "0", "--jobs", "1"]) == StalledError.exit_code
        assert "tierstream state rebuild" not in capsys.readouterr().err
        shop.close()
        before = {key: state_of(shop.settings, key) for key in (b"c1", b"c2", b"c3")}
        assert all(before.values())
        tell(shop.settings, b"c1", b"\x63" + (before[b"c1"] or b"")[1:])
        tell(shop.settings, b"c2", None)
        tell(shop.settings, b"nobody", before[b"c3"])
        shop.start()
        assert shop.exit_code() == RefusedPositionError.exit_code
        assert "tierstream state rebuild" in shop.log

        done = shop.command(capsys, "state", "rebuild", "--wait", "60")["partitions"]
        totals = [sum(part[figure] for part in done) for figure in ("customers", "changed", "removed", "raised")]
        assert totals == [CUSTOMERS, 2, 1, 0]
        assert {key: state_of(shop.settings, key) for key in before} == before
        assert not list((tmp_path / "data").rglob("*.snapshot"))
        again = shop.command(capsys, "state", "rebuild", "--wait", "0", "--jobs", "1")["partitions"]
        assert [part["changed"] + part["removed"] for part in again] == [0] * PARTITIONS

        shop.start()
        shop.send(orders(100, 100))
        eventually(lambda: told(shop) == 200, "the orders after it are told")
        shop.close()
        assert shop.command(capsys, "audit", "verify", "--jobs", "1")["differences"] == 0
    finally:
        shop.close()
