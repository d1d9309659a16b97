"""Which policies decide in a trial's shadow: those that were activated up to its begin, then the candidate.

On either side every order is counted for the candidate too (`PolicyLog`'s `always`), so that it may ask for what the
live policies do not count. What is counted besides moves nobody.
"""

from agents.partition_records import Activation
from agents.policy_log import PolicyLog
from schemas.journal import ModelActivated, PolicyActivated
from streams.policy.model import OrderFilter


class CandidateLog(PolicyLog):
    """Begins where the live side's log stands, then the candidate decides, whatever policy is activated later.

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
        self._settle()

    def activate(self, event: PolicyActivated | ModelActivated) -> tuple[OrderFilter, ...]:
        """Enter a model; a policy decides on the live side alone."""
        return super().activate(event) if isinstance(event, ModelActivated) else ()

    def _follow(self, activation: Activation, *, everybody_counted: bool = True) -> tuple[OrderFilter, ...]:
        """Enter a policy whatever the one before it counted: everybody is counted for all of them."""
        del everybody_counted
        return super()._follow(activation, everybody_counted=True)
