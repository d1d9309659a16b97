"""docs/how-to/simulate-a-shop.md is true: its commands run, and it names every option and every field."""

from pathlib import Path

import msgspec

from agents.cli.simulate import Mix
from agents.simulator.shop import Truth
from tests.console import Console

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "simulate-a-shop.md"


def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    """Every command of its console blocks, with the answers shown."""
    console = Console(tmp_path)
    try:
        assert console.follow(PAGE.read_text(encoding="utf-8")) == 4
    finally:
        console.close()


def test_the_page_names_every_kind_and_every_field_of_the_truth() -> None:
    page = PAGE.read_text(encoding="utf-8")
    options = [f"`--{name.replace('_', '-')}`" for name in Mix.__dataclass_fields__]
    fields = [f"`{field.encode_name}`" for field in msgspec.structs.fields(Truth)]
    assert [name for name in (*options, *fields) if name not in page] == []
