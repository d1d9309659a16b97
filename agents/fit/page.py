"""The report of a fit as one HTML page that needs nothing else: no script, no fonts, no network."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from agents.errors import ConfigurationError
from agents.fit.backtest import Outcome
from agents.fit.charts import Axes, Line, Point, bar_chart, line_chart
from agents.fit.histories import Histories
from agents.fit.judging import Judgement
from agents.fit.model_file import day_text
from agents.fit.run import Result
from agents.fit.words import fit_rows, judgement_rows

FILE = "report.html"
AXIS_TOPS = (0.04, 0.08, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Four steps to each of them are round numbers."""
STYLES = ("one", "two", "three")
COLUMNS = (
    "Day",
    "Who",
    "Customers",
    "Bought",
    "AUC",
    "AUC by silence",
    "Average precision",
    "Brier",
    "Log loss",
    "ECE",
)
GLOSSARY = (
    (
        "AUC",
        "Of two customers, one who bought and one who did not: how often the model put the buyer first. 0.5 is a coin.",
    ),
    ("AUC by silence", "The same for the rule every shop has already: who bought last comes first."),
    ("Average precision", "How pure the top of the list is, over all depths; compare it with the share who bought."),
    ("Brier, log loss", "The error of the probabilities themselves. Less is better."),
    ("ECE", "By how much predicted and observed shares differ, over ten equal groups."),
    ("Once, repeat", "Customers who had bought on one day by then, and on more than one."),
    ("Lift", "How many times the average share of buyers a tenth of the customers holds."),
)
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
figcaption{font-weight:600;margin-bottom:6px}.table{overflow-x:auto;padding:4px 6px}
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
.warning{border-left:3px solid var(--two);padding:2px 12px;margin:12px 0}dt{font-weight:600;margin-top:10px}
dd{margin:0;color:var(--dim)}
"""


def write_page(folder: Path, histories: Histories, result: Result, horizon_days: int) -> Path:
    """Write the page into a folder, which is made if need be; the path of the page."""
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(page(histories, result, horizon_days), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError("The report cannot be written.", where=str(path), why=str(error)) from error
    return path


def page(histories: Histories, result: Result, horizon_days: int) -> str:
    """The page."""
    fitted = result.fitted
    everybody = [outcome for outcome in result.outcomes if outcome.group == "all"]
    span = f"{day_text(fitted.first_day)} to {day_text(fitted.until)}"
    data = f"{escape(histories.name)}: {fitted.customers:,} customers, {span}."
    body = [
        f"<h1>Churn model {escape(fitted.model.name)}</h1>",
        f'<p class="sub">{data} Predicts a purchase within {horizon_days} days.</p>',
        *(f'<p class="warning">{escape(warning)}</p>' for warning in fitted.warnings),
    ]
    if everybody:
        body += [
            _tiles(everybody),
            "<h2>How good are the predictions?</h2>",
            f"<p>Judged on {escape(result.judged)}.</p>",
        ]
        body += [_table(COLUMNS, judgement_rows(result.outcomes), words=2), *_charts(everybody)]
        body += ["<h2>Tenths of the customers</h2>", _deciles(everybody)]
    body += ["<h2>The model</h2>", _table(("", ""), fit_rows(fitted), words=2)]
    if histories.left_out:
        rows = ((f"{count:,}", why) for why, count in histories.left_out.items())
        body += ["<h2>Left out</h2>", _table(("Events", "Why"), rows, words=0)]
    terms = "".join(f"<dt>{escape(term)}</dt><dd>{escape(meaning)}</dd>" for term, meaning in GLOSSARY)
    body += ["<h2>What the figures mean</h2>", f"<dl>{terms}</dl>"]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Churn model {escape(fitted.model.name)}</title><style>{CSS}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _tiles(everybody: Sequence[Outcome]) -> str:
    newest = everybody[-1]
    first = newest.model.deciles[0]
    tiles = (
        (f"{newest.model.auc:.3f}", f"AUC on {day_text(newest.day)}; silence alone {newest.hiatus_auc:.3f}"),
        (f"{first.lift:.1f}-fold", "buyers in the top tenth, against the average"),
        (f"{newest.model.captured:.0%}", "of the buyers are in the top fifth"),
        (f"{newest.model.ece:.1%}", "mean distance of predicted from observed"),
    )
    return (
        '<div class="tiles">'
        + "".join(
            f'<div class="tile"><b>{escape(figure)}</b><span>{escape(words)}</span></div>' for figure, words in tiles
        )
        + "</div>"
    )


def _charts(everybody: Sequence[Outcome]) -> list[str]:
    parts = ['<h2>Charts</h2><div class="charts">']
    reached = max(max(d.predicted, d.observed) for outcome in everybody for d in outcome.model.deciles)
    highest = next(top for top in AXIS_TOPS if top >= reached)
    honest = [Line("exactly as predicted", (Point(0, 0), Point(highest, highest)), "base")]
    caught = [Line("by chance", (Point(0, 0), Point(1, 1)), "base")]
    for outcome, style in zip(everybody, STYLES, strict=False):
        day = day_text(outcome.day)
        honest.append(Line(day, _calibration_points(outcome.model), style))
        caught.append(Line(day, _gain_points(outcome.model), style))
    axes = Axes("predicted probability", "share who bought", highest, highest)
    parts.append(_figure("Do predictions come true?", line_chart("Calibration", axes, honest)))
    axes = Axes("customers, likeliest first", "share of all buyers")
    parts.append(
        _figure("How many buyers does the top of the list hold?", line_chart("Cumulative capture", axes, caught))
    )
    for outcome in everybody:
        deciles = outcome.model.deciles
        bars = [(str(number), each.predicted, each.observed) for number, each in enumerate(deciles, 1)]
        axes = Axes("tenth of the customers", "share", 1.0, highest)
        parts.append(_figure(f"Tenths on {day_text(outcome.day)}", bar_chart("Deciles", axes, bars)))
    return [*parts, "</div>"]


def _calibration_points(judgement: Judgement) -> list[Point]:
    return [
        Point(each.predicted, each.observed, f"predicted {each.predicted:.1%}, bought {each.observed:.1%}")
        for each in sorted(judgement.deciles, key=lambda each: each.predicted)
    ]


def _gain_points(judgement: Judgement) -> list[Point]:
    bought, customers = 0.0, 0
    total = judgement.rate * judgement.customers
    points = [Point(0, 0, "nobody")]
    for each in judgement.deciles:
        bought, customers = bought + each.observed * each.customers, customers + each.customers
        x, y = customers / judgement.customers, bought / total
        points.append(Point(x, y, f"{y:.0%} of the buyers in {x:.0%} of the customers"))
    return points


def _deciles(everybody: Sequence[Outcome]) -> str:
    rows = []
    for number in range(len(everybody[0].model.deciles)):
        row = [str(number + 1)]
        for outcome in everybody:
            each = outcome.model.deciles[number]
            row += [f"{each.predicted:.1%}", f"{each.observed:.1%}", f"{each.lift:.2f}"]
        rows.append(row)
    names = [f"{word} {day_text(outcome.day)}" for outcome in everybody for word in ("Predicted", "Bought", "Lift")]
    return _table(("Tenth", *names), rows, words=0)


def _figure(caption: str, chart: str) -> str:
    return f"<figure><figcaption>{escape(caption)}</figcaption>{chart}</figure>"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, words: int) -> str:
    """A table of which the first columns hold words."""

    def cells(row: Sequence[str], tag: str) -> str:
        return "".join(
            f'<{tag} class="word">{escape(cell)}</{tag}>' if n < words else f"<{tag}>{escape(cell)}</{tag}>"
            for n, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    head = f"<thead><tr>{cells(columns, 'th')}</tr></thead>" if any(columns) else ""
    return f'<div class="table"><table>{head}<tbody>{body}</tbody></table></div>'
