"""Writes docs/reference from the code, so that no page can lie: settings, topics, metrics, exit codes (`make docs`).

Each page is a table of what the code itself says about each thing; a test fails when a page is not what this writes.
"""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry

from agents import errors, settings
from agents.metrics import RuntimeMetrics
from agents.profiles.metrics import ProjectionMetrics
from agents.settings_reader import PREFIX, SECTIONS
from schemas.catalog import CHANGELOG, TOPICS, TopicSpec
from schemas.clock import MS_PER_DAY

ROOT = Path(__file__).parents[1]
NOTE = "<!-- Written by `make docs` from the code. -->\n"


def pages() -> dict[str, str]:
    """Path below the project's folder to the text that belongs there."""
    return {
        "docs/reference/settings.md": _settings_page(),
        "docs/reference/topics.md": _topics_page(),
        "docs/reference/metrics.md": _metrics_page(),
        "docs/reference/exit-codes.md": _exit_codes_page(),
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


def _metrics_page() -> str:
    lines = ["# Metrics", "", NOTE, "Served on `metrics.host:port`; the port is 0 (off) by default.", ""]
    lines += ["| metric | kind | labels | meaning |", "|---|---|---|---|"]
    metrics = RuntimeMetrics()
    metrics.of("customers", 0)
    lines += _metric_rows(metrics.registry)
    lines += [
        "",
        "## The Redis projection",
        "",
        "Served on `metrics.host`, port `redis.metrics_port`; 0 (off) by default.",
    ]
    lines += [
        "",
        "| metric | kind | labels | meaning |",
        "|---|---|---|---|",
        *_metric_rows(ProjectionMetrics().registry),
    ]
    return "\n".join([*lines, ""])


def _metric_rows(registry: CollectorRegistry) -> Iterator[str]:
    for metric in sorted(registry.collect(), key=lambda metric: metric.name):
        collector = registry._names_to_collectors.get(metric.name)  # noqa: SLF001 - samples exist only later
        labels = getattr(collector, "_labelnames", None) or {key for s in metric.samples for key in s.labels} - {"le"}
        suffix = "_total" if metric.type == "counter" else ""
        shown = ", ".join(f"`{label}`" for label in sorted(labels)) or "-"
        yield f"| `{metric.name}{suffix}` | {metric.type} | {shown} | {_cell(metric.documentation)} |"


def _exit_codes_page() -> str:
    lines = ["# Exit codes", "", NOTE, "A supervisor may start the program again after 10, 11, 13 and 16.", ""]
    lines += ["| code | name | meaning |", "|---|---|---|"]
    named = [value for value in vars(errors).values() if isinstance(value, type) and "exit_code" in vars(value)]
    kinds: list[type[errors.TierstreamError]] = [cls for cls in named if issubclass(cls, errors.TierstreamError)]
    for cls in sorted(kinds, key=lambda cls: cls.exit_code):
        lines.append(f"| {cls.exit_code} | {cls.__name__} | {_cell(_first(cls.__doc__))} |")
    return "\n".join([*lines, ""])


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
