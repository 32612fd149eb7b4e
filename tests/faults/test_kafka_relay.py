"""A broker behind a relay: a reader on the far side of a cut hears nothing of it, whatever addresses it has learnt."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.lab.kafka_broker import KafkaBroker, ProxiedListener
from services.lab.ports import free_ports, loopback
from services.lab.relay import Relay

topic = TopicPartition("changes", 0)
silence_ms = 500


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    relay = Relay(free_ports(1)[0])
    yield relay
    relay.close()


async def test_a_cut_between_a_reader_and_a_broker_is_silent_and_heals(relay: Relay, tmp_path: Path) -> None:
    relay_port = await relay.listen()
    broker = KafkaBroker(tmp_path, proxied=[ProxiedListener(relay.upstream_port, relay_port)])
    await asyncio.to_thread(broker.start)
    try:
        await _make_topic(broker)
        await _follow_through(relay, relay_port, broker)
    finally:
        await asyncio.to_thread(broker.stop)


async def _make_topic(broker: KafkaBroker) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic.topic, 1, 1)])
    await admin.close()


async def _follow_through(relay: Relay, relay_port: int, broker: KafkaBroker) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all", enable_idempotence=False)
    consumer = AIOKafkaConsumer(bootstrap_servers=f"{loopback}:{relay_port}", auto_offset_reset="earliest")
    await producer.start()
    await consumer.start()
    consumer.assign([topic])
    try:
        await producer.send_and_wait(topic.topic, b"before")
        assert (await consumer.getone()).value == b"before"
        relay.cut()
        await producer.send_and_wait(topic.topic, b"during")
        assert await consumer.getmany(timeout_ms=silence_ms) == {}
        relay.heal()
        assert (await consumer.getone()).value == b"during"
    finally:
        await consumer.stop()
        await producer.stop()
