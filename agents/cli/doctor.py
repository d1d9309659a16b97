"""`tierstream doctor`: what is wrong around a deployment, and what producers really send."""

from typing import Annotated

from cyclopts import App, Parameter
from rich.markup import escape

from agents.cli.options import AsJson, ConfigPath, out, print_json, print_table, say, settings_of
from agents.doctor.data import DataReport, look_at_data
from agents.doctor.findings import Finding, Level, from_error, worst
from agents.doctor.run import examine
from agents.errors import ConfigurationError
from schemas.clock import parse_instant

app = App(name="doctor")

ERRORS_EXIT_CODE = 1
SAMPLE = 10_000
COLOURS = {Level.OK: "green", Level.HINT: "cyan", Level.WARNING: "yellow", Level.ERROR: "red"}
MISSING_SHOWN = 4


@app.default
def doctor(*, config: ConfigPath = None, json: AsJson = False) -> int:
    """Look at settings, machine, cluster and topics; changes nothing. Exit code 1 when there is an error.

    Example: tierstream doctor
    """
    findings: list[Finding] = []
    try:
        settings = settings_of(config)
    except ConfigurationError as error:
        findings.append(from_error("settings", error))
        if not json:
            _print(findings[-1])
    else:
        for finding in examine(settings):
            findings.append(finding)
            if not json:
                _print(finding)
    if json:
        print_json({"worst": worst(findings), "findings": findings})
    else:
        counts = {level: sum(finding.level is level for finding in findings) for level in reversed(Level)}
        say(", ".join(f"{level}: {count}" for level, count in counts.items()))
    return ERRORS_EXIT_CODE if worst(findings) is Level.ERROR else 0


@app.command
def data(
    *,
    config: ConfigPath = None,
    since: Annotated[str | None, Parameter(help="Only records that arrived since this instant (RFC 3339).")] = None,
    sample: Annotated[int, Parameter(help="Newest records of each topic to look at.")] = SAMPLE,
    json: AsJson = False,
) -> None:
    """Measure what producers send: lateness, repeats, missing fields, refusals, silence. Reads only.

    Example: tierstream doctor data --sample 100000
    """
    if sample < 1:
        raise ConfigurationError("A sample has at least one record.", where=f"--sample {sample}")
    report = look_at_data(settings_of(config), sample=sample, since_ms=_instant(since))
    if json:
        print_json(report)
    else:
        _print_data(report)


def _instant(text: str | None) -> int | None:
    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        raise ConfigurationError(
            "This is no instant.", where=f"--since {text}", why=str(error), next_step="as 2026-11-22T10:00:00Z"
        ) from None


def _print(finding: Finding) -> None:
    colour = COLOURS[finding.level]
    out.print(f"[{colour}]{finding.level:7}[/{colour}] {escape(finding.what)}")
    if finding.level is Level.OK:
        return
    see = f"tierstream docs {finding.link.removeprefix('docs/').replace('.md', '')}"
    for name, text in (("where", finding.where), ("why", finding.why), ("next", finding.remedy), ("see", see)):
        if text:
            say(f"          {name + ':':6} {text}")


def _print_data(report: DataReport) -> None:
    if report.types:
        print_table(
            ("topic", "type", "records", "repeated", "late p50", "late p99", "ahead", "no id", "last", "often missing"),
            (
                (
                    one.topic,
                    one.type,
                    str(one.records),
                    str(one.repeated),
                    _span(one.lateness_p50_s),
                    _span(one.lateness_p99_s),
                    f"{one.ahead_share:.1%}",
                    f"{one.without_customer_share:.1%}",
                    f"{_span(one.last_arrival_age_s)} ago",
                    ", ".join(f"{f} {share:.0%}" for f, share in list(one.missing_shares.items())[:MISSING_SHOWN]),
                )
                for one in report.types
            ),
        )
    for topic, reasons in report.refused.items():
        say(f"refused in {topic}: " + ", ".join(f"{count} {reason}" for reason, count in reasons.items()))
    if report.dead_letters:
        say("dead letters: " + ", ".join(f"{count} {reason}" for reason, count in report.dead_letters.items()))
    if report.silent:
        say("nothing in: " + ", ".join(report.silent))
    if not report.complete:
        say("The broker went quiet: this is not the whole sample.")


def _span(seconds: float) -> str:
    """Seconds in the unit that reads best."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if abs(seconds) >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"
