"""Fixtures of the contract suites."""

from tests.kafka.brokers import kafka_bootstrap

__all__ = ["kafka_bootstrap"]
