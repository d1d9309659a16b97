"""The shape of the source: sizes, names, purity. Limits that a reader can feel, held by a test."""

import ast
import re
from functools import cache
from pathlib import Path
from statistics import quantiles

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ("schemas", "streams", "agents")
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 70
FUNCTION_LINES_P90_MAX = 40
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc"}
STDLIB_LIKE = {"logging", "types", "random", "time", "json", "calendar", "queue", "select", "signal", "socket"}
PURE_OFFENCES = re.compile(r"datetime\.now|time\.time|utcnow|random\.|os\.environ|perf_counter|monotonic")
SAYS_ITSELF = "(?:ANN401|SLF001)(?:, (?:ANN401|SLF001))*$"
"""An untyped library, and its internals: the code of the rule is the reason, and the runtime is full of both."""
NOQA = rf"noqa(?!: (?:{SAYS_ITSELF}|[A-Z]+\d+(?:, [A-Z]+\d+)* +--? \w))"
IGNORE = r"type: ignore(?!\[[a-z-]+(?:, ?[a-z-]+)*\] +# \w)"
UNREASONED = re.compile(rf"#\s*(?:{NOQA}|{IGNORE})")


@cache
def _files(*folders: str) -> tuple[Path, ...]:
    return tuple(sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")))


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


@cache
def _functions(path: Path) -> list[tuple[str, int]]:
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


@pytest.mark.parametrize("folder", [*SOURCE, "tests"])
def test_no_file_is_longer_than_a_sitting(folder: str) -> None:
    """At most 300 lines: split before that."""
    long = {str(path.relative_to(ROOT)): n for path in _files(folder) if (n := len(_lines(path))) > FILE_LINES_MAX}

    assert long == {}


@pytest.mark.parametrize("folder", [*SOURCE, "tests"])
def test_no_function_is_longer_than_a_screen(folder: str) -> None:
    """At most 70 lines."""
    long = {name: n for path in _files(folder) for name, n in _functions(path) if n > FUNCTION_LINES_MAX}

    assert long == {}


def test_nine_of_ten_functions_are_short() -> None:
    """The 90th percentile is at most 40 lines."""
    lengths = [length for path in _files(*SOURCE) for _, length in _functions(path)]

    assert quantiles(lengths, n=10)[-1] <= FUNCTION_LINES_P90_MAX


def test_no_module_is_a_drawer() -> None:
    """A name says what is inside; none hides a module of the standard library at the top of a package."""
    names = {path.stem for path in _files(*SOURCE, "tests")} | {path.parent.name for path in _files(*SOURCE)}

    assert names & FORBIDDEN_NAMES == set()
    top = {path.stem for package in SOURCE for path in (ROOT / package).glob("*.py")}
    assert top & (STDLIB_LIKE - {"calendar"}) == set()  # streams.calendar is only ever imported whole


def test_the_pure_packages_read_no_clock_and_throw_no_dice() -> None:
    """Time and chance come in through the records."""
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in _files("schemas", "streams")
        for number, line in enumerate(_lines(path), 1)
        if PURE_OFFENCES.search(line)
    ]

    assert found == []


def test_minor_units_are_whole() -> None:
    """No field whose name ends in `_minor` is a float."""
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in _files(*SOURCE)
        for number, line in enumerate(_lines(path), 1)
        if re.search(r"_minor\w*: .*\bfloat\b", line)
    ]

    assert found == []


def test_every_silenced_rule_has_its_reason() -> None:
    """`noqa` and `type: ignore` carry a code and a reason."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in _files(*SOURCE, "tests")
        for number, line in enumerate(_lines(path), 1)
        if UNREASONED.search(line)
    ]

    assert found == []


def test_every_module_says_what_it_is_for() -> None:
    """A docstring opens each module of the source."""
    silent = [
        str(path.relative_to(ROOT))
        for path in _files(*SOURCE)
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert silent == []
