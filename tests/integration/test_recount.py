"""A policy that counts what was not counted: the past is folded again beside live traffic, whoever is killed."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.control_records import control_writer, write_everywhere
from agents.embedded import EmbeddedKafka
from agents.errors import RestartError
from agents.kafka_clients import producer
from agents.partitioning import home_of
from agents.policy_activation import ACTIVATION, activate
from agents.policy_log import PolicyLog
from agents.recount.partition import Counted
from agents.recount.plan import plan_for
from agents.recount.run import Work, recount_and_activate, withdraw
from agents.replay.event_files import JOURNAL
from agents.replay.fold import JournalFold
from agents.replay.journal_topic import JournalTopic
from schemas.clock import format_instant
from schemas.journal import CountersDeclared, CountersRestated, PolicyActivated, decode_journal
from streams.policy.model import counters
from streams.recount import declaration_id
from streams.standing.profile import profile
from tests.integration.processes import Meanwhile
from tests.integration.shop import PARTITIONS, Shop, days_ago, eventually
from tests.integration.test_replay import live_files
from tests.journal import policy_of
from tests.prepared import Prepared, command
from tests.unit.agents.replay.journals import files

CUSTOMERS = 60
HEAD = '[policy]\nname = "%s"\n[[ladder]]\nid = "club"\ngrace = "0 days"\n'
PLAIN = HEAD % "plain" + (
    '[[ladder.tier]]\nid = "member"\nenter.any = [{ metric = "orders", window = "lifetime", at_least = 1 }]\n'
)
HATS = '[{"category":["hats"]}]'
SHOES_COUNTED = HATS.replace("hats", "shoes")
SHOES = PLAIN.replace('"plain"', '"shoes"') + (
    '[[ladder.tier]]\nid = "runner"\n'
    'enter.any = [{ metric = "spend", window = "lifetime", category = ["shoes"], at_least = "100.00" }]\n'
)


def order(number: int, customer: str, at: str | None = None) -> dict[str, Any]:
    """An order of shoes and hats; a third of the customers never buy shoes."""
    shoes = 0 if number % 3 == 0 else 3_000
    goods = [{"product_id": "p1", "category": "hats", "price_minor": 1_000}]
    goods += [{"product_id": "p2", "category": "shoes", "price_minor": shoes}] if shoes else []
    return {
        "type": "order.completed",
        "id": f"e{number}-{customer}",
        "time": at or format_instant(int(time.time() * 1000)),
        "customer_id": customer,
        "order_id": f"o{number}-{customer}",
        "currency": "USD",
        "total_minor": 1_000 + shoes,
        "products": goods,
    }


class Traffic(Meanwhile):
    """One customer who is never quiet, and a new one now and then."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(0.25)
        self._shop, self.sent = shop, 0

    def step(self) -> None:
        """The next order."""
        who = f"new{self.sent}" if self.sent % 5 == 4 else "busy"
        self._shop.send([order(1_000 + self.sent, who)])
        self.sent += 1


def start(shop: Shop, policy: Path, *more: str) -> Prepared:
    """Begin the command in a process of its own, without a terminal."""
    arguments = ["policy", "activate", str(policy), "--config", str(shop.config), *more]
    return Prepared(command, arguments, policy.with_suffix(".log"))


def declare(shop: Shop, text: str) -> None:
    """Declare counters, as an activation does that ends right after it."""
    record = CountersDeclared(id=declaration_id(text), text=text)
    with control_writer(shop.settings, ACTIVATION) as writer:
        write_everywhere(writer, shop.settings, lambda _home: record, what="", check="")


def waiting(shop: Shop, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What `policy show` says is counted for a policy to come."""
    told: list[str] = shop.command(capsys, "policy", "show")["counters_waiting"]
    return told


def held(shop: Shop, *kinds: type) -> list[Any]:
    """The journal's records of these types."""
    records = [decode_journal(record.value or b"") for record in shop.records(JOURNAL)]
    return [record for record in records if isinstance(record, kinds)]


@pytest.fixture
def shop(kafka: EmbeddedKafka, tmp_path: Path) -> Iterator[Shop]:
    """A shop with a past that nobody counted by category."""
    made = Shop(kafka.bootstrap, tmp_path, "recount", policy=PLAIN)
    made.start()
    try:
        past = [order(n, f"c{n % CUSTOMERS}", days_ago(147 - 30 * (n % 3) - n % 27)) for n in range(300)]
        made.send([*past, order(300, "busy")])
        refund = {"type": "order.refunded", "currency": "USD", "refund_minor": 2_000, "time": days_ago(50)}
        made.send(
            [
                {**refund, "id": f"r{n}", "refund_id": "r", "order_id": f"o{n}-c{n}", "customer_id": f"c{n}"}
                for n in range(9)
            ]
        )
        eventually(lambda: told(made) == 310, "the past is told")
        yield made
    finally:
        made.close()


def told(shop: Shop) -> int:
    """How many records the newest profiles have in them."""
    return sum(profile["caused_by"]["journal_seq"] for profile in shop.profiles().values())


def test_a_policy_counts_the_past_first(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Command and worker are killed meanwhile; then all stand where a fold says that always counted.

    What was declared and given up before is declared anew.
    """
    wanted = tmp_path / "shoes.toml"
    wanted.write_text(SHOES)
    plan = shop.command(capsys, "policy", "check", str(wanted), "--against-cluster")["to_count"]
    assert plan["counters"] == ["category=shoes"]
    assert plan["records"] > 310
    assert plan["seconds"] < 60
    before = {topic: shop.records(topic) for topic in ("tier-changes", "customer-profiles")}
    assert len(before["tier-changes"]) == CUSTOMERS + 1

    declare(shop, SHOES_COUNTED)
    eventually(lambda: waiting(shop, capsys) == ["category=shoes"], "the workers have heard of it")
    assert shop.command(capsys, "policy", "abandon") == {"withdrawn": ["category=shoes"]}
    eventually(lambda: waiting(shop, capsys) == [], "the workers have heard that it is given up")
    killed = start(shop, wanted, "--pace", "4", "--jobs", "1")
    eventually(lambda: len(held(shop, CountersRestated)) > 0, "restatements are under way")
    killed.send_signal(signal.SIGKILL)
    killed.wait(30)
    assert [record.text for record in held(shop, CountersDeclared)] == [SHOES_COUNTED, "[]", SHOES_COUNTED] * PARTITIONS
    assert {topic: shop.records(topic) for topic in before} == before  # nobody was told anything

    with Traffic(shop) as traffic:
        eventually(lambda: traffic.sent > 2, "there is traffic")
        shop.kill()
        again = start(shop, wanted, "--pace", "40", "--snapshots", str(tmp_path / "snapshots"), "--json")
        time.sleep(2)
        shop.start()
        assert again.wait(120) == 0
        sent = traffic.sent
        eventually(lambda: traffic.sent > sent + 4, "traffic goes on")
    eventually(lambda: told(shop) == 310 + traffic.sent, "all of it is told")
    eventually(lambda: {p["policy"]["name"] for p in shop.profiles().values()} == {"shoes"}, "the policy holds for all")
    shop.close()

    activated = held(shop, PolicyActivated)
    assert [(record.name, record.everybody_counted) for record in activated] == [("plain", False), ("shoes", True)] * 2
    runners = standings_agree(shop)
    assert 10 < runners < CUSTOMERS
    expected = live_files(shop, tmp_path / "live")
    shop.command(capsys, "replay", "--jobs", "1", "--out", str(tmp_path / "again"))
    assert files(tmp_path / "again") == expected
    assert shop.command(capsys, "audit", "verify", "--jobs", "1")["differences"] == 0
    shop.command(capsys, "customer", "timeline", "busy")
    explained = shop.command(capsys, "explain", "c1")
    assert explained["rechecked"] > 0
    nothing_left = shop.command(capsys, "policy", "check", str(wanted), "--against-cluster")["to_count"]
    assert nothing_left["counters"] == []


def standings_agree(shop: Shop) -> int:
    """Everybody's newest profile is that of a fold that counted from the beginning; how many are runners."""
    profiles, runners = shop.profiles(), 0
    journal = JournalTopic(shop.settings)
    for unit in journal.units(1):
        fold = JournalFold(
            journal.homes(unit)[0],
            lambda _effects, _entry: None,
            policies=PolicyLog(counters(policy_of(SHOES, "USD", "UTC"))),
        )
        for entries, _ in journal.read(unit, 0):
            for entry in entries:
                fold.take(entry)
        fold.close()
        for key, state in fold.customers():
            expected = profile(state, fold.regimes[-1], key.decode())
            found = profiles.pop(key.decode())
            assert [tier.tier.id for tier in expected.tiers] == [told["tier"]["id"] for told in found["tiers"]]
            assert found["revision"] == expected.revision
            runners += any(tier.tier.id == "runner" for tier in expected.tiers)
    assert profiles == {}
    return runners


@pytest.mark.parametrize("meanwhile", ["another policy", "other counters", "given up"])
def test_what_others_do_meanwhile(kafka: EmbeddedKafka, tmp_path: Path, meanwhile: str) -> None:
    """Another policy holds until this one comes; other counters take over; a withdrawal ends it. None needs workers."""
    shop = Shop(kafka.bootstrap, tmp_path, meanwhile.replace(" ", "-"), policy=PLAIN)
    settings, wanted = shop.settings, policy_of(SHOES, "USD", "UTC")
    journal_of_orders(shop)
    plan = plan_for(settings, wanted)
    done: list[bool] = []
    other = policy_of(PLAIN.replace('"plain"', '"other"'), "USD", "UTC")

    def interfere(_done: int, _total: int) -> None:
        if done:
            return
        done.append(True)
        if meanwhile == "another policy":
            activate(settings, other, 1)
        elif meanwhile == "given up":
            assert withdraw(settings) == ()  # no worker runs that could know what was declared
        else:
            declare(shop, HATS)

    def recount() -> Counted:
        done = recount_and_activate(settings, wanted, plan, lambda: 2, work=Work(jobs=1), told=interfere)
        assert done.counted is not None
        return done.counted

    if meanwhile == "another policy":
        assert recount().customers == 9
        assert [record.name for record in held(shop, PolicyActivated)] == ["plain", "other", "shoes"] * PARTITIONS
        assert len(held(shop, CountersRestated)) == 9
    else:
        with pytest.raises(RestartError, match=r"ther counters were declared, (or )?these"):
            recount()
        assert [record.name for record in held(shop, PolicyActivated)] == ["plain"] * PARTITIONS
        assert recount().restated == 9  # declared again, they take over in their turn


def journal_of_orders(shop: Shop) -> None:
    """Put nine customers' orders into the journal, as intake would."""
    with producer(shop.settings) as writer:
        for number in range(9):
            event = order(number, f"c{number}")
            event["recordedtime"] = event["time"]
            key = str(event["customer_id"]).encode()
            place = home_of(key, PARTITIONS)
            writer.send(shop.settings.topic(JOURNAL), json.dumps(event).encode(), key=key, partition=place)
