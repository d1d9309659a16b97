"""A file that cannot be read: the error says what is wrong with it and what to do, without the words of the machine."""

from codecs import BOM_UTF8
from pathlib import Path

import pytest

from agents.errors import ConfigurationError
from agents.feed_file import Ready, open_events
from agents.user_files import text_of_file

EVENT = b'{"type":"browse.activity","id":"v1","time":"2026-01-01T00:00:00Z","anonymous_id":"a1","action":"search"}\r\n'


def _refused(path: Path) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as raised:
        text_of_file(path, "The policy file")
    assert raised.value.what == "The policy file cannot be read."
    assert "Errno" not in str(raised.value)
    assert "codec" not in str(raised.value)
    return raised.value


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    """Windows editors begin UTF-8 with one."""
    path = tmp_path / "policy.toml"
    path.write_bytes(BOM_UTF8 + '[policy]\nname = "金卡"\n'.encode())

    assert text_of_file(path, "The policy file") == '[policy]\nname = "金卡"\n'


def test_a_name_that_is_nearly_right_is_put_right(tmp_path: Path) -> None:
    """The file that was meant is named; where none is near, nothing is guessed."""
    (tmp_path / "policy.toml").touch()

    near = _refused(tmp_path / "polcy.toml")

    assert near.next_step == f"did you mean {tmp_path / 'policy.toml'}?"
    assert "did you mean" not in _refused(tmp_path / "orders.csv").next_step
    assert _refused(tmp_path / "nowhere" / "policy.toml").why == f"there is no folder {tmp_path / 'nowhere'}"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """It is called what it is."""
    assert _refused(tmp_path).why == "it is a folder"


def test_utf16_is_recognised(tmp_path: Path) -> None:
    """What PowerShell's `>` writes: told with the command that makes it readable, for events as well."""
    path = tmp_path / "policy.toml"
    path.write_bytes('[policy]\nname = "x"\n'.encode("utf-16"))

    assert "iconv -f UTF-16" in _refused(path).next_step
    with pytest.raises(ConfigurationError, match="UTF-16"), open_events(path):
        pass


def test_another_encoding_is_told_by_line(tmp_path: Path) -> None:
    """The line and what stands before the byte lead to it."""
    path = tmp_path / "policy.toml"
    path.write_bytes('[policy]\nname = "café"\n'.encode("latin-1"))

    error = _refused(path)

    assert error.where == f"{path}:2"
    assert "0xe9 after 'name = \"caf'" in error.why


def test_events_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    """The file's first line loses it; amid a file it stays a mistake of the line."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(BOM_UTF8 + EVENT + BOM_UTF8 + EVENT)

    with open_events(path) as events:
        first, second = events.in_file_order()

    assert isinstance(first, Ready)
    assert not isinstance(second, Ready)
