"""Runs every look in a time of its own, so that one that hangs keeps nobody from seeing the others."""

import threading
from collections.abc import Callable, Iterable, Iterator

from agents.doctor import broker, counters, machine, model, redis, topics
from agents.doctor.findings import Finding, Level, from_error
from agents.errors import AccessError, TierstreamError
from agents.settings import Settings

Check = Callable[[Settings], Iterable[Finding]]

WITHIN_S = 20.0
"""For each look."""
HERE: tuple[Check, ...] = (
    machine.check_settings,
    machine.check_installation,
    machine.check_policy,
    machine.check_certificate,
    machine.check_disk,
    machine.check_port,
    machine.check_embedded,
    redis.check_store,
)
"""What needs no cluster."""
THERE: tuple[Check, ...] = (
    topics.check_topics,
    model.check_model,
    counters.check_counters,
    broker.check_clock,
    broker.check_partitioner,
)
"""What needs to be let in first."""


def examine(settings: Settings, *, within_s: float = WITHIN_S) -> Iterator[Finding]:
    """Every finding, as it is made. Takes at most `within_s` per look, and does not raise."""
    for check in HERE:
        yield from boxed(check, settings, within_s)
    entry = boxed(broker.check_broker, settings, within_s)
    yield from entry
    if not any(finding.level is Level.ERROR for finding in entry):
        for check in THERE:
            yield from boxed(check, settings, within_s)


def boxed(check: Check, settings: Settings, within_s: float) -> list[Finding]:
    """What a look finds within a time; its failure is a finding too."""
    found: list[Finding] = []
    failures: list[Finding] = []
    name = f"{check.__module__.rpartition('.')[2]}.{check.__name__}"

    def look() -> None:
        try:
            found.extend(check(settings))  # what came before a failure stays
        except TierstreamError as error:
            failures.append(from_error("broker" if isinstance(error, AccessError) else "check", error))
        except Exception as error:  # noqa: BLE001 - a look that breaks is a finding as well
            failures.append(_failed(name, f"{type(error).__name__}: {error}"))

    looking = threading.Thread(target=look, name=name, daemon=True)  # one that hangs must not keep the process
    looking.start()
    looking.join(within_s)
    if looking.is_alive():
        return [*found, _failed(name, f"no answer within {within_s:.0f} s")]
    return found + failures


def _failed(name: str, why: str) -> Finding:
    return Finding(
        check="check",
        level=Level.ERROR,
        what="A look did not come to an end.",
        where=name,
        why=why,
        remedy="look again: tierstream doctor; if it stays, look at the broker's own log",
    )
