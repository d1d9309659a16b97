"""The law of meaning: policies that differ only in how they are written decide alike, whatever happens."""

from collections.abc import Sequence

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.clock import MS_PER_DAY
from streams.effects import Effects
from streams.policy.compare import differences
from streams.policy.model import AllOf, AnyOf, Comparison, Ladder, NotMet, Operator, Policy, Requirement, Tier
from streams.policy.normal import normal
from streams.policy.parse import parse
from streams.policy.presets import preset_text
from streams.policy.windows import LIFETIME, Window, rolling
from streams.process import pass_time
from streams.regime import regime_of
from tests.properties.journals import START_MS, Happening, arrivals, lives
from tests.properties.one_customer import Folded, visit

SUMMED = ("spend", "orders", "visits", "tickets")
WINDOWS = (rolling(30), rolling(90), Window("calendar-month"), Window("calendar-year"), LIFETIME)
OPERATORS: tuple[Operator, ...] = (">=", ">", "<=", "<")
OPPOSITE: dict[Operator, Operator] = {">=": "<", "<": ">=", ">": "<=", "<=": ">"}
END_MS = 430 * MS_PER_DAY
KINDS = (*("order",) * 5, "refund", "cancel", "browse", "browse", "ticket")

sums = st.builds(
    lambda metric, operator, steps, window: Comparison(
        metric, operator, steps * 1_500 if metric == "spend" else (steps + 1) // 2, window
    ),
    st.sampled_from(SUMMED),
    st.sampled_from(OPERATORS),
    st.integers(1, 8),
    st.sampled_from(WINDOWS),
)
leaves = sums | st.builds(Comparison, st.just("recency"), st.sampled_from(OPERATORS), st.sampled_from((3, 31)))
requirements = st.recursive(
    leaves,
    lambda parts: (
        st.builds(AllOf, st.lists(parts, min_size=1, max_size=3).map(tuple))
        | st.builds(AnyOf, st.lists(parts, min_size=1, max_size=3).map(tuple))
        | st.builds(NotMet, parts)
    ),
    max_leaves=4,
)


@st.composite
def rewritten(draw: st.DrawFn, requirement: Requirement) -> Requirement:
    """The same in other words."""
    match requirement:
        case Comparison():
            same = draw(st.sampled_from(list(_ways(requirement))))
        case NotMet():
            same = NotMet(draw(rewritten(requirement.part)))
        case AllOf() | AnyOf():
            parts = draw(st.permutations([draw(rewritten(part)) for part in requirement.parts]))
            same = _regrouped(requirement, parts, draw(st.sampled_from(("flat", "nested", "negated"))))
    match draw(st.sampled_from(("plain", "plain", "any", "all", "not not"))):
        case "any":
            return AnyOf((same,))
        case "all":
            return AllOf((same,))
        case "not not":
            return NotMet(NotMet(same))
        case _:
            return same


def _ways(c: Comparison) -> list[Requirement]:
    """A limit, the next number excluded, and where the number is always known the negation of its opposite."""
    assert isinstance(c.threshold, int)
    step: dict[Operator, tuple[Operator, int]] = {">=": (">", -1), ">": (">=", 1), "<=": ("<", 1), "<": ("<=", -1)}
    operator, by = step[c.operator]
    found: list[Requirement] = [c, msgspec.structs.replace(c, operator=operator, threshold=c.threshold + by)]
    if c.metric in SUMMED:
        found.append(NotMet(msgspec.structs.replace(c, operator=OPPOSITE[c.operator])))
    return found


def _regrouped(group: AllOf | AnyOf, parts: Sequence[Requirement], way: str) -> Requirement:
    if way == "nested" and len(parts) > 1:
        return type(group)((parts[0], type(group)(tuple(parts[1:]))))
    if way == "negated":
        return NotMet((AllOf if isinstance(group, AnyOf) else AnyOf)(tuple(NotMet(part) for part in parts)))
    return type(group)(tuple(parts))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Policy, Policy]:
    """A policy of one or two tiers, and the same in other words."""
    tiers, others = [], []
    for rank in range(1, draw(st.integers(1, 2)) + 1):
        enter, keep = draw(requirements), draw(requirements)
        tier = Tier(f"t{rank}", rank, {"en": f"T{rank}"}, enter, keep, notice_days=(7,))
        tiers.append(tier)
        others.append(msgspec.structs.replace(tier, enter=draw(rewritten(enter)), keep=draw(rewritten(keep))))
    ladder = Ladder(
        "standing",
        tuple(tiers),
        draw(st.sampled_from((0, 7))),
        clock=draw(st.sampled_from(("continuous", "calendar-year"))),
    )
    policy = Policy("drawn", "USD", "America/New_York", (ladder,), None, "h")
    other = msgspec.structs.replace(ladder, tiers=tuple(others), keep_ratio=0.5)
    return policy, msgspec.structs.replace(policy, name="other", ladders=(other,))


def decided(policy: Policy, life: list[Happening]) -> list[tuple[object, ...]]:
    """What is told of tiers in a life and a year of silence: kind, instant, ranks and cause."""
    folded = Folded(regime_of(policy, 0, 0))
    now = START_MS
    for arrival in [visit(START_MS, "first"), *arrivals(life)]:
        folded.take(arrival)
        now = arrival.recorded_at
    effects = Effects(b"c0")
    pass_time(folded.state, folded.regimes, now + END_MS, effects)
    told: list[tuple[object, ...]] = []
    for change in [*folded.changes, *effects.changes]:
        plain = msgspec.to_builtins(change.decision)
        ranks = tuple(
            (plain.get(side) or {}).get("rank") if isinstance(plain.get(side), dict) else plain.get(side)
            for side in ("previous_tier", "tier")
        )
        told.append((change.topic, plain.get("effective_at"), plain.get("valid_until"), ranks, plain.get("cause")))
    return told


@settings(max_examples=60, deadline=None)
@given(pairs(), lives(customers=1, kinds=KINDS, max_size=9))
def test_policies_in_other_words_decide_alike(pair: tuple[Policy, Policy], life: list[Happening]) -> None:
    """Order, nesting, negation and the two ways of writing a limit change no decision, and are no difference."""
    policy, other = pair
    assert differences(policy, other) == []
    assert decided(policy, life) == decided(other, life)


@settings(max_examples=40, deadline=None)
@given(requirements, lives(customers=1, kinds=KINDS, max_size=9))
@example(NotMet(Comparison("recency", "<=", 31)), [])
def test_what_counts_as_the_same_decides_alike(requirement: Requirement, life: list[Happening]) -> None:
    """The form by which policies are compared means what was written."""

    def policy(enter: Requirement) -> Policy:
        tier = Tier("one", 1, {"en": "One"}, enter, enter)
        return Policy("drawn", "USD", "UTC", (Ladder("standing", (tier,), 7),), None, "h")

    assert normal(normal(requirement)) == normal(requirement)
    assert decided(policy(requirement), life) == decided(policy(normal(requirement)), life)


@given(st.sampled_from(("USD", "EUR", "CNY", "GBP", "JPY")))
def test_extending_is_writing_out(currency: str) -> None:
    """A file that extends a preset is the preset's own text under another name."""
    header = f'name = "mine"\ncurrency = "{currency}"\ntime_zone = "UTC"\n'
    extending = parse(f'[policy]\nextends = "default"\n{header}')
    written = parse(preset_text("default").replace('name = "default"\n', header))
    assert isinstance(extending, Policy)
    assert extending == written
