"""What was built: which version, and whether its arithmetic was compiled."""

from importlib.metadata import version
from pathlib import Path

from streams import process


def core_is_compiled() -> bool:
    """Whether the fold runs as machine code (`make compiled`), not as Python."""
    return Path(process.__file__).suffix != ".py"


def version_text() -> str:
    """The version, and what is special about the build."""
    return version("tierstream") + (" (compiled core)" if core_is_compiled() else "")
