"""The findings of a trial as `policy shadow show` puts them: nobody is lost, and nobody is named unasked."""

import json
from typing import Any

import pytest

from agents.cli import policy_shadow
from agents.cli.policy_shadow import show
from agents.errors import ConfigurationError
from agents.settings import Settings
from agents.shadow import control, view
from agents.shadow.control import begin_trial
from agents.shadow.metrics import ShadowMetrics
from agents.shadow.trial import PROGRESS_KEY, Progress, Trial, encode_record
from agents.shadow.view import Behind, view_of
from schemas.publishing import encode_output
from tests.unit.agents.shadow.test_pair import EASY, HARD, HOUR, begun
from tests.unit.agents.shadow.trials import pair_of, take, trial_of
from tests.unit.agents.silver import AT, order


@pytest.fixture
def trial(monkeypatch: pytest.MonkeyPatch) -> Trial:
    """A trial of three customers: c1 and c2 would be members and not silver, c3 is silver on both sides."""
    made = trial_of(HARD)
    journal = begun()
    journal.event(order("c2"), AT + HOUR)
    journal.event(order("c3", number=1), AT + HOUR)
    journal.event(order("c3", number=2), AT + 2 * HOUR)
    pair = pair_of(made)
    records = {key: encode_output(one, event_id="x", source="t")[0] for key, one in take(pair, journal)}
    progress = Progress(
        trial=made.id, position=5, latest=None, level=True, customers=3, live=pair.standings, begun=3, ended=1
    )
    published = [(0, {**records, PROGRESS_KEY: encode_record(progress)}), (1, {})]
    monkeypatch.setattr(view, "published", lambda _settings: iter(published))
    monkeypatch.setattr(view, "_behind", lambda _settings, unopened: Behind(12, 3.0, unopened))
    monkeypatch.setattr(control, "trial_under_way", lambda _settings: made)
    return made


def test_the_table_adds_up_to_everybody(trial: Trial) -> None:
    """Who stands alike is what is left of each live tier."""
    found = view_of(Settings(), trial, newest=2)

    assert (found.customers, found.differing, found.begun, found.ended) == (3, 2, 3, 1)
    (ladder,) = found.ladders
    assert ladder.flows == {"silver": {"member": 2, "silver": 1}}
    assert (ladder.differing, ladder.higher, ladder.lower) == (2, 0, 2)
    assert [one.customer_id for one in found.newest] == ["c3", "c2"]
    assert found.behind.partitions_unopened == Settings().kafka.partitions - 1


def test_another_trials_records_count_for_nothing(trial: Trial) -> None:
    """What a trial that was not cleaned up left behind."""
    found = view_of(Settings(), trial_of(EASY), newest=9)
    other = view_of(Settings(), Trial(**{n: getattr(trial, n) for n in trial.__struct_fields__} | {"id": "t2"}), 9)

    assert found.differing == 2  # the same id
    assert (other.differing, other.customers, other.newest) == (0, 0, [])


def test_show_names_nobody_unasked(trial: Trial, capsys: pytest.CaptureFixture[str]) -> None:
    show()
    text = capsys.readouterr().out
    show(json=True)
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    show(json=True, ids=True)
    named = json.loads(capsys.readouterr().out)

    assert f"Policy points ({trial.hash[:12]}) has been tried" in text
    assert "3 customers are compared; 2 would stand elsewhere (66.7%)." in text
    assert "Ladder standing: 2 would stand elsewhere, 0 of them higher and 2 lower" in text
    assert "Behind the journal by 12 records, 3 s." in text
    assert "orders" in text
    assert "c1" not in text
    assert all("customer_id" not in one for one in told["newest"])
    assert {one["customer_id"] for one in named["newest"]} == {"c1", "c2", "c3"}


def test_another_candidate_is_refused_while_one_is_tried(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same one is joined, wherever it began; from another instant it is another trial."""
    monkeypatch.setattr(control, "control_writer", lambda *_args, **_options: pytest.MonkeyPatch.context())

    assert begin_trial(Settings(), HARD, None) == trial
    assert begin_trial(Settings(), HARD, "start") == trial
    with pytest.raises(ConfigurationError, match="Another trial is under way: points"):
        begin_trial(Settings(), EASY, None)
    with pytest.raises(ConfigurationError, match="from another instant"):
        begin_trial(Settings(), HARD, "2026-01-01T00:00:00.000Z")


def test_an_instant_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="--from yesterday is no instant"):
        policy_shadow._since("yesterday")
    assert policy_shadow._since("2026-01-01T08:00:00+08:00") == "2026-01-01T00:00:00.000Z"


def test_a_flow_that_is_no_more_leaves_the_figures() -> None:
    """Else a board would show for ever what once was."""
    metrics = ShadowMetrics()
    metrics.show_flows({("standing", "silver", None): 2, ("", "low", "high"): 1})
    metrics.show_flows({("standing", "silver", None): 0, ("", "low", "high"): 3})

    (family,) = [m for m in metrics.registry.collect() if m.name == "tierstream_shadow_flow_customers"]
    assert [(s.labels, s.value) for s in family.samples] == [
        ({"ladder": "churn_risk", "live": "low", "shadow": "high"}, 3)
    ]
