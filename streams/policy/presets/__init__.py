"""Policies that ship with the program, as TOML files beside this module."""

from functools import cache
from importlib import resources


@cache
def preset_names() -> tuple[str, ...]:
    """Return what `extends` and the settings can name."""
    files = resources.files(__name__).iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


def preset_text(name: str) -> str:
    """Return a preset's TOML; KeyError if there is none of that name."""
    if name not in preset_names():
        raise KeyError(name)
    return resources.files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
