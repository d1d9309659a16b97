"""Laws over generated policy files: how a file is written does not matter, only what it says."""

import random
import tomllib
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from streams.policy.canonical import canonical, load_canonical
from streams.policy.conditions import implies, scaled
from streams.policy.model import METRICS, WINDOWS_DAYS, Condition, Policy, Requirement
from streams.policy.parse import parse
from streams.policy.positions import lines_of
from tests.properties.policy_files import Doc, at, documents, paths_of, put, written

windows_days = st.sampled_from([*WINDOWS_DAYS, None])
conditions = st.builds(Condition, metric=st.sampled_from(METRICS), window_days=windows_days, at_least=st.integers(1, 6))
requirements = st.builds(
    Requirement,
    mode=st.sampled_from(["any", "all"]),
    conditions=st.lists(conditions, min_size=1, max_size=3).map(tuple),
)

large_requirements = st.builds(
    lambda metric, at_least: Requirement("all", (Condition(metric, 365, at_least),)),
    st.sampled_from(METRICS),
    st.integers(1, 10**15),
)


def accepted(text: str) -> Policy:
    """Parse a text that has to be right."""
    policy = parse(text)
    assert isinstance(policy, Policy), "\n".join([*map(str, policy), text])
    return policy


@given(documents(), st.randoms(use_true_random=False))
def test_every_way_of_writing_a_policy_is_the_same_policy(document: Doc, rng: random.Random) -> None:
    """Order of keys, comments, blank lines, kinds of strings and dotted keys leave policy and hash as they are."""
    policy = accepted(written(document, rng))
    assert accepted(written(document, rng)) == policy
    assert len(policy.hash) == 64


@given(documents(), st.randoms(use_true_random=False))
def test_the_canonical_text_gives_the_policy_back(document: Doc, rng: random.Random) -> None:
    """What travels in the journal is the whole policy, byte for byte the same each time."""
    policy = accepted(written(document, rng))
    assert load_canonical(canonical(policy)) == policy
    assert canonical(load_canonical(canonical(policy))) == canonical(policy)


@given(documents(), st.randoms(use_true_random=False))
def test_every_part_of_a_document_has_the_line_it_is_written_on(document: Doc, rng: random.Random) -> None:
    """The scan and the standard library see the same parts; each key stands in the text of its line."""
    text = written(document, rng)
    lines = lines_of(text)
    assert set(lines) == paths_of(tomllib.loads(text))
    rows = text.split("\n")
    assert all(path[-1] in rows[line - 1] for path, line in lines.items() if path and isinstance(path[-1], str))


@given(documents(), st.randoms(use_true_random=False), st.data())
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


@given(requirements, requirements, st.lists(st.integers(0, 6), min_size=16, max_size=16))
def test_what_implies_really_implies(strong: Requirement, weak: Requirement, values: list[int]) -> None:
    """No customer, whatever their sums, meets the stronger requirement without the weaker one."""
    sums: dict[tuple[str, int | None], int] = {}
    for index, metric in enumerate(METRICS):
        total = 0
        for step, window in enumerate([*WINDOWS_DAYS, None]):
            total += values[4 * index + step]  # a longer window holds at least what a shorter one holds
            sums[metric, window] = total

    def met(requirement: Requirement) -> bool:
        each = any if requirement.mode == "any" else all
        return each(sums[c.metric, c.window_days] >= c.at_least for c in requirement.conditions)

    if implies(strong, weak):
        assert met(weak) or not met(strong)
    assert implies(strong, strong)


@given(large_requirements, st.integers(1, 1_000))
def test_scaling_rounds_up_to_the_next_whole_unit(requirement: Requirement, thousandths: int) -> None:
    """The scaled threshold is the least integer that is not below ratio times threshold, and never above it."""
    ratio = Fraction(thousandths, 1_000)
    for before, after in zip(
        requirement.conditions, scaled(requirement, Decimal(thousandths) / 1_000).conditions, strict=True
    ):
        assert after.at_least - 1 < ratio * before.at_least <= after.at_least <= before.at_least
        assert (after.metric, after.window_days) == (before.metric, before.window_days)
