"""Brokers for tests: the one that `KAFKA_BOOTSTRAP` names, or one of our own; and one of our own to be broken."""

import os
from collections.abc import Iterator

import pytest

from services.lab.kafka_broker import KafkaBroker


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
