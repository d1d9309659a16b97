"""The export of a made-up till, as tills of the country write it, and the mapping that reads it."""

from datetime import datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from agents.starter.kinds import Kind
from agents.starter.sample import OWN
from schemas.clock import MS_PER_DAY
from schemas.money import minor_to_decimal

DECIMAL_COMMA: Final = frozenset(
    ("BRL", "CZK", "DKK", "EUR", "HUF", "IDR", "ISK", "NOK", "PLN", "RON", "RUB", "SEK", "TRY", "UAH", "VND")
)
"""Currencies of countries that mostly write 27,50: their spreadsheets part columns by semicolons."""
BYTE_ORDER_MARK: Final = "\ufeff"
"""By which spreadsheets know UTF-8."""
OPENS_AT, HOURS_OPEN = 10, 9
_PATTERN = "%Y-%m-%d %H:%M"


class Headings(NamedTuple):
    """The words of the table."""

    receipt: str
    original: str
    member: str
    time: str
    kind: str
    amount: str
    sale: str
    refund: str


ENGLISH: Final = Headings("Receipt", "Original receipt", "Member", "Time", "Kind", "Amount", "SALE", "RETURN")
CHINESE: Final = Headings("小票", "原小票", "会员", "时间", "类型", "金额", "销售", "退货")


class Receipt(NamedTuple):
    """One line of the export."""

    member: str
    days_ago: int
    minor: int

    @property
    def is_return(self) -> bool:
        """Whether money goes back, for the member's first receipt."""
        return self.minor < 0


def headings(currency: str) -> Headings:
    """The words that a till of the currency's country writes."""
    return CHINESE if currency == "CNY" else ENGLISH


def delimiter(currency: str) -> str:
    """What parts the columns."""
    return ";" if currency in DECIMAL_COMMA else ","


def receipts_of(kind: Kind, minor: tuple[int, ...]) -> list[Receipt]:
    """One customer who reaches the second tier, others who do not, and one return; oldest first."""
    if kind.counted:
        usual, own = minor[0], [Receipt(OWN, 20 - 2 * number, minor[0]) for number in range(kind.counted[0])]
    else:
        usual, own = minor[0] // 5, [Receipt(OWN, day, minor[0] * 37 // 100) for day in (18, 11, 4)]
    others = [
        Receipt("m-2002", 19, usual),
        Receipt("m-2003", 16, usual * 2),
        Receipt("m-2002", 9, usual * 3 // 2),
        Receipt("m-2004", 7, usual),
        Receipt("m-2005", 5, usual * 2),
        Receipt("m-2003", 2, -usual),
    ]
    return sorted(own + others, key=lambda receipt: -receipt.days_ago)


def till_table(kind: Kind, minor: tuple[int, ...], currency: str, zone: ZoneInfo, now: int) -> str:
    """The export up to yesterday, times on the clock of the zone."""
    words, parts = headings(currency), delimiter(currency)
    lines = [words[:6]]
    first_receipt: dict[str, str] = {}
    for place, receipt in enumerate(receipts_of(kind, minor), 1):
        day = datetime.fromtimestamp((now - receipt.days_ago * MS_PER_DAY) / 1000, zone)
        at = day.replace(hour=OPENS_AT + place % HOURS_OPEN, minute=place * 7 % 60)
        number = f"R{1000 + place}"
        first = first_receipt.setdefault(receipt.member, number)
        written = minor_to_decimal(receipt.minor, currency)
        lines.append(
            (
                number,
                first if receipt.is_return else "",
                receipt.member,
                at.strftime(_PATTERN),
                words.refund if receipt.is_return else words.sale,
                written.replace(".", ",") if currency in DECIMAL_COMMA else written,
            )
        )
    return BYTE_ORDER_MARK + "".join(parts.join(line) + "\r\n" for line in lines)
