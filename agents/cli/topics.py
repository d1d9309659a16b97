"""`tierstream topics`: the topics on the cluster against the catalogue."""

from typing import Annotated

from cyclopts import App, Parameter

from agents.cli.options import AsJson, ConfigPath, print_json, print_table, say, settings_of
from agents.kafka_clients import admin_client
from agents.kafka_rights import Role, grants
from agents.kafka_rights import rights as rights_of
from agents.policy_activation import activate_first, partitions_without_policy
from agents.policy_files import configured_policy
from agents.settings import Settings
from agents.topics import Difference, create_and_align, differences, found_topics, wanted_topics
from schemas.clock import format_instant

app = App(name="topics", help="Plan, create and check the topics on a cluster.")

DEVIATION_EXIT_CODE = 1


@app.command
def plan(*, config: ConfigPath = None, json: AsJson = False) -> None:
    """Show what `apply` would create or change, and what it could not.

    Example: tierstream topics plan
    """
    todo = _differences(settings_of(config))
    if json:
        print_json({"differences": todo})
    elif todo:
        _print(todo)
    else:
        say("All topics are as they should be.")


@app.command
def apply(*, config: ConfigPath = None, json: AsJson = False) -> None:
    """Create missing topics, align settings, and put the policy of the settings in force in an empty journal.

    Partition counts are never changed: another count is refused, with the way around.

    Example: tierstream topics apply --config tierstream.toml
    """
    settings = settings_of(config)
    policy = configured_policy(settings)  # mistakes in it come out before anything is created
    with admin_client(settings) as admin:
        done = create_and_align(admin, settings)
    activation = activate_first(settings, policy)
    if json:
        activated = activation and {"name": policy.name, "hash": policy.hash, "effective_at": format_instant(0)}
        print_json({"changed": done, "activated": activated})
        return
    if done:
        print_table(("topic", "changed", "to"), ((d.topic, d.what, d.wanted) for d in done))
    say(f"{len(done)} changes; the topics are as they should be.")
    if activation:
        say(f"Policy {policy.name} ({policy.hash[:12]}) is in force for all events, as the journal's first record.")


@app.command
def check(*, config: ConfigPath = None, json: AsJson = False) -> int:
    """Fail, with exit code 1 and each deviation's remedy, unless topics and journal are as they should be.

    Example: tierstream topics check && tierstream worker
    """
    settings = settings_of(config)
    todo = _differences(settings)
    if not any(d.kind in {"missing", "partitions"} for d in todo):
        todo += _without_policy(settings)
    if json:
        print_json({"differences": todo})
    elif todo:
        _print(todo)
    else:
        say("All topics are as they should be, and the journal begins with a policy.")
    return DEVIATION_EXIT_CODE if todo else 0


@app.command
def rights(
    role: Annotated[Role, Parameter(help="Who is to act: worker, feeder, admin, reader or doctor.")],
    /,
    *,
    principal: Annotated[str, Parameter(help="Kafka's name of it, for the commands that grant.")] = "",
    config: ConfigPath = None,
    json: AsJson = False,
) -> None:
    """List the rights (ACLs) that a role needs under these settings; with --principal, as kafka-acls.sh commands.

    Example: tierstream topics rights worker --principal User:tierstream-worker
    """
    settings = settings_of(config)
    needed = rights_of(settings, role)
    if json:
        print_json({"role": role, "rights": needed})
    elif principal:
        for command in grants(needed, principal, settings.kafka.bootstrap):
            say(command)
    else:
        print_table(
            ("resource", "name", "right"),
            (
                (right.resource, right.name + (" (prefix)" if right.prefixed else ""), right.operation)
                for right in needed
            ),
        )


def _differences(settings: Settings) -> list[Difference]:
    wanted = wanted_topics(settings)
    with admin_client(settings) as admin:
        return differences(wanted, found_topics(admin, [topic.name for topic in wanted]))


def _without_policy(settings: Settings) -> list[Difference]:
    empty = partitions_without_policy(settings)
    if not empty:
        return []
    listed = ", ".join(map(str, empty))
    journal = settings.topic("customer-events")
    return [Difference(journal, "policy", "first record", "a policy", f"none in {listed}", "tierstream topics apply")]


def _print(todo: list[Difference]) -> None:
    print_table(
        ("topic", "what", "wanted", "found", "remedy"), ((d.topic, d.what, d.wanted, d.found, d.remedy) for d in todo)
    )
