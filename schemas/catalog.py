"""The topic catalogue: `topics/*.yaml` as typed values. The only place that knows topic names and their settings."""

import re
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Final, Literal

import msgspec.yaml

from schemas.clock import MS_PER_DAY
from schemas.events import TOPIC_OF

_DAYS: Final = re.compile(r"(\d{1,5})d", re.ASCII)
_FOREVER_MS: Final = -1  # Kafka's own word for "no limit"
_CHANGELOG_FILE: Final = "changelog.yaml"
SHADOW: Final = "shadow"
"""The owner of what shadows write, and no worker."""


class TopicSpec(msgspec.Struct, kw_only=True, frozen=True):
    """One topic: what it is for and how it is created."""

    name: str
    purpose: str
    owner: str
    """Who writes it: a stage, `producers` or `feed`."""
    key: str
    """What record keys are, in words."""
    cleanup: Literal["delete", "compact"]
    retention_ms: int | None
    """-1 for unlimited; None for a compacted topic, which keeps the newest record per key."""
    partitions: Literal["equal"] = "equal"
    """Every topic has the same number of partitions, fixed when it is created."""
    config: Mapping[str, str]
    """The complete topic settings to create it with, as Kafka writes them."""
    types: tuple[str, ...]
    """The event or output types it carries; empty where the values are no events."""
    examples: tuple[str, ...]
    """Folders below `schemas/examples` with messages of this topic."""


class _TopicFile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A catalogue file as written: retention in words, only the settings that are not derived."""

    name: str
    purpose: str
    owner: str
    key: str
    cleanup: Literal["delete", "compact"]
    retention: str | None = None
    config: dict[str, int | float | str] = {}
    types: list[str]


def load_topic(text: str, *, source: str) -> TopicSpec:
    """A catalogue file's text as a spec. ValueError names `source` and what is wrong."""
    try:
        written = msgspec.yaml.decode(text, type=_TopicFile)
    except msgspec.DecodeError as error:
        raise ValueError(f"{source}: {error}") from error
    retention_ms = _retention_ms(written, source)
    types = tuple(name for entry in written.types for name in (TOPIC_OF if entry == "inputs" else (entry,)))
    config = {
        "cleanup.policy": written.cleanup,
        # With event times as record timestamps, retention would delete an imported history within seconds.
        "message.timestamp.type": "LogAppendTime",
        **({} if retention_ms is None else {"retention.ms": str(retention_ms)}),
        **{name: str(value) for name, value in written.config.items()},
    }
    return TopicSpec(
        name=written.name,
        purpose=written.purpose,
        owner=written.owner,
        key=written.key,
        cleanup=written.cleanup,
        retention_ms=retention_ms,
        config=MappingProxyType(config),
        types=types,
        examples=types,
    )


def _retention_ms(written: _TopicFile, source: str) -> int | None:
    """Milliseconds, -1 for `forever`, None for compacted topics."""
    if (written.retention is None) != (written.cleanup == "compact"):
        raise ValueError(f"{source}: `retention` belongs to `cleanup: delete`, and only there")
    if written.retention is None:
        return None
    if written.retention == "forever":
        return _FOREVER_MS
    days = _DAYS.fullmatch(written.retention)
    if days is None:
        raise ValueError(f"{source}: `retention` is written as `30d` or `forever`, not {written.retention!r}")
    return int(days[1]) * MS_PER_DAY


def _read(file: Traversable) -> TopicSpec:
    return load_topic(file.read_text(encoding="utf-8"), source=f"schemas/topics/{file.name}")


_FOLDER: Final = resources.files("schemas") / "topics"

TOPICS: Final[Mapping[str, TopicSpec]] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            _read(file)
            for file in sorted(_FOLDER.iterdir(), key=lambda file: file.name)
            if file.name.endswith(".yaml") and file.name != _CHANGELOG_FILE
        )
    }
)
"""Topic name (without a prefix) to its spec."""

CHANGELOG: Final[TopicSpec] = _read(_FOLDER / _CHANGELOG_FILE)
"""How every table's changelog topic is created; its name is the runtime's."""

RAW_TOPICS: Final[tuple[str, ...]] = tuple(dict.fromkeys(TOPIC_OF.values()))
"""The six topics that producers write to."""
