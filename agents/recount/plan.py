"""What a policy needs that not everybody is counted for, and what counting it takes; before anything is written."""

import time
from typing import Final, NamedTuple

from agents.policy_activation import partitions_without_policy, policies_in_force, refuse_other_currency
from agents.policy_log import PolicyLog
from agents.processes import processors
from agents.replay.fold import JournalFold
from agents.replay.journal_topic import JournalTopic
from agents.settings import Settings
from streams.policy.model import OrderFilter, Policy, uncounted

SAMPLE_S: Final = 1.0
"""For so long a part of the journal is folded, to learn how fast that goes here."""


class Plan(NamedTuple):
    """What an activation has to do first."""

    filters: tuple[OrderFilter, ...]
    """What not everybody is counted for; empty: nothing has to be done."""
    records: int = 0
    """Of the journal, to be folded."""
    seconds: float = 0.0
    """About how long that takes here, by a measured rate."""
    cut: tuple[int, ...] = ()
    """Partitions of the journal whose beginning is gone: they can't be folded again."""


def plan_for(settings: Settings, policy: Policy) -> Plan:
    """What has to be done before a policy can follow the newest one that the workers know."""
    activations = policies_in_force(settings)
    refuse_other_currency(policy, activations)
    filters = uncounted(policy, activations[-1].policy) if activations else ()
    if not filters:
        return Plan(())
    journal = JournalTopic(settings)
    journal.check()
    units = journal.units(1)
    records = sum(end - begin for begin, end in map(journal.span, units))
    cut = tuple(partitions_without_policy(settings))
    if cut:
        return Plan(filters, records, cut=cut)
    rate = _rate(journal, max(units, key=lambda unit: journal.span(unit)[1]), settings, filters)
    return Plan(filters, records, records / rate / min(processors(), len(units)))


def _rate(journal: JournalTopic, unit: str, settings: Settings, filters: tuple[OrderFilter, ...]) -> float:
    """Records a second that one process folds, by the first ones of a partition."""
    fold = JournalFold(
        journal.homes(unit)[0],
        lambda _effects, _entry: None,
        dedupe=settings.intake.dedupe,
        policies=PolicyLog(filters),
    )
    folded, begun, began_folding = 0, time.perf_counter(), 0.0
    for entries, _ in journal.read(unit, journal.span(unit)[0]):
        began_folding = began_folding or time.perf_counter()  # to reach the broker is no part of the rate
        for entry in entries:
            fold.take(entry)
            folded += 1
            if folded % 256 == 0 and time.perf_counter() - begun > SAMPLE_S:
                break
        if time.perf_counter() - begun > SAMPLE_S:
            break
    return max(1.0, folded) / max(0.001, time.perf_counter() - (began_folding or begun))
