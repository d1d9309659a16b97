"""The users of deploy/redis/users.acl over TLS: each may do its work, and nothing else."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
import redis

from agents.embedded import EmbeddedValkey
from agents.embedded.guarded import free_port
from agents.errors import ConfigurationError
from agents.profiles.lookup import profile_in_redis
from agents.profiles.rebuild import rebuild
from agents.profiles.store import ProfileStore
from agents.profiles.verify import verify
from agents.settings import Settings
from tests.profiles import ProfileTopic

pytestmark = pytest.mark.kafka

ACL_FILE = Path(__file__).parents[2] / "deploy/redis/users.acl"
WRITER, READER = "pass-of-the-writer", "pass-of-the-reader"


class Fortress(NamedTuple):
    """A server that wants TLS and a user, and what it takes to enter."""

    port: int
    ca: Path
    folder: Path

    def settings(self, topic: ProfileTopic, user: str, password: str, **more: object) -> Settings:
        """As an operator writes them: the password in a file."""
        file = self.folder / f"{user}.password"
        file.write_text(password + "\n")
        return topic.settings(
            self.port, user=user, password=f"file:{file}", **{"tls": True, "tls_ca": str(self.ca), **more}
        )

    def client(self, user: str, password: str) -> redis.Redis:
        """A client of somebody else."""
        return redis.Redis(
            host="127.0.0.1",
            port=self.port,
            username=user,
            password=password,
            ssl=True,
            ssl_ca_certs=str(self.ca),
            decode_responses=True,
        )


def _certificate(folder: Path, name: str) -> None:
    """A key, and a certificate for 127.0.0.1 that it signed itself."""
    made = f"-x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -addext subjectAltName=IP:127.0.0.1"
    command = ["openssl", "req", *made.split(), "-keyout", f"{name}.key", "-out", f"{name}.crt"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def fortress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fortress]:
    """Debian's redis-server with TLS alone, our users, and nobody else: the Valkey of the wheel has no TLS."""
    server = shutil.which("redis-server")
    if server is None or shutil.which("openssl") is None:
        pytest.skip("needs redis-server and openssl (Debian: apt-get install redis-server openssl)")
    folder = tmp_path_factory.mktemp("fortress")
    _certificate(folder, "server")
    _certificate(folder, "stranger")
    acl = ACL_FILE.read_text().replace("WRITER_PASSWORD", WRITER).replace("READER_PASSWORD", READER)
    (folder / "users.acl").write_text(acl)
    port = free_port()
    options = (
        *("--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no"),
        *("--tls-cert-file", str(folder / "server.crt"), "--tls-key-file", str(folder / "server.key")),
        *("--aclfile", str(folder / "users.acl")),
    )
    with EmbeddedValkey(folder / "redis", port=port, server=server, options=options):
        yield Fortress(port, folder / "server.crt", folder)


def test_the_writer_can_project_verify_and_rebuild(fortress: Fortress, topic: ProfileTopic) -> None:
    """With the named commands alone, also inside the functions."""
    for number in range(50):
        topic.publish(f"c{number}")
    topic.erase("c7")
    topic.flush()
    settings = fortress.settings(topic, "tierstream", WRITER, inactive_ttl_days=30_000)

    rebuild(settings, lambda _done, _total: None)
    verdict = verify(settings, lambda _done, _total: None)

    assert (verdict.customers, verdict.differences) == (49, ())
    writer = fortress.client("tierstream", WRITER)
    for forbidden in (
        ("SET", "other:key", "1"),
        ("HGETALL", "other:key"),
        ("FLUSHALL",),
        ("KEYS", "*"),
        ("CONFIG", "GET", "*"),
        ("EVAL", "return 1", "0"),
        ("FUNCTION", "FLUSH"),
        ("ACL", "LIST"),
    ):
        with pytest.raises(redis.exceptions.NoPermissionError):
            writer.execute_command(*forbidden)  # type: ignore[no-untyped-call]  # redis-py's own
    writer.close()


def test_the_reader_can_route_and_page_but_not_write(fortress: Fortress, topic: ProfileTopic) -> None:
    """What docs/reference/redis.md shows to readers, with the reader's rights."""
    topic.publish("c1", tier=2, band=3)
    topic.flush()
    rebuild(fortress.settings(topic, "tierstream", WRITER), lambda _done, _total: None)
    reader = fortress.client("tierstream-reader", READER)

    assert reader.hmget("tierstream:c:{c1}", "tier", "churn_band") == ["gold", "very_high"]
    paged = [
        name
        for shard in range(2)
        for name in reader.zrange(f"tierstream:churn:very_high:{shard}", 0, 99, desc=True, withscores=False)
    ]
    assert paged == ["c1"]
    found = profile_in_redis(fortress.settings(topic, "tierstream-reader", READER), b"c1")
    assert found
    assert found.fields["tier"] == "gold"
    for forbidden in (("HSET", "tierstream:c:{c1}", "tier", "x"), ("DEL", "tierstream:c:{c1}"), ("SCAN", "0")):
        with pytest.raises(redis.exceptions.NoPermissionError):
            reader.execute_command(*forbidden)  # type: ignore[no-untyped-call]  # redis-py's own
    reader.close()


@pytest.mark.parametrize(
    ("user", "password", "changes", "said"),
    [
        ("tierstream", "wrong-password", {}, "user or the password"),
        ("tierstream-reader", READER, {}, "may not do"),
        ("tierstream", WRITER, {"tls_ca": "stranger.crt"}, "certificate that we trust"),
        ("tierstream", WRITER, {"key_prefix": "elsewhere"}, "may not do"),
    ],
)
def test_what_a_person_must_change_is_said_without_the_secret(
    user: str, password: str, changes: dict[str, str], said: str, fortress: Fortress, topic: ProfileTopic
) -> None:
    """Wrong password, too few rights, a stranger's certificate: an error of the settings, not an outage."""
    if "tls_ca" in changes:
        changes = {"tls_ca": str(fortress.folder / changes["tls_ca"])}
    settings = fortress.settings(topic, user, password, **changes)
    store = ProfileStore(settings)

    with pytest.raises(ConfigurationError, match=said) as raised:
        store.claim(0, "t")

    shown = f"{raised.value} {settings!r} {store.client!r} {store.client.connection_pool!r}"
    assert password not in shown
    assert msgspec.json.encode(settings).find(password.encode()) < 0


def test_an_absent_secret_is_said_at_the_first_connection(fortress: Fortress, topic: ProfileTopic) -> None:
    """With the file that was looked for."""
    settings = topic.settings(fortress.port, password="file:/nowhere/redis.password")

    with pytest.raises(ConfigurationError, match="cannot be read") as raised:
        ProfileStore(settings).claim(0, "t")
    assert raised.value.where == "/nowhere/redis.password"
