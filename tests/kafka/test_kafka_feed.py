"""The feed on a broker that is stopped, killed, frozen and emptied."""

import asyncio
import os
import shutil
import signal
import ssl
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from services.lab.kafka_broker import KafkaBroker
from shared.changes.batches import Delivery
from shared.changes.heartbeats import Heartbeat, encode_heartbeat
from shared.changes.records import Lane
from shared.feed.kafka.access import KafkaAccess
from shared.feed.kafka.follower import KafkaFeed
from shared.feed.kafka.publisher import KafkaPublisher
from shared.feed.kafka.topics import TopicSettings, heartbeats_topic, record_bytes_max, table_topic, topic_of
from shared.feed.port import Feed, FeedUnavailableError, Position
from shared.model.tables import Generation, catalog_generation
from tests.kafka.brokers import SecuredBroker

pytestmark = pytest.mark.timeout(240)

orders = Generation(b"\x0a" * 16)
lane, other = Lane(orders, 0), Lane(orders, 1)
start = Position(0)


@pytest.fixture
def region() -> str:
    return f"test-{uuid.uuid4().hex}"


@asynccontextmanager
async def publishing(bootstrap: str, region: str, topics: TopicSettings | None = None) -> AsyncIterator[KafkaPublisher]:
    publisher = KafkaPublisher(bootstrap, region=region, topics=topics)
    try:
        yield publisher
    finally:
        await publisher.close()


@asynccontextmanager
async def following(bootstrap: str, region: str, *lanes: Lane, at: Position = start) -> AsyncIterator[KafkaFeed]:
    feed = KafkaFeed(bootstrap, source=region)
    await feed.follow(dict.fromkeys(lanes, at))
    try:
        yield feed
    finally:
        await feed.close()


@asynccontextmanager
async def administering(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


@dataclass
class Seen:
    deliveries: list[Delivery] = field(default_factory=list)
    interrupted: set[Lane] = field(default_factory=set)
    failures: int = 0

    def sequences(self, lane: Lane = lane) -> list[int]:
        return list(dict.fromkeys(each.sequence for each in self.deliveries if each.lane == lane))


async def poll_until(feed: Feed, seen: Seen, done: Callable[[Seen], object]) -> None:
    """Polls as a link does: an absence is no end."""
    async with asyncio.timeout(60):
        while not done(seen):
            try:
                batch = await feed.poll(wait_s=0.5)
            except FeedUnavailableError:
                seen.failures += 1
                continue
            seen.deliveries += batch.deliveries
            seen.interrupted |= set(batch.interrupted_lanes)


async def publish(publisher: KafkaPublisher, lane: Lane, sequences: Iterable[int], *, persist: bool = False) -> None:
    records = [(sequence, b"record %d" % sequence) for sequence in sequences]
    async with asyncio.timeout(60):
        while True:
            try:
                return await publisher.publish(lane, records, partition_count=4)
            except FeedUnavailableError:
                if not persist:
                    raise


async def test_a_killed_broker_loses_nothing_that_it_acknowledged(own_broker: KafkaBroker, region: str) -> None:
    """Both sides find it again by themselves, and what was acknowledged arrives in order."""
    async with (
        publishing(own_broker.bootstrap, region) as publisher,
        following(own_broker.bootstrap, region, lane) as feed,
    ):
        seen = Seen()
        await publish(publisher, lane, range(1, 101))
        await poll_until(feed, seen, lambda seen: 100 in seen.sequences())
        own_broker.kill()
        await poll_until(feed, seen, lambda seen: seen.failures)
        with pytest.raises(FeedUnavailableError):
            await publish(publisher, lane, [101])
        await asyncio.to_thread(own_broker.start)
        await publish(publisher, lane, range(101, 201), persist=True)
        await poll_until(feed, seen, lambda seen: 200 in seen.sequences())
        assert seen.sequences() == list(range(1, 201))
        assert not seen.interrupted


async def test_a_broker_that_is_frozen_is_noticed(own_broker: KafkaBroker, region: str) -> None:
    """Connections stand and nothing comes, as behind a cut that swallows packets."""
    assert own_broker.pid is not None
    async with (
        publishing(own_broker.bootstrap, region) as publisher,
        following(own_broker.bootstrap, region, lane) as feed,
    ):
        seen = Seen()
        await publish(publisher, lane, [1])
        await poll_until(feed, seen, lambda seen: 1 in seen.sequences())
        os.kill(own_broker.pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(12):
                await poll_until(feed, seen, lambda seen: seen.failures)
        finally:
            os.kill(own_broker.pid, signal.SIGCONT)
        await publish(publisher, lane, [2], persist=True)
        await poll_until(feed, seen, lambda seen: 2 in seen.sequences())


async def test_a_publisher_that_could_not_reach_the_broker_works_once_it_is_there(
    own_broker: KafkaBroker, region: str
) -> None:
    """A producer may be left unusable by an error; a new one takes over."""
    own_broker.stop()
    async with publishing(own_broker.bootstrap, region) as publisher:
        for _ in range(2):
            with pytest.raises(FeedUnavailableError):
                async with asyncio.timeout(30):
                    await publish(publisher, lane, [1])
        await asyncio.to_thread(own_broker.start)
        await publish(publisher, lane, [1, 2], persist=True)
        async with following(own_broker.bootstrap, region, lane) as feed:
            seen = Seen()
            await poll_until(feed, seen, lambda seen: 2 in seen.sequences())


async def test_a_broker_that_comes_back_empty_is_filled_anew_and_told_as_an_interruption(
    own_broker: KafkaBroker, region: str
) -> None:
    """Both sides remember a topic that is gone; what it held is in the source's change log."""
    async with (
        publishing(own_broker.bootstrap, region) as publisher,
        following(own_broker.bootstrap, region, lane) as feed,
    ):
        seen = Seen()
        await publish(publisher, lane, range(1, 101))
        await poll_until(feed, seen, lambda seen: 100 in seen.sequences())
        own_broker.stop()
        shutil.rmtree(own_broker.folder / "data")
        await asyncio.to_thread(own_broker.start)
        await publish(publisher, lane, range(101, 111), persist=True)
        await poll_until(feed, seen, lambda seen: seen.interrupted)
        await publish(publisher, lane, range(111, 121))
        await poll_until(feed, seen, lambda seen: 120 in seen.sequences())


async def test_a_topic_that_an_operator_deleted_is_made_again(kafka_bootstrap: str, region: str) -> None:
    """The broker answers well all the time, only not for this topic."""
    async with publishing(kafka_bootstrap, region) as publisher:
        await publish(publisher, lane, [1])
        async with administering(kafka_bootstrap) as client:
            await client.delete_topics([topic_of(region, lane)])
        await publish(publisher, lane, [2], persist=True)
        async with following(kafka_bootstrap, region, lane) as feed:
            seen = Seen()
            await poll_until(feed, seen, lambda seen: 2 in seen.sequences())


async def test_a_topic_with_too_few_partitions_gets_the_others(kafka_bootstrap: str, region: str) -> None:
    """A broker that makes topics by itself makes them with as many as it likes."""
    async with administering(kafka_bootstrap) as client:
        await client.create_topics([NewTopic(table_topic(region, orders), 1, 1)])
    async with (
        publishing(kafka_bootstrap, region) as publisher,
        following(kafka_bootstrap, region, lane, other) as feed,
    ):
        seen = Seen()
        await publish(publisher, lane, [1], persist=True)
        await publish(publisher, other, [1], persist=True)
        await poll_until(feed, seen, lambda seen: seen.sequences(lane) and seen.sequences(other))


async def test_topics_of_deleted_tables_are_removed_and_no_others(kafka_bootstrap: str, region: str) -> None:
    """Removing what is not there any more, or never was, is no error. A broker hears of it after the controller."""
    kept, never_made = Generation(b"\x0b" * 16), Generation(b"\x0c" * 16)
    async with publishing(kafka_bootstrap, region) as publisher, administering(kafka_bootstrap) as client:
        await publisher.prepare(orders, partition_count=4)
        await publisher.prepare(kept, partition_count=4)
        for _ in range(2):
            await publisher.remove({orders, never_made})
        while table_topic(region, orders) in (present := await client.list_topics()):
            pass
        assert [topic for topic in present if region in topic] == [table_topic(region, kept)]
        await publisher.prepare(orders, partition_count=4)
        assert table_topic(region, orders) in await client.list_topics()


async def test_a_cluster_with_tls_and_users_lets_in_who_knows_the_password(
    secured_broker: SecuredBroker, region: str
) -> None:
    """Whoever does not, or does not trust its certificate, hears so instead of waiting for ever."""
    user = KafkaAccess("SASL_SSL", _trust_in(secured_broker), "PLAIN", secured_broker.user, secured_broker.password)
    publisher = KafkaPublisher(secured_broker.secured_bootstrap, region=region, access=user)
    feed = KafkaFeed(secured_broker.secured_bootstrap, source=region, access=user)
    await feed.follow({lane: start})
    await publish(publisher, lane, [1, 2], persist=True)
    seen = Seen()
    await poll_until(feed, seen, lambda seen: 2 in seen.sequences())
    await publisher.close()
    await feed.close()
    for access in (replace(user, password="guessed"), replace(user, trust=ssl.create_default_context())):
        stranger = KafkaPublisher(secured_broker.secured_bootstrap, region=region, access=access)
        with pytest.raises(FeedUnavailableError):
            await publish(stranger, lane, [3])
        await stranger.close()


def _trust_in(broker: SecuredBroker) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=broker.certificate)


async def test_an_emptied_topic_is_told_as_an_interruption(kafka_bootstrap: str, region: str) -> None:
    """Retention, or an operator, took records away that were not read yet."""
    async with publishing(kafka_bootstrap, region) as publisher:
        await publish(publisher, lane, range(1, 11))
        async with administering(kafka_bootstrap) as client:
            place = TopicPartition(topic_of(region, lane), lane.partition)
            await client.delete_records({place: RecordsToDelete(before_offset=10)})
        async with following(kafka_bootstrap, region, lane, at=Position(4, 3)) as feed:
            seen = Seen()
            await poll_until(feed, seen, lambda seen: seen.interrupted)
            await publish(publisher, lane, [11])
            await poll_until(feed, seen, lambda seen: 11 in seen.sequences())


async def test_a_position_without_an_offset_begins_at_the_end_and_says_so(kafka_bootstrap: str, region: str) -> None:
    """After a copy the sequence is known and its place in the topic is not; a week of records is not read for it."""
    async with publishing(kafka_bootstrap, region) as publisher:
        await publish(publisher, lane, range(1, 51))
        async with following(kafka_bootstrap, region, lane, at=Position(40)) as feed:
            seen = Seen()
            await poll_until(feed, seen, lambda seen: seen.interrupted)
            await publish(publisher, lane, [51])
            await poll_until(feed, seen, lambda seen: 51 in seen.sequences())
            assert seen.sequences() == [51]


async def test_a_topic_that_comes_later_is_found(kafka_bootstrap: str, region: str) -> None:
    """A table may be written to for the first time long after it was made."""
    async with following(kafka_bootstrap, region, lane, other) as feed:
        seen = Seen()
        await feed.poll(wait_s=0.1)
        async with publishing(kafka_bootstrap, region) as publisher:
            await publish(publisher, lane, [1])
            await publish(publisher, other, [1, 2])
            await poll_until(feed, seen, lambda seen: seen.sequences(lane) and 2 in seen.sequences(other))
        assert (seen.sequences(lane), seen.sequences(other)) == ([1], [1, 2])


async def test_reading_makes_no_topics(kafka_bootstrap: str, region: str) -> None:
    """Brokers may create what is asked for, with settings that nobody chose."""
    async with following(kafka_bootstrap, region, lane) as feed:
        await feed.poll(wait_s=0.5)
    async with administering(kafka_bootstrap) as client:
        assert not [topic for topic in await client.list_topics() if region in topic]


async def test_topics_are_made_as_the_settings_say(kafka_bootstrap: str, region: str) -> None:
    topics = TopicSettings(retention_hours=48, compression="gzip")
    async with publishing(kafka_bootstrap, region, topics) as publisher:
        await publisher.prepare(orders, partition_count=4)
        await publisher.publish(Lane(catalog_generation, 0), [(1, b"definition")], partition_count=1)
        await publisher.publish_heartbeat(encode_heartbeat(Heartbeat(1, 1, {})))
    async with administering(kafka_bootstrap) as client:
        described = {each["topic"]: each for each in await client.describe_topics()}
        [answer] = await client.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, table_topic(region, orders))]
        )
    assert len(described[table_topic(region, orders)]["partitions"]) == 4
    assert len(described[f"meridian.{region}.catalog"]["partitions"]) == 1
    assert len(described[heartbeats_topic(region)]["partitions"]) == 1
    values = {name: value for name, value, *_ in answer.resources[0][4]}
    assert values["retention.ms"] == str(48 * 3_600_000)
    assert values["compression.type"] == "gzip"
    assert values["message.timestamp.type"] == "CreateTime"
    assert values["min.insync.replicas"] == "1"
    assert values["unclean.leader.election.enable"] == "false"


async def test_the_largest_record_passes(kafka_bootstrap: str, region: str) -> None:
    """An item of 400 KB may be several megabytes of JSON."""
    record = os.urandom(record_bytes_max - 1024 * 1024)
    async with (
        publishing(kafka_bootstrap, region) as publisher,
        following(kafka_bootstrap, region, lane) as feed,
    ):
        await publisher.publish(lane, [(1, b"small"), (2, record), (3, b"small")], partition_count=4)
        seen = Seen()
        await poll_until(feed, seen, lambda seen: 3 in seen.sequences())
    assert [each.record for each in seen.deliveries] == [b"small", record, b"small"]


async def test_many_records_keep_their_order(kafka_bootstrap: str, region: str) -> None:
    """They fill many batches, of which one at a time is under way."""
    records = [(sequence, b"x" * 400) for sequence in range(1, 5001)]
    async with (
        publishing(kafka_bootstrap, region, TopicSettings(compression="gzip")) as publisher,
        following(kafka_bootstrap, region, lane) as feed,
    ):
        await asyncio.gather(
            publisher.publish(lane, records[:2500], partition_count=4),
            publisher.publish(lane, records[2500:], partition_count=4),
        )
        seen = Seen()
        await poll_until(feed, seen, lambda seen: 5000 in seen.sequences())
    assert seen.sequences() == list(range(1, 5001))


async def test_records_of_others_in_our_topics_are_passed_over(kafka_bootstrap: str, region: str) -> None:
    """They have no sequence; nothing of ours is lost by it, and the lane goes on."""
    async with (
        publishing(kafka_bootstrap, region) as publisher,
        following(kafka_bootstrap, region, lane) as feed,
    ):
        await publish(publisher, lane, [1])
        await publisher.publish_heartbeat(b"no heartbeat")
        producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap)
        await producer.start()
        for key in (None, b"key"):
            await producer.send_and_wait(topic_of(region, lane), b"value", key=key, partition=lane.partition)
        await producer.stop()
        await publish(publisher, lane, [2])
        seen = Seen()
        await poll_until(feed, seen, lambda seen: 2 in seen.sequences())
    assert seen.sequences() == [1, 2]


async def test_positions_are_not_kept_in_kafka(kafka_bootstrap: str, region: str) -> None:
    """They are stored with what was applied; a second opinion could only be wrong."""
    async with administering(kafka_bootstrap) as client:
        before = await client.list_consumer_groups()
        async with (
            publishing(kafka_bootstrap, region) as publisher,
            following(kafka_bootstrap, region, lane) as feed,
        ):
            await publish(publisher, lane, [1])
            await poll_until(feed, Seen(), lambda seen: seen.sequences())
        assert await client.list_consumer_groups() == before


async def test_the_last_heartbeat_is_read_at_the_start(kafka_bootstrap: str, region: str) -> None:
    """A source that died an hour ago is an hour behind, not unknown."""
    async with publishing(kafka_bootstrap, region) as publisher:
        for time_us in (1, 2, 3):
            await publisher.publish_heartbeat(encode_heartbeat(Heartbeat(1, time_us, {lane: time_us})))
        async with following(kafka_bootstrap, region, lane) as feed, asyncio.timeout(20):
            heartbeats = list((await feed.poll(wait_s=1.0)).heartbeats)
            while not heartbeats:
                heartbeats += (await feed.poll(wait_s=1.0)).heartbeats
    assert [(beat.time_us, beat.heads) for beat in heartbeats] == [(3, {lane: 3})]
