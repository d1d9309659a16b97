"""What the crash tests share."""

import pytest

from tests import prepared
from tests.crash import checker


@pytest.fixture(scope="session", autouse=True)
def _prepared(request: pytest.FixtureRequest) -> None:
    """What workers and the judge import is imported while the broker starts."""
    if any(item.get_closest_marker("crash") for item in request.session.items):
        prepared.prepare()
        checker.prepare()
