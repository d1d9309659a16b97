"""The whole worker, asked over its port: what it decided, for whom, and how fresh."""

import json
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agents.cli import run
from agents.embedded import EmbeddedKafka
from tests.integration.toy import wait_until
from tests.prepared import Prepared, command
from tests.unit.agents.test_serving import free_port

pytestmark = pytest.mark.kafka
Shown = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def port(kafka: EmbeddedKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A worker over topics of its own, and the port of its figures."""
    port = free_port()
    (tmp_path / "tierstream.toml").write_text(
        f'[kafka]\nbootstrap = "{kafka.bootstrap}"\napplication_id = "figures"\ntopic_prefix = "figures."\n'
        'partitions = 2\n[policy]\ncurrency = "USD"\ntime_zone = "UTC"\n[log]\nformat = "json"\n'
        f"[metrics]\nport = {port}\n"
    )
    monkeypatch.chdir(tmp_path)
    assert run(["topics", "apply"]) == 0
    process = Prepared(command, ["worker"], tmp_path / "worker.log")
    yield port
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0, (tmp_path / "worker.log").read_text()


def scraped(port: int) -> Shown:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(shown: Shown, name: str, **labels: str) -> float:
    return shown.get((name, frozenset(labels.items())), 0.0)


def test_a_worker_shows_what_it_decided(port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten orders make ten customers silver; one of them is refused, one sent twice."""
    wait_until(lambda: run(["health", "ready"]) == 0, 60, (tmp_path / "worker.log").read_text)
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    order = {"type": "order.completed", "time": now, "currency": "USD", "total_minor": 10_000}
    orders = [{**order, "id": f"e{n}", "customer_id": f"c{n}", "order_id": f"o{n}"} for n in range(10)]
    unknown = {**order, "id": "e11", "customer_id": "c11", "order_id": "o11", "currency": "EUR"}
    (tmp_path / "orders.jsonl").write_text("".join(json.dumps(o) + "\n" for o in [*orders, orders[0], unknown]))
    assert run(["feed", "orders.jsonl"]) == 0
    fresh = "tierstream_event_arrival_latency_seconds_count"
    wait_until(lambda: value(scraped(port), fresh) >= 12, 60, lambda: str(scraped(port)))
    wait_until(lambda: value(scraped(port), "tierstream_watermark_lag_seconds") > 0, 60)
    shown = scraped(port)

    assert value(shown, fresh) == value(shown, "tierstream_event_latency_seconds_count") == 12
    assert value(shown, "tierstream_event_arrival_latency_seconds_bucket", le="30.0") == 12
    assert value(shown, "tierstream_events_received_total", topic="figures.purchases", type="order.completed") == 12
    assert value(shown, "tierstream_customers", ladder="standing", tier="silver") == 10
    assert value(shown, "tierstream_customers", ladder="standing", tier="none") == 1
    changes = {"ladder": "standing", "from": "none", "to": "silver", "direction": "initial"}
    assert value(shown, "tierstream_tier_changes_total", **changes) == 10
    assert value(shown, "tierstream_duplicates_total", stage="customers") == 1
    assert value(shown, "tierstream_dead_letters_total", reason="no_rate") == 1
    assert sum(count for (name, _), count in shown.items() if name == "tierstream_policy_info") == 1
    assert value(shown, "tierstream_partitions", stage="customers", state="working") == 2
    assert 2 <= value(shown, "tierstream_watermark_lag_seconds") < 60  # its margin is 2 s
    assert any(name == "process_resident_memory_bytes" for name, _ in shown)
    assert not any("c1" in label for _, labels in shown for _, label in labels)  # an id is in no label
    capsys.readouterr()
    assert run(["health", "startup"]) == 0
    assert capsys.readouterr().out == "ok\n"
