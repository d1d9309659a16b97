"""The frame of a report, and what every report is made of: tiles, tables, figures."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from agents.errors import ConfigurationError

CSS = """
:root{color-scheme:light dark;--bg:#fbfbfa;--card:#fff;--ink:#1c1f23;--dim:#666d75;--line:#e3e5e8;--one:#0b6e99;
--two:#c2571a;--three:#5b7f2b;--base:#a9b0b8}
@media (prefers-color-scheme:dark){:root{--bg:#15181b;--card:#1d2125;--ink:#e8eaed;--dim:#9aa2ab;--line:#2e343a;
--one:#5cb8e0;--two:#f0975a;--three:#a5cd6a;--base:#6a737c}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:980px;margin:0 auto;padding:40px 20px 64px}h1{font-size:26px;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:17px;margin:40px 0 12px}p.sub{color:var(--dim);margin:0 0 24px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px}
.tile,figure,.table{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px}
.tile b{display:block;font-size:24px;font-weight:600;font-variant-numeric:tabular-nums}.tile span{color:var(--dim)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(330px,1fr));gap:14px}figure{margin:0}
figcaption{font-weight:600;margin-bottom:6px}.table{overflow-x:auto;padding:4px 6px;align-self:start}
table{border-collapse:collapse;width:100%;font-size:14px}td,th{padding:7px 10px;text-align:right;white-space:nowrap;
border-bottom:1px solid var(--line);font-variant-numeric:tabular-nums}th{color:var(--dim);font-weight:500}
tr:last-child td{border-bottom:0}td.word,th.word{text-align:left}.better{color:var(--one);font-weight:600}
svg{width:100%;height:auto;display:block}svg text{fill:var(--dim);font-size:11px}svg .axis{fill:var(--ink)}
.grid{stroke:var(--line)}polyline{fill:none;stroke-width:2}polyline.one{stroke:var(--one)}
polyline.two{stroke:var(--two)}polyline.three{stroke:var(--three)}polyline.base{stroke:var(--base);stroke-dasharray:4 4}
circle.one,.bar.one{fill:var(--one)}circle.two{fill:var(--two)}circle.three{fill:var(--three)}.bar.base{fill:var(--base)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 14px;margin:8px 0 0;padding:0;font-size:13px;
color:var(--dim)}.legend i{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:6px}
i.one{background:var(--one)}i.two{background:var(--two)}i.three{background:var(--three)}i.base{background:var(--base)}
.bar.t0{fill:var(--line)}.bar.t1{fill:#8fa3b0}.bar.t2{fill:#4f8fb3}.bar.t3{fill:#d9a521}.bar.t4{fill:#7a5ba6}
.bar.t5{fill:#2f7f6d}.bar.t6{fill:#b0413e}i.t0{background:var(--line)}i.t1{background:#8fa3b0}i.t2{background:#4f8fb3}
i.t3{background:#d9a521}i.t4{background:#7a5ba6}i.t5{background:#2f7f6d}i.t6{background:#b0413e}
.node{fill:var(--dim)}.ribbon{fill:var(--base);opacity:.3}.ribbon.falls{fill:var(--two);opacity:.75}
.ribbon.rises{fill:var(--three);opacity:.75}.ribbon:hover{opacity:1}i.stays{background:var(--base)}
i.falls{background:var(--two)}i.rises{background:var(--three)}
.warning{border-left:3px solid var(--two);padding:2px 12px;margin:12px 0}dt{font-weight:600;margin-top:10px}
dd{margin:0;color:var(--dim)}
"""


def write(path: Path, text: str) -> Path:
    """Write a page, and make its folder if need be; the path."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError("The report cannot be written.", where=str(path), why=str(error)) from error
    return path


def document(title: str, body: Iterable[str]) -> str:
    """The whole page around its body."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{CSS}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def tiles(figures: Iterable[tuple[str, str]]) -> str:
    """Large figures, each with a few words."""
    parts = (
        f'<div class="tile"><b>{escape(figure)}</b><span>{escape(words)}</span></div>' for figure, words in figures
    )
    return f'<div class="tiles">{"".join(parts)}</div>'


def figure(caption: str, chart: str) -> str:
    """A chart under its caption."""
    return f"<figure><figcaption>{escape(caption)}</figcaption>{chart}</figure>"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, words: int) -> str:
    """A table of which the first columns hold words."""

    def cells(row: Sequence[str], tag: str) -> str:
        return "".join(
            f'<{tag} class="word">{escape(cell)}</{tag}>' if n < words else f"<{tag}>{escape(cell)}</{tag}>"
            for n, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    head = f"<thead><tr>{cells(columns, 'th')}</tr></thead>" if any(columns) else ""
    return f'<div class="table"><table>{head}<tbody>{body}</tbody></table></div>'
