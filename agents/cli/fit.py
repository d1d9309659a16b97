"""`tierstream fit`: a churn model from a company's own purchases."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter, validators
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from agents.cli.options import AsJson, ConfigPath, print_json, print_table, say, settings_of
from agents.errors import ConfigurationError
from schemas.clock import MS_PER_DAY, parse_instant

if TYPE_CHECKING:
    from agents.fit.fitting import Options
    from agents.fit.histories import Histories
    from agents.fit.run import Result, Told

app = App(name="fit")

FIT_REMEDY = "uv sync --extra fit   (or: uv pip install numpy scipy)"
INPUT = "A file of our events, JSONL or Parquet; the journal in Kafka by default."
DATASET = "A public data set instead: CDNOW by its sample or whole, or a grocer's households."
UNTIL = "The last day to use, as 2026-11-25. By default the last whole day; for CDNOW 1997-09-30, as published."
NAME = "The model's name; by default made of the source and the day."
HORIZON = "Predict purchases within so many days."
OUT = "Write the model here."
REPORT = "Write report.html into this folder."
Days = validators.Number(gte=7, lte=365)


@Parameter(name="*")
@dataclass(frozen=True)
class Source:
    """Where the purchases come from."""

    input: Annotated[Path | None, Parameter(help=INPUT)] = None
    dataset: Annotated[Literal["cdnow-sample", "cdnow", "completejourney"] | None, Parameter(help=DATASET)] = None
    until: Annotated[str | None, Parameter(help=UNTIL)] = None


@Parameter(name="*")
@dataclass(frozen=True)
class Kind:
    """What kind of model is fitted."""

    name: Annotated[str | None, Parameter(help=NAME)] = None
    family: Annotated[Literal["mbg-nbd", "bg-nbd"], Parameter(help="The purchase model.")] = "mbg-nbd"
    time_unit: Annotated[Literal["weeks", "days"], Parameter(help="The unit of its parameters.")] = "weeks"
    horizon_days: Annotated[int, Parameter(help=HORIZON, validator=Days)] = 90
    calibration: Annotated[bool, Parameter(help="With the logistic layer on top.")] = True


@app.default
def fit(
    *,
    source: Source = Source(),
    kind: Kind = Kind(),
    out: Annotated[Path | None, Parameter(help=OUT)] = None,
    report: Annotated[Path | None, Parameter(help=REPORT)] = None,
    config: ConfigPath = None,
    json: AsJson = False,
) -> None:
    """Fit the churn and lifetime-value model to your own purchases, and see how well it predicts.

    Needs 500 customers, 100 of them with a second purchase, and 180 days. Nothing is put in force.

    Example: tierstream fit --dataset cdnow-sample --out model.json --report report
    """
    _check_installed()
    from agents.fit.datasets import CDNOW_CALIBRATION_END
    from agents.fit.model_file import figures_of, outcome_row, write_model
    from agents.fit.page import write_page
    from agents.fit.run import run

    if source.input is not None and source.dataset is not None:
        raise ConfigurationError("--input and --dataset exclude each other.", next_step="tierstream fit --help")
    until = _day(source.until)
    if until is None and source.dataset in {"cdnow", "cdnow-sample"}:
        until = CDNOW_CALIBRATION_END
    with _progress() as told:
        histories = _histories(source, config, told)
        options = _options(kind, histories, until)
        result = run(histories, until, options, told)
    if out is not None:
        write_model(out, result.fitted, result.outcomes, result.judged)
    page = write_page(report, histories, result, options.horizon_days) if report is not None else None
    if json:
        outcomes = [outcome_row(outcome) for outcome in result.outcomes]
        figures = {**figures_of(result.fitted), "judged": result.judged, "holdout": outcomes}
        print_json({**figures, "out": str(out) if out else None, "report": str(page) if page else None})
        return
    _print(histories, result)
    for what, path in (("The model", out), ("The report", page)):
        if path is not None:
            say(f"{what} is in {path}.")
    if out is None:
        say("Nothing was written: --out MODEL.json keeps the model, --report DIR makes a page with charts.")


def _check_installed() -> None:
    missing = [name for name in ("numpy", "scipy") if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            "Fitting is not part of this installation.",
            where=f"Python packages {', '.join(missing)}",
            why="they are large, and only `tierstream fit` needs them",
            next_step=FIT_REMEDY,
        )


def _histories(source: Source, config: Path | None, told: "Told") -> "Histories":
    from agents.fit.sources import DATASETS, from_file, from_journal

    if source.dataset is not None:
        told(f"reading {source.dataset}", 0, 1)
        return DATASETS[source.dataset]()
    settings = settings_of(config)
    if source.input is not None:
        return from_file(source.input, settings, lambda done, total: told("reading the file", done, total))
    return from_journal(settings, lambda done, total: told("reading the journal", done, total))


def _options(kind: Kind, histories: "Histories", until: int | None) -> "Options":
    from agents.fit.fitting import Options
    from agents.fit.model_file import day_text

    day = day_text(histories.last_day if until is None else until)
    name = kind.name or f"{histories.name.partition('.')[0]}-{day}"
    return Options(name, kind.family, kind.time_unit, kind.horizon_days, kind.calibration)


def _day(text: str | None) -> int | None:
    try:
        return parse_instant(f"{text}T00:00:00Z") // MS_PER_DAY if text else None
    except ValueError as error:
        raise ConfigurationError(f"--until {text} is no day.", next_step="as --until 2026-11-25") from error


def _print(histories: "Histories", result: "Result") -> None:
    from agents.fit.words import decile_rows, fit_rows, judgement_rows

    print_table(("fitted", ""), fit_rows(result.fitted))
    for why, count in histories.left_out.items():
        say(f"  left out: {count:,} {why}")
    for warning in result.fitted.warnings:
        say(f"  warning: {warning}")
    if result.outcomes:
        say(f"\nJudged on {result.judged}:")
        columns = ("day", "who", "of", "bought", "AUC", "silence", "AP", "Brier", "loss", "ECE")
        print_table(columns, judgement_rows(result.outcomes))
        say("silence: AUC of ranking by silence alone. AP: average precision. loss: log loss. ECE: calibration error.")
        say("\nTenths of all customers, the likeliest to buy first, in %:")
        print_table(("day", "", *(str(n) for n in range(1, 11))), decile_rows(result.outcomes))
    say("")


@contextmanager
def _progress() -> Iterator["Told"]:
    """A bar, on a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)
