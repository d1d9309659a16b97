"""What a Redis says of itself."""

from typing import Any

import pytest
from redis.exceptions import AuthenticationError, NoPermissionError
from redis.exceptions import ConnectionError as RedisAwayError

from agents.doctor.findings import Level, worst
from agents.doctor.redis import check_redis, check_store
from agents.settings import RedisSettings, Settings
from tests.unit.agents.doctor.judging import levels_of


class Server:
    """A client whose server says this of itself."""

    def __init__(self, said: dict[str, Any] | Exception) -> None:
        self._said = said

    def info(self) -> dict[str, Any]:
        """As Redis' own INFO."""
        if isinstance(self._said, Exception):
            raise self._said
        return self._said


SOUND = {"redis_version": "7.0.15", "maxmemory_policy": "noeviction", "aof_enabled": 1, "rdb_last_save_time": 0}


@pytest.mark.parametrize(
    ("said", "level"),
    [
        (SOUND, Level.OK),
        ({**SOUND, "redis_version": "6.2.14"}, Level.ERROR),
        ({**SOUND, "maxmemory_policy": "allkeys-lru"}, Level.ERROR),
        ({**SOUND, "aof_enabled": 0}, Level.HINT),
        (RedisAwayError("refused"), Level.ERROR),
        (AuthenticationError("wrong"), Level.ERROR),
        (NoPermissionError("no info"), Level.WARNING),
    ],
)
def test_redis(said: dict[str, Any] | Exception, level: Level) -> None:
    findings = list(check_redis(Server(said), "127.0.0.1:6379"))

    assert worst(findings) is level
    assert set(levels_of(findings)) == {"redis"}


def test_a_redis_that_the_settings_name_is_looked_at_and_another_is_not() -> None:
    """Nobody listens there: that is what the look finds."""
    named = Settings(redis=RedisSettings(host="127.0.0.1", port=1))

    assert [finding.level for finding in check_store(named)] == [Level.ERROR]
    assert list(check_store(Settings())) == []
