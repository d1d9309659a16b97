"""Colours of the demo's screen: one place, so that a tier has one colour wherever it appears."""

from collections.abc import Callable

Scale = Callable[[int, int], str]
"""Position from the lowest and the number of levels to a colour."""

FRAME = "grey35"
QUIET = "grey58"
TEXT = "grey85"
TITLE = "bold grey93"
ACCENT = "bold deep_sky_blue1"
GOOD = "spring_green3"
BAD = "indian_red1"
WARN = "gold3"
PROGRESS = "deep_sky_blue3"
TRACK = "grey23"

_LADDER = ("steel_blue3", "grey74", "gold3", "medium_purple1")
_RISK = ("sea_green3", "khaki3", "dark_orange3", "indian_red")


def ladder_colour(position: int, count: int) -> str:
    """The colour of a tier by its position from the lowest (0) on a ladder of so many tiers."""
    return _spread(_LADDER, position, count)


def risk_colour(position: int, count: int) -> str:
    """The colour of a risk band by its position from the lowest (0)."""
    return _spread(_RISK, position, count)


def _spread(colours: tuple[str, ...], position: int, count: int) -> str:
    if count <= len(colours):
        return colours[position]
    return colours[round(position * (len(colours) - 1) / (count - 1))]
