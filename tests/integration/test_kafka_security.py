"""Every client through TLS with passwords and certificates, and each wrong one ending with its name."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from agents.errors import AccessError, BrokerUnreachableError, ConfigurationError
from agents.kafka_access import why_not_let_in
from agents.kafka_clients import admin_client, consumer, producer
from agents.kafka_security import security_of
from agents.runtime.cluster import Cluster
from agents.settings import KafkaSettings, Settings
from tests.integration.secured import PHRASE, YESTERDAY, SecuredKafka

pytestmark = pytest.mark.kafka
PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    made = SecuredKafka(tmp_path_factory.mktemp("secured"))
    with made.broker:
        made.add_user("anna", PASSWORD)
        made.add_user("anna", PASSWORD, "SCRAM_SHA_256")
        yield made


def _by_password(secured: SecuredKafka, **other: str | None) -> KafkaSettings:
    chosen: dict[str, Any] = {
        "bootstrap": secured.at("SASL"),
        "security_protocol": "SASL_SSL",
        "sasl_username": "anna",
        "sasl_password": secured.secret("anna", PASSWORD),
        "ssl_cafile": secured.cafile,
    }
    return KafkaSettings(**{**chosen, **other})


def _by_certificate(secured: SecuredKafka, certfile: str | None, **other: str | None) -> KafkaSettings:
    chosen: dict[str, Any] = {
        "bootstrap": secured.at("MTLS"),
        "security_protocol": "SSL",
        "ssl_cafile": secured.cafile,
        "ssl_certfile": certfile,
    }
    return KafkaSettings(**{**chosen, **other})


async def _let_in(kafka: KafkaSettings) -> None:
    """Once with each kind of client; raises what they raise."""
    cluster = Cluster(kafka.bootstrap, client_id="test", security=security_of(kafka))
    await cluster.start()
    await cluster.close()
    settings = Settings(kafka=kafka)
    with admin_client(settings) as admin:
        admin.list_topics()
    with consumer(settings) as reader:
        reader.topics()
    with producer(settings):
        pass


async def _refused(kafka: KafkaSettings) -> AccessError:
    """What both families of clients say, once it is sure that they say the same."""
    with pytest.raises(AccessError) as by_worker:
        await Cluster(kafka.bootstrap, client_id="test", security=security_of(kafka)).start()
    with pytest.raises(AccessError) as by_command, admin_client(Settings(kafka=kafka)):
        pass
    assert str(by_worker.value) == str(by_command.value)
    assert PASSWORD not in str(by_worker.value)
    return by_worker.value


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256"])
async def test_a_password_lets_every_client_in(secured: SecuredKafka, mechanism: str) -> None:
    await _let_in(_by_password(secured, sasl_mechanism=mechanism))


async def test_plain_words_go_through_tls_alone(secured: SecuredKafka) -> None:
    words = {
        "sasl_mechanism": "PLAIN",
        "sasl_username": "clerk",
        "sasl_password": secured.secret("clerk", "plain words"),
    }
    await _let_in(_by_password(secured, **words))

    with pytest.raises(ConfigurationError, match="do not fit") as refused:
        security_of(_by_password(secured, **words, security_protocol="SASL_PLAINTEXT", ssl_cafile=None))

    assert "PLAIN shows the password" in refused.value.why


async def test_a_certificate_lets_every_client_in(secured: SecuredKafka) -> None:
    await _let_in(_by_certificate(secured, secured.client("berta")))


async def test_a_locked_key_needs_its_phrase(secured: SecuredKafka) -> None:
    """And a wrong one does not make OpenSSL ask on the terminal."""
    certificate = secured.client("carl")
    locked = {"ssl_keyfile": secured.locked_key(certificate)}
    right = _by_certificate(secured, certificate, **locked, ssl_key_password=secured.secret("phrase", PHRASE))
    await _let_in(right)

    for wrong in (None, secured.secret("wrong-phrase", "sesame")):
        with pytest.raises(ConfigurationError, match="cannot be used") as refused:
            security_of(msgspec.structs.replace(right, ssl_key_password=wrong))
        assert "kafka.ssl_keyfile" in refused.value.where
        assert "sesame" not in str(refused.value)


async def test_a_wrong_password_is_named(secured: SecuredKafka) -> None:
    refused = await _refused(_by_password(secured, sasl_password=secured.secret("wrong", "battery staple")))

    assert "user or password" in refused.what
    assert "kafka.sasl_username = anna" in refused.where
    assert "battery staple" not in str(refused)


async def test_a_mechanism_that_the_user_lacks_is_named(secured: SecuredKafka) -> None:
    secured.add_user("dora", PASSWORD)

    refused = await _refused(_by_password(secured, sasl_username="dora", sasl_mechanism="SCRAM-SHA-256"))

    assert "SCRAM-SHA-256" in refused.why


async def test_an_authority_that_we_do_not_trust_is_named(secured: SecuredKafka) -> None:
    refused = await _refused(_by_password(secured, ssl_cafile=secured.other_cafile))

    assert "broker's certificate is not accepted" in refused.what
    assert "kafka.ssl_cafile" in refused.next_step


async def test_a_broker_whose_certificate_expired_is_named(secured: SecuredKafka) -> None:
    refused = await _refused(_by_certificate(secured, None, bootstrap=secured.at("EXPIRED")))

    assert "expired" in refused.why


async def test_a_name_that_is_not_in_the_certificate_is_named(secured: SecuredKafka) -> None:
    port = secured.broker.ports["SASL"]

    refused = await _refused(_by_password(secured, bootstrap=f"localhost:{port}"))

    assert "not valid for 'localhost'" in refused.why


@pytest.mark.parametrize(
    ("kind", "why"),
    [("none", "none is configured"), ("expired", "it expired on"), ("stranger", "unknown")],
)
async def test_a_client_certificate_that_the_broker_refuses_is_named(
    secured: SecuredKafka, kind: str, why: str
) -> None:
    certificates = {
        "none": None,
        "expired": secured.client("emil", not_after=YESTERDAY),
        "stranger": secured.client("fritz", authority=secured.stranger),
    }

    refused = await _refused(_by_certificate(secured, certificates[kind]))

    assert "client's certificate" in refused.what
    assert why in refused.why


@pytest.mark.parametrize("listener", ["SASL", "MTLS"])
async def test_clear_text_to_a_listener_of_tls_is_named(secured: SecuredKafka, listener: str) -> None:
    refused = await _refused(KafkaSettings(bootstrap=secured.at(listener)))

    assert "expects another protocol" in refused.what


async def test_tls_without_a_password_where_one_is_wanted_is_named(secured: SecuredKafka) -> None:
    refused = await _refused(_by_certificate(secured, None, bootstrap=secured.at("SASL")))

    assert "expects another protocol" in refused.what
    assert "password" in refused.why


async def test_tls_to_a_clear_listener_is_named(secured: SecuredKafka) -> None:
    refused = await _refused(_by_password(secured, bootstrap=secured.broker.bootstrap))

    assert "does not speak TLS" in refused.what


def test_one_server_that_lets_us_in_is_enough(secured: SecuredKafka) -> None:
    """Refusals count only when nobody lets us in, and then more than absence."""
    right = _by_password(secured)
    with_others = f"127.0.0.1:1,{secured.at('MTLS')}"

    assert why_not_let_in(f"{with_others},{right.bootstrap}", security_of(right)) is None
    assert isinstance(why_not_let_in(with_others, security_of(right)), AccessError)
    assert isinstance(why_not_let_in("127.0.0.1:1", security_of(right)), BrokerUnreachableError)


def test_brokers_that_are_elsewhere_get_no_clear_text_through_a_tunnel(secured: SecuredKafka) -> None:
    """The first address is this machine's; the one that clients are sent to is not."""
    near = KafkaSettings(bootstrap=secured.at("AFAR"))

    with pytest.raises(ConfigurationError, match="clear text") as refused, admin_client(Settings(kafka=near)):
        pass

    assert "kafka.example.org" in refused.value.where
    allowed = msgspec.structs.replace(near, allow_plaintext=True)
    assert why_not_let_in(allowed.bootstrap, security_of(allowed)) is None
