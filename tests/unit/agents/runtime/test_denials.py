"""A missing right becomes an error with the resource's name; everything else passes."""

import pytest
from aiokafka import errors

from agents.errors import AccessError
from agents.runtime.denials import as_denied, refuse_denied


@pytest.mark.parametrize(
    ("code", "kind"), [(29, "topic x"), (30, "consumer group x"), (31, "cluster x"), (53, "transactional id x")]
)
def test_each_kind_of_missing_right_is_named(code: int, kind: str) -> None:
    with pytest.raises(AccessError) as refused:
        refuse_denied(code, "x")

    assert refused.value.where == kind
    assert refused.value.why == errors.for_code(code).__name__
    assert "security.md" in refused.value.next_step


@pytest.mark.parametrize("code", [0, 3, 15, 58, 87])
def test_other_answers_pass(code: int) -> None:
    refuse_denied(code, "x")


def test_a_clients_exception_brings_the_name() -> None:
    denied = as_denied(errors.GroupAuthorizationFailedError("my-group"))

    assert denied is not None
    assert denied.where == "consumer group my-group"
    assert as_denied(errors.NodeNotReadyError("node 1")) is None
    assert as_denied(ValueError("odd")) is None
