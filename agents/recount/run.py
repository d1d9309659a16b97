"""Puts a policy in force that needs more than customers' states hold: declares, counts anew, restates, then activates.

Nothing is published meanwhile, and the policy before it goes on. Whoever ends in the middle is followed by whoever runs
the same command again: what was declared and restated stands in the journal.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from agents.control_records import JOURNAL, Besides, control_writer, write_everywhere
from agents.errors import ConfigurationError, RestartError
from agents.policy_activation import ACTIVATION, Activation, activate, activation_record, declared_counters
from agents.processes import in_processes, processors
from agents.recount.partition import Counted, Share, recount_units
from agents.recount.plan import Plan
from agents.replay.journal_topic import JournalTopic
from agents.settings import Settings
from schemas.journal import CountersDeclared, PolicyActivated, decode_journal, is_control_key
from streams.policy.model import OrderFilter, Policy, uncounted
from streams.policy.parse import load_canonical
from streams.recount import NOTHING, declaration_id, filters_text

CUSTOMERS_PER_S: Final = 2_000.0
"""How many are restated a second, so that live events are hardly delayed."""
CHECK: Final = "tierstream policy show"


class Recounted(NamedTuple):
    """What was done."""

    activation: Activation
    counted: Counted | None
    """None where nothing had to be counted."""


class Work(msgspec.Struct, frozen=True):
    """How what is needed of the past is counted."""

    jobs: int | None = None
    """Processes; one per processor by default."""
    customers_per_s: float = CUSTOMERS_PER_S
    snapshots: str = ""
    """Folder of snapshots; empty: neither read nor written."""


DEFAULT: Final = Work()


def recount_and_activate(
    settings: Settings,
    policy: Policy,
    plan: Plan,
    effective_at: Callable[[], int],
    *,
    work: Work = DEFAULT,
    told: Callable[[int, int], None] = lambda _done, _total: None,
    besides: Sequence[Besides] = (),
) -> Recounted:
    """Count for everybody what the plan says, if anything; then put the policy in force from `effective_at()` on.

    That is asked at the end. `told` is told how many records of the journal have been passed, of how many there were.
    `besides` goes into the transaction of the activation.
    """
    if not plan.filters:
        return Recounted(activate(settings, policy, effective_at(), besides=besides), None)
    if plan.cut:
        raise ConfigurationError(
            "The journal cannot be folded again: its beginning is gone.",
            where=f"{settings.topic(JOURNAL)}, partitions {', '.join(map(str, plan.cut))}",
            why="the policy counts by category or store what is not counted yet: "
            + ", ".join(where.name for where in plan.filters),
            next_step="leave these filters out; or begin a new journal with this policy (another kafka.application_id "
            "and kafka.topic_prefix) and feed the history again",
        )
    filters = _declare(settings, plan.filters)
    units = JournalTopic(settings).units(1)
    count = min(len(units), work.jobs or processors())
    shares = [
        Share(
            settings,
            units[first::count],
            filters,
            declaration_id(filters_text(filters)),
            work.customers_per_s / count,
            work.snapshots,
        )
        for first in range(count)
    ]
    counted = Counted()
    for each in in_processes(recount_units, shares, lambda done: told(done, plan.records)):
        counted.add(each)
    return Recounted(_activate(settings, policy, filters, counted, effective_at, besides), counted)


def _declare(settings: Settings, filters: tuple[OrderFilter, ...]) -> tuple[OrderFilter, ...]:
    """Declare the counters, unless more were declared and not put in force yet; all that are declared then."""
    with control_writer(settings, ACTIVATION) as writer:
        known = declared_counters(settings)
        if known is not None and set(filters) <= set(known):
            filters = known
        text = filters_text(filters)
        _write(writer, settings, text, what="declaration of counters")
    return msgspec.json.decode(text, type=tuple[OrderFilter, ...])


def withdraw(settings: Settings) -> tuple[OrderFilter, ...]:
    """Take back what was declared and never put in force; the counters that the workers knew to be declared.

    Written whatever they know: a declaration may wait for them to run. Where there is none it changes nothing.
    """
    with control_writer(settings, ACTIVATION) as writer:
        known = declared_counters(settings)
        _write(writer, settings, NOTHING, what="withdrawal of counters")
    return known or ()


def _write(writer: Any, settings: Settings, text: str, *, what: str) -> None:  # noqa: ANN401 - kafka-python is untyped
    """Write a declaration everywhere."""
    write_everywhere(
        writer,
        settings,
        lambda home: CountersDeclared(id=declaration_id(text), text=text, home=home),
        what=what,
        check=CHECK,
    )


def _activate(
    settings: Settings,
    policy: Policy,
    filters: tuple[OrderFilter, ...],
    counted: Counted,
    effective_at: Callable[[], int],
    besides: Sequence[Besides],
) -> Activation:
    """Put the policy in force, if nothing came between that its counters do not outlast.

    Whoever else declares or activates does so under the same transactional id: none can come between any more.
    """
    with control_writer(settings, ACTIVATION) as writer:
        newest, still = _newest(settings, counted, declaration_id(filters_text(filters)))
        if not (still and counted.agrees) or not set(uncounted(policy, newest)) <= set(filters):
            raise RestartError(
                "Another policy was activated, or other counters were declared, or these withdrawn, meanwhile.",
                where=f"{newest.name} ({newest.hash[:12]})",
                next_step=f"{CHECK}; then the same command again, which goes on where the cluster is",
            )
        since = effective_at()
        write_everywhere(
            writer,
            settings,
            lambda home: activation_record(policy, since, home, everybody_counted=True),
            what="activation",
            check=CHECK,
            besides=besides,
        )
    return Activation(policy, since, settings.kafka.partitions)


def _newest(settings: Settings, counted: Counted, declaration: str) -> tuple[Policy, bool]:
    """The newest policy in the first partition, which has all of them, and whether the declaration still holds."""
    journal, newest, holds = JournalTopic(settings, only=0), counted.newest[0], True
    (unit,) = journal.units(1)
    for entries, _ in journal.read(unit, counted.positions[0]):
        for record in (decode_journal(entry.value) for entry in entries if is_control_key(entry.key)):
            if isinstance(record, CountersDeclared):
                holds = holds and record.id == declaration
            elif isinstance(record, PolicyActivated):
                holds = holds and not record.everybody_counted
                following = load_canonical(record.text)
                newest = newest if uncounted(following, newest) else following
    return newest, holds
