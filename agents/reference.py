"""Writes docs/reference from the code, so that no page can lie (`make docs`).

Each page is a table of what the code itself says about each thing; a test fails when a page is not what this writes.
"""

import ast
import inspect
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry

from agents import errors, settings
from agents.cli import INTERRUPTED_EXIT_CODE
from agents.doctor.findings import CHECKS
from agents.freshness import Freshness
from agents.health import PROBES
from agents.kafka_rights import ROLES, Right, rights
from agents.metrics import RuntimeMetrics
from agents.profiles.metrics import ProjectionMetrics
from agents.reference_events import events_page
from agents.reference_formats import formats_page
from agents.reference_policy import policy_page
from agents.settings_reader import PREFIX, SECTIONS
from agents.shadow.metrics import ShadowMetrics
from agents.stage_metrics import StageMetrics
from schemas.catalog import CHANGELOG, TOPICS, TopicSpec
from schemas.clock import MS_PER_DAY
from streams.policy.file_schema import SCHEMA_PATH, schema_text

ROOT = Path(__file__).parents[1]
SECURITY_PAGE = "docs/reference/security.md"
TABLES_FOLLOW = "<!-- What follows is written by `make docs` from the code. -->\n"
"""Above it a person writes."""
NOTE = "<!-- Written by `make docs` from the code. -->\n"
_FINDING = (
    "The command did its work, and the answer is no: something differs, is refused, not found, not ready, not running."
    " Its output says what. With a traceback: a fault of ours, to be reported."
)
_METRICS_INTRODUCTION = """\
Served on `metrics.host:port` at `/metrics`; the port is 0 (off) by default. Base units; no label ever holds an id of a
customer. Besides these: `process_*` and `python_gc_*` of the process, and `tierstream_build_info` with the release.
Alerts over them are in `deploy/prometheus/`, what to do about each in [the runbook](../runbook.md), boards in
`deploy/grafana/`.

The service level is freshness: 99 of 100 events are decided on within 2.5 s of their arrival at the broker
(`tierstream_event_arrival_latency_seconds`). Figures of the stages are counted while folding: a partition that is built
again after a failure counts what it folds again; `tierstream_events_total` and the latencies count commits.
"""


def pages() -> dict[str, str]:
    """Path below the project's folder to the text that belongs there."""
    return {
        "docs/reference/settings.md": _settings_page(),
        "docs/reference/topics.md": _topics_page(),
        "docs/reference/metrics.md": _metrics_page(),
        "docs/reference/exit-codes.md": _exit_codes_page(),
        "docs/reference/doctor.md": _doctor_page(),
        SECURITY_PAGE: _security_page(),
        "docs/reference/events.md": events_page(NOTE, _cell),
        "docs/reference/formats.md": formats_page(NOTE),
        "docs/reference/policy.md": policy_page(NOTE),
        SCHEMA_PATH: schema_text(),
        "deploy/tierstream.toml": example_settings(),
    }


def field_docs() -> dict[str, dict[str, str]]:
    """Table to key to the string that stands under the field in the source."""
    tree = ast.parse(inspect.getsource(settings))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    tables: dict[str, type[settings.Section]] = {**SECTIONS, "source": settings.SourceSettings}
    return {name: dict(_documented(classes[cls.__name__])) for name, cls in tables.items()}


def example_settings() -> str:
    """A settings file that says every default, all of it commented out: reading it changes nothing."""
    lines = ["# Every setting with its default. Remove the # in front of a line to change it.", ""]
    for name, cls in SECTIONS.items():
        lines += [f"# {_first(cls.__doc__)}", f"[{name}]"]
        for field in msgspec.structs.fields(cls):
            if field.name != "source":
                lines += [f"# {line}" for line in field_docs()[name][field.name].split(". ")[0].splitlines()]
                lines += [f"# {field.name} = {_toml(field.default)}", ""]
    lines += ["# [[intake.source]]", '# topic = "shop-orders"', '# format = "tierstream"', ""]
    return "\n".join(lines)


def _settings_page() -> str:
    lines = [
        "# Settings",
        "",
        NOTE,
        "`tierstream.toml` in the working folder, or the file of `--config` or `TIERSTREAM_CONFIG`. A variable",
        f"`{PREFIX}<TABLE>_<KEY>` overrides a key. All mistakes are reported together. `deploy/tierstream.toml` is an",
        "example with every default.",
        "",
    ]
    for name, cls in SECTIONS.items():
        lines += [f"## [{name}]", "", _first(cls.__doc__), "", "| key | default | meaning |", "|---|---|---|"]
        for field in msgspec.structs.fields(cls):
            shown = f"`{_toml(field.default)}`" if field.default not in (None, ()) else "none"
            lines.append(f"| `{field.name}` | {shown} | {_cell(field_docs()[name][field.name])} |")
        lines.append("")
    lines += ["## [[intake.source]]", "", _first(settings.SourceSettings.__doc__), ""]
    lines += ["| key | meaning |", "|---|---|"]
    lines += [f"| `{key}` | {_cell(text)} |" for key, text in field_docs()["source"].items()]
    return "\n".join([*lines, ""])


def _topics_page() -> str:
    lines = ["# Topics", "", NOTE, "All have the same number of partitions and LogAppendTime timestamps.", ""]
    lines += ["| topic | kept | key | what for |", "|---|---|---|---|"]
    specs = sorted(TOPICS.values(), key=lambda spec: spec.name)
    for spec in (*specs, CHANGELOG):
        lines.append(f"| `{spec.name}` | {_kept(spec)} | {_cell(spec.key)} | {_cell(spec.purpose)} |")
    return "\n".join([*lines, ""])


def shown_metrics() -> list[tuple[str, str, tuple[str, ...], str]]:
    """Name, kind, labels and meaning of every figure of our own, from the collectors that a worker registers."""
    metrics = RuntimeMetrics()
    metrics.of("customers", 0)
    metrics.registry.register(StageMetrics(Counter(), Freshness(), tuple))
    return _shown(metrics.registry)


def shown_shadow_metrics() -> list[tuple[str, str, tuple[str, ...], str]]:
    """The same of a process that tries a policy."""
    return _shown(ShadowMetrics().registry)


def _shown(registry: CollectorRegistry) -> list[tuple[str, str, tuple[str, ...], str]]:
    found = []
    for metric in registry.collect():
        collector = registry._names_to_collectors.get(metric.name)  # noqa: SLF001 - samples exist only later
        labels = getattr(collector, "_labelnames", None) or getattr(metric, "_labelnames", None) or ()
        suffix = "_total" if metric.type == "counter" else ""
        found.append((metric.name + suffix, metric.type, tuple(labels), metric.documentation))
    return sorted(found)


def _metrics_page() -> str:
    lines = ["# Metrics", "", NOTE, *_METRICS_INTRODUCTION.splitlines(), "", *_metric_rows(shown_metrics())]
    lines += ["", "## The Redis projection", ""]
    lines += ["Served on `metrics.host`, port `redis.metrics_port`; 0 (off) by default.", ""]
    lines += _metric_rows(_shown(ProjectionMetrics().registry))
    lines += ["", "## A policy that is tried", ""]
    lines += [
        "Served on `metrics.host`, port `shadow.metrics_port`; 0 (off) by default. Each process tells of its own",
        "partitions: add them up.",
        "",
    ]
    lines += _metric_rows(shown_shadow_metrics())
    lines += ["", "## Probes", "", "| path | what it asks |", "|---|---|"]
    lines += [f"| `{path}` | {_cell(inspect.getdoc(probe) or '')} |" for path, probe in PROBES.items()]
    return "\n".join([*lines, ""])


def _metric_rows(found: Iterable[tuple[str, str, tuple[str, ...], str]]) -> Iterator[str]:
    yield from ("| metric | kind | labels | meaning |", "|---|---|---|---|")
    for name, kind, labels, text in found:
        shown = ", ".join(f"`{label}`" for label in labels) or "-"
        yield f"| `{name}` | {kind} | {shown} | {_cell(text)} |"


def _exit_codes_page() -> str:
    lines = ["# Exit codes", "", NOTE, "A supervisor may start the program again after 10, 11, 13 and 16.", ""]
    lines += ["| code | name | meaning |", "|---|---|---|", "| 0 | - | Done; of a check: nothing is wrong. |"]
    named = [value for value in vars(errors).values() if isinstance(value, type) and "exit_code" in vars(value)]
    kinds: list[type[errors.TierstreamError]] = [cls for cls in named if issubclass(cls, errors.TierstreamError)]
    for cls in sorted(kinds, key=lambda cls: cls.exit_code):
        meaning = _FINDING if cls is errors.TierstreamError else _cell(_first(cls.__doc__))
        lines.append(f"| {cls.exit_code} | {cls.__name__} | {meaning} |")
    lines.append(f"| {INTERRUPTED_EXIT_CODE} | - | Ctrl-C ended a command that had not finished. |")
    return "\n".join([*lines, ""])


def _doctor_page() -> str:
    lines = [
        "# Doctor",
        "",
        NOTE,
        "`tierstream doctor` looks at settings, machine, cluster and topics, and changes nothing. Each finding has a",
        "level (`ok`, `hint`, `warning`, `error`), what and where it is, why it matters, and the next command; the",
        "exit code is 1 when there is an error. `--json` is for programs. Each look has a time of its own: none keeps",
        "you from the others. `tierstream doctor data` measures what producers send.",
        "",
    ]
    for name, text in CHECKS.items():
        lines += [f"## {name}", "", *textwrap.wrap(text, 120), ""]
    return "\n".join(lines)


def _security_page() -> str:
    written, marker, _ = (ROOT / SECURITY_PAGE).read_text(encoding="utf-8").partition(TABLES_FOLLOW)
    lines = [written + marker]
    for role, who in ROLES.items():
        lines += [f"### {role}", "", f"{who}.", "", "| resource | name | rights |", "|---|---|---|"]
        by_name: dict[tuple[str, str, bool], list[Right]] = {}
        for right in rights(settings.Settings(), role):
            by_name.setdefault((right.resource, right.name, right.prefixed), []).append(right)
        for (resource, name, prefixed), found in by_name.items():
            shown = f"`{name}`, as a prefix" if prefixed else f"`{name}`"
            lines.append(f"| {resource} | {shown} | {', '.join(right.operation for right in found)} |")
        lines.append("")
    return "\n".join(lines)


def _documented(cls: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in zip(cls.body, [*cls.body[1:], None], strict=True):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        text = below.value.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else ""
        yield field.target.id, " ".join(str(text).split())


def _kept(spec: TopicSpec) -> str:
    if spec.retention_ms is None:
        return "newest per key"
    return "for ever" if spec.retention_ms < 0 else f"{spec.retention_ms // MS_PER_DAY} days"


def _toml(value: object) -> str:
    return '"..."' if value is None else msgspec.json.encode(value).decode()


def _first(text: str | None) -> str:
    return (text or "").strip().splitlines()[0]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    for name, page in pages().items():
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(page, encoding="utf-8")
