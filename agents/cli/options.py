"""What several commands share: the options --config and --json, and how results are printed."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agents.settings import Settings
from agents.settings_reader import load_settings

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
