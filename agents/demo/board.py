"""What the demo's screen shows, as plain data: filled by the runner, drawn by `view`. No terminal, Kafka or clock."""

from collections import deque
from typing import Literal

import msgspec

Kind = Literal["tier", "risk"]
StepState = Literal["waiting", "running", "done", "failed"]
WorkerState = Literal["starting", "working", "killed", "stopped"]

CHANGES_KEPT = 40
"""Lines of changes kept: more than the tallest terminal shows."""

SECONDS_KEPT = 120
"""Seconds of throughput kept for the curve."""


class Level(msgspec.Struct):
    """One bar: a tier or a risk band, and how many customers stand there now."""

    id: str
    label: str
    customers: int = 0


class Change(msgspec.Struct, frozen=True):
    """One line of the newest changes, already in words."""

    kind: Kind
    effective_at: int
    """Epoch milliseconds: the instant at which the change became true."""
    customer_id: str
    before: str | None
    after: str | None
    """None: no longer on the ladder, or no longer with a band."""
    direction: int
    """1 is good news (a higher tier, a lower risk), -1 bad, 0 the customer's first standing."""
    reasons: tuple[str, ...]
    """Each condition that decided: what was measured, and what was asked for."""
    by_time: bool
    """Time alone caused it: no event came."""

    @property
    def interest(self) -> int:
        """How much a spectator wants to see it; first standings are the most frequent and the least telling."""
        if self.direction == 0:
            return 0
        return (2 if self.kind == "tier" else 1) + (self.by_time and self.kind == "tier")


class Worker(msgspec.Struct):
    """One worker process."""

    name: str
    pid: int = 0
    state: WorkerState = "starting"
    up_s: float = 0.0
    kills: int = 0
    unasked_end: str = ""
    """How it ended by itself the last time, which it should not; empty if it never did."""


class Step(msgspec.Struct):
    """One thing to be done before events flow, or after the last one."""

    label: str
    state: StepState = "waiting"
    detail: str = ""


class Board(msgspec.Struct, kw_only=True):
    """Everything on the screen."""

    begins_at: int
    """First instant of the simulated time, epoch milliseconds."""
    ends_at: int
    simulated_at: int = 0
    """How far the workers are in simulated time: the newest change's instant; 0 before the first."""
    time_zone: str = "UTC"
    purchases_only: bool = False
    made_up: bool = False
    """The purchases too are simulated."""
    purchases_in: int = 0
    simulated_in: int = 0
    """Events other than purchases."""
    events_per_s: float = 0.0
    seconds: deque[tuple[float, bool]] = msgspec.field(default_factory=lambda: deque(maxlen=SECONDS_KEPT))
    """The last seconds, newest last: events per second, and whether a worker was killed."""
    tiers: list[Level] = msgspec.field(default_factory=list)
    """From the lowest rank to the highest."""
    bands: list[Level] = msgspec.field(default_factory=list)
    """From the lowest risk to the highest."""
    horizon_days: int = 90
    tier_changes: int = 0
    risk_changes: int = 0
    changes: deque[Change] = msgspec.field(default_factory=lambda: deque(maxlen=CHANGES_KEPT))
    """Newest first."""
    workers: list[Worker] = msgspec.field(default_factory=list)
    steps: list[Step] = msgspec.field(default_factory=list)
    kills: int = 0
    lost: int | None = None
    """None until the check has run."""
    doubled: int | None = None
    wrong: int | None = None
    """Outputs that differ from the fold, beyond those lost or doubled."""
    keys: bool = False
    """The terminal takes keys: k and q."""
    notice: str = ""
    elapsed_s: float = 0.0

    @property
    def done(self) -> float:
        """The share of the simulated time that has passed, 0 to 1."""
        if not self.simulated_at:
            return 0.0
        return min(1.0, max(0.0, (self.simulated_at - self.begins_at) / (self.ends_at - self.begins_at)))

    @property
    def customers(self) -> int:
        """Customers with a tier."""
        return sum(level.customers for level in self.tiers)
