"""The whole of `tierstream fit` but for words and files: read, fit, judge on what the fit had not seen.

Where the data go on after the fit's last day, the model itself is judged on them. Where they end with it, a second
model is fitted two horizons earlier, in the same way, and judged on those: a model that has seen everything cannot be.
"""

from collections.abc import Callable
from typing import NamedTuple

from agents.errors import ConfigurationError
from agents.fit.backtest import Outcome, backtest, dates_after
from agents.fit.fitting import STEPS, Fitted, Options, fit
from agents.fit.histories import Histories
from agents.fit.model_file import day_text

Told = Callable[[str, int, int], None]
"""Called with what is done, how much of it, and of how much."""


class Result(NamedTuple):
    """What a run of `tierstream fit` came to."""

    fitted: Fitted
    outcomes: list[Outcome]
    judged: str
    """On what the outcomes were predicted, in words."""


def run(histories: Histories, until: int | None, options: Options, told: Told) -> Result:
    """Fit to the end of a day, by default the last one that was observed whole, and judge."""
    last = histories.last_day if until is None else until
    if not histories.customers:
        raise ConfigurationError("There are no purchases.", where=histories.name, next_step="tierstream feed FILE")
    if not histories.first_day < last <= histories.last_day:
        raise ConfigurationError(
            f"{day_text(last)} is not among the days that can be fitted.",
            where=histories.name,
            why=f"there are purchases from {day_text(histories.first_day)} to {day_text(histories.last_day)}",
            next_step="give another --until, or leave it out",
        )
    total = len(STEPS) * 2 + 1
    done = [0]

    def step(name: str) -> None:
        told(name, done[0], total)
        done[0] += 1

    fitted = fit(histories, last, options, step)
    days = dates_after(histories, last, options.horizon_days)
    judged, model = f"what came after {day_text(last)}, which the fit had not seen", fitted.model
    if not days:
        earlier = last - 2 * options.horizon_days
        try:
            second = fit(histories, earlier, options, step)
        except ConfigurationError:
            warning = "Not judged: the history is too short to hold some of it back."
            return Result(fitted._replace(warnings=(*fitted.warnings, warning)), [], "nothing")
        model, days = second.model, [earlier, earlier + options.horizon_days]
        judged = f"what came after {day_text(earlier)}, by a second model fitted to the days up to then"
    told("judging", total - 1, total)
    outcomes = backtest(histories, model, options.horizon_days, days)
    told("judging", total, total)
    return Result(fitted, outcomes, judged)
