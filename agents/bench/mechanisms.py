"""What each mechanism of a policy costs: the same events folded in memory under one policy after the other.

No broker, one process: CPU per event of the fold alone. The policies take turns over slices of the events, so that
whatever else the machine does meanwhile falls on all of them alike.
"""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from agents.bench.workload import CURRENCY, MIX, TIME_ZONE, Workload, customer_id, events, spread
from agents.policy_activation import SINCE_EVER_MS
from schemas.events import InputEvent
from schemas.rejections import Rejected
from streams.effects import Effects
from streams.intake import Limits, accept
from streams.models.churn_model import ChurnModel
from streams.policy.model import Policy
from streams.policy.parse import parse
from streams.policy.presets import preset_text
from streams.process import new_state, process
from streams.regime import regime_of

if TYPE_CHECKING:
    from streams.customer.state import CustomerState

EVENTS: Final = 60_000
CUSTOMERS: Final = 2_000
SLICE: Final = 2_000
NANOSECONDS_PER_MICROSECOND: Final = 1_000

_SECOND: Final = """
[[ladder]]
id = "second"
audience = "internal"
{ladder}
[[ladder.tier]]
id = "low"
enter.any = [{{ metric = "orders", window = "lifetime", at_least = 1 }}]
[[ladder.tier]]
id = "high"
enter.any = [{enter}]
{tier}
"""
_SPEND: Final = '{ metric = "spend", window = "365 days", at_least = "250.00" }'
_PLAIN: Final = {"ladder": 'grace = "30 days"', "enter": _SPEND, "tier": ""}
MECHANISMS: Final[dict[str, dict[str, str] | None]] = {
    "default policy": None,
    "second ladder": {},
    "window of 180 days": {"enter": '{ metric = "spend", window = "180 days", at_least = "125.00" }'},
    "calendar year": {"enter": '{ metric = "spend", window = "calendar year", at_least = "250.00" }'},
    "reviews": {"ladder": 'review = { clock = "anniversary" }\ngrace = "30 days"'},
    "notices": {"tier": 'notice = ["30 days", "7 days"]'},
    "filter by channel": {
        "enter": '{ metric = "orders", window = "365 days", channel = "app", at_least = 6 }',
    },
    "counter by category": {
        "enter": '{ metric = "orders", window = "365 days", category = "shoes", at_least = 6 }',
    },
    "  a share": {
        "enter": "{ all = [" + _SPEND + ', { metric = "refund_rate", window = "365 days", at_most = 0.5 }] }'
    },
    "  recency": {"enter": "{ all = [" + _SPEND + ', { metric = "recency", at_most = 90 }] }'},
}
"""Label to what the second ladder has beside or instead of the plain one."""


def measure(say: Callable[[str], None]) -> dict[str, float]:
    """CPU of the fold in microseconds per event, by mechanism."""
    say(f"mechanisms: {EVENTS:,} events under {len(MECHANISMS)} policies in turn")
    journal = list(journal_of(MIX, EVENTS, int(time.time() * 1000)))
    folds = [Fold(_policy(parts)) for parts in MECHANISMS.values()]
    for begin in range(0, len(journal), SLICE):
        for fold in folds:
            fold.take(journal[begin : begin + SLICE])
    return {
        label: fold.spent_ns / len(journal) / NANOSECONDS_PER_MICROSECOND
        for label, fold in zip(MECHANISMS, folds, strict=True)
    }


class Fold:
    """All customers under one policy, and the churn model that it names or another one."""

    def __init__(self, policy: Policy, model: ChurnModel | None = None) -> None:
        self.spent_ns = 0
        self._regimes = [regime_of(policy, 0, SINCE_EVER_MS, model)]
        self._states: dict[str, CustomerState] = {}
        self._effects = Effects()

    def take(self, slice_of_journal: list[tuple[InputEvent, bytes, int]]) -> None:
        """Fold some events, on the clock of this thread's CPU."""
        began = time.thread_time_ns()
        for event, value, recorded_at in slice_of_journal:
            state = self._states.get(event.customer_id)
            if state is None:
                state = self._states[event.customer_id] = new_state(self._regimes, recorded_at)
            self._effects.take_over(event.customer_id.encode())
            process(state, event, value, self._regimes, self._effects)
        self.spent_ns += time.thread_time_ns() - began


def journal_of(workload: Workload, count: int, ends_at: int) -> Iterator[tuple[InputEvent, bytes, int]]:
    """Events as intake would write them, with the journal's value and the instant of arrival."""
    limits = Limits()
    for raw in events(workload, CUSTOMERS, count, spread(CUSTOMERS, count, ends_at)):
        accepted = accept(raw.value, (), raw.arrived_at, limits)
        if isinstance(accepted, Rejected):
            raise TypeError(f"the benchmark's own event of {customer_id(raw.customer)} was refused: {accepted.detail}")
        yield accepted.event, accepted.value, accepted.recorded_at


def _policy(parts: dict[str, str] | None) -> Policy:
    text = preset_text("default") if parts is None else preset_text("default") + _SECOND.format(**{**_PLAIN, **parts})
    policy = parse(text, currency=CURRENCY, time_zone=TIME_ZONE)
    if isinstance(policy, list):
        raise TypeError(f"the benchmark's own policy is wrong: {policy[0]}")
    return policy
