"""Ladders as they are judged: every requirement with its gauges, made once per policy."""

from typing import NamedTuple

from streams.customer.outcome import Booked
from streams.policy.logic import implies
from streams.policy.model import NO_FILTER, Comparison, Ladder, Policy, Requirement, Tier
from streams.policy.staying import stays_with
from streams.policy.windows import LIFETIME
from streams.standing.fact_gauges import Constant, Membership, Override
from streams.standing.gauge import Gauge, Value
from streams.standing.gauges import money, plain_gauge
from streams.standing.model_gauges import LifetimeValue, Probability
from streams.standing.moment import Moment
from streams.standing.risk_rules import RiskRules
from streams.standing.rules import Rule, rule_of


class TierRules(NamedTuple):
    """One tier."""

    tier: Tier
    enter: Rule
    keep: Rule
    """What keeps it: `keep`, or `enter` where that does not imply it."""
    stays_with: Requirement
    """The requirement that `keep` judges."""
    enters_by_time: bool
    """Whether time alone can make somebody meet `enter`."""
    kept_by_time: bool
    """Whether time alone can make somebody meet what keeps it again."""
    gate: bool
    """Whether nobody who misses `enter` meets that of a higher tier."""


class LadderRules(NamedTuple):
    """One ladder."""

    ladder: Ladder
    tiers: tuple[TierRules, ...]
    minimum: Rule | None
    balance: Gauge | None
    """Where the ladder has one."""
    steady: bool
    """Whether a record that only adds never brings the next change by time nearer: sums against lower limits alone."""
    announces: bool
    """Whether any of its tiers announces a fall."""
    clocked: bool
    """Whether `keep` is asked for at reviews, not at any time."""

    def tier(self, rank: int) -> Tier | None:
        """The tier of a rank; None for rank 0."""
        return self.ladder.tiers[rank - 1] if rank else None


class Balance(Gauge):
    """What the ladder adds up over the whole life, less what its reviews deducted."""

    __slots__ = ("_life",)
    constant = True

    def __init__(self, ladder: Ladder) -> None:
        self._life = money(LIFETIME, NO_FILTER, spend=ladder.balance == "spend")

    def value(self, moment: Moment) -> int:
        """Never below 0."""
        life = self._life.value(moment)
        return max(0, (life if isinstance(life, int) else 0) - moment.deducted)

    def restated(self, value: Value, moment: Moment, booked: Booked) -> Value:
        """As what it adds up."""
        return self._life.restated(value, moment, booked)


def ladder_rules(policy: Policy, risk: RiskRules | None) -> tuple[LadderRules, ...]:
    """Make all ladders of a policy ready to be judged."""
    return tuple(_ladder(policy, risk, ladder) for ladder in policy.ladders)


def _ladder(policy: Policy, risk: RiskRules | None, ladder: Ladder) -> LadderRules:
    def gauge_of(comparison: Comparison) -> Gauge:
        return _gauge(policy, risk, ladder, comparison)

    tiers = []
    for tier in ladder.tiers:
        staying = stays_with(tier)
        enter, keep = rule_of(tier.enter, gauge_of), rule_of(staying, gauge_of)
        gate = all(implies(higher.enter, tier.enter) for higher in ladder.tiers[tier.rank :])
        tiers.append(TierRules(tier, enter, keep, staying, enter.may_turn(met=True), keep.may_turn(met=True), gate))
    minimum = None if ladder.minimum is None else rule_of(ladder.minimum, gauge_of)
    rules = [rule for t in tiers for rule in (t.enter, t.keep)]
    steady = all(leaf.gauge.sinks or leaf.gauge.constant for rule in rules for leaf in rule.leaves())
    steady = steady and not any(rule.may_turn(met=True) for rule in rules)
    balance = Balance(ladder) if ladder.balance else None
    announces = any(tier.notice_days for tier in ladder.tiers)
    return LadderRules(
        ladder,
        tuple(tiers),
        minimum,
        balance,
        steady and minimum is None,
        announces,
        clocked=ladder.clock != "continuous",
    )


def _gauge(policy: Policy, risk: RiskRules | None, ladder: Ladder, c: Comparison) -> Gauge:
    match c.metric:
        case "trait":
            return Constant(lambda moment: moment.state.traits.get(c.name))
        case "membership":
            return Membership(c.name)
        case "override":
            return Override(next(i for i, other in enumerate(policy.ladders) if other.id == c.name))
        case "balance":
            return Balance(ladder)
        case "p_alive" | "p_no_purchase" | "clv":
            return _model_gauge(risk, c)
        case _:
            return plain_gauge(c.metric, c.window, c.where)


def _model_gauge(risk: RiskRules | None, c: Comparison) -> Gauge:
    if risk is None:
        raise ValueError(f"{c.metric} needs the rules of churn risk")
    if c.metric == "clv":
        return LifetimeValue(risk)
    return Probability(risk, c.horizon_days, alive=c.metric == "p_alive")
