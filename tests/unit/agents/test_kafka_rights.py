"""The rights of each role follow the settings; that they suffice, and no fewer would, is tested on a cluster."""

import json
import typing
from pathlib import Path

import pytest

from agents.cli import run
from agents.kafka_rights import ROLES, Right, Role, grants, rights
from agents.settings import IntakeSettings, KafkaSettings, Settings, SourceSettings

OURS = Settings(
    kafka=KafkaSettings(application_id="crm", topic_prefix="shop."),
    intake=IntakeSettings(source=(SourceSettings(topic="web-orders"),)),
)


def test_every_role_has_its_rights() -> None:
    assert set(ROLES) == set(typing.get_args(Role))
    assert all(rights(OURS, role) for role in ROLES)


def test_names_follow_the_settings() -> None:
    """Prefix, application and bound topics; nobody is given more than a name of ours."""
    worker = rights(OURS, "worker")

    assert Right("topic", "web-orders", "READ") in worker
    assert Right("group", "crm", "READ") in worker
    assert Right("transactional-id", "crm-customers-", "WRITE", prefixed=True) in worker
    names = {right.name for role in ROLES for right in rights(OURS, role)}
    assert all(name.startswith(("shop.", "crm", "web-orders")) for name in names)


def test_a_worker_creates_and_alters_nothing() -> None:
    """And reads raw topics without being able to write them."""
    worker = rights(OURS, "worker")

    assert {right.operation for right in worker} == {"READ", "WRITE", "DESCRIBE"}
    assert Right("topic", "shop.purchases", "WRITE") not in worker


def test_a_reader_sees_decisions_alone() -> None:
    assert {right.name for right in rights(OURS, "reader")} == {
        "shop.tier-changes",
        "shop.churn-risk",
        "shop.notices",
        "shop.customer-profiles",
        "shop.shadow-changes",
    }


def test_a_shadow_writes_where_nothing_is_in_force() -> None:
    """And a worker cannot write there."""
    shadow = rights(OURS, "shadow")

    assert {r.name for r in shadow if r.resource == "topic" and r.operation != "READ"} == {"shop.shadow-changes"}
    assert {r.name for r in shadow if r.resource == "group"} == {"crm-shadow"}
    assert all(r.name.startswith("shop.crm-shadow") for r in shadow if r.resource == "transactional-id")
    assert "shop.shadow-changes" not in {right.name for right in rights(OURS, "worker")}


def test_an_analyst_reads_the_journal_and_nothing_else() -> None:
    assert rights(OURS, "analyst") == [Right("topic", "shop.customer-events", "READ")]


def test_an_event_clock_reads_the_imports() -> None:
    by_event = Settings(intake=IntakeSettings(clock="event"))

    assert Right("topic", "imports", "READ") in rights(by_event, "worker")
    assert [right for right in rights(by_event, "feeder") if right.operation == "WRITE"] == [
        Right("topic", "imports", "WRITE")
    ]


def test_grants_are_commands_for_kafkas_own_tool() -> None:
    needed = [Right("topic", "t", "DESCRIBE_CONFIGS"), Right("transactional-id", "crm-", "WRITE", prefixed=True)]

    lines = list(grants(needed, "User:CN=a b", "k:1"))

    grant = "kafka-acls.sh --bootstrap-server k:1 --add --allow-principal 'User:CN=a b'"
    assert lines == [
        f"{grant} --operation DescribeConfigs --topic t",
        f"{grant} --operation Write --transactional-id crm- --resource-pattern-type prefixed",
    ]


def test_the_command_shows_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run(["topics", "rights", "worker", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert run(["topics", "rights", "worker", "--principal", "User:w"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert run(["topics", "rights", "nobody"]) == 2

    assert {"resource": "group", "name": "tierstream", "operation": "READ", "prefixed": False} in told["rights"]
    assert len(lines) == len({(r["resource"], r["name"]) for r in told["rights"]})
