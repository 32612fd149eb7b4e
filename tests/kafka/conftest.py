"""Fixtures of the tests on a real broker."""

from tests.kafka.brokers import kafka_bootstrap, own_broker, secured_broker

__all__ = ["kafka_bootstrap", "own_broker", "secured_broker"]
