"""The kinds of company that `tierstream init` knows: what each counts, and what its sample customers do."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from schemas.money import minor_to_decimal

KindName = Literal["shop", "coffee", "furniture"]


class Kind(NamedTuple):
    """A kind of company. `lower` and `upper` are the second and the third tier: the sample's customers move there."""

    name: KindName
    policy_name: str
    about: str
    """What its tiers are made of."""
    about_zh: str
    amounts: Mapping[str, tuple[int, ...]]
    """Whole units of money per currency: the spend of the second tier and up; where orders count, the usual order."""
    lower_name: str
    upper_name: str
    names_zh: tuple[str, str]
    """The Chinese names of both tiers."""
    counted: tuple[int, int, int] | None = None
    """Orders of the lower tier, of the upper one, and of the upper one after the change; None where spend counts."""
    orders_max: int = 9
    """Orders of a sample customer who has no part in the story, at most."""
    visits: tuple[int, ...] = (0, 0, 0, 0, 1)
    """How often one looks before an order, each as likely as the other."""


KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind(
            "shop",
            "my-shop",
            "spend of a rolling year",
            "按最近 365 天的消费分级",
            {
                "USD": (100, 250, 600),
                "EUR": (100, 250, 600),
                "CNY": (500, 2000, 5000),
                "GBP": (80, 200, 500),
                "JPY": (15000, 40000, 90000),
            },
            "Silver",
            "Gold",
            ("银卡", "金卡"),
        ),
        Kind(
            "coffee",
            "my-coffee-bar",
            "orders of the last 90 days",
            "按最近 90 天的下单次数分级",
            {"USD": (5,), "EUR": (4,), "CNY": (28,), "GBP": (4,), "JPY": (550,)},
            "Regular",
            "Friend of the house",
            ("常客", "老友"),
            counted=(8, 24, 20),
        ),
        Kind(
            "furniture",
            "my-furniture-store",
            "spend of a year or of a lifetime",
            "按一年或累计消费分级",
            {
                "USD": (1500, 5000),
                "EUR": (1500, 5000),
                "CNY": (8000, 20000),
                "GBP": (1200, 4000),
                "JPY": (200000, 700000),
            },
            "Home",
            "Interior",
            ("居家", "雅居"),
            orders_max=3,
            visits=(1, 2, 3),
        ),
    )
}


class Change(NamedTuple):
    """What the reader changes in the policy: this text becomes that."""

    before: str
    after: str


def change_of(kind: Kind, minor: tuple[int, ...], currency: str) -> Change:
    """A lower threshold of the upper tier: one of the sample's customers moves by it."""
    if kind.counted:
        _, before, after = kind.counted
        return Change(f"at_least = {before}", f"at_least = {after}")
    return Change(f'"{minor_to_decimal(minor[1], currency)}"', f'"{minor_to_decimal(minor[1] * 4 // 5, currency)}"')
