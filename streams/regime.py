"""A policy in force: what the fold needs of it at hand."""

import msgspec

from schemas.decisions import ModelRef, PolicyRef, TierRef
from streams.calendar import Calendar
from streams.policy.metrics import METRICS
from streams.policy.model import (
    ChurnRules,
    OrderFilter,
    Policy,
    Tier,
    comparisons,
    counters,
    requirements_of,
    uncounted,
)
from streams.standing.ladder_rules import LadderRules, ladder_rules


class Regime(msgspec.Struct, frozen=True):
    """One activated policy.

    A partition's regimes are numbered in the order of their activation; a state remembers the ordinal.
    """

    policy: Policy
    ordinal: int
    effective_at: int
    """Epoch ms from which it holds."""
    calendar: Calendar
    ref: PolicyRef
    ladders: tuple[LadderRules, ...]
    subjects: frozenset[str]
    """What any ladder asks about: records that change none of it need no review."""
    counted: tuple[OrderFilter, ...]
    """Filters by category or store, which the state has to count."""
    public: int
    """Place of the ladder that outputs name in short: the first public one; -1 if there is none."""
    tier_refs: tuple[tuple[TierRef, ...], ...]
    """Per ladder, its tiers as outputs name them."""
    model_ref: ModelRef | None


def tier_ref(tier: Tier | None) -> TierRef | None:
    """A tier as outputs name it: in English where there is an English name."""
    return None if tier is None else _tier_ref(tier)


def _tier_ref(tier: Tier) -> TierRef:
    return TierRef(id=tier.id, name=tier.name.get("en") or next(iter(tier.name.values())), rank=tier.rank)


def model_ref(rules: ChurnRules) -> ModelRef:
    """The model behind a churn score as outputs name it."""
    return ModelRef(name="mbg-nbd", version=rules.model.name)


def follow(regimes: list[Regime], policy: Policy, effective_at: int) -> tuple[OrderFilter, ...]:
    """Put an activated policy in force after those that are, or return why not: what the last of them did not count.

    Depends on the activated policies alone, so that every partition and every replay decides the same. The first one
    finds nobody yet, and may count what it likes.
    """
    lacking = uncounted(policy, regimes[-1].policy) if regimes else ()
    if not lacking:
        regimes.append(regime_of(policy, len(regimes), effective_at))
    return lacking


def regime_of(policy: Policy, ordinal: int, effective_at: int) -> Regime:
    """Put a policy in force."""
    subjects = frozenset(
        METRICS[comparison.metric].subject
        for ladder in policy.ladders
        for requirement in requirements_of(ladder)
        for comparison in comparisons(requirement)
    )
    public = next((place for place, ladder in enumerate(policy.ladders) if ladder.audience == "public"), -1)
    ref = PolicyRef(name=policy.name, hash=policy.hash)
    refs = tuple(tuple(_tier_ref(tier) for tier in ladder.tiers) for ladder in policy.ladders)
    model = model_ref(policy.churn) if policy.churn else None
    return Regime(
        policy=policy,
        ordinal=ordinal,
        effective_at=effective_at,
        calendar=Calendar(policy.time_zone),
        ref=ref,
        ladders=ladder_rules(policy),
        subjects=subjects,
        counted=counters(policy),
        public=public,
        tier_refs=refs,
        model_ref=model,
    )
