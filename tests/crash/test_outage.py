"""An outage of ours never makes a customer look silent: what is published is what an uninterrupted run publishes.

Once under the broker's clock: two deployments read the same raw topic, one of them is down while customers buy and
while others' silence moves their risk. Once under the event clock: days of a history go by while the worker is down.
"""

import json
import random
import time
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from kafka import KafkaProducer

from agents.embedded import EmbeddedKafka
from schemas.clock import MS_PER_DAY, format_instant
from tests.crash.evidence import Entry, home
from tests.crash.harness import Deployment, wait_until
from tests.crash.histories import Crossing, Silence, every_crossing, order, silences
from tests.crash.reading import Reader
from tests.crash.run import SETTLED_WITHIN_S, Run
from tests.prepared import Prepared

pytestmark = [pytest.mark.crash, pytest.mark.timeout(480)]

AHEAD_MS = 12_000
ATTEMPTS = 4
SPARE_MS = 5_000
HISTORY_START_MS = 1_735_689_600_000  # 2025-01-01
HISTORY_DAYS = 400
DAYS_PER_S = 30
OUTAGE_S = 2.0
FED_WITHIN_S = 120


def test_customers_who_buy_during_an_outage_never_look_silent(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    """Silence that came to an end unread moves nobody; real silence moves at its exact instant, read late or not."""
    with ExitStack() as runs:
        down = runs.enter_context(Run(kafka.bootstrap, tmp_path, "down", seed=11, rate=0))
        shared = f"{down.deployment.prefix}purchases"
        steady = runs.enter_context(Run(kafka.bootstrap, tmp_path, "steady", seed=11, rate=0, intake=bound(shared)))
        steady.raw_topics = (*steady.raw_topics, shared)
        down.deployment.start("w1")
        steady.deployment.start("w1")
        crossings = every_crossing()
        down.say(f"{len(crossings)} crossings")
        for run in (down, steady):
            run.opened()  # the plan has no time for processes that start
        producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all")
        down.say("opened")
        customers = banded(down, producer, crossings)
        down.say("banded")
        buyers, silent = customers[::2], customers[1::2]
        down.deployment.worker("w1").kill()
        for customer in buyers:
            send(producer, down, order(customer.customer_id, f"{customer.customer_id}-back", int(time.time() * 1000)))
        producer.close()
        assert time.time() * 1000 < customers[0].crosses_at, "this machine was too slow for the plan"
        time.sleep(max(0.0, customers[-1].crosses_at / 1000 + 1 - time.time()))
        down.say("the last silence is over")
        down.deployment.start("w1")
        wanted = {(customer.customer_id, format_instant(customer.crosses_at)) for customer in silent}
        for run in (steady, down):
            wait_for(run, wanted)
            run.say("moved")
            run.settle()
            run.say("settled")

        assert not {customer.customer_id for customer in buyers} & {name for name, _ in moves(down)}
        assert published(down) == published(steady)
        for run in (down, steady):
            run.judge()


def test_simulated_days_that_pass_during_an_outage_change_nothing(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    """Killed and down for days of the history, and killed as it ends: the same bytes as a run without any of it."""
    history = tmp_path / "history.jsonl"
    write_history(history, seed=12)
    settings = {"clock": "event"}
    with (
        Run(kafka.bootstrap, tmp_path, "broken", seed=12, rate=0, intake=settings) as broken,
        Run(kafka.bootstrap, tmp_path, "whole", seed=12, rate=0, intake=settings) as whole,
    ):
        for run in (broken, whole):
            run.raw_topics = (run.deployment.prefix + "imports",)
            run.deployment.start("w1")
        feeding = feed(broken.deployment, history, "--speed", str(DAYS_PER_S))
        assert feed(whole.deployment, history).wait(FED_WITHIN_S) == 0
        worker = broken.deployment.worker("w1")
        for _ in range(3):
            broken.pause(1, 3)
            worker.kill()
            time.sleep(OUTAGE_S)
            worker.start()
        assert feeding.wait(FED_WITHIN_S) == 0
        worker.kill()
        worker.start()
        for run in (broken, whole):
            run.settle()

        assert journal(broken) == journal(whole)
        assert published(broken) == published(whole)
        for run in (broken, whole):
            run.judge()


def banded(run: Run, producer: KafkaProducer, crossings: list[Crossing]) -> list[Silence]:
    """Customers who have their first bands and will soon leave them by silence; a busy machine plans further ahead."""
    for attempt in range(ATTEMPTS):
        now_ms = int(time.time() * 1000)
        customers = silences(crossings, now_ms, now_ms + (AHEAD_MS << attempt), f"plan{attempt}")
        for customer in customers:
            for event in customer.orders():
                send(producer, run, event)
        producer.flush()
        names = {customer.customer_id for customer in customers}
        while time.time() * 1000 < customers[0].crosses_at - SPARE_MS:
            if names <= {name for name, _, _ in changes(run)}:
                return customers
            time.sleep(0.25)
    raise AssertionError(f"no first bands within {AHEAD_MS << ATTEMPTS - 1} ms")


def bound(topic: str) -> dict[str, object]:
    """Settings that bind a topic of somebody else."""
    return {"source": [{"topic": topic, "format": "tierstream"}]}


def send(producer: KafkaProducer, run: Run, event: dict[str, object]) -> None:
    """Send a purchase; one customer's lie in one partition, so that two deployments read them in one order."""
    key = str(event["customer_id"]).encode()
    topic = run.deployment.prefix + "purchases"
    producer.send(topic, json.dumps(event).encode(), key=key, partition=home(key, run.partitions))


def read(run: Run, topic: str) -> list[Entry]:
    """All committed records of one of the deployment's topics."""
    return Reader(run.bootstrap).read(run.deployment.prefix + topic)


def changes(run: Run) -> list[tuple[str, str, str]]:
    """Customer, cause and instant of every change of risk."""
    found = [msgspec.json.decode(entry.value or b"")["data"] for entry in read(run, "churn-risk")]
    return [(data["customer_id"], data["cause"], data["effective_at"]) for data in found]


def moves(run: Run) -> set[tuple[str, str]]:
    """Customer and instant of the changes that passing time made."""
    return {(customer, at) for customer, cause, at in changes(run) if cause == "time"}


def wait_for(run: Run, wanted: set[tuple[str, str]]) -> None:
    """Wait until passing time has moved these customers at these instants."""
    wait_until(lambda: wanted <= moves(run), SETTLED_WITHIN_S, f"the changes of silence of {run.deployment.name}")


def journal(run: Run) -> list[tuple[bytes | None, bytes | None, int]]:
    """The journal without its coordinates, partition by partition."""
    return [(entry.key, entry.value, entry.partition) for entry in read(run, "customer-events")]


def published(run: Run) -> dict[tuple[str, bytes | None], list[bytes | None]]:
    """Per topic and customer what was published, in order; of profiles the last."""
    found: dict[tuple[str, bytes | None], list[bytes | None]] = {}
    for topic in ("tier-changes", "churn-risk"):
        for entry in read(run, topic):
            found.setdefault((topic, entry.key), []).append(entry.value)
    for entry in read(run, "customer-profiles"):
        found["customer-profiles", entry.key] = [entry.value]
    return found


def write_history(path: Path, seed: int) -> None:
    """Purchases of four hundred days that thin out, so that tiers decay and risks rise while the clock runs."""
    dice = random.Random(seed)
    lines = []
    for number in range(3_000):
        day = int(dice.triangular(0, HISTORY_DAYS, 0))
        at_ms = HISTORY_START_MS + day * MS_PER_DAY + dice.randrange(MS_PER_DAY)
        customer = f"c{int(dice.paretovariate(0.7)) % 400}"
        lines.append(json.dumps(order(customer, f"o{number}", at_ms) | {"total_minor": dice.randrange(500, 20_000)}))
    path.write_text("\n".join(lines) + "\n")


def feed(deployment: Deployment, path: Path, *arguments: str) -> Prepared:
    """Start `tierstream feed`."""
    until = format_instant(HISTORY_START_MS + (HISTORY_DAYS + 60) * MS_PER_DAY)
    return deployment.spawn("feed", str(path), "--event-clock", "--until", until, *arguments)
