"""Dead letters on a real broker: a broken producer is repaired afterwards, and nothing shows that it was broken."""

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from agents.cli import run
from agents.embedded import EmbeddedKafka
from agents.kafka_clients import producer
from schemas.clock import MS_PER_DAY, format_instant
from schemas.rejections import RefusalReason, Rejected, dead_letter_headers
from tests.integration.shop import Shop, eventually

pytestmark = pytest.mark.kafka
BROKEN, MIXED, GOOD = 40, 10, 10
"""Customers all of whose orders are broken, half of them, none."""
ORDERS = 22
LOST = BROKEN * ORDERS + MIXED * ORDERS // 2
TOTAL = (BROKEN + MIXED + GOOD) * ORDERS


@pytest.fixture
def shops(kafka: EmbeddedKafka, tmp_path: Path) -> Iterator[tuple[Shop, Shop]]:
    """One that is sent broken orders, and one that is sent the right ones."""
    both = Shop(kafka.bootstrap, tmp_path, "dlq-broken"), Shop(kafka.bootstrap, tmp_path, "dlq-right")
    for each in both:
        each.start()
    yield both
    for each in both:
        each.close()


@pytest.fixture
def shop(kafka: EmbeddedKafka, tmp_path: Path) -> Iterator[Shop]:
    """A shop of its own."""
    made = Shop(kafka.bootstrap, tmp_path, "dlq-attempts")
    made.start()
    yield made
    made.close()


def start_of_today() -> int:
    """Epoch ms."""
    return int(time.time() * 1000) // MS_PER_DAY * MS_PER_DAY


def orders(today: int, *, broken: bool) -> Iterator[dict[str, Any]]:
    """The orders of all customers by turns over the last weeks; a broken producer leaves out the currency."""
    for number in range(ORDERS):
        for customer in range(BROKEN + MIXED + GOOD):
            lost = customer < BROKEN or (customer < BROKEN + MIXED and number % 2 == 0)
            yield {
                "type": "order.completed",
                "id": f"e{customer}-{number}",
                "time": format_instant(today - (ORDERS - number) * MS_PER_DAY),
                "customer_id": f"c{customer}",
                "order_id": f"o{customer}-{number}",
                "total_minor": 300 + 40 * customer,
                **({} if broken and lost else {"currency": "USD"}),
            }


def complete(shop: Shop) -> bool:
    """Whether every order is counted."""
    return bool(sum(p["aggregates"]["orders_lifetime"] for p in shop.profiles().values()) == TOTAL)


def told(shop: Shop, topic: str, customers: range) -> dict[str, list[dict[str, Any]]]:
    """What was published of these customers, without the instants of arrival and the scores that hang on them."""
    found = defaultdict(list)
    names = ("sequence", "cause", "tier", "previous_tier", "direction", "reasons", "next_tier", "to_keep", "corrects")
    for record in shop.records(topic):
        data = record.data
        if data["customer_id"] in {f"c{number}" for number in customers}:
            said = {name: data[name] for name in names if name in data and (name != "reasons" or "tier" in data)}
            found[data["customer_id"]].append(said | {"band": data.get("band"), "before": data.get("previous_band")})
    return dict(found)


def standings(shop: Shop) -> dict[str, Any]:
    """Where every customer stands."""
    return {
        key: (p["customer"]["tier"], p["customer"]["risk_band"], p["aggregates"]) for key, p in shop.profiles().items()
    }


def test_after_the_redrive_all_is_as_if_never_broken(
    shops: tuple[Shop, Shop], capsys: pytest.CaptureFixture[str]
) -> None:
    """A thousand orders without a currency are repaired and sent again: all that comes of it is as in the right run."""
    broken, right = shops
    today = start_of_today()
    broken.send(orders(today, broken=True))
    right.send(orders(today, broken=False))
    assert LOST > 950

    def refused() -> bool:
        groups = broken.command(capsys, "dlq", "list")["groups"]
        return bool(sum(group["letters"] for group in groups) == LOST)

    eventually(refused, "every broken order is a dead letter")
    (group,) = broken.command(capsys, "dlq", "list", "--reason", "schema", "--topic", "purchases")["groups"]
    assert (group["status"], group["topic"], group["letters"]) == ("open", "dlq-broken.purchases", LOST)
    assert broken.command(capsys, "dlq", "list", "--until", group["first"])["groups"] == []

    repair = ("dlq", "redrive", "--reason", "schema", "--set", "currency=USD", "--who", "ann", "--why", "fixed")
    assert broken.command(capsys, *repair, "--dry-run")["redriven"] == LOST
    assert broken.command(capsys, *repair, "--limit", "10")["redriven"] == 10
    rest = broken.command(capsys, *repair)
    assert (rest["redriven"], rest["settled"]) == (LOST - 10, 10)
    assert broken.command(capsys, *repair)["redriven"] == 0
    eventually(lambda: complete(broken) and complete(right), "every order is counted")

    eventually(lambda: broken.command(capsys, "dlq", "list")["groups"] == [], "all are settled")
    (after,) = broken.command(capsys, "dlq", "list", "--all")["groups"]
    assert (after["status"], after["letters"]) == ("redriven", LOST)
    assert standings(broken) == standings(right)
    unmixed = (range(BROKEN), range(BROKEN + MIXED, BROKEN + MIXED + GOOD))
    for customers in unmixed:
        for topic in ("tier-changes", "churn-risk"):
            assert told(broken, topic, customers) == told(right, topic, customers) != {}
    entries = [json.loads(record.value or b"{}") for record in broken.records("audit")]
    marks = [entry for entry in entries if entry["type"] == "dlq.redriven"]
    assert sum(entry["letters"] for entry in marks) == LOST
    assert {(entry["who"], entry["why"], entry["edited"]) for entry in marks} == {("ann", "fixed", "currency")}


def test_attempts_are_counted_until_a_letter_is_parked(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused by the fold, it goes in by the front door again; three times refused it stays, and one can drop it."""
    first, conflicting = list(orders(start_of_today(), broken=False))[:2]
    conflicting |= {"customer_id": first["customer_id"], "order_id": first["order_id"]}
    shop.send([first, conflicting])

    def letters() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = shop.command(capsys, "dlq", "list", "--records")["letters"]
        return found

    for attempts in (1, 2, 3):
        eventually(lambda n=attempts: [each["attempts"] for each in letters()] == [n], "it was refused again")  # type: ignore[misc]  # the default binds the loop's value
        (letter,) = letters()
        assert (letter["reason"], letter["stage"]) == ("conflict", "customers")
        assert letter["original"].startswith("dlq-attempts.customer-events-")
        sent = shop.command(capsys, "dlq", "redrive", letter["letter"])
        if attempts < 3:
            assert sent["by_topic"] == {"dlq-attempts.purchases": 1}
    assert (sent["redriven"], sent["parked"], letter["status"]) == (0, 1, "parked")

    shown = shop.command(capsys, "dlq", "show", letter["letter"])
    assert json.loads(shown["value"])["order_id"] == first["order_id"]
    (tmp_path / "edited.json").write_text(json.dumps(conflicting | {"order_id": "another"}))
    edit = ("dlq", "redrive", letter["letter"], "--force", "--edit", str(tmp_path / "edited.json"))
    assert shop.command(capsys, *edit)["redriven"] == 1
    eventually(lambda: shop.profiles()["c0"]["aggregates"]["orders_lifetime"] == 2, "the edited order is counted")

    shop.send([{"type": "no.such"}])
    eventually(lambda: [each["reason"] for each in letters()] == ["unknown_type"], "it is refused")
    assert shop.command(capsys, "dlq", "drop", "--reason", "unknown_type", "--why", "ours no more")["dropped"] == 1
    eventually(lambda: letters() == [], "it is dropped")
    assert shop.command(capsys, "dlq", "redrive", "--all")["redriven"] == 0


def test_killed_before_its_commit_a_redrive_has_sent_nothing(
    kafka: EmbeddedKafka, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy is not to be read, the letter is still open, and the next redrive sends it once."""
    shop = Shop(kafka.bootstrap, tmp_path, "dlq-killed")
    rejected = Rejected(RefusalReason.SCHEMA, "decode", "")
    headers = dead_letter_headers(
        rejected, topic="dlq-killed.purchases", partition=0, offset=0, timestamp=0, attempts=1, app_version="1"
    )
    with producer(shop.settings) as writer:
        for _ in range(3):
            writer.send(shop.settings.topic("dead-letters"), b"{}", partition=0, headers=headers)
        writer.flush()

    with monkeypatch.context() as patch:
        patch.setattr(KafkaProducer, "commit_transaction", _die)
        with pytest.raises(SystemExit):
            run(["dlq", "redrive", "--all", "--config", str(shop.config)])
    (open_ones,) = shop.command(capsys, "dlq", "list")["groups"]
    assert (open_ones["status"], open_ones["letters"]) == ("open", 3)

    assert shop.command(capsys, "dlq", "redrive", "--all", "--rate", "1000")["redriven"] == 3
    assert len(shop.records("purchases")) == 3
    assert shop.command(capsys, "dlq", "list")["groups"] == []


def _die(_: object) -> None:
    raise KeyboardInterrupt
