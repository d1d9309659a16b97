"""Ends a worker that is no longer let in: a changed password or an expired certificate does not heal by waiting.

A broker that goes away is waited for; the clients cannot tell it from one that refuses them, so somebody has to knock.
"""

import asyncio

import structlog

from agents.errors import AccessError
from agents.kafka_access import why_not_let_in
from agents.kafka_security import Security
from agents.runtime.cluster import Cluster

LOOK_INTERVAL_S = 5.0
REFUSALS_MAX = 3
"""Refused so often in a row, it is no broker that has just started and does not know its users yet."""

log = structlog.get_logger(__name__)


async def guard_access(cluster: Cluster, bootstrap: str, security: Security) -> None:
    """Knock whenever there was trouble since the last look; raise the AccessError that does not go away."""
    refusals = seen = 0
    while True:
        await asyncio.sleep(LOOK_INTERVAL_S)
        if cluster.troubles == seen:
            refusals = 0
            continue
        seen = cluster.troubles
        reason = await asyncio.to_thread(why_not_let_in, bootstrap, security)
        refusals = refusals + 1 if isinstance(reason, AccessError) else 0
        if isinstance(reason, AccessError):
            log.warning("the cluster refuses this worker", why=reason.why, times=refusals)
            if refusals >= REFUSALS_MAX:
                raise reason
