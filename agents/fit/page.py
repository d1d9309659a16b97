"""The report of a fit as one HTML page that needs nothing else: no script, no fonts, no network."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from agents.fit.backtest import Outcome
from agents.fit.histories import Histories
from agents.fit.judging import Judgement
from agents.fit.model_file import day_text
from agents.fit.run import Result
from agents.fit.words import fit_rows, judgement_rows
from agents.pages.charts import Axes, Line, Point, bar_chart, line_chart
from agents.pages.page import document, figure, table, tiles, write

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


def write_page(folder: Path, histories: Histories, result: Result, horizon_days: int) -> Path:
    """Write the page into a folder, which is made if need be; the path of the page."""
    return write(folder / FILE, page(histories, result, horizon_days))


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
        body += [table(COLUMNS, judgement_rows(result.outcomes), words=2), *_charts(everybody)]
        body += ["<h2>Tenths of the customers</h2>", _deciles(everybody)]
    body += ["<h2>The model</h2>", table(("", ""), fit_rows(fitted), words=2)]
    if histories.left_out:
        rows = ((f"{count:,}", why) for why, count in histories.left_out.items())
        body += ["<h2>Left out</h2>", table(("Events", "Why"), rows, words=0)]
    terms = "".join(f"<dt>{escape(term)}</dt><dd>{escape(meaning)}</dd>" for term, meaning in GLOSSARY)
    body += ["<h2>What the figures mean</h2>", f"<dl>{terms}</dl>"]
    return document(f"Churn model {fitted.model.name}", body)


def _tiles(everybody: Sequence[Outcome]) -> str:
    newest = everybody[-1]
    first = newest.model.deciles[0]
    return tiles(
        (
            (f"{newest.model.auc:.3f}", f"AUC on {day_text(newest.day)}; silence alone {newest.hiatus_auc:.3f}"),
            (f"{first.lift:.1f}-fold", "buyers in the top tenth, against the average"),
            (f"{newest.model.captured:.0%}", "of the buyers are in the top fifth"),
            (f"{newest.model.ece:.1%}", "mean distance of predicted from observed"),
        )
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
    parts.append(figure("Do predictions come true?", line_chart("Calibration", axes, honest)))
    axes = Axes("customers, likeliest first", "share of all buyers")
    parts.append(
        figure("How many buyers does the top of the list hold?", line_chart("Cumulative capture", axes, caught))
    )
    for outcome in everybody:
        deciles = outcome.model.deciles
        bars = [(str(number), each.predicted, each.observed) for number, each in enumerate(deciles, 1)]
        axes = Axes("tenth of the customers", "share", 1.0, highest)
        parts.append(figure(f"Tenths on {day_text(outcome.day)}", bar_chart("Deciles", axes, bars)))
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
    return table(("Tenth", *names), rows, words=0)
