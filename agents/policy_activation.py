"""Puts a policy in force: one record into every partition of the journal, in one transaction.

The first activation is the first record of an empty journal, effective since 1970, so that no event is ever without a
policy. A fixed transactional id lets one activation at a time through, from whatever machine.
"""

import hashlib
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import msgspec
from kafka import TopicPartition

from agents.control_records import JOURNAL, Besides, control_writer, write_everywhere
from agents.errors import BrokerUnreachableError, ConfigurationError
from agents.kafka_clients import consumer
from agents.lookup import newest_value
from agents.partition_records import COUNTERS_KEY, POLICIES_KEY, DeclaredCounters
from agents.partition_records import Activation as Entry
from agents.runtime.names import changelog
from agents.settings import Settings
from agents.topics import require_topics
from schemas.clock import format_instant, parse_instant
from schemas.journal import PolicyActivated, decode_journal
from streams.policy.model import OrderFilter, Policy, uncounted
from streams.policy.parse import canonical, load_canonical

SINCE_EVER_MS = 0
"""The first activation holds for all events, whenever they happened."""
READ_TIMEOUT_S = 20
ACTIVATION = "policy-activation"
"""Of policies and of models: one at a time."""


class Activation(NamedTuple):
    """What was written."""

    policy: Policy
    effective_at: int
    """Epoch ms."""
    partitions: int


def activate_first(settings: Settings, policy: Policy) -> Activation | None:
    """Write the first activation into an empty journal; None when the journal has begun already."""
    with _one_activation(settings) as writer:
        if _first_records(settings):
            return None
        return _write(writer, settings, policy, SINCE_EVER_MS)


def activate(settings: Settings, policy: Policy, effective_at: int, *, besides: Sequence[Besides] = ()) -> Activation:
    """Write an activation that holds from `effective_at` (epoch ms) on, and in the same transaction what is `besides`.

    ConfigurationError when there was no first, and when workers would refuse it after the newest one that they know.
    """
    if not _first_records(settings):
        raise ConfigurationError(
            "The journal is empty: its first policy comes with the topics.",
            where=settings.topic(JOURNAL),
            next_step="tierstream topics apply",
        )
    with _one_activation(settings) as writer:
        before = policies_in_force(settings)
        refuse_other_currency(policy, before)
        refuse_uncounted(policy, before)
        return _write(writer, settings, policy, effective_at, besides)


def refuse_other_currency(policy: Policy, activations: Sequence[Activation]) -> None:
    """Raise ConfigurationError when a policy would read what was spent in one currency as amounts of another."""
    newest = activations[-1].policy if activations else policy
    if policy.currency != newest.currency:
        raise ConfigurationError(
            f"The policy {policy.name} cannot follow {newest.name} ({newest.hash[:12]}).",
            where=f"[policy] currency = {policy.currency}",
            why=f"what customers spent is kept in {newest.currency}, and would be read as {policy.currency} unchanged",
            next_step=f'write currency = "{newest.currency}"; or begin a new journal with this policy (another'
            " kafka.application_id and kafka.topic_prefix) and feed the history again",
        )


def refuse_uncounted(policy: Policy, activations: Sequence[Activation]) -> None:
    """Raise ConfigurationError when a policy needs what the newest of these did not count."""
    lacking = uncounted(policy, activations[-1].policy) if activations else ()
    if not lacking:
        return
    newest = activations[-1].policy
    raise ConfigurationError(
        f"The policy {policy.name} cannot follow {newest.name} ({newest.hash[:12]}).",
        where=", ".join(where.name for where in lacking),
        why="what orders consist of is counted as they come, and the policy in force does not count this",
        next_step="the same command again: it counts it from the journal first",
    )


def policies_in_force(settings: Settings) -> list[Activation]:
    """Every policy that the workers know of, oldest first; before the first worker ran, the journal's first one."""
    count, known = settings.kafka.partitions, entries_in_force(settings)
    if known:
        return [
            Activation(load_canonical(entry.text), entry.effective_at, count) for entry in known if not entry.is_model
        ]
    first = _first_records(settings).get(0)
    if not isinstance(first, PolicyActivated):
        return []
    return [Activation(load_canonical(first.text), parse_instant(first.effective_at), count)]


def entries_in_force(settings: Settings) -> list[Entry]:
    """Every activated policy and model that the workers know of, oldest first; none before the first worker ran."""
    table = changelog(settings.kafka.application_id, "customers")
    known = newest_value(settings, table, POLICIES_KEY, partition=0)
    return [] if known is None else msgspec.msgpack.decode(known, type=list[Entry])


def declared_counters(settings: Settings) -> tuple[OrderFilter, ...] | None:
    """The counters that the workers know to be declared for a policy to come; None when there are none."""
    table = changelog(settings.kafka.application_id, "customers")
    known = newest_value(settings, table, COUNTERS_KEY, partition=0)
    declared = None if known is None else msgspec.msgpack.decode(known, type=DeclaredCounters)
    return declared.declaration.filters if declared is not None and declared.is_open else None


def partitions_without_policy(settings: Settings) -> list[int]:
    """Journal partitions that do not begin with an activation: their events could not be judged."""
    first = _first_records(settings)
    return [number for number in range(settings.kafka.partitions) if not isinstance(first.get(number), PolicyActivated)]


def _one_activation(settings: Settings) -> AbstractContextManager[Any]:
    return control_writer(settings, ACTIVATION)


def activation_record(
    policy: Policy, effective_at: int, home: tuple[int, int], *, everybody_counted: bool = False
) -> PolicyActivated:
    """The record that puts a policy in force in a partition."""
    since = format_instant(effective_at)
    digest = hashlib.sha256(f"{policy.hash} {since}".encode()).hexdigest()[:16]
    return PolicyActivated(
        id=f"activation-{digest}",
        effective_at=since,
        name=policy.name,
        hash=policy.hash,
        text=canonical(policy),
        everybody_counted=everybody_counted,
        home=home,
    )


def _write(
    writer: Any,  # noqa: ANN401 - kafka-python is untyped
    settings: Settings,
    policy: Policy,
    effective_at: int,
    besides: Sequence[Besides] = (),
) -> Activation:
    write_everywhere(
        writer,
        settings,
        lambda home: activation_record(policy, effective_at, home),
        what="activation",
        check="tierstream policy show",
        besides=besides,
    )
    return Activation(policy, effective_at, settings.kafka.partitions)


def _first_records(settings: Settings) -> dict[int, object]:
    """The first committed record of each journal partition that has one."""
    journal = settings.topic(JOURNAL)
    require_topics(settings, journal)
    places = [TopicPartition(journal, number) for number in range(settings.kafka.partitions)]
    found: dict[int, object] = {}
    with consumer(settings, fetch_max_wait_ms=100) as reader:
        reader.assign(places)
        begins, ends = reader.beginning_offsets(places), reader.end_offsets(places)
        for place in places:
            reader.seek(place, begins[place])
        deadline = time.monotonic() + READ_TIMEOUT_S
        while waiting := [p for p in places if p.partition not in found and reader.position(p) < ends[p]]:
            if time.monotonic() > deadline:
                raise BrokerUnreachableError("The journal could not be read.", where=journal, next_step="try again")
            reader.pause(*(set(places) - set(waiting)))
            for place, records in reader.poll(timeout_ms=1_000, max_records=1).items():
                found.setdefault(place.partition, decode_journal(records[0].value))
    return found
