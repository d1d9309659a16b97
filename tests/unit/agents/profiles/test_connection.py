"""What an answer of Redis means: wait, or tell a person. And no password anywhere."""

from pathlib import Path

import pytest
import redis.exceptions as answers

from agents.errors import BugError, ConfigurationError
from agents.profiles.connection import RedisOutage, connect, named
from agents.settings import RedisSettings, Settings

WANTED = RedisSettings(host="127.0.0.1")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (answers.TimeoutError("Timeout reading from 127.0.0.1:6379"), "slow"),
        (answers.ConnectionError("Error 111 connecting to 127.0.0.1:6379. Connection refused."), "absent"),
        (answers.ConnectionError("Connection closed by server."), "absent"),
        (answers.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), "full"),
        (answers.ResponseError("OOM allow-oom flag is not set on the function"), "full"),
        (answers.ReadOnlyError("You can't write against a read only replica."), "readonly"),
        (answers.BusyLoadingError("Redis is loading the dataset in memory"), "unavailable"),
        (answers.ResponseError("BUSY Redis is busy running a script."), "unavailable"),
        (answers.ResponseError("MISCONF Errors writing to the AOF file"), "unavailable"),
        (answers.ResponseError("NOREPLICAS Not enough good replicas to write."), "unavailable"),
        (answers.MasterDownError("Link with MASTER is down"), "unavailable"),
        (answers.ResponseError("ERR Function not found"), "unavailable"),
    ],
)
def test_what_passes_is_waited_for(error: answers.RedisError, reason: str) -> None:
    """One word each, for the metric."""
    outage = named(error, WANTED)

    assert isinstance(outage, RedisOutage)
    assert outage.reason == reason


@pytest.mark.parametrize(
    "error",
    [
        answers.AuthenticationError("invalid username-password pair or user is disabled."),
        answers.ResponseError("WRONGPASS invalid username-password pair"),
        answers.AuthenticationError("Authentication required."),
        answers.NoPermissionError("this user has no permissions to run the 'fcall' command"),
        answers.ResponseError("ERR ACL failure in script: User tierstream has no permissions to run 'zadd' command"),
        answers.ConnectionError("Error 1 connecting to h:6380. [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify"),
        answers.ResponseError("unknown command 'FCALL', with args beginning with: "),
        answers.ClusterDownError("Hash slot not served"),
        answers.MovedError("3999 127.0.0.1:7001"),
    ],
)
def test_what_a_person_must_change_is_told(error: answers.RedisError) -> None:
    """With what to do."""
    mistake = named(error, WANTED)

    assert isinstance(mistake, ConfigurationError)
    assert mistake.next_step


def test_a_refused_key_is_not_quoted() -> None:
    """Keys name customers."""
    mistake = named(answers.NoPermissionError("No permissions to access the 'tierstream:c:{anna}' key"), WANTED)

    assert "anna" not in str(mistake)


def test_the_rest_is_ours() -> None:
    """An error in the library must not look like an outage that passes."""
    assert isinstance(named(answers.ResponseError("ERR user_function:35: attempt to index a nil"), WANTED), BugError)


def test_no_repr_shows_the_password(tmp_path: Path) -> None:
    """Neither the client's nor the settings'; the connection reads it when it opens."""
    file = tmp_path / "password"
    file.write_text("hunter2")
    settings = Settings(redis=RedisSettings(host="127.0.0.1", user="tierstream", password=f"file:{file}"))
    client = connect(settings)
    pool = client.connection_pool

    assert "hunter2" not in f"{client!r} {pool!r} {settings!r} {pool.connection_kwargs!r} {vars(pool)}"
    provider = pool.connection_kwargs["credential_provider"]
    assert provider.get_credentials() == ("tierstream", "hunter2")
    file.write_text("hunter3")
    assert provider.get_credentials() == ("tierstream", "hunter3")
