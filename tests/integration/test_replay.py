"""Replay against a live run on a real Kafka: the same files, one customer's past, an audit that finds what is wrong."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from agents.cli import run
from agents.embedded import EmbeddedKafka
from agents.kafka_clients import producer
from agents.partitioning import home_of
from agents.replay.event_files import DEAD_LETTERS, FILES, JOURNAL, Collector, write_file
from agents.runtime.names import changelog
from tests.churn import FULL, model_file
from tests.integration.shop import PARTITIONS, Shop, days_ago, eventually
from tests.unit.agents.replay.journals import files
from tests.unit.agents.silver import STRICT

CUSTOMERS = 30


def order(number: int) -> dict[str, Any]:
    """An order that lies a while back, so that windows and ranks differ."""
    return {
        "type": "order.completed",
        "id": f"e{number}",
        "time": days_ago(147 - 30 * (number % 3) - number % 27),
        "customer_id": f"c{number % CUSTOMERS}",
        "order_id": f"o{number}",
        "currency": "USD",
        "total_minor": 2_000 + 137 * number,
    }


def live_files(shop: Shop, folder: Path) -> dict[str, bytes]:
    """What the topics hold, without what intake refused."""
    for topic in FILES:
        collector = Collector(topic)
        for record in shop.records(topic):
            if topic != DEAD_LETTERS or record.header["tierstream-dlq-stage"] == b"customers":
                collector.take(record.key, record.value, record.headers)
        write_file(folder, topic, collector.lines)
    return files(folder)


def journalled(shop: Shop) -> int:
    """Customers' records in the journal."""
    return sum(1 for record in shop.records(JOURNAL) if (record.key or b"\0")[0])


def told(shop: Shop) -> int:
    """How many of their records the newest profiles have in them."""
    return sum(profile["caused_by"]["journal_seq"] for profile in shop.profiles().values())


@pytest.fixture
def shop(kafka: EmbeddedKafka, tmp_path: Path, request: pytest.FixtureRequest) -> Any:  # noqa: ANN401 - a generator
    """A shop that has lived: orders, a refused record, another policy and model, a worker that was killed."""
    batch = request.node.callspec.params["batch"]
    made = Shop(kafka.bootstrap, tmp_path, f"replay-{batch}")
    made.config.write_text(made.config.read_text() + f"commit_records_max = {batch}\n")
    (tmp_path / "strict.toml").write_text(STRICT)
    made.start()
    try:
        made.send([order(number) for number in range(100)])
        assert run(["model", "activate", model_file(tmp_path / "model.json", FULL), "--config", str(made.config)]) == 0
        made.send([order(number) for number in range(100, 200)])
        made.send([{"type": "order.completed", "id": "bad", "customer_id": "c1"}])
        refund = {"type": "order.refunded", "refund_id": "r", "currency": "EUR", "refund_minor": 1}
        made.send([{**refund, "id": "r1", "time": days_ago(60), "order_id": "o1", "customer_id": "c1"}])
        eventually(lambda: told(made) == 201, "the first orders are told")
        if batch > 1:
            made.kill()
        assert run(["policy", "activate", str(tmp_path / "strict.toml"), "--config", str(made.config)]) == 0
        made.send([order(number) for number in range(200, 400)])
        if batch > 1:
            made.start()
        eventually(lambda: told(made) == 401, "all orders are told")
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("batch", [1, 5_000])
def test_replay_past_and_audit(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str], batch: int) -> None:
    """One live run serves all questions, as it takes a while to make."""
    shop.close()
    expected = live_files(shop, tmp_path / "live")
    folders = ("--out", str(tmp_path / "again"), "--snapshots", str(tmp_path / "kept"))
    answer = shop.command(capsys, "replay", *folders, "--jobs", "1" if batch == 1 else "2")
    assert files(tmp_path / "again") == expected
    assert b'"name":"strict"' in expected["tier-changes.jsonl"]
    assert b'"model":{"name":"full"' in expected["churn-risk.jsonl"]
    assert len(expected["dead-letters.jsonl"].splitlines()) == 1
    assert (answer["events"], answer["customers"], answer["resumed"]) == (401, CUSTOMERS, 0)
    again = shop.command(capsys, "replay", "--jobs", "1", "--snapshots", str(tmp_path / "kept"))
    assert (again["folded"], again["resumed"], again["standings"]) == (0, PARTITIONS, answer["standings"])
    from_file = shop.command(capsys, "replay", "--jobs", "1", "--input", str(tmp_path / "again" / "journal.jsonl"))
    assert from_file["customers"] == CUSTOMERS

    if batch > 1:
        past_of_one_customer(shop, tmp_path, capsys)
        another_policy_is_tried(shop, tmp_path, capsys, answer["standings"]["standing"])
        audit_finds_what_is_wrong(shop, capsys)


def past_of_one_customer(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the index and without it, and the same as the topics say."""
    index = ("--index", str(tmp_path / "index"))
    slow = shop.command(capsys, "customer", "timeline", "c1", *index)
    assert shop.command(capsys, "customer", "index", *index)["entries"] == 401 + 3 * PARTITIONS
    quick = shop.command(capsys, "customer", "timeline", "c1", *index)
    assert slow["scanned"] > 100
    assert quick == {**slow, "scanned": 0}
    published = [r.data["revision"] for t in ("tier-changes", "churn-risk") for r in shop.records(t) if r.key == b"c1"]
    rows = [row["data"]["revision"] for row in quick["timeline"] if row["kind"] == "decision"]
    assert sorted(rows) == sorted(published)
    refused = [row["what"] for row in quick["timeline"] if row["kind"] == "refused"]
    assert len(refused) == 1

    explained = shop.command(capsys, "explain", "c1", *index)
    changes = [record for record in shop.records("tier-changes") if record.key == b"c1"]
    assert explained["ladders"][0]["decision"]["id"] == changes[-1].data["id"]
    assert explained["rechecked"] > 0

    now = shop.command(capsys, "customer", "show", "c1", "--at", days_ago(-1_000), *index)
    assert now["policy"]["name"] == "strict"
    assert now["caused_by"]["journal_seq"] == shop.profiles()["c1"]["caused_by"]["journal_seq"]
    assert run(["customer", "show", "c1", "--at", "2020-01-01T00:00:00Z", *index, "--config", str(shop.config)]) == 1
    assert run(["customer", "timeline", "nobody", *index, "--config", str(shop.config)]) == 1
    capsys.readouterr()


def another_policy_is_tried(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str], standing: dict[str, int]
) -> None:
    """The new one against those that were activated; a sample of the partitions' customers; thresholds from them."""
    try_it = ("policy", "backtest", str(tmp_path / "strict.toml"))
    tried = shop.command(capsys, *try_it)
    current: Counter[str] = Counter()
    for flow in tried["flows"]:
        current[flow["current"]] += flow["customers"]
    assert current == standing
    assert tried["moves"]["elsewhere"]["customers"] > 0
    assert shop.command(capsys, *try_it, "--sample", "10", "--jobs", "1")["customers"] == 10
    suggested = shop.command(capsys, "policy", "suggest", "--shares", "50", "--window", "lifetime")
    assert (suggested["of"], suggested["tiers"][0]["exact_share"]) == (CUSTOMERS, 0.5)


def audit_finds_what_is_wrong(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing at first; then a record that was published twice, and a state that was changed."""
    clean = shop.command(capsys, "audit", "verify")
    assert clean["differences"] == 0
    assert sum(partition["customers"] for partition in clean["partitions"]) == CUSTOMERS
    number = home_of(b"c1", PARTITIONS)
    twice = next(record for record in shop.records("tier-changes") if record.key == b"c1")
    with producer(shop.settings) as writer:
        topic = shop.settings.topic("tier-changes")
        writer.send(topic, twice.value, key=b"c1", partition=number, headers=list(twice.headers)).get(10)
    found = audited(shop, capsys, number)
    assert found["differences"] == 1
    assert (found["first"]["kind"], found["first"]["topic"]) == ("doubled", topic)
    assert found["first"]["offset"] is not None
    assert '"c1"' not in json.dumps(found)

    with producer(shop.settings) as writer:
        states = changelog(shop.settings.kafka.application_id, "customers")
        writer.send(states, b"no state", key=b"c1", partition=number).get(10)
    found = audited(shop, capsys, number)
    assert found["differences"] == 2
    assert (found["first"]["kind"], found["first"]["topic"]) == ("different", states)


def audited(shop: Shop, capsys: pytest.CaptureFixture[str], number: int) -> dict[str, Any]:
    """The verdict on a partition."""
    capsys.readouterr()
    arguments = ["audit", "verify", "--partition", str(number), "--json", "--config", str(shop.config)]
    assert run(arguments) == 1
    verdict: dict[str, Any] = json.loads(capsys.readouterr().out)["partitions"][0]
    return verdict
