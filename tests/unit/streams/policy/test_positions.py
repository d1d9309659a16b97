"""Lines of keys in TOML texts that are hard to scan."""

import pytest

from streams.policy.positions import Path, lines_of

TEXT = '''# a comment with [brackets] and "quotes"
title = "a # no comment, ] no bracket" # but this is one

[policy]
"quoted key" = 1
dotted . "part" = 2
basic = """
[not.a.header]
key = "no key" """
literal = \'\'\'
'' [[nor.this]]\'\'\'
path = 'C:\\'
quotes = """"so, ""he"" said"""""
none = """"""
escaped = "a \\" ] # \\\\"

[[ladder]]   # first
id = "a"
values = [ # a comment, with ] and }
  1, 2.5,
  { x = [ "]", \'}\' ], y.z = 1979-05-27 07:32:00 },

  [ ],
]

[[ladder.tier]]
id = "t0"
[ladder.tier.name]
en = "x"

[[ladder.tier]]
id = "t1"
[[ladder]]
tier = [{ id = "u0" },
        { id = "u1" }]
'''

LINES: dict[Path, int] = {
    (): 1,
    ("title",): 2,
    ("policy",): 4,
    ("policy", "quoted key"): 5,
    ("policy", "dotted"): 6,
    ("policy", "dotted", "part"): 6,
    ("policy", "basic"): 7,
    ("policy", "literal"): 10,
    ("policy", "path"): 12,
    ("policy", "quotes"): 13,
    ("policy", "none"): 14,
    ("policy", "escaped"): 15,
    ("ladder",): 17,
    ("ladder", 0): 17,
    ("ladder", 0, "id"): 18,
    ("ladder", 0, "values"): 19,
    ("ladder", 0, "values", 0): 20,
    ("ladder", 0, "values", 1): 20,
    ("ladder", 0, "values", 2): 21,
    ("ladder", 0, "values", 2, "x"): 21,
    ("ladder", 0, "values", 2, "x", 0): 21,
    ("ladder", 0, "values", 2, "x", 1): 21,
    ("ladder", 0, "values", 2, "y"): 21,
    ("ladder", 0, "values", 2, "y", "z"): 21,
    ("ladder", 0, "values", 3): 23,
    ("ladder", 0, "tier"): 26,
    ("ladder", 0, "tier", 0): 26,
    ("ladder", 0, "tier", 0, "id"): 27,
    ("ladder", 0, "tier", 0, "name"): 28,
    ("ladder", 0, "tier", 0, "name", "en"): 29,
    ("ladder", 0, "tier", 1): 31,
    ("ladder", 0, "tier", 1, "id"): 32,
    ("ladder", 1): 33,
    ("ladder", 1, "tier"): 34,
    ("ladder", 1, "tier", 0): 34,
    ("ladder", 1, "tier", 0, "id"): 34,
    ("ladder", 1, "tier", 1): 35,
    ("ladder", 1, "tier", 1, "id"): 35,
}


@pytest.mark.parametrize("text", [TEXT, TEXT.replace("\n", "\r\n"), TEXT.rstrip("\n")])
def test_every_key_has_its_line(text: str) -> None:
    """Strings, comments, nested arrays and headers do not confuse the count, whatever ends a line."""
    assert lines_of(text) == LINES


def test_an_empty_text_has_only_its_root() -> None:
    """No key, no line but the first."""
    assert lines_of("") == {(): 1}
    assert lines_of("# nothing") == {(): 1}
