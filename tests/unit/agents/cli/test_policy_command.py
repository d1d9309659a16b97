"""`tierstream policy`: checks and compares without a cluster; exit codes and JSON."""

import json
from pathlib import Path

import jsonschema_rs
import pytest

from agents import policy_sources
from agents.cli import policy as policy_cli
from agents.cli import policy_activate, run
from agents.policy_activation import Activation
from streams.policy.model import OrderFilter, Policy
from streams.policy.parse import parse
from tests.unit.streams.policy.coffee_house import COFFEE_HOUSE

FLAPPING = COFFEE_HOUSE
for key in ('review = { clock = "anniversary" }', 'validity = "12 months"', 'grace = "30 days"', "step_down = 1"):
    FLAPPING = FLAPPING.replace(key, "")
WRONG = COFFEE_HOUSE.replace('"CNY"', '"cny"').replace('grace = "30 days"', "grace = 30")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with three policies and no settings."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.toml").write_text(COFFEE_HOUSE)
    (tmp_path / "odd.toml").write_text(FLAPPING)
    (tmp_path / "wrong.toml").write_text(WRONG)
    return tmp_path


def test_a_sound_policy_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also when what is odd would count."""
    assert run(["policy", "check", "good.toml", "--strict", "--language", "zh"]) == 0
    said = capsys.readouterr().out
    assert "等级体系“club”" in said
    assert "The policy is valid. Hash " in said


def test_what_is_odd_is_told_and_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It makes no file invalid."""
    assert run(["policy", "check", "odd.toml"]) == 0
    said = capsys.readouterr().out
    assert "    line 26, ladder[0].tier[1].keep: tier `gold` flaps" in said
    assert "The policy is valid." in said


def test_what_is_odd_fails_where_it_shall(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--strict ends like a mistake."""
    assert run(["policy", "check", "odd.toml", "--strict"]) == 2
    captured = capsys.readouterr()
    assert "tier `gold` flaps" in captured.out
    assert "The policy is valid." not in captured.out
    assert "where: odd.toml" in captured.err


def test_mistakes_fail_with_all_lines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All at once, on standard error."""
    assert run(["policy", "check", "wrong.toml"]) == 2
    said = capsys.readouterr().err
    assert "The policy has 2 mistakes." in said
    assert "line 3, policy.currency" in said
    assert "line 10, ladder[0].grace" in said


@pytest.mark.parametrize(
    ("arguments", "code", "mistakes", "warnings"),
    [
        (["good.toml"], 0, [], []),
        (["odd.toml"], 0, [], ["ladder[0].tier[1].keep"]),
        (["odd.toml", "--strict"], 2, [], ["ladder[0].tier[1].keep"]),
        (["wrong.toml"], 2, ["policy.currency", "ladder[0].grace"], []),
    ],
)
def test_json_has_both(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    mistakes: list[str],
    warnings: list[str],
) -> None:
    """One object, whatever the outcome; `valid` says what the exit code says."""
    assert run(["policy", "check", *arguments, "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert told["valid"] is (code == 0)
    assert [mistake["key"] for mistake in told["mistakes"]] == mistakes
    assert [warning["key"] for warning in told["warnings"]] == warnings
    assert all(set(found) == {"line", "key", "message"} for found in told["mistakes"] + told["warnings"])
    assert ("hash" in told) is not bool(mistakes)


def test_files_are_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names and hashes first, then each difference."""
    assert run(["policy", "diff", "good.toml", "odd.toml"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("coffee-house (")
    assert [line for line in lines if line[0] in "+-~"] == [
        "~ ladder.club.review",
        "- ladder.club.validity",
        "~ ladder.club.grace",
        "~ ladder.club.step_down",
    ]
    assert run(["policy", "diff", "good.toml", "good.toml", "--language", "zh"]) == 0
    assert "没有差异" in capsys.readouterr().out


def test_a_comparison_is_told_to_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both sides in the language asked for."""
    assert run(["policy", "diff", "good.toml", "odd.toml", "--language", "zh", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["before"]["name"] == "coffee-house"
    assert told["differences"][1] == {
        "change": "removed",
        "key": "ladder.club.validity",
        "before": "12 个月",
        "after": None,
    }


def test_a_preset_has_the_currency_of_the_other(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Left or right; without settings there is no other."""
    for arguments in (["default", "good.toml"], ["good.toml", "default"]):
        assert run(["policy", "diff", *arguments, "--json"]) == 0
        keys = {one["key"] for one in json.loads(capsys.readouterr().out)["differences"]}
        assert {"ladder.standing", "ladder.club"} <= keys
        assert "policy.currency" not in keys


def test_policies_in_force_are_compared(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest as `active`, any by the begin of its hash; the cluster is asked once."""
    good, odd = parse(COFFEE_HOUSE), parse(FLAPPING)
    assert isinstance(good, Policy)
    assert isinstance(odd, Policy)
    asked = []

    def in_force(_settings: object) -> list[Activation]:
        asked.append(1)
        return [Activation(good, 0, 1), Activation(odd, 1, 1)]

    monkeypatch.setattr(policy_sources, "policies_in_force", in_force)
    assert run(["policy", "diff", good.hash[:8], "active", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["before"]["hash"], told["after"]["hash"], len(asked)) == (good.hash, odd.hash, 1)
    assert run(["policy", "diff", "active", "0000"]) == 2
    assert "No policy in force has a hash that begins with `0000`." in capsys.readouterr().err
    monkeypatch.setattr(policy_sources, "policies_in_force", lambda _: [])
    assert run(["policy", "diff", "active", "good.toml"]) == 2
    assert "No policy is in force." in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_an_activation_that_has_not_come_is_shown_until_it_is_given_up(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With both ways on; programs are told the counters."""
    policy, waiting = parse(COFFEE_HOUSE), [OrderFilter(store=("s1",))]
    assert isinstance(policy, Policy)

    def give_up(_settings: object) -> tuple[OrderFilter, ...]:
        found = tuple(waiting)
        waiting.clear()
        return found

    monkeypatch.setattr(policy_cli, "policies_in_force", lambda _: [Activation(policy, 0, 1)])
    monkeypatch.setattr(policy_cli, "declared_counters", lambda _: tuple(waiting) or None)
    monkeypatch.setattr(policy_activate, "withdraw", give_up)
    assert run(["policy", "show"]) == 0
    said = capsys.readouterr().out
    assert "Counted for a policy that has not come: store=s1." in said
    assert "tierstream policy abandon" in said
    assert run(["policy", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counters_waiting"] == ["store=s1"]

    assert run(["policy", "abandon"]) == 0
    assert "Withdrawn: store=s1." in capsys.readouterr().out
    assert run(["policy", "abandon"]) == 0
    assert "know of no counters" in capsys.readouterr().out
    assert run(["policy", "show"]) == 0
    assert "has not come" not in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["missing.toml", "good.toml"], ["good.toml", "missing.toml"]])
def test_a_file_that_is_not_there_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """With what could be named instead."""
    assert run(["policy", "diff", *arguments]) == 2
    said = capsys.readouterr().err
    assert "There is no policy file `missing.toml`." in said
    assert "`active`" in said


def test_a_comparison_needs_right_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Mistakes are told as `check` tells them."""
    assert run(["policy", "diff", "good.toml", "wrong.toml"]) == 2
    assert "line 3, policy.currency" in capsys.readouterr().err


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """As a file that an editor reads."""
    assert run(["policy", "schema"]) == 0
    assert jsonschema_rs.meta.is_valid(json.loads(capsys.readouterr().out))
