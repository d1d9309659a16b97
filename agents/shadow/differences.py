"""The customers of one partition who stand differently on the two sides, and what is published of it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from agents.runtime.stage import StateRecord
from agents.shadow.standings import RISK, SHADOW, Standing, Step, decisive, public_tier, subject_of
from agents.shadow.trial import Trial
from schemas.clock import parse_canonical
from schemas.decisions import TierRef
from schemas.shadow import BandDifference, LadderDifference, ShadowChanged, Side
from streams.effects import output_id
from streams.regime import Regime

KIND: Final = "shadow_changed"


class Known(msgspec.Struct, array_like=True):
    """What was last found of a customer who stands differently, or once did."""

    sequence: int
    """0: the trial had not begun."""
    id: str
    decision: ShadowChanged

    @property
    def differs(self) -> bool:
        """Whether the customer stands differently now."""
        return self.decision.difference != "ended"


class Publication(NamedTuple):
    """A record for the topic."""

    key: bytes
    known: Known


Names = dict[str, tuple[str | None, str | None]]
"""Ladder (RISK for the bands) to what the live side and the shadow say."""


class _Found(NamedTuple):
    """How a customer stands differently now: per ladder, and in the bands."""

    ladders: dict[str, tuple[TierRef | None, TierRef | None]]
    bands: tuple[str | None, str | None] | None

    def subjects(self) -> Names:
        """The same by names alone."""
        named = {ladder: (_id(live), _id(shadow)) for ladder, (live, shadow) in self.ladders.items()}
        return named if self.bands is None else {**named, RISK: self.bands}


class Differences:
    """By customer. A customer who stands on both sides alike, and always did since the trial began, takes no room."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self._known: dict[bytes, Known] = {}
        self._pending: list[Publication] = []
        self.flows: Counter[tuple[str, str | None, str | None]] = Counter()
        """Customers who differ, by ladder (RISK for the bands), live and shadow tier."""
        self.counts: Counter[str] = Counter()
        """What was published, by what became of the difference."""

    def __len__(self) -> int:
        return sum(known.differs for known in self._known.values())

    def __iter__(self) -> Iterator[tuple[bytes, Known]]:
        return iter(self._known.items())

    def get(self, key: bytes) -> Known | None:
        """What is known of a customer."""
        return self._known.get(key)

    def drain(self) -> list[Publication]:
        """Hand over what is to be published, in order."""
        pending, self._pending = self._pending, []
        return pending

    def note(
        self,
        key: bytes,
        step: Step,
        live: Standing,
        shadow: Standing,
        regimes: Sequence[Regime],
        *,
        publish: bool,
    ) -> None:
        """Be told where a customer stands after a step on either side; `regimes` are the live ones."""
        known = self._known.get(key)
        before = known.decision if known is not None and known.differs else None
        found = _found(live, shadow)
        old, new = {} if before is None else _subjects_of(before), found.subjects()
        if new == old:
            return
        moved = {name for name in {*new, *old} if new.get(name) != old.get(name)}
        told = decisive(step, moved).decision
        # When a trial begins, the live side may still have to tell what time brought about before.
        at = step.at if before is None else max(step.at, before.effective_at)
        tier = public_tier(regimes, at, live)
        customer = msgspec.structs.replace(told.customer, tier=tier, risk_band=live.band)
        sequence = (known.sequence if known is not None else 0) + publish
        decision = ShadowChanged(
            customer_id=key.decode(),
            effective_at=at,
            sequence=max(1, sequence),
            revision=max(1, sequence),
            cause=told.cause,
            caused_by=told.caused_by,
            policy=told.policy,
            reasons=told.reasons,
            customer=customer,
            shadow=self._trial.id,
            candidate=self._trial.ref,
            difference="ended" if not new else "changed" if old else "begun",
            since=before.since if before is not None else at,
            moved=_side(step, moved),
            ladders=_ladders(found, before, at),
            risk=_risk(found, before, at),
        )
        self._count_flows(old, new)
        self._keep(key, decision, sequence)

    def publish_all(self) -> None:
        """Publish everybody who stands differently: the trial begins."""
        for key in sorted(self._known):
            known = self._known[key]
            self._keep(key, msgspec.structs.replace(known.decision, difference="begun"), 1)

    def records(self, head: StateRecord) -> Iterator[StateRecord]:
        """Everything that `restore` needs, after a record of whoever asks."""
        yield head
        for key, known in self._known.items():
            yield key, msgspec.msgpack.encode(known)

    def restore(self, records: Mapping[bytes, bytes | None], counts: Mapping[str, int]) -> None:
        """Begin where `records` was asked."""
        decode = msgspec.msgpack.Decoder(Known).decode
        self._known = {key: decode(value) for key, value in records.items() if value is not None}
        self.flows, self.counts = Counter(), Counter(counts)
        for known in self._known.values():
            if known.differs:
                self._count_flows({}, _subjects_of(known.decision))

    def _keep(self, key: bytes, decision: ShadowChanged, sequence: int) -> None:
        if not sequence and decision.difference == "ended":
            del self._known[key]
            return
        change_id = output_id(
            decision.customer_id,
            KIND,
            sequence,
            self._trial.id,
            parse_canonical(decision.effective_at),
            decision.caused_by.event_id,
        )
        known = self._known[key] = Known(sequence, change_id, decision)
        if sequence:
            self.counts[decision.difference] += 1
            self._pending.append(Publication(key, known))

    def _count_flows(self, old: Names, new: Names) -> None:
        for name, (live, shadow) in old.items():
            self.flows[name, live, shadow] -= 1
        for name, (live, shadow) in new.items():
            self.flows[name, live, shadow] += 1


def _side(step: Step, moved: set[str]) -> Side:
    sides = {one.side for one in step.told if subject_of(one.decision) in moved}
    return "both" if len(sides) != 1 else "shadow" if SHADOW in sides else "live"


def _id(tier: TierRef | None) -> str | None:
    return None if tier is None else tier.id


def _found(live: Standing, shadow: Standing) -> _Found:
    ladders = {
        ladder: (live.tiers.get(ladder), shadow.tiers.get(ladder)) for ladder in sorted({*live.tiers, *shadow.tiers})
    }
    differing = {ladder: (one, other) for ladder, (one, other) in ladders.items() if _id(one) != _id(other)}
    return _Found(differing, None if live.band == shadow.band else (live.band, shadow.band))


def _subjects_of(decision: ShadowChanged) -> Names:
    named = {one.ladder: (_id(one.live), _id(one.shadow)) for one in decision.ladders}
    return named if decision.risk is None else {**named, RISK: (decision.risk.live, decision.risk.shadow)}


def _ladders(found: _Found, before: ShadowChanged | None, at: str) -> tuple[LadderDifference, ...]:
    old = {} if before is None else {one.ladder: one for one in before.ladders}
    names, known = found.subjects(), {} if before is None else _subjects_of(before)
    return tuple(
        LadderDifference(
            ladder=ladder,
            live=live,
            shadow=shadow,
            since=old[ladder].since if known.get(ladder) == names[ladder] else at,
        )
        for ladder, (live, shadow) in found.ladders.items()
    )


def _risk(found: _Found, before: ShadowChanged | None, at: str) -> BandDifference | None:
    if found.bands is None:
        return None
    live, shadow = found.bands
    same = before is not None and before.risk is not None and (before.risk.live, before.risk.shadow) == found.bands
    return BandDifference(live=live, shadow=shadow, since=before.risk.since if same and before and before.risk else at)
