"""Rows of a table: where each begins, which belong together, and what a broken line costs."""

import time

import pytest

from schemas.formats.mapping import Layout
from schemas.formats.table import GROUP_ROWS_MAX, QUOTED_LINES_MAX, Found, found_in, header_of
from schemas.rejections import Rejected

HEADER = b"no,name\n"
PLAIN = Layout()


def rows(*lines: bytes, layout: Layout = PLAIN) -> list[Found]:
    return list(found_in([HEADER, *lines], layout))


def test_a_row_knows_its_line() -> None:
    """Blank lines and cells over several lines count as the lines that they take."""
    found = rows(b"1,a\n", b"\n", b'2,"b\n', b'c"\n', b"3,d")

    assert [(each.line, each.rows[0]["name"]) for each in found] == [(2, "a"), (4, "b\nc"), (6, "d")]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_line_endings_and_blanks_around_cells_are_no_content(ending: bytes) -> None:
    """Tills pad their cells."""
    assert [row for each in rows(b" 1 ,  a " + ending) for row in each.rows] == [{"no": "1", "name": "a"}]


def test_a_quote_that_is_never_closed_costs_its_line_alone() -> None:
    """However many rows follow it."""
    found = rows(b'1,"a\n', *(b"%d,b\n" % number for number in range(2, 200)))

    assert [each.line for each in found if each.refused] == [2]
    assert sum(len(each.rows) for each in found) == 198


def test_a_quote_inside_of_a_cell_is_a_character() -> None:
    """Inches of a pipe, or a word in quotes."""
    found = rows(b'1,5" pipe\n', b'2,a "b" c\n', b'3,"say ""d"""\n')

    assert [each.rows[0]["name"] for each in found] == ['5" pipe', 'a "b" c', 'say "d"']


def test_a_table_of_open_quotes_is_read_in_reasonable_time() -> None:
    """Each line is looked at a few times, not as often as there are lines behind it."""
    lines = [b'%d,"x\n' % number for number in range(4_000)]
    began = time.thread_time()
    found = rows(*lines)

    assert all(each.refused or each.rows for each in found)
    assert time.thread_time() - began < 2


def test_rows_of_one_order_are_put_together_wherever_they_stand() -> None:
    """In the place of the first; a row without the column's value stands alone."""
    found = rows(b"1,a\n", b"2,b\n", b",c\n", b"1,d\n", b",e\n", layout=Layout(group_by=("no",)))

    assert [(each.line, [row["name"] for row in each.rows]) for each in found] == [
        (2, ["a", "d"]),
        (3, ["b"]),
        (4, ["c"]),
        (6, ["e"]),
    ]


def test_a_group_has_a_limit() -> None:
    """One number over and over is no order; it is refused where it begins."""
    [found] = rows(*[b"1,a\n"] * (GROUP_ROWS_MAX + 1), layout=Layout(group_by=("no",)))

    assert found.refused is not None
    assert (found.line, found.refused.reason) == (2, "too_large")


def test_a_cell_may_go_over_so_many_lines_and_no_more() -> None:
    """The limit is exact."""
    fits = rows(b'1,"a\n', *[b"x\n"] * (QUOTED_LINES_MAX - 2), b'b"\n')
    beyond = rows(b'1,"a\n', *[b"x\n"] * (QUOTED_LINES_MAX - 1), b'b"\n')

    assert len(fits) == 1
    assert fits[0].refused is None
    assert beyond[0].refused is not None


def test_the_header_is_the_first_line_or_what_the_layout_says() -> None:
    """A byte order mark is no part of the first name."""
    assert header_of([b"\xef\xbb\xbfno,name\n"], Layout()) == ("no", "name")
    assert header_of([b"1,a\n"], Layout(header=("x", "y"))) == ("x", "y")
    assert isinstance(header_of([b"\n"], Layout()), Rejected)
