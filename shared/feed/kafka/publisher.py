"""The publishing side: a producer, and the topics that it needs."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from shared.changes.records import Lane
from shared.feed.kafka.access import KafkaAccess
from shared.feed.kafka.clients import start, stop, way_in
from shared.feed.kafka.topics import (
    TopicSettings,
    heartbeats_topic,
    key_of,
    record_bytes_max,
    table_topic,
    topic_of,
)
from shared.feed.port import FeedUnavailableError
from shared.model.tables import Generation

_publish_limit_s = 10.0
_batch_bytes_max = 512 * 1024


class KafkaPublisher:
    """Publishes one region's feed: at least once, in sequence order per lane, acknowledged by all in-sync replicas.

    Idempotence stays off: a batch that expires unsent would leave the producer unusable, and receivers drop repeats.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        region: str,
        topics: TopicSettings | None = None,
        access: KafkaAccess | None = None,
    ) -> None:
        self._bootstrap = bootstrap
        self._way_in = way_in(bootstrap, access)
        self._region = region
        self._topics = topics or TopicSettings()
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._lanes: dict[TopicPartition, asyncio.Lock] = {}
        self._known_topics: set[str] = set()

    @property
    def retention_s(self) -> float:
        """How long topics keep a record, as this publisher makes them."""
        return self._topics.retention_hours * 3600.0

    async def prepare(self, generation: Generation, *, partition_count: int) -> None:
        """Makes a table's topic before its first record, so that followers find it. Raises `FeedUnavailableError`."""
        async with self._errors_translated(), asyncio.timeout(_publish_limit_s):
            await self._ensure_topic(table_topic(self._region, generation), partition_count)

    async def publish(self, lane: Lane, records: Sequence[tuple[int, bytes]], *, partition_count: int) -> None:
        """Sends (origin sequence, change record) pairs of one lane and returns when all are acknowledged.

        Raises `FeedUnavailableError`; any part of the records may have arrived then, and all may be sent again.
        """
        place = TopicPartition(topic_of(self._region, lane), lane.partition)
        entries = [(key_of(sequence), record) for sequence, record in records]
        await self._send(place, entries, partition_count=partition_count)

    async def publish_heartbeat(self, record: bytes) -> None:
        """Raises `FeedUnavailableError`."""
        await self._send(TopicPartition(heartbeats_topic(self._region), 0), [(None, record)], partition_count=1)

    async def remove(self, generations: Collection[Generation]) -> None:
        """Deletes the topics of tables, where there are any. Raises `FeedUnavailableError`."""
        unwanted = {table_topic(self._region, generation) for generation in generations}
        if not unwanted:
            return
        self._known_topics -= unwanted
        try:
            async with asyncio.timeout(_publish_limit_s), self._administering() as client:
                present = sorted(unwanted & set(await client.list_topics()))
                answer = await client.delete_topics(present)
                for topic, code in answer.topic_error_codes:
                    _refuse(code, f"topic {topic} can't be deleted", unless=UnknownTopicOrPartitionError)
        except (TimeoutError, KafkaError, OSError) as error:
            raise self._unavailable(error) from error

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop(producer)

    async def _send(
        self, place: TopicPartition, entries: Sequence[tuple[bytes | None, bytes]], *, partition_count: int
    ) -> None:
        async with self._lanes.setdefault(place, asyncio.Lock()), self._errors_translated():
            async with asyncio.timeout(_publish_limit_s):
                producer = await self._ready_producer()
                await self._ensure_topic(place.topic, partition_count)
            left = list(entries)
            while left:
                async with asyncio.timeout(_publish_limit_s):
                    left = await _send_batch(producer, place, left)

    @asynccontextmanager
    async def _errors_translated(self) -> AsyncIterator[None]:
        """Time-outs leave the producer to its own retries; after any other error a new one takes over.

        Either way topics are looked for again: a broker may have come back without them.
        """
        try:
            yield
        except (TimeoutError, KafkaTimeoutError) as error:
            self._known_topics.clear()
            raise self._unavailable(error) from error
        except (KafkaError, OSError) as error:
            self._known_topics.clear()
            await self.close()
            raise self._unavailable(error) from error

    async def _ready_producer(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self._way_in,
                    acks="all",
                    enable_idempotence=False,
                    compression_type=None if self._topics.compression == "none" else self._topics.compression,
                    max_batch_size=_batch_bytes_max,
                    max_request_size=record_bytes_max,
                    request_timeout_ms=int(_publish_limit_s * 1000),
                )
                await start(producer)
                self._producer = producer
            return self._producer

    async def _ensure_topic(self, topic: str, partition_count: int) -> None:
        if topic in self._known_topics:
            return
        new = NewTopic(
            topic, partition_count, self._topics.replication_factor, topic_configs=self._topics.to_configuration()
        )
        async with self._administering() as client:
            [(_, code, *message)] = (await client.create_topics([new])).topic_errors
            _refuse(code, f"topic {topic} can't be made: {message}", unless=TopicAlreadyExistsError)
            if code:
                [found] = await client.describe_topics([topic])
                if len(found["partitions"]) < partition_count:
                    await client.create_partitions({topic: NewPartitions(partition_count)})
        self._known_topics.add(topic)

    @asynccontextmanager
    async def _administering(self) -> AsyncIterator[AIOKafkaAdminClient]:
        client = AIOKafkaAdminClient(**self._way_in, request_timeout_ms=int(_publish_limit_s * 1000))
        try:
            await client.start()
            yield client
        finally:
            await client.close()

    def _unavailable(self, error: Exception) -> FeedUnavailableError:
        return FeedUnavailableError(f"Kafka of {self._region} at {self._bootstrap}: {error!r}")


async def _send_batch(
    producer: AIOKafkaProducer, place: TopicPartition, entries: Sequence[tuple[bytes | None, bytes]]
) -> list[tuple[bytes | None, bytes]]:
    """Sends as many of the first entries as one batch takes, and returns the others once those are acknowledged."""
    batch = producer.create_batch()
    taken = 0
    for key, value in entries:
        if batch.append(key=key, value=value, timestamp=None) is None:
            break
        taken += 1
    batch.close()
    acknowledged = await producer.send_batch(batch, place.topic, partition=place.partition)
    await acknowledged
    return list(entries[taken:])


def _refuse(code: int, text: str, *, unless: type[KafkaError]) -> None:
    """Raises the error that a code of an answer stands for, but for one that is as good as success."""
    if code and for_code(code) is not unless:
        raise for_code(code)(text)
