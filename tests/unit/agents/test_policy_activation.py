"""What a policy has to share with its predecessor before anything is written."""

import pytest

from agents.errors import ConfigurationError
from agents.policy_activation import Activation, refuse_other_currency
from tests.journal import default_policy, policy_of

ELSEWHERE = """
[policy]
name = "abroad"
extends = "default"
currency = "EUR"
time_zone = "UTC"
"""


def test_amounts_are_not_read_in_another_currency() -> None:
    """208.00 USD spent are not 208.00 EUR: the states keep the amounts, and a policy gives them their currency."""
    newest = Activation(default_policy(), 0, 4)
    assert newest.policy.currency == "USD"

    with pytest.raises(ConfigurationError, match="cannot follow") as refused:
        refuse_other_currency(policy_of(ELSEWHERE), [newest])

    assert "kept in USD" in refused.value.why
    refuse_other_currency(default_policy(), [newest])
    refuse_other_currency(policy_of(ELSEWHERE), [])
