"""What findings come down to in a test."""

from collections.abc import Iterable

from agents.doctor.findings import CHECKS, Finding, Level, worst


def levels_of(findings: Iterable[Finding]) -> dict[str, Level]:
    """The worst level of each check; every finding that asks for something says where and what next."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        assert finding.check in CHECKS
        assert finding.level is Level.OK or finding.remedy, finding
        found.setdefault(finding.check, []).append(finding)
    return {check: worst(of_check) for check, of_check in found.items()}
