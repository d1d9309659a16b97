"""A look that hangs or breaks keeps nobody from the others, and every finding has its section."""

import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from agents.doctor.findings import CHECKS, Finding, Level, fine
from agents.doctor.run import boxed, examine
from agents.errors import ConfigurationError
from agents.settings import (
    KafkaSettings,
    Settings,
)
from tests.unit.agents.doctor.judging import levels_of


def test_a_look_that_hangs_is_left_behind() -> None:
    def hangs(_settings: Settings) -> Iterable[Finding]:
        yield fine("disk", "so far so good")
        time.sleep(30)

    began = time.monotonic()
    findings = boxed(hangs, Settings(), within_s=0.2)

    assert time.monotonic() - began < 5
    assert levels_of(findings) == {"disk": Level.OK, "check": Level.ERROR}
    assert "hangs" in findings[-1].where


@pytest.mark.parametrize(
    "error", [ConfigurationError("wrong", next_step="correct it"), ValueError("odd"), OSError("gone")]
)
def test_a_look_that_breaks_is_a_finding(error: Exception) -> None:
    def breaks(_settings: Settings) -> Iterable[Finding]:
        yield fine("disk", "so far so good")
        raise error

    assert levels_of(boxed(breaks, Settings(), within_s=5)) == {"disk": Level.OK, "check": Level.ERROR}


def test_without_a_broker_the_rest_is_still_looked_at() -> None:
    findings = list(examine(Settings(kafka=KafkaSettings(bootstrap="127.0.0.1:1"))))

    levels = levels_of(findings)
    assert levels["broker"] is Level.ERROR
    assert {"disk", "python", "policy"} <= set(levels)
    assert "topic-missing" not in levels


def test_every_check_has_its_section() -> None:
    """The link of a finding leads somewhere."""
    page = (Path(__file__).parents[4] / "docs/reference/doctor.md").read_text()
    for check in CHECKS:
        assert f"\n## {check}\n" in page
    source = "".join(path.read_text() for path in (Path(__file__).parents[4] / "agents/doctor").glob("*.py"))
    unused = [check for check in CHECKS if f'"{check}"' not in source.replace(f'    "{check}":', "")]
    assert unused == ["settings"]  # the command line's own
