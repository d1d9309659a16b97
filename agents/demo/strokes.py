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


def curve(seconds: Iterable[tuple[float, bool]], width: int) -> Text:
    """The newest values as a curve one line high, against the largest of them; marked ones in the colour of kills."""
    newest = list(seconds)[-width:] if width > 0 else []
    most = max((rate for rate, _ in newest), default=0.0)
    steps = len(_CURVE) - 1
    drawing = Text()
    for rate, marked in newest:
        drawing.append(
            _CURVE[round(rate / most * steps)] if most else _CURVE[0], palette.BAD if marked else palette.QUIET
        )
    return drawing


def between(left: Text, right: Text, width: int) -> Text:
    """Two texts at the two ends of one line; the left one wins where they would meet."""
    line = left.copy()
    gap = width - left.cell_len - right.cell_len
    if gap < 1:
        line.truncate(width, overflow="ellipsis", pad=True)
        return line
    line.append(" " * gap)
    return line.append_text(right)
