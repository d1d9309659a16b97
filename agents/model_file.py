"""The file of a fitted churn model, as a worker or the command line reads it: nothing that only a fit needs."""

from pathlib import Path
from typing import Any

import msgspec

from agents.errors import ConfigurationError
from agents.user_files import unreadable
from streams.models.churn_model import ChurnModel, canonical_model, load_model, model_hash


class ModelFile(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the file."""

    model: ChurnModel
    hash: str
    """SHA-256 of the canonical text of `model`."""
    fit: dict[str, Any]
    holdout: list[dict[str, Any]]
    """How the way of fitting did on what it had not seen; see `fit.judged`."""


def read_model(path: Path) -> ModelFile:
    """Read a model's file; ConfigurationError when it is none or was changed since it was written."""
    try:
        file = msgspec.json.decode(path.read_bytes(), type=ModelFile)
    except OSError as error:
        raise unreadable(path, "The model", error) from error
    except msgspec.MsgspecError as error:
        raise ConfigurationError(
            "This is no file of a model.", where=str(path), why=str(error), next_step="tierstream fit --out MODEL.json"
        ) from error
    if model_hash(canonical_model(load_model(msgspec.json.encode(file.model)))) != file.hash:
        raise ConfigurationError(
            "The model was changed since it was fitted.",
            where=f"{path}, hash",
            why="its parameters are not those that the hash was taken of",
            next_step="tierstream fit --out MODEL.json",
        )
    return file
