"""What `tierstream policy activate` does to a journal for a policy that counts what was not counted; no broker."""

from agents.policy_log import PolicyLog
from agents.replay.entry import Entry
from agents.replay.fold import JournalFold
from schemas.journal import CountersRestated
from streams.policy.model import OrderFilter, Policy, counters
from streams.recount import is_counted, restatement
from tests.journal import HOME, Journal


def fold_counting(journal: Journal, filters: tuple[OrderFilter, ...]) -> JournalFold:
    """A fold of the journal as it is that counts these from the beginning."""
    fold = JournalFold(HOME, lambda _effects, _entry: None, policies=PolicyLog(filters))
    for record in journal.records:
        fold.take(Entry(record.key or b"", record.value or b"", 0, record.offset, 0))
    return fold


def counted_anew(journal: Journal, customer: str, filters: tuple[OrderFilter, ...]) -> CountersRestated | None:
    """The restatement of a customer; None when nobody asks for one."""
    fold = fold_counting(journal, filters)
    state, declaration = fold.state_now(customer.encode()), fold.declaration
    return None if state is None or declaration is None else restatement(state, customer, declaration)


def activate_counted(journal: Journal, policy: Policy, effective_at: int) -> None:
    """Declare, restate everybody who is not counted, then put the policy in force."""
    filters = counters(policy)
    journal.declare(filters)
    fold = fold_counting(journal, filters)
    declaration = fold.declaration
    assert declaration is not None
    for key, state in list(fold.customers()):
        if not is_counted(state, declaration):
            journal.restate(restatement(state, key.decode(), declaration))
    journal.activate(policy, effective_at, everybody_counted=True)
