"""The policies and models that one partition has seen activated, in order, and what the changelog has to be told."""

from agents.partition_records import Activation, policies_record, take_policies
from agents.runtime.stage import StateRecord
from schemas.clock import parse_canonical
from schemas.journal import ModelActivated, PolicyActivated
from streams.models.churn_model import load_model
from streams.policy.model import OrderFilter
from streams.policy.parse import load_canonical
from streams.regime import Regime, follow, follow_model


class PolicyLog:
    """Grows by one with every policy that is put in force; states remember their place in it."""

    __slots__ = ("_activations", "_written", "regimes")

    def __init__(self) -> None:
        self._activations: list[Activation] = []
        self._written = 0
        self.regimes: list[Regime] = []
        """Policies and models as the fold needs them; always the same list."""

    def begin_with(self, text: str, effective_at: int) -> None:
        """Enter a policy that no record activated; `text` is its canonical text."""
        self._follow(Activation(effective_at, text))

    def restore(self, store: dict[bytes, bytes]) -> None:
        """Take the changelog's record out of the store, in place of what was entered."""
        self.regimes.clear()
        self._activations.clear()
        for activation in take_policies(store):
            self._follow(activation)
        self._written = len(self._activations)

    def activate(self, event: PolicyActivated | ModelActivated) -> tuple[OrderFilter, ...]:
        """Enter a policy or a model, unless a policy needs what the one before it did not count: that is returned."""
        is_model = isinstance(event, ModelActivated)
        return self._follow(Activation(parse_canonical(event.effective_at), event.text, is_model))

    def changed(self) -> list[StateRecord]:
        """What the changelog has to be told since the last time."""
        if self._written == len(self._activations):
            return []
        self._written = len(self._activations)
        return [self.record()]

    def record(self) -> StateRecord:
        """Everything that `restore` needs."""
        return policies_record(self._activations)

    def _follow(self, activation: Activation) -> tuple[OrderFilter, ...]:
        """Enter an activation, unless it is refused."""
        lacking: tuple[OrderFilter, ...] = ()
        if activation.is_model:
            follow_model(self.regimes, load_model(activation.text), activation.effective_at)
        else:
            lacking = follow(self.regimes, load_canonical(activation.text), activation.effective_at)
        if not lacking:
            self._activations.append(activation)
        return lacking
