"""Bars, curves and lines of the demo's screen: what is drawn of characters, whatever it stands for."""

from collections.abc import Iterable

from rich.text import Text

from agents.demo import palette

_EIGHTHS = " ▏▎▍▌▋▊▉"
_CURVE = "▁▂▃▄▅▆▇█"


def bar(share: float, width: int, colour: str) -> Text:
    """A bar with a resolution of an eighth of a column; anything above zero shows."""
    width = max(1, width)
    eighths = round(share * width * 8)
    if share > 0:
        eighths = max(1, eighths)
    full, rest = divmod(eighths, 8)
    drawing = Text("█" * full + (_EIGHTHS[rest] if rest else ""), colour)
    drawing.pad_right(width - len(drawing))
    return drawing


def track(share: float, width: int) -> Text:
    """A thin line of which a share is done."""
    done = round(share * width)
    return Text.assemble(("━" * done, palette.PROGRESS), ("━" * (width - done), palette.TRACK))


def curve(rates: Iterable[float], width: int) -> Text:
    """The newest values as a curve one line high, against the largest of them."""
    newest = list(rates)[-max(0, width) :]
    most = max(newest, default=0.0)
    steps = len(_CURVE) - 1
    return Text("".join(_CURVE[round(rate / most * steps)] if most else " " for rate in newest), palette.QUIET)


def between(left: Text, right: Text, width: int) -> Text:
    """Two texts at the two ends of one line; the left one wins where they would meet."""
    line = left.copy()
    gap = width - left.cell_len - right.cell_len
    if gap < 1:
        line.truncate(width, overflow="ellipsis", pad=True)
        return line
    line.append(" " * gap)
    return line.append_text(right)
