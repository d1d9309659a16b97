"""What the made-up shop sells: product lines with brands, and prices on a fine grid."""

from bisect import bisect_right
from collections.abc import Mapping
from random import Random
from typing import NamedTuple

from schemas.events import Product

PRODUCTS_PER_LINE = 72
LEAST_SHARE, PRICE_STEP = 0.02, 1.1
"""The cheapest product against the average order, and from one product to the next: the dearest costs 17 orders."""
FAVOURITE_SHARE = 0.65
LINES_MAX = 3

GENERAL: Mapping[str, tuple[str, ...]] = {
    "apparel": ("Norden", "Linnea", "Cobalt"),
    "shoes": ("Striders", "Cobalt"),
    "home": ("Hearth", "Linnea", "Plain"),
    "beauty": ("Aura", "Bloom"),
    "electronics": ("Voltic", "Plain"),
    "toys": ("Rumpus", "Plain"),
    "sports": ("Striders", "Summit"),
    "food": ("Orchard", "Hearth"),
}
"""Product line to its brands; all made up."""


class Item(NamedTuple):
    """A product with its price."""

    id: str
    name: str
    brand: str
    category: str
    price_minor: int


class Catalogue:
    """Every product; those of a line in order of price."""

    def __init__(self, lines: Mapping[str, tuple[str, ...]], average: float) -> None:
        """`average` is the average order in minor units, around which the prices lie."""
        self.categories = tuple(lines)
        self._items = [_items(number, name, brands, average) for number, (name, brands) in enumerate(lines.items())]
        self._prices = [[item.price_minor for item in items] for items in self._items]

    def favourite(self, dice: Random) -> int:
        """A product line, each as likely as the other."""
        return int(dice.random() * len(self.categories))

    def line_for(self, favourite: int, dice: Random) -> int:
        """The product line that somebody with a favourite one looks at now."""
        return favourite if dice.random() < FAVOURITE_SHARE else self.favourite(dice)

    def any_of(self, line: int, dice: Random) -> Item:
        """A product of a line; cheap ones are looked at more often."""
        u = dice.random()
        return self._items[line][int(u * u * PRODUCTS_PER_LINE)]

    def basket(self, wanted: float, favourite: int, dice: Random) -> tuple[Product, ...]:
        """Products worth `wanted` minor units on average: the last price is the next below or above, at random."""
        basket, rest = [], wanted
        for _ in range(int(dice.random() * dice.random() * LINES_MAX)):
            line = self.line_for(favourite, dice)
            place = bisect_right(self._prices[line], rest * (0.2 + 0.5 * dice.random())) - 1
            if place >= 0:
                item = self._items[line][place]
                rest -= item.price_minor
                basket.append(_product(item, 1))
        line = self.line_for(favourite, dice)
        prices = self._prices[line]
        quantity = 1 + int(rest / prices[-1])
        piece = rest / quantity
        place = bisect_right(prices, piece)
        if 0 < place < len(prices):
            below, above = prices[place - 1], prices[place]
            place -= dice.random() >= (piece - below) / (above - below)
        basket.append(_product(self._items[line][min(place, len(prices) - 1)], quantity))
        return tuple(basket)


def _items(number: int, category: str, brands: tuple[str, ...], average: float) -> list[Item]:
    items: list[Item] = []
    price, least = average * LEAST_SHARE, 1
    for count in range(PRODUCTS_PER_LINE):
        price_minor = max(least, int(price))
        brand = brands[count % len(brands)]
        items.append(Item(f"p{number}{count:02d}", f"{brand} {category} {count + 1}", brand, category, price_minor))
        price, least = price * PRICE_STEP, price_minor + 1
    return items


def _product(item: Item, quantity: int) -> Product:
    return Product(
        product_id=item.id,
        quantity=quantity,
        price_minor=item.price_minor,
        name=item.name,
        brand=item.brand,
        category=item.category,
    )
