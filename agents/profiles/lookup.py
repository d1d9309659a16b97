"""One customer's profile as Redis has it, with the instant up to which that is level with Kafka."""

from typing import NamedTuple

from agents.errors import RedisUnreachableError
from agents.partitioning import home_of
from agents.profiles.connection import RedisOutage, address, connect, failures_named, required
from agents.profiles.layout import Fields, Layout
from agents.settings import Settings
from schemas.clock import format_instant


class FoundProfile(NamedTuple):
    """A hash without its bookkeeping."""

    server: str
    fields: Fields
    level_at: str
    """When the projection last said that everything of the customer's partition is here, or that nobody knows."""


def profile_in_redis(settings: Settings, customer: bytes) -> FoundProfile | None:
    """The customer's hash; None when there is none."""
    wanted = required(settings)
    layout, client = Layout(wanted.key_prefix, wanted.shards), connect(settings)
    marker = layout.marker_key(home_of(customer, settings.kafka.partitions))
    try:
        with failures_named(wanted):
            pipe = client.pipeline(transaction=False)
            pipe.hgetall(layout.hash_key(customer))
            pipe.hmget(marker, "seen_at", "state")
            found, (seen_at, state) = pipe.execute()
    except RedisOutage as outage:
        raise RedisUnreachableError(
            "Redis does not answer as it should.",
            where=address(wanted),
            why=outage.why,
            next_step="read Kafka instead: tierstream customer show ID --from-topic",
        ) from None
    finally:
        client.close()
    if not found:
        return None
    fields = {name.decode(): value.decode() for name, value in found.items() if not name.startswith(b"_")}
    level_at = (
        format_instant(int(seen_at)) if seen_at and state == b"ready" else "an unknown instant: it is being filled"
    )
    return FoundProfile(address(wanted), fields, level_at)
