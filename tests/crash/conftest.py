"""What the crash tests share."""

import pytest

from tests.prepared import prepare


@pytest.fixture(scope="session", autouse=True)
def _prepared() -> None:
    """What workers import is imported while the broker starts."""
    prepare()
