"""Each role under exactly the rights that the reference lists, and a worker that lacks one ending with its name."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from agents.doctor.data import look_at_data
from agents.doctor.findings import Level
from agents.doctor.run import examine
from agents.errors import AccessError, StalledError
from agents.feed import open_feeder
from agents.feed_file import Ready
from agents.kafka_clients import admin_client, producer
from agents.kafka_rights import Right, Role, rights
from agents.lookup import newest_value
from agents.overrides import Wish, answers, checked, send
from agents.policy_activation import activate_first, partitions_without_policy, policies_in_force
from agents.policy_files import configured_policy
from agents.rebuild.run import await_workers_end, prepare, write_anew
from agents.settings import KafkaSettings, PolicySettings, Settings, WorkerSettings
from agents.shadow.control import begin_trial, trial_under_way
from agents.shadow.ending import clean_up, drop
from agents.shadow.metrics import ShadowMetrics
from agents.shadow.run import following
from agents.shadow.view import view_of
from agents.topics import create_and_align
from schemas.clock import format_instant
from tests.integration.secured import PHRASE, SecuredKafka, running_worker

pytestmark = pytest.mark.kafka
PARTITIONS = 2
USERS: dict[str, Role] = {
    "admin": "admin",
    "doctor": "doctor",
    "feeder": "feeder",
    "operator": "operator",
    "reader": "reader",
    "rebuilder": "rebuilder",
    "shadow": "shadow",
    "worker": "worker",
    "worker-by-password": "worker",
}
PASSWORD = "a secret of eight words that no log shows"
WITHIN_S = 60
APP = "guarded"
LACKING = {
    "purchases": (Right("topic", "shop.purchases", "READ"), "topic shop.purchases"),
    "journal": (Right("topic", "shop.customer-events", "WRITE"), "shop.customer-events"),
    "tiers": (Right("topic", "shop.tier-changes", "WRITE"), "topic shop.tier-changes"),
    "progress": (Right("topic", "shop.intake-progress", "WRITE"), "shop.intake-progress"),
    "state": (Right("topic", f"{APP}-customers-changelog", "READ"), f"{APP}-customers-changelog"),
    "group": (Right("group", APP, "READ"), f"consumer group {APP}"),
    "transactions": (Right("transactional-id", f"{APP}-intake-", "WRITE", prefixed=True), f"{APP}-intake-"),
    "imports": (Right("topic", "shop.imports", "DESCRIBE"), "topic shop.imports"),
}


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """Topics and the first policy are there, made by an administrator who has no right too many."""
    made = SecuredKafka(tmp_path_factory.mktemp("secured"))
    with made.broker:
        needs = {name: rights(_settings(made, name), role) for name, role in USERS.items()}
        for lack, (right, _) in LACKING.items():
            assert right in needs["worker"]
            needs[lack] = [one for one in needs["worker"] if one != right]
        made.grant(needs)
        settings = _settings(made, "admin")
        with admin_client(settings) as admin:
            create_and_align(admin, settings)
        activate_first(settings, configured_policy(settings))
        yield made


def _settings(secured: SecuredKafka, user: str) -> Settings:
    """What a user brings who comes with a certificate."""
    return Settings(
        kafka=KafkaSettings(
            bootstrap=secured.at("MTLS"),
            application_id=APP,
            topic_prefix="shop.",
            partitions=PARTITIONS,
            security_protocol="SSL",
            ssl_cafile=secured.cafile,
            ssl_certfile=secured.client(user),
        ),
        policy=PolicySettings(currency="USD", time_zone="UTC"),
        worker=WorkerSettings(instance_id="one"),
    )


def _feed(settings: Settings, customer: str) -> None:
    """An order that makes its customer Gold."""
    event = {
        "type": "order.completed",
        "id": f"e-{customer}",
        "time": format_instant(int(time.time() * 1000)),
        "customer_id": customer,
        "order_id": f"o-{customer}",
        "currency": "USD",
        "total_minor": 30_000,
    }
    with open_feeder(settings, f"feed-{customer}") as feeder:
        feeder.send(Ready(1, "purchases", customer.encode(), json.dumps(event).encode(), 0))


def _await_profile(settings: Settings, customer: str) -> bytes:
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        value = newest_value(settings, settings.topic("customer-profiles"), customer.encode())
        if value is not None:
            return value
        time.sleep(0.2)
    raise AssertionError(f"no profile of {customer} within {WITHIN_S} s")


def _through_password(secured: SecuredKafka, user: str) -> Settings:
    """The worker's settings through SASL_SSL instead of a certificate."""
    secured.add_user(user, PASSWORD)
    by_certificate = _settings(secured, user).kafka
    return Settings(
        kafka=KafkaSettings(
            bootstrap=secured.at("SASL"),
            application_id=by_certificate.application_id,
            topic_prefix=by_certificate.topic_prefix,
            partitions=PARTITIONS,
            security_protocol="SASL_SSL",
            sasl_username=user,
            sasl_password=secured.secret(user, PASSWORD),
            ssl_cafile=secured.cafile,
        )
    )


@pytest.mark.parametrize("way", ["SSL", "SASL_SSL"])
def test_events_become_standings_under_exactly_these_rights(secured: SecuredKafka, tmp_path: Path, way: str) -> None:
    """A feeder feeds, a worker works, a reader reads; and no secret shows in a log line or a command line."""
    settings = _settings(secured, "worker") if way == "SSL" else _through_password(secured, "worker-by-password")
    log = tmp_path / "worker.log"
    with running_worker(settings, tmp_path, typed=True) as worker:
        _feed(_settings(secured, "feeder"), f"customer-{way}")
        profile = json.loads(_await_profile(_settings(secured, "reader"), f"customer-{way}"))
        command_line = Path(f"/proc/{worker.pid}/cmdline").read_bytes().decode()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0, log.read_text()

    assert profile["data"]["customer"]["tier"]["id"] == "gold"
    for shown in (command_line, log.read_text(), repr(settings), (tmp_path / "tierstream.toml").read_text()):
        assert PASSWORD not in shown
        assert PHRASE not in shown


@pytest.mark.parametrize("lack", LACKING)
def test_a_worker_that_lacks_a_right_says_which(secured: SecuredKafka, tmp_path: Path, lack: str) -> None:
    """It ends with exit code 19 and the resource's name instead of waiting for ever."""
    _, named = LACKING[lack]
    _feed(_settings(secured, "feeder"), f"customer without {lack}")

    with running_worker(_settings(secured, lack), tmp_path) as worker:
        code = worker.wait(WITHIN_S)

    last = json.loads((tmp_path / "worker.log").read_text().splitlines()[-1])
    assert code == AccessError.exit_code, last
    assert named in last["where"]
    assert "docs/reference/security.md" in last["next"]


def test_commands_that_lack_a_right_say_so(secured: SecuredKafka) -> None:
    """No stack trace: what was refused, and where it is written down."""
    nobody = _settings(secured, "nobody")

    with pytest.raises(AccessError, match="does not allow"), admin_client(nobody) as admin:
        create_and_align(admin, nobody)
    with pytest.raises(AccessError, match="does not allow"):
        partitions_without_policy(nobody)
    with pytest.raises(AccessError, match="does not allow"):
        _feed(nobody, "somebody")
    with pytest.raises(AccessError, match="does not allow"), producer(nobody, transactional_id="x") as writer:
        writer.init_transactions()


def test_a_doctor_looks_at_everything(secured: SecuredKafka) -> None:
    """Nothing is left out for want of a right, and a look at the data works too."""
    doctor = _settings(secured, "doctor")

    findings = list(examine(doctor))

    assert [finding for finding in findings if finding.level is Level.ERROR] == []
    assert {"broker", "topic-missing", "clock-skew", "certificate"} <= {finding.check for finding in findings}
    assert look_at_data(doctor, sample=100).complete


def test_states_are_made_anew(secured: SecuredKafka, tmp_path: Path) -> None:
    """A worker's states, once it has left: found as they are."""
    with running_worker(_settings(secured, "worker"), tmp_path) as worker:
        _feed(_settings(secured, "feeder"), "customer-rebuilt")
        _await_profile(_settings(secured, "reader"), "customer-rebuilt")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
    settings = _settings(secured, "rebuilder")
    settings = replace(settings, worker=replace(settings.worker, data_dir=str(tmp_path)))

    prepare(settings, jobs=1, told=lambda *_: None)
    await_workers_end(settings, 30, lambda _: None)
    done = write_anew(settings, jobs=1, told=lambda *_: None)

    assert sum(part.customers for part in done) >= 1
    assert [part.changed + part.removed for part in done] == [0] * PARTITIONS


def test_an_operator_decides_by_hand(secured: SecuredKafka) -> None:
    """Looks at the policy, listens for the answer, sends; a wait that nobody answers ends with the remedy."""
    operator = _settings(secured, "operator")
    event = checked(operator, Wish("tier.override_set", "c1", "standing", "complaint", "ann", "gold"))

    with answers(operator, event) as heard:
        send(operator, event)
        with pytest.raises(StalledError, match="no worker has decided"):
            heard.wait(1)
    with pytest.raises(AccessError, match="does not allow"):
        send(_settings(secured, "reader"), event)


def test_an_administrator_reads_the_policies_in_force(secured: SecuredKafka) -> None:
    admin = _settings(secured, "admin")

    assert [activation.effective_at for activation in policies_in_force(admin)] == [0]
    assert partitions_without_policy(admin) == []


def test_a_policy_is_tried_under_exactly_these_rights(secured: SecuredKafka, tmp_path: Path) -> None:
    """Begun, followed to the journal's end, shown, dropped and cleaned up; a reader can do none of it."""
    settings = msgspec.structs.replace(
        _settings(secured, "shadow"), worker=WorkerSettings(data_dir=str(tmp_path / "data"))
    )
    with running_worker(_settings(secured, "worker"), tmp_path):
        _feed(_settings(secured, "feeder"), "customer to compare")
        _await_profile(_settings(secured, "reader"), "customer to compare")
    policy = configured_policy(settings)

    trial = begin_trial(settings, policy, "start")
    deadline = time.monotonic() + WITHIN_S
    with following(settings, trial, ShadowMetrics()) as follower:
        while not follower.level or view_of(settings, trial, 1).behind.records:
            assert time.monotonic() < deadline
            follower.step()
        follower.close()

    found = view_of(settings, trial, 1)
    assert (found.customers > 0, found.differing) == (True, 0)
    with pytest.raises(AccessError, match="does not allow"):
        drop(_settings(secured, "reader"))
    assert drop(settings)
    clean_up(settings, trial)
    assert trial_under_way(settings) is None


def test_a_password_that_changed_ends_the_worker(secured: SecuredKafka, tmp_path: Path) -> None:
    """Kafka keeps connections that are open; the restart of the broker closes them."""
    settings, log = _through_password(secured, "worker-by-password"), tmp_path / "worker.log"
    with running_worker(settings, tmp_path) as worker:
        deadline = time.monotonic() + WITHIN_S
        while log.read_text().count("partition ready") < 2 * PARTITIONS:
            assert worker.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.2)
        secured.add_user("worker-by-password", "another password")
        secured.broker.restart()
        code = worker.wait(2 * WITHIN_S)

    last = json.loads(log.read_text().splitlines()[-1])
    assert code == AccessError.exit_code, last
    assert "kafka.sasl_username = worker-by-password" in last["where"]
    assert PASSWORD not in log.read_text()
