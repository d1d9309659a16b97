"""placeholder."""

from pathlib import Path

from agents.backtest.words import Named


def write_page(out: Path, named: Named, title: str) -> None: ...
