"""The real purchases of the demo: CDNOW, an online music shop; its new customers of early 1997, followed to mid 1998.

They are read from the installed `lifetimes` wheel and never copied into this project: their origin is brucehardie.com,
which gives them for teaching and research. The package is not imported, since that would pull in pandas.
"""

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from agents.errors import ConfigurationError
from schemas.clock import MS_PER_DAY, format_instant, parse_instant
from schemas.events import OrderCompleted
from schemas.money import decimal_to_minor

CURRENCY = "USD"
SOURCE = "tierstream-demo/cdnow"
ROWS = 69_659
CUSTOMERS = 23_570
TOTAL_MINOR = 250_031_563
"""Sum of all purchases, US cents."""

BEGINS_AT = parse_instant("1997-01-01T00:00:00Z")
ENDS_AT = parse_instant("1998-07-01T00:00:00Z")
"""The simulated time: from the first day of the data to the end of its last."""

_FILE = "lifetimes/datasets/CDNOW_master.txt"
_NOON_MS = MS_PER_DAY // 2
_ROW = re.compile(r"\s*(\d{5})\s+(\d{4})(\d\d)(\d\d)\s+\d+\s+(\d+\.\d\d)\s*")
_REMEDY = "uv sync --extra embedded"


class Purchase(NamedTuple):
    """One row of the data."""

    row: int
    """Counted from 1."""
    customer: str
    """Five digits."""
    occurred_at: int
    """12:00 UTC of the day: the data has days only. Epoch milliseconds."""
    total_minor: int
    """US cents; 80 rows are 0."""

    @property
    def id(self) -> str:
        """The id of both the event and the order."""
        return f"cdnow-{self.row}"

    @property
    def customer_id(self) -> str:
        """The customer as the demo names it."""
        return f"cdnow-{self.customer}"


def read_purchases(path: Path | None = None) -> list[Purchase]:
    """All rows in the order of the file; ConfigurationError with the remedy if it is missing or another."""
    path = path or _locate()
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise _unusable(path, f"it cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise _unusable(path, "it is not plain text") from error
    purchases = list(_parse(path, lines[1:]))
    found = (len(purchases), len({p.customer for p in purchases}), sum(p.total_minor for p in purchases))
    if found != (ROWS, CUSTOMERS, TOTAL_MINOR):
        raise _unusable(
            path,
            f"it holds {found[0]:,} rows of {found[1]:,} customers and {found[2]:,} cents, "
            f"not {ROWS:,} of {CUSTOMERS:,} and {TOTAL_MINOR:,}",
        )
    return purchases


def order_events(purchases: Sequence[Purchase]) -> Iterator[OrderCompleted]:
    """One completed order per purchase, in the order given."""
    for purchase in purchases:
        yield OrderCompleted(
            id=purchase.id,
            source=SOURCE,
            time=format_instant(purchase.occurred_at),
            customer_id=purchase.customer_id,
            channel="web",
            channel_type="online",
            order_id=purchase.id,
            currency=CURRENCY,
            total_minor=purchase.total_minor,
        )


def _parse(path: Path, lines: Sequence[str]) -> Iterator[Purchase]:
    days: dict[tuple[str, str, str], int] = {}
    for row, line in enumerate(lines, 1):
        match = _ROW.fullmatch(line)
        if match is None:
            raise _unusable(path, f"line {row + 1} is not `customer date quantity amount`: {line[:60]!r}")
        customer, *date, amount = match.groups()
        day = (date[0], date[1], date[2])
        if day not in days:
            days[day] = parse_instant("{}-{}-{}T00:00:00Z".format(*day)) + _NOON_MS
        yield Purchase(row, customer, days[day], decimal_to_minor(amount, CURRENCY))


def _locate() -> Path:
    try:
        installed = distribution("lifetimes")
    except PackageNotFoundError as error:
        raise ConfigurationError(
            "The purchases of the demo are not installed.",
            where=f"Python package `lifetimes`, file {_FILE}",
            why="they come with that package; this project does not copy them",
            next_step=_REMEDY,
        ) from error
    return Path(str(installed.locate_file(_FILE)))


def _unusable(path: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        "The purchases of the demo are not those expected.",
        where=str(path),
        why=why,
        next_step=f"uv pip install --reinstall lifetimes==0.11.3   (or: {_REMEDY} --reinstall-package lifetimes)",
    )
