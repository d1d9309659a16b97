"""What a broker's answer means for a producer."""

import pytest
from aiokafka import errors

from agents.errors import AccessError, BugError
from agents.runtime.answers import Answer, judge, judge_all
from agents.runtime.failures import FencedOffError, ProducerLapsedError, UnknownOutcomeError


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (errors.NoError, Answer.DONE),
        (errors.DuplicateSequenceNumber, Answer.DONE),
        (errors.NotLeaderForPartitionError, Answer.AGAIN),
        (errors.NotEnoughReplicasError, Answer.AGAIN),
        (errors.CoordinatorLoadInProgressError, Answer.AGAIN),
        (errors.NotCoordinatorError, Answer.ELSEWHERE),
        (errors.CoordinatorNotAvailableError, Answer.ELSEWHERE),
        (errors.ConcurrentTransactions, Answer.CONCURRENT),
    ],
)
def test_answers_that_let_the_producer_live(error: type[errors.BrokerResponseError], answer: Answer) -> None:
    """Done, or the same request again."""
    assert judge(error.errno, "x") is answer


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (errors.InvalidProducerEpoch, FencedOffError),
        (errors.InvalidProducerIdMapping, ProducerLapsedError),
        (errors.OutOfOrderSequenceNumber, UnknownOutcomeError),
        (errors.InvalidTxnState, UnknownOutcomeError),
        (errors.TopicAuthorizationFailedError, AccessError),
        (errors.TransactionalIdAuthorizationFailed, AccessError),
        (errors.MessageSizeTooLargeError, BugError),
    ],
)
def test_answers_that_end_it(error: type[errors.BrokerResponseError], failure: type[Exception]) -> None:
    """Each with the failure that says what comes next."""
    with pytest.raises(failure):
        judge(error.errno, "x")


def test_several_partitions_answer_as_one() -> None:
    """A failure among good answers counts, and so does a wish to try again."""
    assert judge_all({}) is Answer.DONE
    assert judge_all({"a": 0, "b": errors.NotCoordinatorError.errno}) is Answer.ELSEWHERE
    with pytest.raises(FencedOffError):
        judge_all({"a": 0, "b": errors.InvalidProducerEpoch.errno})
