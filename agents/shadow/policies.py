"""Which policies decide on either side of a trial: those that were activated; the same with the candidate in force."""

from collections.abc import Iterable

import msgspec

from agents.partition_records import Activation
from agents.policy_log import PolicyLog
from schemas.clock import parse_canonical
from schemas.journal import ModelActivated, PolicyActivated
from streams.policy.model import OrderFilter
from streams.policy.parse import load_canonical
from streams.regime import regime_of


class CountingLog(PolicyLog):
    """Follows what is activated as workers do, and lets every order be counted for the candidate too.

    So the candidate may ask for what the live policies do not count. What is counted besides moves nobody.
    """

    __slots__ = ("_besides",)

    def __init__(self, besides: Iterable[OrderFilter]) -> None:
        """`besides` are the filters that the candidate needs."""
        super().__init__()
        self._besides = tuple(besides)

    def _follow(self, activation: Activation) -> tuple[OrderFilter, ...]:
        lacking = super()._follow(activation)
        self._count_besides()
        return lacking

    def _count_besides(self) -> None:
        for place, regime in enumerate(self.regimes):
            added = tuple(where for where in self._besides if where not in regime.counted)
            if added:
                self.regimes[place] = msgspec.structs.replace(regime, counted=regime.counted + added)


class CandidateLog(CountingLog):
    """Begins where a CountingLog stands, then the candidate decides, whatever policy is activated later.

    Models that are activated go on deciding on both sides: they are no part of what is tried.
    """

    __slots__ = ()

    def put_in_force(self, text: str, effective_at: int) -> None:
        """Let the candidate, by its canonical text, follow what has taken effect by then.

        A policy that was still waiting never takes effect on this side; a model that was, does.
        """
        waiting = [place for place, each in enumerate(self._activations) if each.effective_at > effective_at]
        behind = self._activations[waiting[0] :] if waiting else []
        del self._activations[len(self._activations) - len(behind) :]
        del self.regimes[len(self._activations) :]
        self._follow(Activation(effective_at, text))
        for activation in behind:
            if activation.is_model:
                self._follow(activation)

    def activate(self, event: PolicyActivated | ModelActivated) -> tuple[OrderFilter, ...]:
        """Enter a model; a policy decides on the live side alone."""
        if isinstance(event, ModelActivated):
            return self._follow(Activation(parse_canonical(event.effective_at), event.text, is_model=True))
        return ()

    def _follow(self, activation: Activation) -> tuple[OrderFilter, ...]:
        """Enter a policy whatever the one before it counted: everybody has been counted for all of them."""
        if activation.is_model:
            return super()._follow(activation)
        model = self.regimes[-1].model if self.regimes else None
        policy = load_canonical(activation.text)
        self.regimes.append(regime_of(policy, len(self.regimes), activation.effective_at, model))
        self._activations.append(activation)
        self._count_besides()
        return ()
