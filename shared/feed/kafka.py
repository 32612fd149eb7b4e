"""The feed on Kafka: one cluster per region, one topic per table, one topic partition per partition.

Sequences decide, offsets only say where to read on: records carry their origin sequence as key, repeats are harmless,
and whatever Kafka may have lost (a log cut short, a topic emptied or made anew) is reported as an interruption, so
that it is filled from the source's own change log. The only module that knows aiokafka.
"""

import asyncio
import logging
import socket
import struct
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    OffsetOutOfRangeError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from shared.changes.batches import Delivery, no_offset
from shared.changes.heartbeats import Heartbeat, decode_heartbeat
from shared.changes.records import Lane
from shared.errors import CorruptRecordError
from shared.feed.kafka_access import KafkaAccess
from shared.feed.port import FeedBatch, FeedUnavailableError, Position
from shared.limits import feed_reply_bytes_max
from shared.model.tables import Generation, catalog_generation

log = logging.getLogger(__name__)

start_limit_s = 3.0
fetch_wait_ms = 500  # a broker answers nothing else on the connection while it waits for records
answer_limit_s = 3.0
stop_limit_s = 1.0
silence_s_max = 3.0  # a source that is well sends a heartbeat every second
missing_first_s, missing_max_s = 0.25, 2.0  # how often topics are looked for that don't exist yet
records_per_poll_max = 4096
publish_limit_s = 10.0
batch_bytes_max = 512 * 1024
record_bytes_max = 8 * 1024 * 1024  # the largest item, written as JSON, with its vector and keys

_sequence = struct.Struct(">Q")


def catalog_topic(region: str) -> str:
    return f"meridian.{region}.catalog"


def heartbeats_topic(region: str) -> str:
    return f"meridian.{region}.heartbeats"


def table_topic(region: str, generation: Generation) -> str:
    return f"meridian.{region}.table.{generation.hex()}"


def topic_of(region: str, lane: Lane) -> str:
    return catalog_topic(region) if lane.generation == catalog_generation else table_topic(region, lane.generation)


def quiet_clients() -> None:
    """Keeps from the log what clients tell of every attempt to reach a broker that is away: their callers are told too.

    So they are of what is left behind then. Futures with an error that nobody awaits: a batch's waiter in aiokafka, the
    resolution of a host's name in uvloop. A connection of a client whose start was given up, which is closed when it
    is collected.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    error = record.exc_info[1] if record.exc_info else None
    is_abandoned = text.startswith("Future exception was never retrieved")
    return not (
        text.startswith("Unclosed AIOKafkaConnection")
        or (is_abandoned and isinstance(error, KafkaError | socket.gaierror))
    )


class KafkaFeed:
    """`Feed` of one source region. Positions are the target's business; nothing is committed to Kafka."""

    def __init__(self, bootstrap: str, *, source: str, access: KafkaAccess | None = None) -> None:
        self._bootstrap = bootstrap
        self._way_in = _way_in(bootstrap, access)
        self._source = source
        self._heartbeats = TopicPartition(heartbeats_topic(source), 0)
        self._lanes: dict[TopicPartition, Lane] = {}
        self._next: dict[TopicPartition, int | None] = {self._heartbeats: None}  # None: wherever the end is
        self._consumer: AIOKafkaConsumer | None = None
        self._assigned: set[TopicPartition] | None = None  # None: to be assigned anew
        self._missing_s = missing_first_s
        self._look_again_s = 0.0
        self._heard_s = 0.0
        self._interrupted: set[Lane] = set()

    async def follow(self, lanes: Mapping[Lane, Position]) -> None:
        wanted = {TopicPartition(topic_of(self._source, lane), lane.partition): lane for lane in lanes}
        for place in self._lanes.keys() - wanted.keys():
            del self._next[place]
        for place in wanted.keys() - self._lanes.keys():
            self._next[place] = _first_offset(lanes[wanted[place]])
        self._lanes = wanted
        self._assigned = None
        self._missing_s = missing_first_s

    async def poll(self, *, wait_s: float) -> FeedBatch:
        try:
            consumer = await self._ready_consumer()
            records = await self._records(consumer, wait_s)
        except OffsetOutOfRangeError as error:
            self._lose_place(error.args[0])
            return self._batch({})
        except (KafkaError, OSError, TimeoutError) as error:
            await self.close()
            raise FeedUnavailableError(f"Kafka of {self._source} at {self._bootstrap}: {error!r}") from error
        return self._batch(records)

    async def close(self) -> None:
        consumer, self._consumer, self._assigned = self._consumer, None, None
        if consumer is not None:
            await _stop(consumer)

    async def _ready_consumer(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                **self._way_in,
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="none",
                fetch_max_wait_ms=fetch_wait_ms,
                fetch_max_bytes=feed_reply_bytes_max,
                max_partition_fetch_bytes=feed_reply_bytes_max,
                request_timeout_ms=4000,
            )
            await _start(consumer)
            self._consumer = consumer
            self._heard_s = _now()
        if self._assigned is None or (self._some_are_missing and _now() > self._look_again_s):
            await self._assign(self._consumer)
        return self._consumer

    @property
    def _some_are_missing(self) -> bool:
        return self._assigned is None or len(self._assigned) < len(self._next)

    async def _assign(self, consumer: AIOKafkaConsumer) -> None:
        """Assigns what exists. The rest is looked for again later: a broker may create what is asked for."""
        async with asyncio.timeout(answer_limit_s):
            topics = await consumer.topics()
            present = {place for place in self._next if place.topic in topics}
            self._look_again_s = _now() + self._missing_s
            if present == self._assigned:
                self._missing_s = min(2 * self._missing_s, missing_max_s)
                return
            placeless = [place for place in present if self._next[place] is None]
            ends = await consumer.end_offsets(placeless) if placeless else {}
        for place, end in ends.items():
            if place == self._heartbeats:
                # What heartbeats in between told of any lane is lost; only the source knows the heads now.
                self._next[place] = max(0, end - 1)
                self._interrupted.update(self._lanes.values())
            else:
                self._next[place] = end
                self._interrupted.add(self._lanes[place])
        consumer.assign(present)
        for place in present:
            consumer.seek(place, self._next[place])
        self._assigned = present

    async def _records(
        self, consumer: AIOKafkaConsumer, wait_s: float
    ) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
        if self._some_are_missing:
            wait_s = min(wait_s, max(0.0, self._look_again_s - _now()))
        if not self._assigned:
            await asyncio.sleep(wait_s)
            return {}
        records = await self._fetch(consumer, wait_s)
        if not records and _now() - self._heard_s > silence_s_max:
            records = await self._break_silence(consumer, self._assigned)
        return records

    async def _break_silence(
        self, consumer: AIOKafkaConsumer, assigned: set[TopicPartition]
    ) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
        """Nothing came for long: all well if the broker says that there is nothing. A consumer may just be stuck."""
        async with asyncio.timeout(answer_limit_s):
            ends = await consumer.end_offsets(assigned)
        self._heard_s = _now()
        if all(end <= (self._next[place] or 0) for place, end in ends.items()):
            return {}
        records = await self._fetch(consumer, answer_limit_s)
        if not records:
            raise KafkaTimeoutError("there are records, and none is delivered")
        return records

    async def _fetch(
        self, consumer: AIOKafkaConsumer, wait_s: float
    ) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
        records: Mapping[TopicPartition, Sequence[ConsumerRecord]] = await consumer.getmany(
            timeout_ms=int(wait_s * 1000), max_records=records_per_poll_max
        )
        if records:
            self._heard_s = _now()
        return records

    def _lose_place(self, places: Mapping[TopicPartition, int]) -> None:
        """What stood there is gone; what is there now is in the source's change log, too."""
        log.warning("Kafka no longer has the offsets %s", places)
        for place in places:
            if place in self._next:
                self._next[place] = None
        self._assigned = None

    def _batch(self, records: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> FeedBatch:
        deliveries: list[Delivery] = []
        heartbeats: list[Heartbeat] = []
        for place, found in records.items():
            self._next[place] = found[-1].offset + 1
            if place == self._heartbeats:
                heartbeats += _heartbeats_in(found)
            elif place in self._lanes:
                deliveries += _deliveries_in(found, self._lanes[place])
        interrupted, self._interrupted = self._interrupted, set()
        return FeedBatch(deliveries, heartbeats, interrupted_lanes=interrupted)


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """How topics are made; of those that exist only missing partitions are added."""

    replication_factor: int = 1
    min_insync_replicas: int = 1
    retention_hours: int = 7 * 24
    compression: str = "none"  # or gzip

    def to_configuration(self) -> dict[str, str]:
        return {
            "cleanup.policy": "delete",
            "compression.type": "uncompressed" if self.compression == "none" else self.compression,
            "max.message.bytes": str(record_bytes_max),
            "message.timestamp.type": "CreateTime",
            "min.insync.replicas": str(self.min_insync_replicas),
            "retention.ms": str(self.retention_hours * 3_600_000),
            "retention.bytes": "-1",
            "unclean.leader.election.enable": "false",
        }


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
        self._way_in = _way_in(bootstrap, access)
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
        async with self._errors_translated(), asyncio.timeout(publish_limit_s):
            await self._ensure_topic(table_topic(self._region, generation), partition_count)

    async def publish(self, lane: Lane, records: Sequence[tuple[int, bytes]], *, partition_count: int) -> None:
        """Sends (origin sequence, change record) pairs of one lane and returns when all are acknowledged.

        Raises `FeedUnavailableError`; any part of the records may have arrived then, and all may be sent again.
        """
        place = TopicPartition(topic_of(self._region, lane), lane.partition)
        entries = [(_sequence.pack(sequence), record) for sequence, record in records]
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
            async with asyncio.timeout(publish_limit_s), self._administering() as client:
                present = sorted(unwanted & set(await client.list_topics()))
                answer = await client.delete_topics(present)
                for topic, code in answer.topic_error_codes:
                    _refuse(code, f"topic {topic} can't be deleted", unless=UnknownTopicOrPartitionError)
        except (TimeoutError, KafkaError, OSError) as error:
            raise self._unavailable(error) from error

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)

    async def _send(
        self, place: TopicPartition, entries: Sequence[tuple[bytes | None, bytes]], *, partition_count: int
    ) -> None:
        async with self._lanes.setdefault(place, asyncio.Lock()), self._errors_translated():
            async with asyncio.timeout(publish_limit_s):
                producer = await self._ready_producer()
                await self._ensure_topic(place.topic, partition_count)
            left = list(entries)
            while left:
                async with asyncio.timeout(publish_limit_s):
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
                    max_batch_size=batch_bytes_max,
                    max_request_size=record_bytes_max,
                    request_timeout_ms=int(publish_limit_s * 1000),
                )
                await _start(producer)
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
        client = AIOKafkaAdminClient(**self._way_in, request_timeout_ms=int(publish_limit_s * 1000))
        try:
            await client.start()
            yield client
        finally:
            await client.close()

    def _unavailable(self, error: Exception) -> FeedUnavailableError:
        return FeedUnavailableError(f"Kafka of {self._region} at {self._bootstrap}: {error!r}")


def _way_in(bootstrap: str, access: KafkaAccess | None) -> dict[str, Any]:
    """What every client of aiokafka is to be given."""
    access = access or KafkaAccess()
    return {
        "bootstrap_servers": bootstrap,
        "security_protocol": access.protocol,
        "ssl_context": access.trust,
        "sasl_mechanism": access.mechanism,
        "sasl_plain_username": access.user or None,
        "sasl_plain_password": access.password or None,
    }


def _refuse(code: int, text: str, *, unless: type[KafkaError]) -> None:
    """Raises the error that a code of an answer stands for, but for one that is as good as success."""
    if code and for_code(code) is not unless:
        raise for_code(code)(text)


async def _start(client: AIOKafkaConsumer | AIOKafkaProducer) -> None:
    """Starts a client within a limit, or stops it again."""
    try:
        async with asyncio.timeout(start_limit_s):
            await client.start()
    except BaseException:
        await _stop(client)
        raise


async def _stop(client: AIOKafkaConsumer | AIOKafkaProducer) -> None:
    """Stops a client in bounded time and closes its connections.

    Its own `stop` may hang, or break off with a cancellation that nobody asked for (aiokafka issue 647).
    """
    connections = client.client if isinstance(client, AIOKafkaProducer) else client._client  # noqa: SLF001
    for part in (client.stop, connections.close):
        stopping = asyncio.ensure_future(part())
        done, _ = await asyncio.wait((stopping,), timeout=stop_limit_s)
        if not done:
            stopping.cancel()
        elif not stopping.cancelled() and stopping.exception() is not None:
            log.warning("a Kafka client did not stop in order: %r", stopping.exception())


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


def _first_offset(position: Position) -> int | None:
    """Where to begin: behind a known place, at the beginning for a lane of which we have nothing, else at the end."""
    if position.offset != no_offset:
        return position.offset + 1
    return 0 if position.sequence == 0 else None


def _heartbeats_in(records: Sequence[ConsumerRecord]) -> Sequence[Heartbeat]:
    heartbeats = []
    for record in records:
        try:
            heartbeats.append(decode_heartbeat(record.value or b""))
        except CorruptRecordError as error:
            log.warning("a heartbeat is passed over: %s", error)
    return heartbeats


def _deliveries_in(records: Sequence[ConsumerRecord], lane: Lane) -> Sequence[Delivery]:
    """Records without a sequence are nobody's; if they should have been ours, their absence shows as a gap."""
    return [
        Delivery(lane, _sequence.unpack(record.key)[0], record.value or b"", record.offset)
        for record in records
        if record.key is not None and len(record.key) == _sequence.size
    ]


def _now() -> float:
    return asyncio.get_running_loop().time()
