"""What people decide about a tier, through the command, on a running worker: set, ended by time, matched, refused."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.cli import run
from agents.embedded import EmbeddedKafka
from schemas.clock import format_instant
from tests.integration.shop import Shop, eventually

pytestmark = pytest.mark.kafka
HOLDS_S = 10
DECIDED_WITHIN_S = "60"
POLICY = """
[policy]
name = "two-ladders"

[[ladder]]
id = "service"
audience = "internal"
[[ladder.tier]]
id = "known"
enter.any = [{ metric = "orders", window = "lifetime", at_least = 1 }]

[[ladder]]
id = "club"
[[ladder.tier]]
id = "member"
enter.any = [{ metric = "orders", window = "lifetime", at_least = 1 }]
[[ladder.tier]]
id = "gold"
notice = ["1 day"]
enter.any = [{ metric = "spend", window = "365 days", at_least = "900.00" }]
"""
BY_STORE = POLICY.replace('"two-ladders"', '"by-store"').replace(
    'window = "365 days", ', 'window = "365 days", store = "s1", '
)


@pytest.fixture
def shop(kafka: EmbeddedKafka, tmp_path: Path) -> Iterator[Shop]:
    """A shop with two ladders whose worker runs; c1 and c2 have bought once."""
    made = Shop(kafka.bootstrap, tmp_path, "overrides", policy=POLICY)
    made.start()
    now = format_instant(int(time.time() * 1000))
    order = {"type": "order.completed", "time": now, "currency": "USD", "total_minor": 1_000}
    made.send([{**order, "id": f"e-{c}", "order_id": f"o-{c}", "customer_id": c} for c in ("c1", "c2")])
    yield made
    made.close()


def decide(shop: Shop, capsys: pytest.CaptureFixture[str], kind: str, customer: str, *more: str) -> dict[str, Any]:
    """A decision of Ann's, with what became of it."""
    by = ("--ladder", "club", "--reason", "complaint 17", "--actor", "ann", "--wait", DECIDED_WITHIN_S)
    return shop.command(capsys, "override", kind, customer, *by, *more)


def in_seconds(seconds: int) -> str:
    return format_instant(int(time.time() * 1000) + seconds * 1_000)


def of(shop: Shop, topic: str, customer: str, ladder: str = "club") -> list[dict[str, Any]]:
    """What was told of a customer on a ladder, in order."""
    told = [record.data for record in shop.records(topic)]
    return [data for data in told if (data["customer_id"], data["ladder"]) == (customer, ladder)]


def test_what_people_decide_is_told_and_ends_by_time(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """An override changes the tier and its end changes it back; a match that ends is announced before."""
    eventually(lambda: {"c1", "c2"} <= shop.profiles().keys(), "both customers are known")
    answer = decide(shop, capsys, "set", "c1", "--tier", "gold")

    assert answer["decided"] == {"taken": True, "stands_at": "gold", "refused": ""}
    assert shop.profiles()["c1"]["customer"]["tier"]["id"] == "gold"
    assert run(["customer", "show", "c1", "--from-state", "--config", str(shop.config)]) == 0
    state = " ".join(capsys.readouterr().out.split())
    assert "ladder service, internal known (rank 1)" in state
    assert f"ladder club gold (rank 2) since {shop.profiles()['c1']['tiers'][1]['since']}" in state
    assert "override: gold (rank 2) (complaint 17)" in state
    assert "by the rules: member (rank 1)" in state

    until = in_seconds(HOLDS_S)
    decide(shop, capsys, "set", "c1", "--tier", "gold", "--until", until)
    matched_until = in_seconds(HOLDS_S)
    decide(shop, capsys, "match", "c2", "--tier", "gold", "--until", matched_until)
    eventually(lambda: all(len(of(shop, "tier-changes", c)) == 3 for c in ("c1", "c2")), "both ends are told")
    _, risen, fallen = of(shop, "tier-changes", "c1")
    assert (risen["tier"]["id"], risen["cause"], risen["override"]["reason"]) == ("gold", "override", "complaint 17")
    assert risen["caused_by"]["event_id"] == answer["event_id"]
    assert risen["valid_until"] is risen["override"]["valid_until"] is None
    assert (fallen["tier"]["id"], fallen["cause"], fallen["override"]) == ("member", "time", None)
    assert fallen["effective_at"] == until
    (notice,) = of(shop, "notices", "c2")
    assert (notice["days_before"], notice["falls_at"], notice["falls_to"]["id"]) == (1, matched_until, "member")
    assert of(shop, "tier-changes", "c2")[-1]["effective_at"] == matched_until

    audit = [json.loads(record.value or b"{}") for record in shop.records("audit")]
    first, second = [entry for entry in audit if entry["type"] == "tier.override_set"]
    assert (first["actor"], first["customer_id"], first["event_id"]) == ("ann", "c1", answer["event_id"])
    assert second["valid_until"] == until

    refused = [("--tier", "diamond"), ("--tier", "gold", "--until", "2020-01-01T00:00:00Z")]
    for more in refused:  # before anything is sent
        by = ("--ladder", "club", "--reason", "r", "--actor", "a", "--config", str(shop.config))
        assert run(["override", "set", "c1", *more, *by]) == 2
    told = capsys.readouterr().err
    assert "one of: member, gold" in told
    assert "The end has passed already." in told

    by_store = shop.config.with_name("by-store.toml")
    by_store.write_text(BY_STORE)
    assert run(["policy", "check", "--against-cluster", str(by_store), "--config", str(shop.config)]) == 0
    assert "Not counted yet: store=" in capsys.readouterr().out
    assert run(["policy", "check", str(by_store), "--config", str(shop.config)]) == 0
