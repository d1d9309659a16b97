"""Flows between two columns of places, as inline SVG: the thickness of a ribbon is its number."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

WIDTH, HEIGHT = 420, 300
SIDE, TOP, BOTTOM, NODE, GAP = 98, 26, 8, 10, 12
THINNEST: Final = 1.0
"""Pixels: what is there has to be seen."""


class Ribbon(NamedTuple):
    """From one place to another."""

    begin: str
    end: str
    amount: int
    style: str
    """A class of the page: stays, falls or rises."""
    said: str


class _Node(NamedTuple):
    y: float
    height: float
    amount: int


def sankey(title: str, columns: tuple[str, str], places: Sequence[str], ribbons: Sequence[Ribbon]) -> str:
    """Both columns hold the same places, from top to bottom; one without any flow is left out."""
    sums = [
        {place: sum(r.amount for r in ribbons if (r.begin, r.end)[side] == place) for place in places}
        for side in (0, 1)
    ]
    total = max(1, sum(sums[0].values()))
    most = max(sum(1 for amount in side.values() if amount) for side in sums)
    scale = (HEIGHT - TOP - BOTTOM - GAP * max(0, most - 1)) / total
    nodes = [_column(side, scale) for side in sums]
    edges = SIDE, WIDTH - SIDE - NODE
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title, quote=True)}">',
        f"<title>{escape(title)}</title>",
        *_ribbons(places, ribbons, nodes, scale),
    ]
    for side, (column, x) in enumerate(zip(nodes, edges, strict=True)):
        anchor, label_x = ("end", x - 8) if side == 0 else ("start", x + NODE + 8)
        parts.append(f'<text class="axis" x="{label_x}" y="14" text-anchor="{anchor}">{escape(columns[side])}</text>')
        for place, node in column.items():
            height = max(node.height, THINNEST)
            parts.append(f'<rect class="node" x="{x}" y="{node.y:.1f}" width="{NODE}" height="{height:.1f}" rx="2"/>')
            middle = node.y + node.height / 2 + 4
            label = f"{escape(place)} {node.amount:,}"
            parts.append(f'<text x="{label_x}" y="{middle:.1f}" text-anchor="{anchor}">{label}</text>')
    return "".join([*parts, "</svg>"])


def _column(amounts: Mapping[str, int], scale: float) -> dict[str, _Node]:
    nodes, y = {}, float(TOP)
    for place, amount in amounts.items():
        if amount:
            nodes[place] = _Node(y, amount * scale, amount)
            y += amount * scale + GAP
    return nodes


def _ribbons(
    places: Sequence[str], ribbons: Sequence[Ribbon], nodes: Sequence[Mapping[str, _Node]], scale: float
) -> list[str]:
    """Those that stay lie beneath those that move."""
    used: list[dict[str, float]] = [{place: node.y for place, node in column.items()} for column in nodes]
    x0, x1 = SIDE + NODE, WIDTH - SIDE - NODE
    bend = (x0 + x1) / 2
    drawn = []
    for ribbon in sorted(ribbons, key=lambda r: (places.index(r.begin), places.index(r.end))):
        if not ribbon.amount:
            continue
        height = ribbon.amount * scale
        y0, y1 = used[0][ribbon.begin], used[1][ribbon.end]
        used[0][ribbon.begin] += height
        used[1][ribbon.end] += height
        thick = max(height, THINNEST)
        path = (
            f"M{x0} {y0:.1f}C{bend} {y0:.1f} {bend} {y1:.1f} {x1} {y1:.1f}V{y1 + thick:.1f}"
            f"C{bend} {y1 + thick:.1f} {bend} {y0 + thick:.1f} {x0} {y0 + thick:.1f}Z"
        )
        shape = f'<path class="ribbon {ribbon.style}" d="{path}"><title>{escape(ribbon.said)}</title></path>'
        drawn.append((ribbon.style != "stays", shape))
    return [shape for _, shape in sorted(drawn, key=lambda each: each[0])]
