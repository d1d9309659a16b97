"""The policies and models that one partition has seen activated, in order, and what the changelog has to be told.

With them the counters that were declared for a policy to come.
"""

from agents.partition_records import (
    Activation,
    DeclaredCounters,
    counters_record,
    policies_record,
    take_counters,
    take_policies,
)
from agents.runtime.stage import StateRecord
from schemas.clock import parse_canonical
from schemas.journal import CountersDeclared, ModelActivated, PolicyActivated
from streams.models.churn_model import load_model
from streams.policy.model import Declaration, OrderFilter
from streams.policy.parse import load_canonical
from streams.recount import declared, withdraws
from streams.regime import Regime, follow, follow_model, settle_counters


class PolicyLog:
    """Grows by one with every policy that is put in force; states remember their place in it."""

    __slots__ = ("_activations", "_always", "_declared", "_written", "_written_counters", "regimes")

    def __init__(self, always: tuple[OrderFilter, ...] = ()) -> None:
        """`always` is counted for everybody from the beginning, whatever the policies need."""
        self._activations: list[Activation] = []
        self._declared: DeclaredCounters | None = None
        self._always = always
        self._written = 0
        self._written_counters: DeclaredCounters | None = None
        self.regimes: list[Regime] = []
        """Policies and models as the fold needs them; always the same list."""

    @property
    def declaration(self) -> Declaration | None:
        """The counters that a policy to come needs, until it is put in force."""
        return self._declared.declaration if self._declared is not None and self._declared.is_open else None

    def begin_with(self, text: str, effective_at: int) -> None:
        """Enter a policy that no record activated; `text` is its canonical text."""
        self._follow(Activation(effective_at, text))
        self._settle()

    def restore(self, store: dict[bytes, bytes]) -> None:
        """Take the changelog's records out of the store, in place of what was entered."""
        self.regimes.clear()
        self._activations.clear()
        self._declared = self._written_counters = take_counters(store)
        for activation in take_policies(store):  # each was judged when it came
            self._follow(activation, everybody_counted=True)
        self._written = len(self._activations)
        self._settle()

    def activate(self, event: PolicyActivated | ModelActivated) -> tuple[OrderFilter, ...]:
        """Enter a policy or a model, unless a policy needs what not everybody is counted for: that is returned."""
        is_model = isinstance(event, ModelActivated)
        counted = isinstance(event, PolicyActivated) and event.everybody_counted
        activation = Activation(parse_canonical(event.effective_at), event.text, is_model)
        lacking = self._follow(activation, everybody_counted=counted)
        if counted and self._declared is not None:
            self._declared = DeclaredCounters(self._declared.declaration, is_open=False)
        self._settle()
        return lacking

    def declare(self, event: CountersDeclared) -> Declaration | None:
        """Let who is new be counted for these too, in place of what was declared before, or withdraw it.

        Returns what is declared now, or was until now; None if nothing changes.
        """
        before, withdrawn = self.declaration, withdraws(event)
        if (before is None) if withdrawn else (before is not None and before.id == event.id):
            return None
        number = self._declared.declaration.number if self._declared is not None else 0
        self._declared = DeclaredCounters(declared(event, number + 1), is_open=not withdrawn)
        self._settle()
        return before if withdrawn else self.declaration

    def changed(self) -> list[StateRecord]:
        """What the changelog has to be told since the last time."""
        found: list[StateRecord] = []
        if self._written != len(self._activations):
            self._written = len(self._activations)
            found.append(policies_record(self._activations))
        if self._written_counters != self._declared and self._declared is not None:
            self._written_counters = self._declared
            found.append(counters_record(self._declared))
        return found

    def records(self) -> list[StateRecord]:
        """Everything that `restore` needs."""
        counters = [] if self._declared is None else [counters_record(self._declared)]
        return [policies_record(self._activations), *counters]

    def _follow(self, activation: Activation, *, everybody_counted: bool = False) -> tuple[OrderFilter, ...]:
        lacking: tuple[OrderFilter, ...] = ()
        if activation.is_model:
            follow_model(self.regimes, load_model(activation.text), activation.effective_at)
        else:
            policy = load_canonical(activation.text)
            lacking = follow(self.regimes, policy, activation.effective_at, everybody_counted=everybody_counted)
        if not lacking:
            self._activations.append(activation)
        return lacking

    def _settle(self) -> None:
        settle_counters(self.regimes, self.declaration, self._always)
