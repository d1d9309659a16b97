"""A policy and a churn model in force: what the fold needs of them at hand."""

import msgspec

from schemas.decisions import PolicyRef, TierRef
from streams.calendar import Calendar
from streams.customer.state import CustomerState
from streams.models.churn_model import ChurnModel
from streams.policy.metrics import METRICS, MODEL_METRICS
from streams.policy.model import (
    Declaration,
    OrderFilter,
    Policy,
    Tier,
    comparisons,
    counters,
    requirements_of,
    uncounted,
)
from streams.standing.ladder_rules import LadderRules, ladder_rules
from streams.standing.risk_rules import RiskRules, misfit, risk_rules


class Regime(msgspec.Struct, frozen=True):
    """One activated policy with the model that was in force then, or one activated model under the policy before it.

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
    """Filters by category or store that every customer under it is counted for: what it and all that follow it need."""
    public: int
    """Place of the ladder that outputs name in short: the first public one; -1 if there is none."""
    tier_refs: tuple[tuple[TierRef, ...], ...]
    """Per ladder, its tiers as outputs name them."""
    risk: RiskRules | None
    """None: the policy does not judge churn."""
    model: ChurnModel | None = None
    """The newest model that was activated, whether or not it fits the policy; None: none was."""
    by_model: bool = False
    """Whether the model is what is new about it."""
    declaration: Declaration | None = None
    """What a policy to come needs besides, of which not everybody may be counted yet."""
    counted_declared: tuple[OrderFilter, ...] = ()
    """Both, for those who are."""

    def counted_of(self, state: CustomerState) -> tuple[OrderFilter, ...]:
        """Return the filters that a customer is counted for."""
        declaration = self.declaration
        if declaration is None or state.declaration != declaration.number:
            return self.counted
        return self.counted_declared


def tier_ref(tier: Tier | None) -> TierRef | None:
    """A tier as outputs name it: in English where there is an English name."""
    return None if tier is None else _tier_ref(tier)


def _tier_ref(tier: Tier) -> TierRef:
    return TierRef(id=tier.id, name=tier.name.get("en") or next(iter(tier.name.values())), rank=tier.rank)


def follow(
    regimes: list[Regime], policy: Policy, effective_at: int, *, everybody_counted: bool = False
) -> tuple[OrderFilter, ...]:
    """Put an activated policy in force after those that are, or return why not: what the last of them did not count.

    Depends on the activations alone, so that every partition and every replay decides the same. The first one finds
    nobody yet, and may count what it likes; so may one whose activation says that everybody was counted for it. It is
    judged with the newest model that was activated.
    """
    lacking = uncounted(policy, regimes[-1].policy) if regimes and not everybody_counted else ()
    if not lacking:
        model = regimes[-1].model if regimes else None
        regimes.append(regime_of(policy, len(regimes), effective_at, model))
    return lacking


def follow_model(regimes: list[Regime], model: ChurnModel, effective_at: int) -> None:
    """Put an activated model in force, under the newest policy."""
    if not regimes:
        raise ValueError("a model was activated before the first policy")
    regimes.append(regime_of(regimes[-1].policy, len(regimes), effective_at, model, by_model=True))


def settle_counters(
    regimes: list[Regime], declaration: Declaration | None, always: tuple[OrderFilter, ...] = ()
) -> None:
    """Give each regime what its customers are counted for: what it and those after it need, `always`, and the declared.

    A policy may wait to take effect: from its activation on, everybody is counted for it.
    """
    needed: dict[OrderFilter, None] = dict.fromkeys(always)
    for place in reversed(range(len(regimes))):
        needed = dict.fromkeys((*counters(regimes[place].policy), *needed))
        filters = declaration.filters if declaration is not None else ()
        regimes[place] = msgspec.structs.replace(
            regimes[place],
            counted=tuple(needed),
            declaration=declaration,
            counted_declared=tuple(dict.fromkeys((*needed, *filters))),
        )


def regime_of(
    policy: Policy, ordinal: int, effective_at: int, model: ChurnModel | None = None, *, by_model: bool = False
) -> Regime:
    """Put a policy in force, with the newest activated model.

    A model that does not fit the policy leaves the scores to the model that the policy names.
    """
    rules = policy.churn
    fitting = model if model is not None and misfit(rules, policy.currency, model) is None else None
    risk = None if rules is None else risk_rules(rules, fitting)
    metrics = {
        comparison.metric
        for ladder in policy.ladders
        for requirement in requirements_of(ladder)
        for comparison in comparisons(requirement)
    }
    subjects: frozenset[str] = frozenset(METRICS[metric].subject for metric in metrics)
    if risk is not None and not metrics.isdisjoint(MODEL_METRICS):
        subjects |= risk.heeded
    public = next((place for place, ladder in enumerate(policy.ladders) if ladder.audience == "public"), -1)
    ref = PolicyRef(name=policy.name, hash=policy.hash)
    refs = tuple(tuple(_tier_ref(tier) for tier in ladder.tiers) for ladder in policy.ladders)
    return Regime(
        policy=policy,
        ordinal=ordinal,
        effective_at=effective_at,
        calendar=Calendar(policy.time_zone),
        ref=ref,
        ladders=ladder_rules(policy, risk),
        subjects=subjects,
        counted=counters(policy),
        public=public,
        tier_refs=refs,
        risk=risk,
        model=model,
        by_model=by_model,
    )
