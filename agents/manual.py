"""The documentation that comes with the program: the pages of docs/, in a checkout and in a wheel."""

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from agents.errors import ConfigurationError

_PACKAGE: Final = Path(__file__).parent
_FENCE: Final = "```"
_HEADING: Final = re.compile(r"(#+) +(.*?) *#*")
_NO_SLUG: Final = re.compile(r"[^\w\- ]")


class Page(NamedTuple):
    """One page."""

    name: str
    """Its path in docs/, without the ending: `reference/doctor`."""
    title: str
    text: str
    """Markdown."""


def folder() -> Path:
    """Where the pages lie: beside the packages in a checkout, within them in a wheel."""
    packed = _PACKAGE / "docs"
    return packed if packed.is_dir() else _PACKAGE.parent / "docs"


def pages() -> Iterator[Page]:
    """All pages but the index, in the order of their names."""
    where = folder()
    for path in sorted(where.rglob("*.md")):
        name = path.relative_to(where).with_suffix("").as_posix()
        if name != "README":
            text = path.read_text(encoding="utf-8")
            yield Page(name, next((title for _, _, title in _headings(text)), name), text)


def page(asked: str) -> Page:
    """The page of a name, of its last part, or of a link such as `docs/reference/doctor.md`.

    ConfigurationError when there is none.
    """
    name = asked.removeprefix("docs/").removesuffix(".md")
    found = {each.name: each for each in pages()}
    short = {full.rpartition("/")[2]: full for full in found}
    if (full := name if name in found else short.get(name)) is not None:
        return found[full]
    near = difflib.get_close_matches(name, [*found, *short], n=1)
    raise ConfigurationError(
        f"There is no page `{asked}`.", next_step=f"tierstream docs {near[0]}" if near else "tierstream docs"
    )


def section(page: Page, anchor: str) -> str:
    """The part of a page under the heading that a link's `#anchor` leads to; ConfigurationError if there is none."""
    lines = page.text.splitlines(keepends=True)
    headings = list(_headings(page.text))
    for place, (line, depth, title) in enumerate(headings):
        if slug(title) == anchor:
            end = next((at for at, other, _ in headings[place + 1 :] if other <= depth), len(lines))
            return "".join(lines[line:end]).rstrip() + "\n"
    near = difflib.get_close_matches(anchor, [slug(title) for _, _, title in headings], n=1)
    name = f"{page.name}#{near[0]}" if near else page.name
    raise ConfigurationError(f"The page {page.name} has no part `{anchor}`.", next_step=f"tierstream docs {name}")


def slug(title: str) -> str:
    """What a link calls a heading."""
    return _NO_SLUG.sub("", title.lower()).replace(" ", "-")


def _headings(text: str) -> Iterator[tuple[int, int, str]]:
    """Line, depth and title of each heading; what looks like one in a block of code is none."""
    in_code = False
    for number, line in enumerate(text.splitlines()):
        in_code ^= line.startswith(_FENCE)
        if not in_code and (found := _HEADING.fullmatch(line)) is not None:
            yield number, len(found[1]), found[2]
