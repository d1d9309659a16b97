"""The examples of foreign formats: where they lie, their mappings, and the decoder that each is for."""

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from agents.mapping_file import load_mapping
from schemas.formats.decoders import decoder_of
from schemas.formats.mapping import Mapping
from schemas.formats.record import Decoded, Decoder, Raw

EXAMPLES = Path(str(resources.files("schemas"))) / "formats" / "examples"


def record_files() -> list[Path]:
    """Examples of one record each."""
    return sorted(EXAMPLES.glob("*/*.json"))


def table_files() -> list[Path]:
    """Examples of whole tables; what is expected of each lies beside it."""
    return sorted(EXAMPLES.glob("csv/*.csv"))


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@cache
def mapping_at(path: Path) -> Mapping:
    return load_mapping(path)


def read(path: Path) -> dict[str, Any]:
    example: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return example


def value_of(example: dict[str, Any]) -> bytes | None:
    """The record's value: literal text where the example is about the text itself."""
    if "text" in example:
        return str(example["text"]).encode()
    value = example["value"]
    return None if value is None else json.dumps(value, ensure_ascii=False).encode()


def raw_of(example: dict[str, Any]) -> Raw:
    headers = [(name, text.encode()) for name, text in example.get("headers", {}).items()]
    key = example.get("key")
    return Raw(value_of(example), headers, None if key is None else key.encode())


def decoder_at(path: Path, example: dict[str, Any]) -> Decoder:
    mapping = mapping_at(path.parent / example["map"]) if "map" in example else None
    return decoder_of(path.parent.name, mapping)


def decoded(path: Path) -> Decoded:
    example = read(path)
    return decoder_at(path, example)(raw_of(example))


def mapped_decoders() -> dict[str, Decoder]:
    """A decoder of every format that a topic can have, and of every mapping among the examples."""
    mappings = {path: mapping_at(path) for path in sorted(EXAMPLES.glob("*/*.toml")) if path.parent.name != "csv"}
    decoders = {name_of(path): decoder_of(mapping.format, mapping) for path, mapping in mappings.items()}
    return {"segment": decoder_of("segment"), "tierstream": decoder_of("tierstream"), **decoders}
