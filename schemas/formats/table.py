"""CSV as tills and shops export it: rows out of bytes, and rows of one order put together. Opens no file.

A row that cannot be read is refused with its line, and takes no other row with it: a quote that is never closed costs
the line where it was opened, not the rest of the file.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from schemas.formats.mapping import Layout
from schemas.rejections import RefusalReason, Rejected
from schemas.screening import VALUE_BYTES_MAX, quoted, refuse

ENCODINGS: Final = ("utf-8", "gbk", "gb18030", "big5", "shift_jis", "iso-8859-1", "windows-1252")
"""Encodings in which a line break is a byte of its own; a byte order mark of UTF-8 is passed over."""
QUOTED_LINES_MAX: Final = 50
"""Lines that one quoted cell may go over."""
GROUP_ROWS_MAX: Final = 10_000
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

Row = dict[str, str]


class Found(NamedTuple):
    """A row, or rows that belong together, or why there is none."""

    line: int
    """Where it begins, from 1."""
    rows: tuple[Row, ...]
    refused: Rejected | None = None


class _Cells(NamedTuple):
    line: int
    cells: list[str] | Rejected


def header_of(lines: Iterable[bytes], layout: Layout) -> tuple[str, ...] | Rejected:
    """The names of the columns: those that the layout gives, else those of the first line that is not blank."""
    if layout.header:
        return layout.header
    first = next(_records(lines, layout), None)
    if first is None:
        return refuse(RefusalReason.SCHEMA, "the file is empty")
    return first.cells if isinstance(first.cells, Rejected) else tuple(first.cells)


def found_in(lines: Iterable[bytes], layout: Layout) -> Iterator[Found]:
    """Every row, or every group of rows, in the order in which each begins. Groups are held in memory until the end."""
    rows = _rows(lines, layout)
    return _grouped(rows, layout.group_by) if layout.group_by else rows


def _rows(lines: Iterable[bytes], layout: Layout) -> Iterator[Found]:
    names: tuple[str, ...] | None = layout.header or None
    for line, cells in _records(lines, layout):
        if isinstance(cells, Rejected):
            yield Found(line, (), cells)
        elif names is None:
            names = tuple(cells)
        elif len(cells) != len(names):
            detail = f"{len(cells)} cells, and the header has {len(names)}"
            yield Found(line, (), refuse(RefusalReason.SCHEMA, detail))
        else:
            yield Found(line, (dict(zip(names, cells, strict=True)),))


def _grouped(rows: Iterable[Found], columns: tuple[str, ...]) -> Iterator[Found]:
    """Rows that agree in the columns, wherever they stand; a row without a value in one of them stands alone."""
    groups: dict[object, list[Found]] = {}
    for row in rows:
        key = tuple(row.rows[0].get(column, "") for column in columns) if row.rows else ()
        groups.setdefault(key if key and all(key) else row.line, []).append(row)
    for group in groups.values():
        first = group[0]
        if len(group) > GROUP_ROWS_MAX:
            detail = f"{len(group)} rows agree in {', '.join(columns)}; at most {GROUP_ROWS_MAX} are put together"
            yield Found(first.line, (), refuse(RefusalReason.TOO_LARGE, detail))
        else:
            yield first if len(group) == 1 else Found(first.line, tuple(row.rows[0] for row in group))


def _records(lines: Iterable[bytes], layout: Layout) -> Iterator[_Cells]:
    """Number of the first line and cells of every record that is not blank."""
    source, ahead, mark = enumerate(lines, 1), deque[tuple[int, bytes]](), layout.quote.encode()

    def line_at(index: int) -> bytes | None:
        while len(ahead) <= index:
            following = next(source, None)
            if following is None:
                return None
            ahead.append(following)
        return ahead[index][1]

    while line_at(0) is not None:
        number, raw = ahead[0]
        taken = [raw.removeprefix(_BYTE_ORDER_MARK) if number == 1 else raw]
        cells = _cells(taken, layout) if taken[0].strip() else None
        if isinstance(cells, Rejected) and mark and taken[0].count(mark) % 2:
            quotes = 1
            while quotes % 2 and len(taken) < QUOTED_LINES_MAX and (more := line_at(len(taken))) is not None:
                taken.append(more)
                quotes += more.count(mark)
            whole = _cells(taken, layout)
            # Where that is no record either, only the line that opens the quote is given up.
            cells, taken = (cells, taken[:1]) if isinstance(whole, Rejected) else (whole, taken)
        for _ in taken:
            ahead.popleft()
        if cells is not None:
            yield _Cells(number, cells)


def _cells(taken: list[bytes], layout: Layout) -> list[str] | Rejected:
    """The cells of one record that goes over the lines taken."""
    size = sum(len(line) for line in taken)
    if size > VALUE_BYTES_MAX:
        return refuse(RefusalReason.TOO_LARGE, f"{size} bytes; at most {VALUE_BYTES_MAX} are read")
    try:
        text = [line.decode(layout.encoding) for line in taken]
    except UnicodeDecodeError as error:
        return refuse(RefusalReason.SCHEMA, f"not {layout.encoding} at byte {error.start} of the line")
    options: dict[str, Any] = {"quotechar": layout.quote} if layout.quote else {"quoting": csv.QUOTE_NONE}
    try:
        rows = list(csv.reader(text, delimiter=layout.delimiter, strict=True, **options))
    except csv.Error as error:
        why = "a quote is opened and not closed" if "unexpected end" in str(error) else f"not CSV: {error}"
        return refuse(RefusalReason.SCHEMA, f"{why}: {quoted(text[0])}")
    if len(rows) != 1:
        return refuse(RefusalReason.SCHEMA, f"not CSV: a line break outside of quotes: {quoted(text[0])}")
    return [cell.strip() for cell in rows[0]]
