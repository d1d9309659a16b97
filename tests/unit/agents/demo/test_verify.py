"""The demo's own check finds nothing in a faultless run, and every planted fault in a faulty one."""

from collections.abc import Callable

import msgspec
import pytest

from agents.demo.cdnow import read_purchases
from agents.demo.verify import Verdict, events_of, verify, verify_arrival
from tests.unit.agents.demo.builders import journal_of, orders_of, outputs_of, raw_of

PURCHASES = [purchase for purchase in read_purchases() if int(purchase.customer) <= 60]


class Run:
    """What a faultless run left behind; a test spoils it."""

    def __init__(self) -> None:
        self.sent = orders_of(PURCHASES)
        self.raw = raw_of(self.sent)
        self.journal = journal_of(self.sent)
        self.outputs = outputs_of(self.journal)

    def verdict(self) -> Verdict:
        """What the check says of it."""
        verdict = verify(self.raw, self.journal, self.outputs)
        verify_arrival(verdict, self.sent, (i for identities in events_of(self.raw).values() for i in identities))
        return verdict


Fault = Callable[[Run], None]


def lose_an_event(run: Run) -> None:
    del run.journal[20]


def double_an_event(run: Run) -> None:
    run.journal.insert(21, run.journal[20])


def lose_a_raw_event(run: Run) -> None:
    del run.raw[20]


def swap_two_events_of_a_customer(run: Run) -> None:
    first, second, *_ = (i for i, held in enumerate(run.journal) if held.key == b"cdnow-00003")
    run.journal[first], run.journal[second] = run.journal[second], run.journal[first]


def lose_a_change(run: Run) -> None:
    del run.outputs["tier-changes"][7]


def double_a_change(run: Run) -> None:
    run.outputs["churn-risk"].insert(8, run.outputs["churn-risk"][7])


def falsify_a_change(run: Run) -> None:
    held = run.outputs["tier-changes"][7]
    value = msgspec.json.decode(held.value or b"")
    value["data"]["revision"] += 1
    run.outputs["tier-changes"][7] = held._replace(value=msgspec.json.encode(value))


def leave_an_old_profile(run: Run) -> None:
    held = run.outputs["customer-profiles"][7]
    value = msgspec.json.decode(held.value or b"")
    value["data"]["aggregates"]["spend_lifetime_minor"] -= 1
    run.outputs["customer-profiles"].append(held._replace(value=msgspec.json.encode(value)))


def publish_a_change_of_nobody(run: Run) -> None:
    held = run.outputs["tier-changes"][7]
    run.outputs["tier-changes"].append(held._replace(key=b"nobody"))


def swap_two_changes_of_a_customer(run: Run) -> None:
    changes = run.outputs["churn-risk"]
    first, second, *_ = (i for i, held in enumerate(changes) if held.key == changes[0].key)
    changes[first], changes[second] = changes[second], changes[first]


def test_a_faultless_run_is_exact() -> None:
    """Every event once, every change as the fold gives it."""
    run = Run()
    verdict = run.verdict()
    assert verdict.exact
    assert verdict.events == len(PURCHASES)
    assert len(run.outputs["tier-changes"]) >= 60
    assert len(run.outputs["churn-risk"]) > 100


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (lose_an_event, "lost"),
        (double_an_event, "doubled"),
        (lose_a_raw_event, "lost"),
        (lose_a_change, "lost"),
        (double_a_change, "doubled"),
        (swap_two_events_of_a_customer, "wrong"),
        (falsify_a_change, "wrong"),
        (leave_an_old_profile, "wrong"),
        (publish_a_change_of_nobody, "wrong"),
        (swap_two_changes_of_a_customer, "wrong"),
    ],
)
def test_a_planted_fault_is_found_and_named(fault: Fault, kind: str) -> None:
    """The kind of the first example is the kind of the fault."""
    run = Run()
    fault(run)
    verdict = run.verdict()
    assert not verdict.exact
    assert getattr(verdict, kind) >= 1
    assert any(example.startswith(kind) for example in verdict.examples)


def test_a_lost_event_counts_once_on_the_way_in() -> None:
    """One event less in the journal is one lost event, and changes that hang on it are counted apart."""
    run = Run()
    spoilt = run.journal.pop(20)
    run.outputs = outputs_of(run.journal)
    verdict = run.verdict()
    assert (verdict.lost, verdict.doubled, verdict.wrong) == (1, 0, 0)
    assert spoilt.key is not None
    assert "event in the journal" in verdict.examples[0]
