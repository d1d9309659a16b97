"""The simulated shop that several files look at."""

import pytest

from agents.simulator.shop import Made, Shop
from tests.unit.agents.simulator.builders import CUSTOMERS, OPTIONS


@pytest.fixture(scope="session")
def shop() -> Shop:
    """Nobody in it is driven away by tickets."""
    return Shop(OPTIONS)


@pytest.fixture(scope="session")
def made(shop: Shop) -> list[Made]:
    """All its customers; tests do not change them."""
    return [shop.customer(number) for number in range(1, CUSTOMERS + 1)]
