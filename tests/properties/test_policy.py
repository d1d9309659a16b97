"""Laws over generated policy files: how a file is written does not matter, only what it says."""

import random
import tomllib
from decimal import Decimal
from fractions import Fraction
from itertools import product
from operator import ge, gt, le, lt

from hypothesis import example, given
from hypothesis import strategies as st

from streams.policy.canonical import canonical, load_canonical
from streams.policy.logic import implies, impossible, scaled
from streams.policy.model import AllOf, AnyOf, Comparison, NotMet, Policy, Requirement, Tier
from streams.policy.parse import parse
from streams.policy.positions import lines_of
from streams.policy.staying import stays_with
from streams.policy.windows import LIFETIME, Window, rolling
from tests.properties.policy_files import Doc, at, documents, paths_of, put, written
from tests.requirements import at_least

SUMMED = ("spend", "orders", "visits", "tickets")
WINDOWS = (
    *(rolling(days) for days in (30, 90, 365)),
    Window("calendar-month"),
    Window("calendar-quarter"),
    Window("calendar-year"),
    LIFETIME,
)
WINDOW_NAMES = tuple(window.name for window in WINDOWS)
leaves = st.builds(
    Comparison,
    metric=st.sampled_from(SUMMED),
    operator=st.sampled_from((">=", ">", "<=", "<")),
    threshold=st.integers(0, 6),
    window=st.sampled_from(WINDOWS),
)
requirements = st.recursive(
    leaves,
    lambda parts: (
        st.builds(AllOf, st.lists(parts, min_size=1, max_size=3).map(tuple))
        | st.builds(AnyOf, st.lists(parts, min_size=1, max_size=3).map(tuple))
        | st.builds(NotMet, parts)
    ),
    max_leaves=5,
)
rolls = st.builds(random.Random, st.integers(0, 2**32 - 1))
"""Dice with a seed: a file's layout takes hundreds of throws, and `randoms` would have Hypothesis draw each of them."""
COMPARE = {">=": ge, ">": gt, "<=": le, "<": lt}


def met(requirement: Requirement, sums: dict[tuple[str, str], int]) -> bool:
    """Whether it holds for given sums."""
    match requirement:
        case Comparison():
            value = sums[requirement.metric, requirement.window.name]
            return bool(COMPARE[requirement.operator](value, requirement.threshold))
        case NotMet():
            return not met(requirement.part, sums)
        case AllOf():
            return all(met(part, sums) for part in requirement.parts)
        case AnyOf():
            return any(met(part, sums) for part in requirement.parts)


@st.composite
def customers(draw: st.DrawFn) -> dict[tuple[str, str], int]:
    """Sums that some history can have: a window that covers another holds at least what that holds."""
    days_ago = {"30d": 29, "90d": 89, "365d": 364, "lifetime": 10_000}
    begun = {"calendar_month": draw(st.integers(0, 30)), "calendar_quarter": draw(st.integers(0, 91))}
    begun["calendar_quarter"] = max(begun.values())
    days_ago |= {**begun, "calendar_year": max(begun["calendar_quarter"], draw(st.integers(0, 365)))}
    found = {}
    for metric in SUMMED:
        ages = draw(st.lists(st.sampled_from((0, 5, 29, 30, 45, 89, 100, 200, 364, 400)), max_size=8))
        for name, reach in days_ago.items():
            found[metric, name] = sum(age <= reach for age in ages)
    return found


def accepted(text: str) -> Policy:
    """Parse a text that has to be right."""
    policy = parse(text)
    assert isinstance(policy, Policy), "\n".join([*map(str, policy), text])
    return policy


@given(documents(), rolls)
def test_every_way_of_writing_a_policy_is_the_same_policy(document: Doc, rng: random.Random) -> None:
    """Order of keys, comments, blank lines, kinds of strings and dotted keys leave policy and hash as they are."""
    policy = accepted(written(document, rng))
    assert accepted(written(document, rng)) == policy
    assert len(policy.hash) == 64


@given(documents(), rolls)
def test_the_canonical_text_gives_the_policy_back(document: Doc, rng: random.Random) -> None:
    """What travels in the journal is the whole policy, byte for byte the same each time."""
    policy = accepted(written(document, rng))
    assert load_canonical(canonical(policy)) == policy
    assert canonical(load_canonical(canonical(policy))) == canonical(policy)


@given(documents(), rolls)
def test_every_part_of_a_document_has_the_line_it_is_written_on(document: Doc, rng: random.Random) -> None:
    """The scan and the standard library see the same parts; each key stands in the text of its line."""
    text = written(document, rng)
    lines = lines_of(text)
    assert set(lines) == paths_of(tomllib.loads(text))
    rows = text.split("\n")
    assert all(path[-1] in rows[line - 1] for path, line in lines.items() if path and isinstance(path[-1], str))


@given(documents(), rolls, st.data())
def test_a_broken_value_is_reported_at_its_line(document: Doc, rng: random.Random, data: st.DataObject) -> None:
    """Whatever scalar is replaced by nonsense, its line and key are among the errors."""
    text = written(document, rng)
    lines = lines_of(text)
    loaded = tomllib.loads(text, parse_float=Decimal)
    scalars = sorted((path for path in lines if not isinstance(at(loaded, path), dict | list)), key=str)
    path = data.draw(st.sampled_from(scalars))
    put(loaded, path, 1979)  # a text or an id is no number; a number below 1 is not 1979
    if not isinstance(at(tomllib.loads(text), path), str):
        put(loaded, path, "nonsense")
    broken = written(loaded, rng)
    found = parse(broken)
    assert isinstance(found, list)
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")
    assert (lines_of(broken)[path], key) in {(error.line, error.key) for error in found}


@given(st.text(alphabet="[]{}=\"'\\\n#.,ab1 -", max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    """Whatever is given, the answer is a list of errors with lines inside the text."""
    found = parse(text)
    assert isinstance(found, list)
    assert all(1 <= error.line <= text.count("\n") + 1 for error in found)


@given(requirements, requirements, customers())
def test_what_implies_really_implies(strong: Requirement, weak: Requirement, sums: dict[tuple[str, str], int]) -> None:
    """No customer, whatever their history, meets the stronger requirement without the weaker one."""
    if implies(strong, weak):
        assert met(weak, sums) or not met(strong, sums)
    assert implies(strong, strong)


@given(requirements, requirements, customers())
@example(
    AnyOf((at_least("orders", 30, 3), at_least("visits", 30, 2))),
    AnyOf((at_least("orders", 30, 3), at_least("spend", 30, 4))),
    {(metric, window): 3 * (metric == "orders") for metric, window in product(SUMMED, WINDOW_NAMES)},
)
def test_a_tier_is_kept_by_keep_or_enter(
    enter: Requirement, keep: Requirement, sums: dict[tuple[str, str], int]
) -> None:
    """Whatever is left out of the two because it never decides."""
    staying = stays_with(Tier("one", 1, {"en": "One"}, enter, keep))
    assert met(staying, sums) is (met(enter, sums) or met(keep, sums))
    if implies(enter, keep):
        assert staying == keep


@given(requirements, customers())
def test_what_is_impossible_nobody_meets(requirement: Requirement, sums: dict[tuple[str, str], int]) -> None:
    """Contradictions are contradictions."""
    if impossible(requirement):
        assert not met(requirement, sums)


@given(requirements, st.integers(1, 1_000), customers())
def test_who_meets_a_requirement_meets_the_scaled_one(
    requirement: Requirement, thousandths: int, sums: dict[tuple[str, str], int]
) -> None:
    """Lower limits fall and upper ones rise, also under `not`."""
    assert met(scaled(requirement, Decimal(thousandths) / 1_000), sums) or not met(requirement, sums)


@given(st.sampled_from(SUMMED), st.integers(1, 10**15), st.integers(1, 1_000))
def test_scaling_rounds_up_to_the_next_whole_unit(metric: str, threshold: int, thousandths: int) -> None:
    """The scaled threshold is the least integer that is not below ratio times threshold, and never above it."""
    after = scaled(at_least(metric, 365, threshold), Decimal(thousandths) / 1_000)
    assert isinstance(after, Comparison)
    assert isinstance(after.threshold, int)
    assert after.threshold - 1 < Fraction(thousandths, 1_000) * threshold <= after.threshold <= threshold
    assert (after.metric, after.window) == (metric, rolling(365))
