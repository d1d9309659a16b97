"""Churn risk as the stage publishes it under a model with every layer: complete, exact, and the same however folded."""

import random
from itertools import pairwise
from math import log
from typing import Any

import msgspec
import pytest

from schemas.clock import MS_PER_DAY, format_instant, parse_instant
from schemas.events import BrowseActivity, InputEvent, OrderCompleted, OrderRefunded, SatisfactionRated
from schemas.inputs.support import TicketCreated, TicketSolved
from schemas.journal import decode_journal
from streams.models.band_crossing import next_crossing
from streams.models.churn_model import canonical_model
from streams.models.lifetime_value import clv
from streams.models.reasons import REASONS
from streams.models.scoring import score
from streams.regime import Regime, regime_of
from streams.standing import churn
from tests.churn import FULL
from tests.journal import Committed, Journal, customers_stage, default_policy, fold_all, folded, restored

BEGIN = parse_instant("2026-01-01T00:00:00Z")
LIFE_DAYS, END_DAYS = 300, 500
REGIME = regime_of(default_policy(), 0, 0, FULL)


def event(dice: random.Random, number: int, customer: str, at: int) -> InputEvent:
    """Anything that a model looks at."""
    who: dict[str, Any] = {"id": f"e{number}", "time": format_instant(at), "customer_id": customer, "source": "s"}
    match dice.choice(("order", "order", "visit", "visit", "visit", "ticket", "solved", "rating", "refund")):
        case "order":
            return OrderCompleted(
                **who, order_id=f"o{number}", currency="USD", total_minor=dice.randint(500, 20_000), channel="web"
            )
        case "visit":
            return BrowseActivity(**who, action="view_item", channel="web")
        case "ticket":
            return TicketCreated(**who, ticket_id=f"t{number % 7}", status="open")
        case "solved":
            return TicketSolved(**who, ticket_id=f"t{number % 7}", status="solved")
        case "rating":
            return SatisfactionRated(**who, rating=dice.randint(1, 5), scale_max=5)
        case _:
            order_id = f"o{dice.randrange(max(1, number))}"
            return OrderRefunded(**who, order_id=order_id, refund_id=f"r{number}", currency="USD", refund_minor=300)


def journal(seed: int, *, ticks_days: int = END_DAYS, customers: int = 3) -> Journal:
    """Some lives under the full model, with a tick every so many days, and at the end."""
    dice, written = random.Random(seed), Journal()
    written.activate(default_policy(), 0)
    written.activate_model(FULL, 0)
    happened = sorted((dice.randrange(LIFE_DAYS * MS_PER_DAY), dice.randrange(customers)) for _ in range(120))
    ticks = [days * MS_PER_DAY for days in range(ticks_days, END_DAYS, ticks_days)]
    for number, (after, who) in enumerate(happened):
        while ticks and ticks[0] < after:
            written.tick(BEGIN + ticks.pop(0))
        at = BEGIN + after
        written.event(event(dice, number, f"c{who}", at), at)
    for tick in [*ticks, END_DAYS * MS_PER_DAY]:
        written.tick(BEGIN + tick)
    return written


def moves(committed: Committed) -> list[dict[str, Any]]:
    return [record.data for record in committed.topics["churn-risk"]]


@pytest.mark.parametrize("seed", range(4))
def test_contributions_add_up_to_the_logit_and_carry_known_codes(seed: int) -> None:
    told = [data for data in moves(folded(journal(seed).records)) if data["band"] is not None]
    assert len(told) > 10
    for data in told:
        logit = log(data["score"] / (1 - data["score"]))
        assert sum(driver["contribution"] for driver in data["drivers"]) == pytest.approx(logit, abs=1e-9)
        assert {driver["code"] for driver in data["drivers"]} <= REASONS.keys()
        assert data["model"]["name"] == "full"
        assert data["value_at_risk_minor"] >= 0


@pytest.mark.parametrize("seed", range(4))
def test_what_was_foretold_comes_at_its_millisecond_if_nothing_happens(seed: int) -> None:
    """The band and instant that an output names are those of the next one that time brings, upwards or downwards."""
    told, kept = moves(folded(journal(seed).records)), 0
    for customer in {data["customer_id"] for data in told}:
        own = [data for data in told if data["customer_id"] == customer]
        for before, after in pairwise(own):
            same_evidence = before["caused_by"]["journal_seq"] == after["caused_by"]["journal_seq"]
            if after["cause"] == "time" and same_evidence:
                assert (before["next_band"], before["next_band_at"]) == (after["band"], after["effective_at"])
                kept += 1
    assert kept > 0


@pytest.mark.parametrize("seed", range(3))
def test_ticks_change_nothing(seed: int) -> None:
    often, seldom = (folded(journal(seed, ticks_days=days).records) for days in (1, END_DAYS))
    for key in seldom.customers():
        assert told_of(often, key) == told_of(seldom, key)


def told_of(committed: Committed, key: bytes) -> tuple[list[bytes | None], Any]:
    """A customer's changes of risk, and the churn standing at the end."""
    changes = [record.value for record in committed.of("churn-risk", key)]
    return changes, committed.of("customer-profiles", key)[-1].data["churn"]


@pytest.mark.parametrize("place", [1, 2, 40, 90])
def test_a_restart_anywhere_leads_to_the_same_bytes(place: int) -> None:
    records = journal(1).records
    whole, halves, stage = folded(records), Committed(), customers_stage()
    for part in (records[:place], records[place:]):
        partition = restored(stage, halves)
        fold_all(partition, part)
        halves.commit(partition.drain())
        partition.committed()
    assert halves.changelog == whole.changelog
    assert [r.value for r in halves.topics["churn-risk"]] == [r.value for r in whole.topics["churn-risk"]]


def test_the_due_instant_is_never_after_the_crossing() -> None:
    """Whatever was heard last, the state waits for no later instant than that at which its band is left."""
    committed = folded(journal(2).records[:90])
    for key in committed.customers():
        state = committed.state(key)
        if state.purchase_days and REGIME.risk is not None:
            inputs = churn.inputs_of(REGIME.risk, state, REGIME.calendar)
            found = next_crossing(
                REGIME.risk.scorer,
                inputs,
                REGIME.risk.edges,
                state.risk.band,
                state.clock,
                REGIME.risk.rules.hysteresis,
            )
            assert found is None or state.due <= max(found.at_ms, state.clock + 1)


def test_the_profile_tells_score_and_lifetime_value_of_its_instant() -> None:
    committed = folded(journal(3).records)
    told = 0
    for key in committed.customers():
        state, standing = committed.state(key), committed.of("customer-profiles", key)[-1].data
        assert REGIME.risk is not None
        inputs = churn.inputs_of(REGIME.risk, state, REGIME.calendar)
        value = clv(REGIME.risk.scorer, inputs, state.clock, 365, 0.1)
        assert value is not None
        assert standing["churn"]["score"] == score(REGIME.risk.scorer, inputs, state.clock)
        assert (standing["churn"]["value_minor"], standing["churn"]["at_risk_minor"]) == value[1:]
        told += 1
    assert told == 3


def test_a_model_in_force_names_the_cause_and_stays_through_a_restart() -> None:
    written = journal(1)
    bleak = msgspec.structs.replace(FULL, name="bleak", a=500.0, b=0.1)
    written.activate_model(bleak, BEGIN + END_DAYS * MS_PER_DAY)
    written.tick(BEGIN + (END_DAYS + 1) * MS_PER_DAY)
    committed = folded(written.records)
    partition = restored(customers_stage(), committed)
    newest: Regime = partition._regimes[-1]
    assert [regime.by_model for regime in partition._regimes] == [False, True, True]
    assert newest.model is not None
    assert canonical_model(newest.model) == canonical_model(bleak)
    by_model = [data for data in moves(committed) if data["cause"] == "model"]
    assert all(data["model"]["name"] == "bleak" for data in by_model)
    audited = [record.value for record in committed.topics["audit"]]
    assert sum(b'"model.activated"' in (value or b"") for value in audited) == 2


def test_the_journal_reads_back_what_was_activated() -> None:
    record = decode_journal(journal(0).records[1].value or b"")
    assert (type(record).__name__, getattr(record, "name", None)) == ("ModelActivated", "full")
