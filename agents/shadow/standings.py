"""Where two policies put one customer, taken apart into steps that are the same however the journal was read. Pure.

Time passes lazily in a fold: what it brought about may be told early, by itself, or late, with the customer's next
record. So what both sides told is put in the order of its instants first, and compared after each instant.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

import msgspec

from schemas.clock import parse_canonical
from schemas.decisions import ChurnRiskChanged, TierChanged, TierRef
from streams.customer.standing import NO_BAND
from streams.customer.state import CustomerState
from streams.effects import Effects
from streams.regime import Regime

LIVE: Final = "live"
SHADOW: Final = "shadow"
RISK: Final = ""
"""What stands for the risk band where ladders are named; no ladder's id is empty."""

Moved = TierChanged | ChurnRiskChanged


class Told(NamedTuple):
    """A decision of one side."""

    side: str
    by_record: bool
    """Whether the customer's own record was under way; else time or a control record was."""
    decision: Moved


class Step(NamedTuple):
    """What both sides decided at one instant."""

    at: str
    told: list[Told]


class Standing(msgspec.Struct):
    """A customer's place on each ladder where they have one, and their risk band."""

    tiers: dict[str, TierRef]
    band: str | None

    def apply(self, decision: Moved) -> None:
        """Go on to where a decision leads."""
        if isinstance(decision, TierChanged):
            self._put(decision.ladder, decision.tier)
        else:
            self.band = decision.band

    def undo(self, decision: Moved) -> None:
        """Go back to where a decision came from."""
        if isinstance(decision, TierChanged):
            self._put(decision.ladder, decision.previous_tier)
        else:
            self.band = decision.previous_band

    def _put(self, ladder: str, tier: TierRef | None) -> None:
        if tier is None:
            self.tiers.pop(ladder, None)
        else:
            self.tiers[ladder] = tier


def standing_of(state: CustomerState, regime: Regime) -> Standing:
    """Where a customer stands now."""
    places = zip(regime.policy.ladders, regime.tier_refs, state.ladders, strict=True)
    tiers = {ladder.id: refs[standing.shown - 1] for ladder, refs, standing in places if standing.shown}
    rules = regime.policy.churn
    band = None if rules is None or state.risk.band == NO_BAND else rules.bands[state.risk.band].name
    return Standing(tiers, band)


def told_of(side: str, effects: Effects, *, by_record: bool) -> Iterator[Told]:
    """What of a side's decisions moves a customer. At a go-live they are only told where they stand already."""
    for change in effects.changes:
        decision = change.decision
        if isinstance(decision, TierChanged | ChurnRiskChanged) and decision.cause != "initial":
            yield Told(side, by_record, decision)


def steps(told: Iterable[Told]) -> Iterator[Step]:
    """The decisions in order, by instant: what time brought about first, then what the record under way did."""
    for _, group in groupby(sorted(told, key=_place), key=_place):
        together = list(group)
        yield Step(max(one.decision.effective_at for one in together), together)


def _place(told: Told) -> tuple[bool, bool, str]:
    """Which step a decision belongs to: one record is one step, although either side's clock may be ahead of it."""
    by_event = told.decision.caused_by.event_id is not None
    return told.by_record, by_event, "" if by_event else told.decision.effective_at


def subject_of(decision: Moved) -> str:
    """The ladder that a decision is about, or RISK."""
    return decision.ladder if isinstance(decision, TierChanged) else RISK


def decisive(step: Step, subjects: set[str]) -> Told:
    """The decision to be told: one about what differs now; the shadow's rather than the live one's."""

    def weight(told: Told) -> tuple[bool, bool, bool]:
        subject = subject_of(told.decision)
        return subject in subjects, told.side == SHADOW, subject != RISK

    return max(step.told, key=weight)


def public_tier(regimes: Sequence[Regime], at: str, standing: Standing) -> TierRef | None:
    """The tier that outputs name in short, under the policy in force at an instant."""
    instant, ordinal = parse_canonical(at), 0
    while ordinal + 1 < len(regimes) and regimes[ordinal + 1].effective_at <= instant:
        ordinal += 1
    regime = regimes[ordinal]
    return standing.tiers.get(regime.policy.ladders[regime.public].id) if regime.public >= 0 else None
