"""Files that a person wrote or named: their text, or an error that tells what is wrong with the file and what to do."""

import difflib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path

from agents.errors import ConfigurationError, disk_trouble

_BYTES_SHOWN = 12


def text_of_file(path: Path, what: str) -> str:
    """The text of a UTF-8 file, with or without a byte order mark; ConfigurationError that begins with `what`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(path, what, error) from error
    refuse_utf16(content[:2], path, what)
    try:
        return content.removeprefix(BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        before = content[content.rfind(b"\n", 0, error.start) + 1 : error.start][-_BYTES_SHOWN:]
        raise ConfigurationError(
            f"{what} cannot be read.",
            where=f"{path}:{line}",
            why=f"byte 0x{content[error.start]:02x} after {before.decode(errors='replace')!r} is not UTF-8",
            next_step="save it as UTF-8, in an editor or with: iconv -f THE_ENCODING_IT_HAS -t UTF-8",
        ) from error


def refuse_utf16(begin: bytes, path: Path, what: str) -> None:
    """ConfigurationError for a file whose first two bytes are the mark of UTF-16."""
    if begin in (BOM_UTF16_LE, BOM_UTF16_BE):
        raise ConfigurationError(
            f"{what} cannot be read.",
            where=str(path),
            why="it is UTF-16, as Windows PowerShell writes with `>`; UTF-8 is read",
            next_step="save it as UTF-8, in an editor or with: iconv -f UTF-16 -t UTF-8",
        )


def unreadable(path: Path, what: str, error: OSError) -> ConfigurationError:
    """Why a file that was named cannot be opened, and which one may have been meant."""
    remedy = "name a file that is there and that you may read"
    if isinstance(error, FileNotFoundError):
        why, near = "there is no such file", _names_near(path)
        if near:
            remedy = f"did you mean {' or '.join(near)}?"
        elif not path.parent.is_dir():
            why = f"there is no folder {path.parent}"
    elif isinstance(error, IsADirectoryError):
        why = "it is a folder"
    elif isinstance(error, PermissionError):
        why = "this user may not read it"
    else:
        why = error.strerror or str(error)
    return ConfigurationError(f"{what} cannot be read.", where=str(path), why=why, next_step=remedy)


def unwritable(path: Path, what: str, error: OSError) -> ConfigurationError:
    """Why a file or folder that was named cannot be written; `what` is the sentence to begin with."""
    if isinstance(error, FileExistsError | NotADirectoryError):
        trouble = "a file is in the way where a folder should be", "name another folder, or move the file away"
    else:
        trouble = disk_trouble(error) or (error.strerror or str(error), "name another place that you may write to")
    return ConfigurationError(what, where=str(path), why=trouble[0], next_step=trouble[1])


def _names_near(path: Path) -> list[str]:
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        return []
    return [str(path.parent / name) for name in difflib.get_close_matches(path.name, names, n=2, cutoff=0.75)]
