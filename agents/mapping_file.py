"""Mapping files on disk, and the decoder of each topic that intake reads."""

from pathlib import Path

from agents.errors import ConfigurationError
from agents.settings import Settings
from agents.user_files import text_of_file
from schemas.formats.decoders import decoder_of
from schemas.formats.mapping import Mapping
from schemas.formats.record import Decoder
from streams.mappings.parse import parse


def load_mapping(path: Path) -> Mapping:
    """The mapping of a file; ConfigurationError with every mistake in it, by line and key."""
    found = parse(text_of_file(path, "The mapping file"))
    if isinstance(found, Mapping):
        return found
    raise ConfigurationError(
        "The mapping file has a mistake." if len(found) == 1 else f"The mapping file has {len(found)} mistakes.",
        where=str(path),
        why="".join(f"\n    {mistake}" for mistake in found),
        next_step="correct it; docs/reference/formats.md tells what a mapping file may say",
    )


def foreign_decoders(settings: Settings) -> dict[str, Decoder]:
    """The decoder of every topic that does not hold our own format, by the topic's name on the cluster."""
    decoders = {}
    for topic, source in settings.sources().items():
        if source.format == "tierstream":
            continue
        mapping = load_mapping(Path(source.map)) if source.map is not None else None
        if mapping is not None and mapping.format != source.format:
            raise ConfigurationError(
                f'The mapping file is for format = "{mapping.format}".',
                where=f"{source.map}, bound to {source.topic}",
                why=f'[[intake.source]] says format = "{source.format}"',
                next_step="say the same in both",
            )
        decoders[topic] = decoder_of(source.format, mapping)
    return decoders
