"""What a worker exports, from the collectors that it registers: names, kinds and labels. And PromQL taken apart."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import CollectorRegistry

from agents.app import show_process
from agents.reference import shown_metrics, shown_shadow_metrics

DEPLOY = Path(__file__).parents[2] / "deploy"
OF_THE_SCRAPE = {"job", "instance"}
_WORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "offset", "bool"}
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_IDENTIFIER = re.compile(r"(?<![\w:$.])[a-zA-Z_:][\w:]*")


@cache
def series() -> dict[str, frozenset[str]]:
    """Every series that a worker or a shadow can export, with its labels."""
    found: dict[str, frozenset[str]] = {"up": frozenset()}
    for name, kind, labels, _ in (*shown_metrics(), *shown_shadow_metrics()):
        if kind == "histogram":
            found |= {f"{name}_{part}": frozenset(labels) for part in ("sum", "count")}
            found[f"{name}_bucket"] = frozenset({*labels, "le"})
        else:
            found[name] = frozenset(labels)
    registry = CollectorRegistry()
    show_process(registry)
    for metric in registry.collect():
        for sample in metric.samples:
            found[sample.name] = found.get(sample.name, frozenset()) | set(sample.labels)
    return found


def rules(name: str) -> list[dict[str, Any]]:
    """The rules of a file below deploy/prometheus."""
    document = yaml.safe_load((DEPLOY / "prometheus" / name).read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def metrics_in(expression: str) -> set[str]:
    """The metrics that an expression names."""
    bare = _GROUPING.sub(" ", _SELECTOR.sub(r" \1 ", _STRING.sub('""', expression)))
    bare = re.sub(r"\[[^\]]*\]", " ", bare)
    bare = re.sub(r"\boffset\s+\w+", " ", bare)
    found = {match for match in _IDENTIFIER.finditer(bare) if not bare[match.end() :].lstrip().startswith("(")}
    return {match.group() for match in found} - _WORDS


def labels_in(expression: str) -> Iterator[tuple[str, str]]:
    """Metric and label of every matcher."""
    for metric, matchers in _SELECTOR.findall(expression):
        for matcher in _STRING.sub("", matchers).split(","):
            yield metric, re.split(r"[=!~]", matcher)[0].strip()


def groupings_in(expression: str) -> set[str]:
    """Every label by which an expression groups or joins."""
    return {label.strip() for group in _GROUPING.findall(expression) for label in group.split(",") if label.strip()}
