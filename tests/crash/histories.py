"""Customers whose risk band moves by silence alone within the next minute, although silence takes weeks.

The model is not sped up: among thousands of purchase histories (so many purchase days, so far apart) some cross the
edge of a band at just the right time of day, and their last purchase is dated back so that this day is today.
"""

import json
import random
from collections.abc import Iterator
from typing import Final, NamedTuple

from schemas.clock import MS_PER_DAY, format_instant, parse_instant
from schemas.journal import decode_journal
from streams.customer.standing import NOT_DUE
from streams.effects import Effects
from streams.models.scoring import ChurnInputs
from streams.policy.parse import parse
from streams.policy.presets import preset_text
from streams.process import new_state, pass_time, process
from streams.regime import Regime, regime_of
from streams.standing.churn import crossing

BACK_DAYS_MAX: Final = 390
"""Older orders would be refused as late."""
PURCHASE_DAYS_MAX: Final = 110
SPAN_DAYS_MAX: Final = 380
COPIES: Final = 4
"""Customers of each history found at most, with their purchases between the first and the last on other days."""
CUSTOMERS: Final = (6, 12)
"""At least and at most so many. How many histories cross an edge in some seconds depends on the time of day."""
WINDOW_MS: Final = 20_000


class Crossing(NamedTuple):
    """Purchase days, days from the first to the last of them, and the silence that carries such a customer on."""

    days: int
    span: int
    silence_ms: int


class Silence(NamedTuple):
    """One customer's purchase days (epoch ms of their noons) and when their silence moves them out of a band."""

    customer_id: str
    noons_ms: list[int]
    crosses_at: int

    def orders(self) -> Iterator[dict[str, object]]:
        """One order per purchase day, as flat native events; the newest first, so that no old band holds on."""
        for number, noon_ms in enumerate(reversed(self.noons_ms)):
            yield order(self.customer_id, f"{self.customer_id}-{number}", noon_ms)


def order(customer_id: str, order_id: str, at_ms: int) -> dict[str, object]:
    """A purchase."""
    return {
        "type": "order.completed",
        "id": f"e-{order_id}",
        "time": format_instant(at_ms),
        "customer_id": customer_id,
        "order_id": order_id,
        "currency": "USD",
        "total_minor": 1_999,
    }


def silences(crossings: list[Crossing], now_ms: int, since_ms: int, name: str) -> list[Silence]:
    """Customers whose silence moves them soon after an instant if their orders arrive now, in order of their moves.

    `name` begins their ids and decides who they are.
    """
    for until_ms in range(since_ms + WINDOW_MS, since_ms + 10 * WINDOW_MS, WINDOW_MS):
        found = _silences_between(crossings, now_ms, since_ms, until_ms, name)
        if len(found) >= CUSTOMERS[0]:
            return found
    raise AssertionError("hardly any history crosses an edge")


def _silences_between(crossings: list[Crossing], now_ms: int, since_ms: int, until_ms: int, name: str) -> list[Silence]:
    dice = random.Random(name)
    regime = _regime()
    found: list[Silence] = []
    for days, span, silence_ms in crossings:  # those with few purchases first: the sooner they are all folded
        last_day = -((silence_ms - since_ms) // MS_PER_DAY)
        crosses_at = last_day * MS_PER_DAY + silence_ms
        first_day = last_day - span
        if crosses_at >= until_ms or since_ms // MS_PER_DAY - first_day > BACK_DAYS_MAX:
            continue
        if len(found) >= CUSTOMERS[1]:
            break
        for copy in range(COPIES):
            between = dice.sample(range(first_day + 1, last_day), days - 2) if days > 2 else []
            noons = [day * MS_PER_DAY + MS_PER_DAY // 2 for day in sorted({first_day, *between, last_day})]
            silence = Silence(f"{name}-{len(found):03d}-{copy}", noons, crosses_at)
            if _moves(silence, regime, now_ms, until_ms) == [crosses_at]:
                found.append(silence)
    return sorted(found, key=lambda silence: silence.crosses_at)


def _regime() -> Regime:
    policy = parse(preset_text("default"), currency="USD", time_zone="UTC")
    assert not isinstance(policy, list)
    return regime_of(policy, 0, 0)


def every_crossing() -> list[Crossing]:
    """Every way to cross an edge by silence. Takes seconds, and none of it depends on the time of day."""
    risk = _regime().risk
    assert risk is not None
    anchor_ms = 20_000 * MS_PER_DAY
    found: list[Crossing] = []
    for days in range(1, PURCHASE_DAYS_MAX):
        for span in range(days - 1, SPAN_DAYS_MAX) if days > 1 else (0,):
            for band in range(len(risk.edges) - 1):
                at = crossing(risk, ChurnInputs(days - 1, span / 7, anchor_ms), band, anchor_ms)
                if at < NOT_DUE and at > anchor_ms + MS_PER_DAY:
                    found.append(Crossing(days, span, at - anchor_ms))
    return found


def _moves(silence: Silence, regime: Regime, now_ms: int, until_ms: int) -> list[int]:
    """When the customer's band moves by time alone, once all orders have arrived."""
    state = new_state([regime], now_ms)
    for event in silence.orders():
        value = json.dumps(event | {"recordedtime": format_instant(now_ms)}).encode()
        process(state, decode_journal(value), value, [regime], Effects(silence.customer_id.encode()))
    effects = Effects(silence.customer_id.encode())
    pass_time(state, [regime], until_ms, effects)
    return [parse_instant(change.decision.effective_at) for change in effects.changes]
