"""Writes a control record into every partition of the journal, in one transaction: everywhere or nowhere."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, NamedTuple

from kafka.admin import TransactionState
from kafka.errors import AuthorizationError, KafkaError, ProducerFencedError

from agents.errors import AccessError, BrokerUnreachableError, RestartError
from agents.kafka_clients import admin_client, producer
from agents.settings import Settings
from schemas.journal import ControlRecord, control_key, encode_journal

JOURNAL: Final = "customer-events"
TRANSACTION_TIMEOUT_MS: Final = 5_000
"""An open transaction holds back every reader of the journal: no longer than this when we die in the middle."""
SHOWN_WITHIN_S: Final = 10.0
"""How long a command waits until what it committed shows. It is committed all the same."""


class Besides(NamedTuple):
    """A record of another topic that comes true together with a control record, or not at all."""

    topic: str
    key: bytes
    value: bytes | None
    partition: int


def control_id(settings: Settings, purpose: str) -> str:
    """The transactional id of a purpose; shared by whoever serves it, from whatever machine."""
    return f"{settings.kafka.topic_prefix}{settings.kafka.application_id}-{purpose}"


@contextmanager
def control_writer(
    settings: Settings, purpose: str, *, timeout_ms: int = TRANSACTION_TIMEOUT_MS, **options: object
) -> Iterator[Any]:
    """A transactional producer, one per purpose at a time; opening it ends whatever another one left open.

    After the block, readers see what was committed in it.
    """
    name = control_id(settings, purpose)
    with producer(settings, transactional_id=name, transaction_timeout_ms=timeout_ms, **options) as writer:
        writer.init_transactions()
        yield writer
    _await_markers(settings, name)


def _await_markers(settings: Settings, transactional_id: str) -> None:
    """Wait until a commit shows: a broker answers it before it has written that into every partition."""
    deadline = time.monotonic() + SHOWN_WITHIN_S
    with suppress(KafkaError, BrokerUnreachableError, AccessError), admin_client(settings) as admin:
        while time.monotonic() < deadline:
            found = admin.describe_transactions([transactional_id])[transactional_id]
            if found.state is not TransactionState.PREPARE_COMMIT:
                return
            time.sleep(0.02)


def write_everywhere(
    writer: Any,  # noqa: ANN401 - kafka-python is untyped
    settings: Settings,
    record_for: Callable[[tuple[int, int]], ControlRecord],
    *,
    what: str,
    check: str,
    besides: Sequence[Besides] = (),
) -> None:
    """Write the record made for each home. `what` names it in errors, `check` is the command that tells whether it is.

    `besides` goes into the same transaction.

    RestartError when another writer of the same purpose took over, BrokerUnreachableError without an answer.
    """
    journal, count = settings.topic(JOURNAL), settings.kafka.partitions
    try:
        writer.begin_transaction()
        sent = []
        for number in range(count):
            record = record_for((number, count))
            sent.append(writer.send(journal, encode_journal(record), key=control_key(record), partition=number))
        sent += [writer.send(other.topic, other.value, key=other.key, partition=other.partition) for other in besides]
        writer.flush(timeout=TRANSACTION_TIMEOUT_MS / 1000)
        for each in sent:
            each.get(timeout=1)
        writer.commit_transaction()
    except ProducerFencedError as error:
        raise RestartError(
            f"Another {what} began before this one ended; this one changed nothing.", where=journal, next_step=check
        ) from error
    except AuthorizationError:  # told where the client was opened
        raise
    except KafkaError as error:
        raise BrokerUnreachableError(
            f"The {what} did not come through; it is in force everywhere or nowhere.",
            where=journal,
            why=str(error),
            next_step=f"{check}   (then again, if it is not in force)",
        ) from error
