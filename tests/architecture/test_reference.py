"""The reference pages say what the code says, and say something about everything."""

from pathlib import Path

import msgspec
import pytest

from agents.reference import ROOT, example_settings, field_docs, pages
from agents.settings import Settings
from agents.settings_reader import SECTIONS, load_settings


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_page_is_what_the_code_says(name: str) -> None:
    """After a change of a setting, a topic or a metric: make docs."""
    assert (ROOT / name).read_text(encoding="utf-8") == pages()[name]


def test_every_setting_is_documented() -> None:
    """A string stands under every field."""
    docs = field_docs()
    silent = [
        f"[{name}] {field.name}"
        for name, cls in SECTIONS.items()
        for field in msgspec.structs.fields(cls)
        if not docs[name].get(field.name)
    ]

    assert silent == []
    assert all(docs["source"].values())


def test_the_example_settings_change_nothing(tmp_path: Path) -> None:
    """As shipped, the file means the defaults."""
    path = tmp_path / "tierstream.toml"
    path.write_text(example_settings())

    assert load_settings(path, {}) == Settings()


def test_the_example_settings_show_the_defaults(tmp_path: Path) -> None:
    """With every # in front of a key removed, it still means the defaults."""
    lines = []
    for line in example_settings().splitlines():
        key, equals, value = line.removeprefix("# ").partition(" = ")
        shown = equals and key.isidentifier() and value != '"..."' and key not in {"topic", "format"}
        lines.append(f"{key} = {value}" if shown else line)
    path = tmp_path / "tierstream.toml"
    path.write_text("\n".join(lines))

    assert msgspec.structs.replace(load_settings(path, {}), worker=Settings().worker, log=Settings().log) == Settings()
