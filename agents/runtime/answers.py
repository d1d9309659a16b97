"""What a broker's answer to a producer means: a table from error code to what happens next."""

from collections.abc import Mapping
from enum import Enum, auto

from aiokafka.errors import for_code

from agents.errors import BugError
from agents.runtime.denials import refuse_denied
from agents.runtime.failures import FencedOffError, ProducerLapsedError, TenureFailure, UnknownOutcomeError


class Answer(Enum):
    """What to do with an answered request."""

    DONE = auto()
    AGAIN = auto()
    """Send the same request again after a pause."""
    ELSEWHERE = auto()
    """The same, after asking who coordinates now."""
    CONCURRENT = auto()
    """The previous transaction is still being finished: the same, after a short pause."""


_ANSWERS: dict[int, Answer] = {
    0: Answer.DONE,
    46: Answer.DONE,  # DUPLICATE_SEQUENCE_NUMBER: the batch is there already
    55: Answer.DONE,  # OPERATION_NOT_ATTEMPTED: another partition's error says why
    3: Answer.AGAIN,  # UNKNOWN_TOPIC_OR_PARTITION: metadata may lag behind
    5: Answer.AGAIN,  # LEADER_NOT_AVAILABLE
    6: Answer.AGAIN,  # NOT_LEADER_OR_FOLLOWER
    7: Answer.AGAIN,  # REQUEST_TIMED_OUT
    13: Answer.AGAIN,  # NETWORK_EXCEPTION
    19: Answer.AGAIN,  # NOT_ENOUGH_REPLICAS
    20: Answer.AGAIN,  # NOT_ENOUGH_REPLICAS_AFTER_APPEND
    56: Answer.AGAIN,  # KAFKA_STORAGE_ERROR
    14: Answer.AGAIN,  # COORDINATOR_LOAD_IN_PROGRESS
    15: Answer.ELSEWHERE,  # COORDINATOR_NOT_AVAILABLE
    16: Answer.ELSEWHERE,  # NOT_COORDINATOR
    51: Answer.CONCURRENT,  # CONCURRENT_TRANSACTIONS
}
_FAILURES: dict[int, type[TenureFailure]] = {
    47: FencedOffError,  # INVALID_PRODUCER_EPOCH
    90: FencedOffError,  # PRODUCER_FENCED
    49: ProducerLapsedError,  # INVALID_PRODUCER_ID_MAPPING: the transactional id expired
    59: ProducerLapsedError,  # UNKNOWN_PRODUCER_ID
    45: UnknownOutcomeError,  # OUT_OF_ORDER_SEQUENCE_NUMBER
    48: UnknownOutcomeError,  # INVALID_TXN_STATE
    120: UnknownOutcomeError,  # TRANSACTION_ABORTABLE
}


def judge(code: int, where: str) -> Answer:
    """Return what to do; raises the failure, or the error, that the code stands for."""
    answer = _ANSWERS.get(code)
    if answer is not None:
        return answer
    name = for_code(code).__name__
    if code in _FAILURES:
        raise _FAILURES[code](f"{where}: {name}")
    refuse_denied(code, where, "write (WRITE)")
    raise BugError(
        "The broker refused a write for a reason that was not foreseen.", where=where, why=f"{name} ({code})"
    )


def judge_all(codes: Mapping[str, int]) -> Answer:
    """Judge the errors of several partitions as one: the first that asks for anything but going on."""
    for where, code in codes.items():
        answer = judge(code, where)
        if answer is not Answer.DONE:
            return answer
    return Answer.DONE
