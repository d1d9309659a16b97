"""A secret is read where its reference points, and shown nowhere."""

import copy
import json
import pickle
from pathlib import Path

import pytest

from agents.errors import ConfigurationError
from agents.secrets import Secret, anchored, read_secret

VALUE = "hunter2 ✓"


def test_a_file_is_read_without_its_last_line_break(tmp_path: Path) -> None:
    """Editors end files with one; further line breaks and spaces belong to the secret."""
    path = tmp_path / "password"
    path.write_bytes(f" {VALUE}\n\r\n".encode())

    assert read_secret(f"file:{path}").reveal() == f" {VALUE}\n"


def test_a_file_is_read_anew(tmp_path: Path) -> None:
    """A rotated secret is seen at the next use."""
    path = tmp_path / "password"
    path.write_text("old")
    before = read_secret(f"file:{path}")
    path.write_text("new")

    assert (before.reveal(), read_secret(f"file:{path}").reveal()) == ("old", "new")


def test_a_variable_is_read_as_it_is() -> None:
    """`env:` names a variable."""
    assert read_secret("env:SHOP_PASSWORD", {"SHOP_PASSWORD": VALUE}) == Secret(VALUE)


@pytest.mark.parametrize("reference", ["env:ABSENT", "env:EMPTY", "file:/nowhere/at/all", VALUE, f"plain:{VALUE}"])
def test_what_cannot_be_read_is_a_mistake_of_the_settings(reference: str) -> None:
    """With its place and remedy, and without the text of a reference that is none: it may be the secret itself."""
    with pytest.raises(ConfigurationError) as raised:
        read_secret(reference, {"EMPTY": ""})

    assert VALUE not in str(raised.value)
    assert raised.value.why or raised.value.where


def test_bytes_that_are_no_text_are_not_shown(tmp_path: Path) -> None:
    """A decoding error carries the bytes: it goes no further."""
    path = tmp_path / "password"
    path.write_bytes(b"hunter2\xff")

    with pytest.raises(ConfigurationError) as raised:
        read_secret(f"file:{path}")

    assert (raised.value.__cause__, raised.value.__suppress_context__) == (None, True)
    assert "hunter2" not in str(raised.value)


def test_a_secret_is_shown_nowhere() -> None:
    """No way of printing gives it away, alone or inside other values."""
    secret = Secret(VALUE)

    shown = f"{secret} {secret!r} {[secret]} {vars(Secret)} " + "%s" % secret  # noqa: UP031 - as old logging does it
    assert VALUE not in shown
    for write in (pickle.dumps, json.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            write(secret)


def test_a_relative_path_starts_at_the_settings_file() -> None:
    """As with every other path in the settings."""
    folder = Path("/etc/tierstream")

    assert anchored("file:redis.password", folder) == "file:/etc/tierstream/redis.password"
    assert anchored("file:/run/secrets/redis", folder) == "file:/run/secrets/redis"
    assert anchored("env:REDIS_PASSWORD", folder) == "env:REDIS_PASSWORD"
