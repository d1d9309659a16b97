"""A right that is missing on the cluster ends the worker with its name: waiting does not grant it."""

from aiokafka.errors import for_code

from agents.errors import AccessError

_KINDS = {
    29: ("topic", "read a topic (READ)"),  # TOPIC_AUTHORIZATION_FAILED
    30: ("consumer group", "join the group (READ)"),  # GROUP_AUTHORIZATION_FAILED
    31: ("cluster", "act on the cluster"),  # CLUSTER_AUTHORIZATION_FAILED
    53: ("transactional id", "write in transactions (WRITE)"),  # TRANSACTIONAL_ID_AUTHORIZATION_FAILED
}
"""What it is about, and what a client most likely tried when it says no more."""


def refuse_denied(code: int, where: str, act: str = "") -> None:
    """Raise AccessError when a broker's answer says that a right is missing; `act` is what was tried."""
    denied = _denied(code, where, act)
    if denied is not None:
        raise denied


def as_denied(error: BaseException, where: str = "") -> AccessError | None:
    """Return the AccessError that a client's exception stands for; None when it is about something else."""
    return _denied(getattr(error, "errno", 0), where or ", ".join(map(str, error.args)), "")


def _denied(code: int, where: str, act: str) -> AccessError | None:
    if code not in _KINDS:
        return None
    kind, tried = _KINDS[code]
    return AccessError(
        f"Kafka does not allow this worker to {act or tried}.",
        where=f"{kind} {where}",
        why=for_code(code).__name__,
        next_step="grant the worker's principal the rights that docs/reference/security.md lists for it",
    )
