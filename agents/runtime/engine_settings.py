"""What the runtime needs to know of the settings; `agents/app.py` fills it in."""

from dataclasses import dataclass, field
from pathlib import Path

from agents.kafka_security import PLAINTEXT, Security


@dataclass(frozen=True, slots=True)
class Pace:
    """When a partition commits, and how long it may stand still."""

    commit_interval_s: float = 0.1
    commit_records_max: int = 5_000
    stalled_after_s: float = 30.0


@dataclass(frozen=True, slots=True)
class ProgressSettings:
    """Where and about what the low watermarks are told."""

    topic: str
    stage: str
    """The stage whose sources are meant; its worker publishes."""
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """One worker's place in its deployment."""

    application: str
    """Consumer group, and first part of changelogs and transactional ids."""
    bootstrap: str
    partitions: int
    data_dir: Path
    security: Security = PLAINTEXT
    instance_id: str | None = None
    session_timeout_s: int = 6
    pace: Pace = field(default_factory=Pace)
    app_version: str = "0"
    accepted_topics: frozenset[str] = frozenset()
    """Topics whose refused positions the operator told us to give up."""
    output_topics: tuple[str, ...] = ()
    """Topics that the stages write to; they must exist, as the sources must."""
    progress: ProgressSettings | None = None
    """None: no watermark is made or read, and the stages are polled with None (event clock)."""
