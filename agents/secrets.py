"""Secrets by reference: settings name where a password lies, and only the client that needs it reads it.

A reference is `file:/path` (as orchestrators mount secrets) or `env:NAME`. The value itself never stands in a setting,
on a command line, in a log line or in a repr.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, NoReturn, final

from msgspec import Meta

from agents.errors import ConfigurationError

REDACTED: Final = "***"

SecretReference = Annotated[str, Meta(pattern=r"^(file:.|env:[A-Za-z_])")]
"""The type of a setting that names a secret. A wrong value of it is shown nowhere: it may be the secret itself."""


@final
class Secret:
    """A value that only `reveal` shows. It cannot be pickled or written as JSON by accident."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The value, for the client that needs it, at the moment that it does."""
        return self.__value

    def __repr__(self) -> str:
        return f"Secret({REDACTED})"

    def __str__(self) -> str:
        return REDACTED

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.__value

    def __hash__(self) -> int:
        return hash(self.__value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


def read_secret(reference: str, environ: Mapping[str, str] = os.environ) -> Secret:
    """The secret that a reference names, without the line break that editors put at the end of a file.

    Read anew at every call, so that a rotated file is seen. ConfigurationError when it is absent or empty.
    """
    kind, _, name = reference.partition(":")
    if kind == "env":
        value, where = environ.get(name, ""), f"the environment variable {name}"
    elif kind == "file":
        value, where = _text_of(Path(name)), name
    else:
        raise ConfigurationError(
            "A secret is given by reference.",
            why="it is neither file:/path nor env:NAME",
            next_step="put it into a file that only this user can read, and name that: file:/path",
        )
    if not value:
        raise ConfigurationError("The secret is absent or empty.", where=where, next_step="set it, then start again")
    return Secret(value)


def anchored(reference: str, folder: Path) -> str:
    """A reference from a settings file in `folder`: a relative path starts there."""
    kind, _, name = reference.partition(":")
    return f"file:{folder / name}" if kind == "file" else reference


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"  # a decoding error shows the bytes
        raise ConfigurationError("The secret cannot be read.", where=str(path), why=why or "") from None
