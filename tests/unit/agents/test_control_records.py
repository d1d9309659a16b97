"""After a control record is committed: readers see it, or the command goes on all the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from kafka.admin import TransactionState
from kafka.errors import CoordinatorNotAvailableError

from agents import control_records
from agents.control_records import control_writer
from agents.errors import BrokerUnreachableError
from agents.settings import Settings

NAME = "tierstream-test"


class Coordinator:
    """Answers one look after the other; a race that a real one cannot be made to lose."""

    def __init__(self, *answers: TransactionState | Exception) -> None:
        self.answers = list(answers)

    def init_transactions(self) -> None:
        """As a producer."""

    def describe_transactions(self, names: list[str]) -> dict[str, Any]:
        """As an administrator."""
        assert names == [NAME]
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {NAME: SimpleNamespace(state=answer)}


def writing(coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open a writer and leave it in order."""

    @contextmanager
    def client(_settings: Settings, **_options: object) -> Iterator[Coordinator]:
        yield coordinator

    monkeypatch.setattr(control_records, "producer", client)
    monkeypatch.setattr(control_records, "admin_client", client)
    with control_writer(Settings(), "test"):
        pass


def test_a_commit_is_waited_for_until_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker answers a commit before it has written that into every partition."""
    preparing = TransactionState.PREPARE_COMMIT
    coordinator = Coordinator(preparing, preparing, TransactionState.COMPLETE_COMMIT, preparing)

    writing(coordinator, monkeypatch)

    assert coordinator.answers == [preparing]


def test_who_commits_without_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is committed all the same."""
    monkeypatch.setattr(control_records, "SHOWN_WITHIN_S", 0.1)
    coordinator = Coordinator(*[TransactionState.PREPARE_COMMIT] * 1_000)

    writing(coordinator, monkeypatch)

    assert 0 < len(coordinator.answers) < 1_000


def test_a_look_that_fails_is_no_failure_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it was asked to do is done."""
    for failure in (CoordinatorNotAvailableError(), BrokerUnreachableError("gone")):
        coordinator = Coordinator(failure)
        writing(coordinator, monkeypatch)
        assert coordinator.answers == []
