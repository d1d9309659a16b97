"""A broker that lets in only who proves a name, and allows only what is granted; its certificates are made here."""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import trustme
from cryptography.hazmat.primitives import serialization
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
    UserScramCredentialUpsertion,
)

from agents.embedded.kafka import EmbeddedKafka, Listener
from agents.kafka_clients import admin_client
from agents.kafka_rights import Right
from agents.settings import KafkaSettings, Settings
from tests.prepared import Prepared, command

YESTERDAY = datetime.now(UTC) - timedelta(days=1)
PHRASE = "open sesame"
KINDS = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional-id": ResourceType.TRANSACTIONAL_ID,
}
CN_ALONE = "RULE:^CN=([^,]+).*$/$1/"
LOGIN = "org.apache.kafka.common.security"


class SecuredKafka:
    """Listeners SASL (three mechanisms), MTLS, EXPIRED and AFAR, behind Kafka's own authorizer.

    The clear one is for the tests: whoever comes that way is nobody, and may do everything.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority, self.stranger = trustme.CA(), trustme.CA()
        self.cafile = self._write("ca.pem", self.authority.cert_pem.bytes())
        self.other_cafile = self._write("other-ca.pem", self.stranger.cert_pem.bytes())
        server = self._store("server", self.authority.issue_cert("127.0.0.1"))
        expired = self._store("expired", self.authority.issue_cert("127.0.0.1", not_after=YESTERDAY))
        self.broker = EmbeddedKafka(
            folder / "kafka",
            listeners=(
                Listener("SASL", "SASL_SSL", self._tls(server) | self._mechanisms()),
                Listener(
                    "MTLS",
                    "SSL",
                    self._tls(server)
                    | {"ssl.client.auth": "required", "ssl.truststore.type": "PEM"}
                    | {"ssl.truststore.location": self.cafile, "ssl.principal.mapping.rules": f"{CN_ALONE},DEFAULT"},
                ),
                Listener("EXPIRED", "SSL", self._tls(expired)),
                Listener("AFAR", "PLAINTEXT", {}, advertised_host="kafka.example.org"),
            ),
            properties={
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users": "User:ANONYMOUS",
                "ssl.principal.mapping.rules": f"{CN_ALONE},DEFAULT",
            },
        )

    def at(self, listener: str) -> str:
        """host:port of a listener."""
        return f"127.0.0.1:{self.broker.ports[listener]}"

    def client(self, name: str, *, authority: trustme.CA | None = None, not_after: datetime | None = None) -> str:
        """A client's certificate and key in one file; its path."""
        issuer = authority or self.authority
        made = issuer.issue_cert(f"{name}@example.org", common_name=name, not_after=not_after)
        return self._store(f"client-{name}", made)

    def locked_key(self, certificate: str) -> str:
        """The same key behind a pass phrase; its path."""
        key = serialization.load_pem_private_key(Path(certificate).read_bytes(), None)
        locked = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(PHRASE.encode()),
        )
        return self._write(f"{Path(certificate).stem}-locked.pem", locked)

    def secret(self, name: str, value: str) -> str:
        """A reference to a secret in a file of its own."""
        return f"file:{self._write(name, value.encode())}"

    @property
    def administration(self) -> Settings:
        """The way in that may do everything."""
        return Settings(kafka=KafkaSettings(bootstrap=self.broker.bootstrap))

    def add_user(self, name: str, password: str, mechanism: str = "SCRAM_SHA_512") -> None:
        """Give a user a password, or another one."""
        with admin_client(self.administration) as admin:
            done = admin.alter_user_scram_credentials(
                [UserScramCredentialUpsertion(name, mechanism, password, iterations=4096)]
            )
        assert done == {name: None}

    def grant(self, needs: Mapping[str, Iterable[Right]]) -> None:
        """Allow each user exactly these."""
        with admin_client(self.administration) as admin:
            answer = admin.create_acls([_acl(user, right) for user, rights in needs.items() for right in rights])
        assert not answer["failed"], answer

    def _store(self, name: str, made: Any) -> str:  # noqa: ANN401 - trustme's certificate
        """Key, as Kafka wants it (PKCS 8), and chain."""
        key = serialization.load_pem_private_key(made.private_key_pem.bytes(), None)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return self._write(f"{name}.pem", pem + b"".join(blob.bytes() for blob in made.cert_chain_pems))

    def _write(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(0o600)
        return str(path)

    @staticmethod
    def _tls(store: str) -> dict[str, str]:
        return {"ssl.keystore.type": "PEM", "ssl.keystore.location": store}

    @staticmethod
    def _mechanisms() -> dict[str, str]:
        plain = f'{LOGIN}.plain.PlainLoginModule required user_clerk="plain words";'
        scram = f"{LOGIN}.scram.ScramLoginModule required;"
        return {
            "sasl.enabled.mechanisms": "SCRAM-SHA-512,SCRAM-SHA-256,PLAIN",
            "plain.sasl.jaas.config": plain,
            "scram-sha-512.sasl.jaas.config": scram,
            "scram-sha-256.sasl.jaas.config": scram,
        }


@contextmanager
def running_worker(
    settings: Settings, folder: Path, *, typed: bool = False
) -> Iterator[Prepared | subprocess.Popen[bytes]]:
    """A worker with these settings of Kafka, from a file in `folder`; what it says goes to worker.log there.

    `typed` starts it as from a shell. It is killed at the end of the block, should it still run.
    """
    kafka = msgspec.structs.asdict(settings.kafka)
    lines = [f"{key} = {json.dumps(value)}" for key, value in kafka.items() if value is not None]
    others = ["[worker]", 'instance_id = "one"', "[log]", 'level = "debug"', 'format = "json"']
    config = folder / "tierstream.toml"
    config.write_text("\n".join(["[kafka]", *lines, *others]))
    arguments = ["worker", "--config", str(config)]
    worker: Prepared | subprocess.Popen[bytes]
    if typed:
        with (folder / "worker.log").open("wb") as log:
            worker = subprocess.Popen([sys.executable, "-m", "agents.cli", *arguments], stdout=log, stderr=log)
    else:
        worker = Prepared(command, arguments, folder / "worker.log")
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()


def _acl(user: str, right: Right) -> ACL:
    pattern = ACLResourcePatternType.PREFIXED if right.prefixed else ACLResourcePatternType.LITERAL
    return ACL(
        f"User:{user}",
        "*",
        ACLOperation[right.operation],
        ACLPermissionType.ALLOW,
        ResourcePattern(KINDS[right.resource], right.name, pattern),
    )
