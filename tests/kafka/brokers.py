"""Brokers for tests: the one that `KAFKA_BOOTSTRAP` names, or one of our own; and one of our own to be broken."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.lab.kafka_broker import KafkaBroker
from services.lab.ports import free_ports, loopback


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker that tests share; each uses topics of its own."""
    given = os.environ.get("KAFKA_BOOTSTRAP")  # noqa: TID251 - the tests' own switch, no setting of Meridian
    if given:
        yield given
        return
    broker = KafkaBroker(tmp_path_factory.mktemp("kafka"))
    broker.start()
    try:
        yield broker.bootstrap
    finally:
        broker.stop()


@pytest.fixture
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A broker that one test may stop, kill and start."""
    broker = KafkaBroker(tmp_path_factory.mktemp("own-kafka"))
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


class SecuredBroker(KafkaBroker):
    """One with a second listener that speaks TLS, with a certificate of its own making, and asks who one is."""

    user, password = "meridian", "open-sesame"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (self._secured_port,) = free_ports(1)

    @property
    def secured_bootstrap(self) -> str:
        return f"{loopback}:{self._secured_port}"

    @property
    def certificate(self) -> Path:
        return self.folder / "certificate.pem"

    def make_certificate(self) -> None:
        store = ["-keystore", "keys.p12", "-storetype", "PKCS12", "-storepass", "changeit", "-alias", "broker"]
        for words in (
            ["-genkeypair", *store, "-keyalg", "EC", "-dname", "CN=broker", "-ext", f"SAN=ip:{loopback}"],
            ["-exportcert", *store, "-rfc", "-file", self.certificate.name],
        ):
            subprocess.run(["keytool", *words], cwd=self.folder, capture_output=True, check=True)

    def properties(self) -> dict[str, object]:
        properties = super().properties()
        for name in ("listeners", "advertised.listeners"):
            properties[name] = f"{properties[name]},SECURED://{self.secured_bootstrap}"
        protocols = "listener.security.protocol.map"
        return properties | {
            protocols: f"{properties[protocols]},SECURED:SASL_SSL",
            "ssl.keystore.location": self.folder / "keys.p12",
            "ssl.keystore.type": "PKCS12",
            "ssl.keystore.password": "changeit",
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.secured.plain.sasl.jaas.config": (
                f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{self.user}="{self.password}";'
            ),
        }


@pytest.fixture
def secured_broker(tmp_path: Path) -> Iterator[SecuredBroker]:
    broker = SecuredBroker(tmp_path)
    broker.make_certificate()
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
