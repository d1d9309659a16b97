"""What decides on either side: the candidate goes before what waits, models go on, more is counted and nobody moves."""

from agents.partition_records import POLICIES_KEY
from agents.policy_log import PolicyLog
from agents.shadow.policies import CandidateLog
from schemas.clock import format_instant
from schemas.journal import ModelActivated, PolicyActivated
from streams.models.churn_model import canonical_model, model_hash
from streams.policy.model import Policy, counters
from streams.policy.parse import canonical
from tests.churn import FULL
from tests.unit.agents.shadow.test_pair import BY_CATEGORY, EASY, HARD
from tests.unit.agents.silver import AT


def activated(policy: Policy, at: int) -> PolicyActivated:
    text = canonical(policy)
    return PolicyActivated(id="p", effective_at=format_instant(at), name=policy.name, hash=policy.hash, text=text)


def model(at: int) -> ModelActivated:
    """A model that takes effect at an instant."""
    text = canonical_model(FULL)
    return ModelActivated(id="m", effective_at=format_instant(at), name="m", hash=model_hash(text), text=text)


def forked(log: PolicyLog) -> CandidateLog:
    """A candidate's log that begins where another stands."""
    made = CandidateLog(counters(BY_CATEGORY))
    ((key, value),) = log.records()
    assert key == POLICIES_KEY
    made.restore({key: value or b""})
    return made


def test_both_sides_count_for_the_candidate() -> None:
    log = PolicyLog(counters(BY_CATEGORY))
    log.begin_with(canonical(EASY), 0)
    log.activate(activated(HARD, AT))

    assert [regime.counted for regime in log.regimes] == [counters(BY_CATEGORY)] * 2
    assert log.activate(activated(BY_CATEGORY, AT))  # refused, as workers refuse it
    assert len(log.regimes) == 2


def test_the_candidate_takes_the_place_of_what_waits() -> None:
    """And what is restored from its record is the same."""
    log = PolicyLog(counters(BY_CATEGORY))
    log.begin_with(canonical(EASY), 0)
    log.activate(activated(HARD, AT + 1_000))
    candidate = forked(log)

    candidate.put_in_force(canonical(BY_CATEGORY), AT)
    candidate.activate(activated(HARD, AT + 2_000))

    assert [(r.policy.hash, r.effective_at) for r in candidate.regimes] == [(EASY.hash, 0), (BY_CATEGORY.hash, AT)]
    assert [regime.ordinal for regime in candidate.regimes] == [0, 1]
    again = forked(candidate)
    assert [r.policy.hash for r in again.regimes] == [r.policy.hash for r in candidate.regimes]
    assert [r.counted for r in again.regimes] == [r.counted for r in candidate.regimes]


def test_models_decide_on_both_sides() -> None:
    """One that waited when the candidate came in force, and one that was activated later."""
    log = PolicyLog(())
    log.begin_with(canonical(EASY), 0)
    log.activate(model(AT + 1_000))
    candidate = forked(log)

    candidate.put_in_force(canonical(HARD), AT)
    candidate.activate(model(AT + 2_000))

    found = [(regime.policy.hash, regime.by_model, regime.effective_at) for regime in candidate.regimes]
    assert found == [
        (EASY.hash, False, 0),
        (HARD.hash, False, AT),
        (HARD.hash, True, AT + 1_000),
        (HARD.hash, True, AT + 2_000),
    ]
