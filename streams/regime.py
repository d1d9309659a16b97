"""A policy in force: what the fold needs of it at hand."""

import msgspec

from schemas.decisions import ModelRef, PolicyRef, TierRef
from streams.calendar import Calendar
from streams.policy.model import ChurnRules, Policy, Tier


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
    metrics: frozenset[str]
    """Metrics that any ladder asks for: records that touch none of them need no review."""
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


def regime_of(policy: Policy, ordinal: int, effective_at: int) -> Regime:
    """Put a policy in force."""
    metrics = frozenset(
        condition.metric
        for ladder in policy.ladders
        for tier in ladder.tiers
        for requirement in (tier.enter, tier.keep)
        for condition in requirement.conditions
    )
    ref = PolicyRef(name=policy.name, hash=policy.hash)
    refs = tuple(tuple(_tier_ref(tier) for tier in ladder.tiers) for ladder in policy.ladders)
    model = model_ref(policy.churn) if policy.churn else None
    return Regime(policy, ordinal, effective_at, Calendar(policy.time_zone), ref, metrics, refs, model)
