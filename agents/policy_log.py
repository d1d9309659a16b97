"""The policies and models that one partition has seen activated, in order, and what the changelog has to be told."""

from agents.partition_records import Activation, policies_record, take_policies
from agents.runtime.stage import StateRecord
from schemas.clock import parse_canonical
from schemas.journal import ModelActivated, PolicyActivated
from streams.regime import Regime
from streams.regimes import with_model, with_policy


class PolicyLog:
    """Grows by one with every activation; states remember their place in it."""

    __slots__ = ("_activations", "_written", "regimes")

    def __init__(self) -> None:
        self._activations: list[Activation] = []
        self._written = 0
        self.regimes: list[Regime] = []
        """Policies and models as the fold needs them; always the same list."""

    def begin_with(self, text: str, effective_at: int) -> None:
        """Enter a policy that no record activated; `text` is its canonical text."""
        self._add(Activation(effective_at, text))

    def restore(self, store: dict[bytes, bytes]) -> None:
        """Take the changelog's record out of the store, in place of what was entered."""
        self.regimes.clear()
        self._activations.clear()
        for activation in take_policies(store):
            self._add(activation)
        self._written = len(self._activations)

    def activate(self, event: PolicyActivated | ModelActivated) -> Regime:
        """Enter a policy or a model; it is put in force by whoever folds."""
        is_model = isinstance(event, ModelActivated)
        return self._add(Activation(parse_canonical(event.effective_at), event.text, is_model))

    def changed(self) -> list[StateRecord]:
        """What the changelog has to be told since the last time."""
        if self._written == len(self._activations):
            return []
        self._written = len(self._activations)
        return [self.record()]

    def record(self) -> StateRecord:
        """Everything that `restore` needs."""
        return policies_record(self._activations)

    def _add(self, activation: Activation) -> Regime:
        follow = with_model if activation.is_model else with_policy
        regime = follow(self.regimes, activation.text, activation.effective_at)
        self.regimes.append(regime)
        self._activations.append(activation)
        return regime
