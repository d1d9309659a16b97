"""Rules and boards ask for what a worker exports, under the labels that it has; alerts and runbook belong together."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.exported import DEPLOY, OF_THE_SCRAPE, groupings_in, labels_in, metrics_in, rules, series

BOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
RUNBOOK = DEPLOY.parent / "docs" / "runbook.md"
RECORDED = {rule["record"] for rule in rules("recording.yaml")}


def panels(board: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(board.read_text())["panels"]
    return found


def expressions() -> dict[str, str]:
    """Every PromQL expression that is shipped, by where it stands."""
    found = {f"{rule['record']}": rule["expr"] for rule in rules("recording.yaml")}
    found |= {f"{rule['alert']} {rule['labels']['severity']}": rule["expr"] for rule in rules("alerts.yaml")}
    for board in BOARDS:
        for panel in panels(board):
            for target in panel.get("targets", ()):
                found[f"{board.stem}: {panel['title']} {target['refId']}"] = target["expr"]
    return found


@pytest.mark.parametrize("where", expressions())
def test_an_expression_names_only_what_is_exported(where: str) -> None:
    """A metric that was renamed would leave an alert that never fires."""
    expression = expressions()[where]

    assert metrics_in(expression)
    assert metrics_in(expression) - RECORDED - set(series()) == set()


@pytest.mark.parametrize("where", expressions())
def test_an_expression_uses_only_labels_that_are_there(where: str) -> None:
    """A matcher on a label that does not exist matches nothing."""
    expression = expressions()[where]
    exported = {label for name in series() for label in series()[name]} | OF_THE_SCRAPE

    for metric, label in labels_in(expression):
        known = exported if metric in RECORDED else series()[metric] | OF_THE_SCRAPE
        assert label in known, (metric, label)
    assert groupings_in(expression) - exported == set()


def test_promql_is_taken_apart_rightly() -> None:
    """The two tests above are worth as much as this."""
    expression = 'sum by (job, le) (rate(a_bucket{le="2.5", x!~"b{c"}[5m] offset 1h)) > 5 * on (job) b:c and time() - d'

    assert metrics_in(expression) == {"a_bucket", "b:c", "d"}
    assert groupings_in(expression) == {"job", "le"}
    assert set(labels_in('a{b="c",d=~"e|f"}')) == {("a", "b"), ("a", "d")}


def test_every_alert_has_its_section_and_every_section_its_alert() -> None:
    """The link in the annotation leads there."""
    sections = set(re.findall(r"^## (\w+)$", RUNBOOK.read_text(), re.MULTILINE))
    alerts = {rule["alert"] for rule in rules("alerts.yaml")}

    assert sections == alerts
    for rule in rules("alerts.yaml"):
        assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{rule['alert'].lower()}"


@pytest.mark.parametrize("alert", sorted({rule["alert"] for rule in rules("alerts.yaml")}))
def test_a_section_says_what_it_means_what_to_look_at_and_what_to_do(alert: str) -> None:
    """In this order."""
    text = RUNBOOK.read_text().partition(f"## {alert}\n")[2].partition("\n## ")[0]

    order = [text.find(heading) for heading in ("**It means**", "**Look at**", "**Do**")]
    assert order == sorted(order)
    assert order[0] > 0
    assert re.search(r"`[a-z]", text.partition("**Look at**")[2]), "no command, setting or metric to look at"


def test_every_command_of_the_runbook_exists() -> None:
    """A command that is wrong at night is worse than none."""
    from agents.cli import COMMANDS

    named = set(re.findall(r"tierstream ([a-z]+)\b", RUNBOOK.read_text().replace("tierstream pipeline", "")))
    assert named <= set(COMMANDS)
    assert named >= {"health", "policy", "topics"}


def test_every_alert_has_a_severity_and_says_what_happened() -> None:
    """Two severities, no more."""
    for rule in rules("alerts.yaml"):
        assert rule["labels"] in ({"severity": "page"}, {"severity": "ticket"})
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}


@pytest.mark.parametrize("board", BOARDS, ids=lambda path: path.stem)
def test_a_board_can_be_provisioned_anywhere(board: Path) -> None:
    """The data source is a variable; ids are unique; every panel has a title and explains itself or is plain."""
    document = json.loads(board.read_text())
    found = panels(board)

    assert [v["name"] for v in document["templating"]["list"]] == ["datasource", "job"]
    assert len({panel["id"] for panel in found}) == len(found)
    for panel in found:
        assert panel["title"]
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${datasource}"
            assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])


@pytest.mark.parametrize("board", BOARDS, ids=lambda path: path.stem)
def test_panels_do_not_overlap(board: Path) -> None:
    """Within 24 columns."""
    taken: set[tuple[int, int]] = set()
    for panel in panels(board):
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_metric_of_ours_is_on_a_board_or_in_a_rule() -> None:
    """A figure that nobody looks at costs a series for nothing."""
    used = {name for expression in expressions().values() for name in metrics_in(expression)}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in used}
    ours = {re.sub(r"_(bucket|sum|count)$", "", name) for name in series() if name.startswith("tierstream_")}

    assert ours - families == set()


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    """Also where promtool is not installed."""
    fires: set[str] = set()
    silent: set[str] = set()
    for path in Path(__file__).parent.glob("alerts*_test.yaml"):
        for case in yaml.safe_load(path.read_text())["tests"]:
            for expected in case["alert_rule_test"]:
                (fires if expected.get("exp_alerts") else silent).add(expected["alertname"])

    alerts = {rule["alert"] for rule in rules("alerts.yaml")}
    assert fires == silent == alerts
