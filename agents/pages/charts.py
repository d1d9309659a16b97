"""Charts as inline SVG: no script, nothing to load. Colours come from the page, so that light and dark both fit."""

from collections.abc import Sequence
from html import escape
from math import floor, log10
from typing import NamedTuple

WIDTH, HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 16, 42
LABELS = 6
"""About so many columns have their label."""
LARGE = 8
"""From here on an axis counts in whole numbers."""


class Point(NamedTuple):
    """One point, with what is said when it is pointed at."""

    x: float
    y: float
    said: str = ""


class Line(NamedTuple):
    """Points joined, under a name."""

    name: str
    points: Sequence[Point]
    style: str = "one"
    """A class of the page: one, two, three or base."""


class Axes(NamedTuple):
    """What the two axes mean and how far they go, from 0."""

    x: str
    y: str
    x_max: float = 1.0
    y_max: float = 1.0
    percent: bool = True


def line_chart(title: str, axes: Axes, lines: Sequence[Line]) -> str:
    """Lines over two axes, with a dot and a tooltip per point."""
    parts = [_open(title), _grid(axes)]
    for line in lines:
        path = " ".join(f"{_x(axes, point.x):.1f},{_y(axes, point.y):.1f}" for point in line.points)
        parts.append(f'<polyline class="{line.style}" points="{path}"/>')
        if line.style != "base":
            parts += [
                f'<circle class="{line.style}" cx="{_x(axes, point.x):.1f}" cy="{_y(axes, point.y):.1f}" r="3.5">'
                f"<title>{escape(point.said)}</title></circle>"
                for point in line.points
            ]
    return "".join([*parts, "</svg>", _legend(lines)])


def bar_chart(
    title: str,
    axes: Axes,
    bars: Sequence[tuple[str, float, float]],
    series: tuple[str, str] = ("predicted", "bought"),
) -> str:
    """Pairs of bars: a label, and a value of either series."""
    parts = [_open(title), _grid(axes, x_ticks=False)]
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(bars))
    styles = ("base", "one")
    for number, (label, *values) in enumerate(bars):
        for offset, value, style, name in zip((0.14, 0.5), values, styles, series, strict=True):
            x, y = LEFT + (number + offset) * slot, _y(axes, value)
            said = f"{label}. {name}: {_exactly(axes, value)}"
            parts.append(
                f'<rect class="bar {style}" x="{x:.1f}" y="{y:.1f}" width="{slot * 0.34:.1f}" '
                f'height="{max(0.0, HEIGHT - BOTTOM - y):.1f}" rx="1.5"><title>{escape(said)}</title></rect>'
            )
        middle = LEFT + (number + 0.5) * slot
        parts.append(f'<text x="{middle:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{escape(label)}</text>')
    legend = [Line(name, (), style) for name, style in zip(series, styles, strict=True)]
    return "".join([*parts, "</svg>", _legend(legend)])


def stacked_chart(
    title: str, axes: Axes, columns: Sequence[tuple[str, Sequence[float]]], layers: Sequence[Line]
) -> str:
    """Columns of layers from the bottom; `layers` name and style them, every fourth or so column has its label."""
    parts = [_open(title), _grid(axes, x_ticks=False)]
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(columns))
    every = max(1, round(len(columns) / LABELS))
    for number, (label, values) in enumerate(columns):
        x, below = LEFT + number * slot, 0.0
        for value, layer in zip(values, layers, strict=True):
            y, base = _y(axes, below + value), _y(axes, below)
            below += value
            if value:
                said = escape(f"{label}, {layer.name}: {_exactly(axes, value)}")
                parts.append(
                    f'<rect class="bar {layer.style}" x="{x + slot * 0.08:.1f}" y="{y:.1f}" '
                    f'width="{slot * 0.84:.1f}" height="{base - y:.1f}"><title>{said}</title></rect>'
                )
        if number % every == 0:
            middle, bottom = x + slot / 2, HEIGHT - BOTTOM + 16
            parts.append(f'<text x="{middle:.1f}" y="{bottom}" text-anchor="middle">{escape(label)}</text>')
    return "".join([*parts, "</svg>", _legend(list(reversed(layers)))])


def _open(title: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title, quote=True)}">'
        f"<title>{escape(title)}</title>"
    )


def _grid(axes: Axes, *, x_ticks: bool = True) -> str:
    parts = []
    for step in range(5):
        y_value, x_value = axes.y_max * step / 4, axes.x_max * step / 4
        y, x = _y(axes, y_value), _x(axes, x_value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_tick(axes, y_value)}</text>')
        if x_ticks:
            text = f"{x_value:.0%}"
            parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{text}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text class="axis" x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(axes.x)}</text>')
    parts.append(f'<text class="axis" x="{LEFT}" y="{TOP - 5}" text-anchor="start">{escape(axes.y)}</text>')
    return "".join(parts)


def _tick(axes: Axes, value: float) -> str:
    if axes.percent:
        return f"{value:.0%}"
    return f"{value:,.0f}" if axes.y_max >= LARGE else f"{value:.2g}"


def _exactly(axes: Axes, value: float) -> str:
    if axes.percent:
        return f"{value:.1%}"
    return f"{value:,.0f}" if axes.y_max >= LARGE else f"{value:.3f}"


def round_top(highest: float) -> float:
    """An end for an axis that holds the highest value: a quarter of it is a round number."""
    power = 10.0 ** floor(log10(highest)) if highest > 0 else 1.0
    return next(power * step for step in (1, 1.2, 2, 3, 4, 6, 8, 10) if power * step >= highest)


def _legend(lines: Sequence[Line]) -> str:
    items = "".join(f'<li><i class="{line.style}"></i>{escape(line.name)}</li>' for line in lines)
    return f'<ul class="legend">{items}</ul>'


def _x(axes: Axes, value: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * min(value, axes.x_max) / axes.x_max


def _y(axes: Axes, value: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(value, axes.y_max) / axes.y_max
