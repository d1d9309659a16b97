"""What several commands share: the options --config and --json, and how progress and results are shown."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from agents.errors import ConfigurationError
from agents.settings import Settings
from agents.settings_reader import load_settings
from schemas.clock import parse_instant

ConfigPath = Annotated[
    Path | None, Parameter(name=("--config", "-c"), help="Settings file; tierstream.toml in this folder by default.")
]
AsJson = Annotated[
    bool, Parameter(name="--json", negative="", show_default=False, help="Print JSON for programs instead of text.")
]

out = Console(highlight=False, soft_wrap=True)
"""Standard output."""


def settings_of(config: Path | None) -> Settings:
    """The settings of --config and the environment."""
    return load_settings(config, os.environ)


def instant_of(text: str | None, option: str) -> int | None:
    """Epoch ms of an option's instant; ConfigurationError when it is none."""
    try:
        return parse_instant(text) if text else None
    except ValueError as error:
        raise ConfigurationError(f"{option} {text} is no instant.", why=str(error)) from error


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, when that is a terminal; to be told how much is done, of how much."""
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def print_json(value: object) -> None:
    """One line of JSON."""
    out.file.write(msgspec.json.encode(value).decode() + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table without frames: cells are text, not markup."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold", show_edge=False)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    out.print(table)


def say(text: str) -> None:
    """A line of plain text."""
    out.print(text, markup=False)
