"""What can be said of the broker without starting one; tests/kafka and tests/faults start it."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import deploy
from services.lab import kafka_broker
from shared.errors import OperatorError

maven = "{http://maven.apache.org/POM/4.0.0}"


def test_the_cache_is_named_after_the_version_that_the_pom_fetches() -> None:
    pom = ElementTree.parse(Path(kafka_broker.__file__).with_name("kafka_broker.pom.xml"))
    versions = {
        each.findtext(f"{maven}artifactId"): each.findtext(f"{maven}version") for each in pom.iter(f"{maven}dependency")
    }
    assert versions["kafka_2.13"] == kafka_broker.version


def test_a_broker_is_configured_as_the_deployed_one_but_for_its_places(tmp_path: Path) -> None:
    """What is found out about one, such as how soon it is back after a kill, then holds for the other."""
    lines = (Path(deploy.__file__).parent / "kafka" / "server.properties").read_text().splitlines()
    deployed = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    own = {name: str(value) for name, value in kafka_broker.KafkaBroker(tmp_path).properties().items()}
    places = {"controller.quorum.voters", "inter.broker.listener.name", "listener.security.protocol.map", "log.dirs"}
    settings = deployed.keys() - places
    assert {name: own.get(name) for name in settings} == {name: deployed[name] for name in settings}


def test_missing_java_names_the_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OperatorError) as refused:
        kafka_broker.prepare()
    assert "default-jre-headless maven" in refused.value.next_step


def test_missing_maven_matters_only_while_the_cache_is_empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("MERIDIAN_CACHE", str(tmp_path / "cache"))
    with pytest.raises(OperatorError, match="mvn"):
        kafka_broker.prepare()
    home = tmp_path / "cache" / f"kafka-{kafka_broker.version}"
    (home / "libs").mkdir()
    (home / "kafka.jsa").touch()
    kafka_broker.prepare()
