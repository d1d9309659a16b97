"""The reader of console blocks: it sees a wrong answer, or a page could say anything."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console import Console, answers, steps

PAGE = """\
Text, and `$ not a command`.

```console
$ one > log 2>&1 &
$ two
first
…
```

```toml
$ = "no"
```

```console
$ three
```
"""


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """In an empty folder."""
    made = Console(tmp_path)
    yield made
    made.close()


def test_commands_and_what_they_answer() -> None:
    assert steps(PAGE) == [("one > log 2>&1 &", ()), ("two", ("first", "…")), ("three", ())]


@pytest.mark.parametrize(
    ("said", "shown", "expected"),
    [
        ("tier   Gold (rank 3) since 2026", ("tier Gold (rank 3) since …",), True),
        ("tier   Silver (rank 2) since 2026", ("tier Gold (rank 3) since …",), False),
        ("a\nb\nc", ("…", "b", "…"), True),
        ("a\nb\nc", ("b",), False),
        ("a\nb\nc", ("…", "b"), False),
        ("a\nb\nc", ("…", "c", "…", "b", "…"), False),
        ("a", ("…", "a", "…"), True),
        ("a.c", ("abc",), False),
        ("whatever", (), True),
    ],
)
def test_an_answer_is_the_one_that_is_shown(said: str, shown: tuple[str, ...], expected: bool) -> None:  # noqa: FBT001 - a case of the table
    assert answers(said, shown) is expected


def test_a_page_is_followed(console: Console) -> None:
    """Folders, jobs and answers."""
    page = "```console\n$ mkdir a\n$ cd a\n$ pwd\n…/a\n$ sleep 60 &\n$ echo x > y\n$ cat y\nx\n```\n"

    assert console.follow(page) == 6
    assert console.jobs[0].poll() is None


@pytest.mark.parametrize(
    "block", ["$ echo a\nb", "$ false", "$ true &\n$ sleep 0.3\n$ kill %1", "$ sleep 9 &\n$ kill %1"]
)
def test_a_page_that_is_wrong_fails(console: Console, block: str) -> None:
    """Another answer, a failure, a job that has ended by itself, and one that does not end in order."""
    with pytest.raises(AssertionError):
        console.follow(f"```console\n{block}\n```\n")
