"""Three years of history on a real broker: not one message while it loads, one introduction each, then live."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.cli import run
from agents.embedded import EmbeddedKafka
from schemas.clock import MS_PER_DAY, format_instant
from tests.integration.shop import Shop, eventually

pytestmark = pytest.mark.kafka
CUSTOMERS = 15
ORDERS = 12
DAYS = 3 * 365
TOPICS = ("tier-changes", "churn-risk")


@pytest.fixture
def shop(kafka: EmbeddedKafka, tmp_path: Path) -> Iterator[Shop]:
    """A shop whose worker runs."""
    made = Shop(kafka.bootstrap, tmp_path, "backfill")
    made.start()
    yield made
    made.close()


def order(customer: int, number: int | str, at: int) -> dict[str, Any]:
    """An order of a customer; some spend a lot, some stop early."""
    return {
        "type": "order.completed",
        "id": f"e{customer}-{number}",
        "time": format_instant(at),
        "customer_id": f"c{customer}",
        "order_id": f"o{customer}-{number}",
        "currency": "USD",
        "total_minor": 1_000 * (customer + 1),
    }


def history(now: int) -> Iterator[dict[str, Any]]:
    """Orders over three years, customer by customer: the file is in no order of time."""
    for customer in range(CUSTOMERS):
        for number in range(ORDERS - customer % 5):
            yield order(customer, number, now - (DAYS - number * DAYS // ORDERS) * MS_PER_DAY)


def causes(shop: Shop, topic: str) -> dict[str, list[str]]:
    """By customer, the causes of its changes in order, as the headers say them."""
    found: dict[str, list[str]] = {}
    for record in shop.records(topic):
        assert record.header["tierstream-cause"].decode() == record.data["cause"]
        found.setdefault(record.data["customer_id"], []).append(record.data["cause"])
    return found


def test_a_history_sends_no_message_and_the_go_live_one_each(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a worker killed during the go-live: one `initial` per customer and topic, then what happens live."""
    now = int(time.time() * 1000)
    events = list(history(now))
    (tmp_path / "history.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))

    sent = shop.command(capsys, "feed", str(tmp_path / "history.jsonl"), "--backfill")
    assert sent["sent"] == len(events)
    shop.command(capsys, "feed", str(tmp_path / "history.jsonl"), "--backfill")
    assert shop.command(capsys, "go-live", "--wait", "60")["partitions"] == 2
    shop.kill()
    shop.start()
    eventually(
        lambda: all(len([c for c in causes(shop, t).values() if "initial" in c]) == CUSTOMERS for t in TOPICS),
        "every customer is introduced",
    )
    shop.send([order(0, "live", now) | {"total_minor": 90_000}])
    eventually(lambda: causes(shop, "tier-changes")["c0"][-1] == "event", "the live order is told")
    shop.command(capsys, "go-live", "--wait", "60")

    for topic in TOPICS:
        numbers: dict[str, list[int]] = {}
        for record in shop.records(topic):
            numbers.setdefault(record.data["customer_id"], []).append(record.data["sequence"])
        assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())
        for customer, told in causes(shop, topic).items():
            before = told[: told.index("initial")]
            assert before
            assert set(before) == {"backfill"}, customer
            assert Counter(told)["initial"] == 1
            assert "backfill" not in told[len(before) :]
    profiles = shop.profiles()
    assert sum(p["aggregates"]["orders_lifetime"] for p in profiles.values()) == len(events) + 1
    assert min(p["first_order_at"] for p in profiles.values()) == format_instant(now - DAYS * MS_PER_DAY)
    assert shop.records("dead-letters") == []


def test_a_go_live_waits_for_intake_and_never_lies_ahead(
    kafka: EmbeddedKafka, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a worker nobody knows whether the history has arrived: nothing is written, and the text says why."""
    idle = Shop(kafka.bootstrap, tmp_path, "backfill-idle")
    before = len(idle.records("customer-events"))

    assert run(["go-live", "--wait", "1", "--config", str(idle.config)]) == 13
    assert "no worker has told of every raw partition yet" in capsys.readouterr().err
    assert run(["go-live", "--at", "2999-01-01T00:00:00Z", "--config", str(idle.config)]) == 2
    assert "cannot lie ahead" in capsys.readouterr().err
    assert len(idle.records("customer-events")) == before
