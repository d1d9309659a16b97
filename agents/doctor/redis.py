"""The profile store's server, as far as its own words tell. Looks, through the client that it is given; no more."""

from collections.abc import Iterator
from typing import Any

from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from agents.doctor.findings import Finding, Level, fine
from agents.profiles.connection import connect
from agents.settings import Settings

MAJOR_MIN = 7
NO_EVICTION = "noeviction"


def check_store(settings: Settings) -> Iterator[Finding]:
    """The server that the settings name; nothing when they name none."""
    if settings.redis.host is not None:
        yield from check_redis(connect(settings), f"{settings.redis.host}:{settings.redis.port}")


def check_redis(client: Any, where: str) -> Iterator[Finding]:  # noqa: ANN401 - its client is generic over what it returns
    """Reachable, new enough, forgetting nothing, surviving a restart. `client` has a time-out of its own."""
    try:
        server = client.info()
    except AuthenticationError as error:
        yield _error(
            "Redis refuses this user or password.", where, error, "check the user, and what the password refers to"
        )
        return
    except NoPermissionError as error:
        yield _error("Redis does not say how it is.", where, error, "grant +info to this user", Level.WARNING)
        return
    except (RedisError, OSError) as error:
        yield _error("Redis does not answer.", where, error, "start it, or correct its address")
        return
    release = str(server.get("redis_version", "0"))
    if int(release.partition(".")[0]) < MAJOR_MIN:
        yield Finding(
            check="redis",
            level=Level.ERROR,
            what=f"Redis {release} is too old.",
            where=where,
            remedy=f"Redis {MAJOR_MIN} or newer, or Valkey",
        )
    else:
        yield fine("redis", f"Redis {release} answers.", where)
    policy = server.get("maxmemory_policy", NO_EVICTION)
    if policy != NO_EVICTION:
        yield Finding(
            check="redis",
            level=Level.ERROR,
            what="Redis may forget customers.",
            where=f"{where}, maxmemory-policy = {policy}",
            why="when its memory is full it drops keys, and a reader takes them for unknown customers",
            remedy="CONFIG SET maxmemory-policy noeviction, and in its settings file",
        )
    if not server.get("aof_enabled") and not server.get("rdb_last_save_time"):
        yield Finding(
            check="redis",
            level=Level.HINT,
            what="Redis keeps nothing over a restart.",
            where=where,
            why="the profiles are rebuilt from Kafka then, which takes its time",
            remedy="appendonly yes, or a save line, in its settings file",
        )


def _error(what: str, where: str, error: Exception, remedy: str, level: Level = Level.ERROR) -> Finding:
    return Finding(check="redis", level=level, what=what, where=where, why=str(error), remedy=remedy)
