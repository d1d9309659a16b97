"""Tells the group that this member will not come back, and goes on telling until it is answered.

aiokafka sends its LeaveGroup once: lost in a rebalance or with a broker, it costs the others a whole session. It has no
word for a static member either. So the request is ours, by the member's id and its name, and is sent again.
"""

import asyncio

import structlog

from agents.runtime.cluster import RETRY_BACKOFF_S, Cluster
from agents.runtime.failures import ClusterAwayError
from agents.runtime.wire import LeaveGroupRequest, Member

LEAVE_WITHIN_S = 2.0
_NOT_NOW = frozenset({14, 15, 16})  # the group's coordinator is loading, away, or another

log = structlog.get_logger(__name__)


async def leave_group(cluster: Cluster, group: str, member: Member) -> bool:
    """Have the group forget a member, within a time; False when nobody has answered by then.

    A member that the group does not know, or whose name another has taken meanwhile, has left already.
    """
    request = LeaveGroupRequest(group, member)
    try:
        async with asyncio.timeout(LEAVE_WITHIN_S):
            while True:
                try:
                    answer = await cluster.ask_group(group, request)
                    if answer.error_code not in _NOT_NOW:
                        return True
                except ClusterAwayError as error:
                    log.debug("the group was not told", why=str(error))
                await asyncio.sleep(RETRY_BACKOFF_S)
    except TimeoutError:
        log.warning("the group does not know that this worker has ended; the others wait for its session's end")
        return False
