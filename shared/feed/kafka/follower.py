"""The following side: a consumer with manual assignment, and a watch on whether it still delivers."""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, OffsetOutOfRangeError

from shared.changes.batches import Delivery, no_offset
from shared.changes.heartbeats import Heartbeat, decode_heartbeat
from shared.changes.records import Lane
from shared.errors import CorruptRecordError
from shared.feed.kafka.access import KafkaAccess
from shared.feed.kafka.clients import start, stop, way_in
from shared.feed.kafka.topics import heartbeats_topic, sequence_of, topic_of
from shared.feed.port import FeedBatch, FeedUnavailableError, Position
from shared.limits import feed_reply_bytes_max

log = logging.getLogger(__name__)

_fetch_wait_ms = 500  # a broker answers nothing else on the connection while it waits for records
_answer_limit_s = 3.0
_silence_s_max = 3.0  # a source that is well sends a heartbeat every second
_missing_first_s, _missing_max_s = 0.25, 2.0  # how often topics are looked for that don't exist yet
_records_per_poll_max = 4096


class KafkaFeed:
    """`Feed` of one source region. Positions are the target's business; nothing is committed to Kafka."""

    def __init__(self, bootstrap: str, *, source: str, access: KafkaAccess | None = None) -> None:
        self._way_in = way_in(bootstrap, access)
        self._source = source
        self._heartbeats = TopicPartition(heartbeats_topic(source), 0)
        self._lanes: dict[TopicPartition, Lane] = {}
        self._next: dict[TopicPartition, int | None] = {self._heartbeats: None}  # None: wherever the end is
        self._consumer: AIOKafkaConsumer | None = None
        self._assigned: set[TopicPartition] | None = None  # None: to be assigned anew
        self._missing_s = _missing_first_s
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
        self._missing_s = _missing_first_s

    async def poll(self, *, wait_s: float) -> FeedBatch:
        try:
            consumer = await self._ready_consumer()
            records = await self._records(consumer, wait_s)
        except OffsetOutOfRangeError as error:
            self._lose_place(error.args[0])
            return self._batch({})
        except (KafkaError, OSError, TimeoutError) as error:
            await self.close()
            raise FeedUnavailableError(f"Kafka of {self._source} can't be read: {_reason(error)}") from error
        return self._batch(records)

    async def close(self) -> None:
        consumer, self._consumer, self._assigned = self._consumer, None, None
        if consumer is not None:
            await stop(consumer)

    async def _ready_consumer(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                **self._way_in,
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="none",
                fetch_max_wait_ms=_fetch_wait_ms,
                fetch_max_bytes=feed_reply_bytes_max,
                max_partition_fetch_bytes=feed_reply_bytes_max,
                request_timeout_ms=4000,
            )
            await start(consumer)
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
        async with asyncio.timeout(_answer_limit_s):
            topics = await consumer.topics()
            present = {place for place in self._next if place.topic in topics}
            self._look_again_s = _now() + self._missing_s
            if present == self._assigned:
                self._missing_s = min(2 * self._missing_s, _missing_max_s)
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
        if not records and _now() - self._heard_s > _silence_s_max:
            records = await self._break_silence(consumer, self._assigned)
        return records

    async def _break_silence(
        self, consumer: AIOKafkaConsumer, assigned: set[TopicPartition]
    ) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
        """Nothing came for long: all well if the broker says that there is nothing. A consumer may just be stuck."""
        async with asyncio.timeout(_answer_limit_s):
            ends = await consumer.end_offsets(assigned)
        self._heard_s = _now()
        if all(end <= (self._next[place] or 0) for place, end in ends.items()):
            return {}
        records = await self._fetch(consumer, _answer_limit_s)
        if not records:
            raise KafkaTimeoutError("there are records, and none is delivered")
        return records

    async def _fetch(
        self, consumer: AIOKafkaConsumer, wait_s: float
    ) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
        records: Mapping[TopicPartition, Sequence[ConsumerRecord]] = await consumer.getmany(
            timeout_ms=int(wait_s * 1000), max_records=_records_per_poll_max
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
        Delivery(lane, sequence, record.value or b"", record.offset)
        for record in records
        if (sequence := sequence_of(record.key)) is not None
    ]


def _now() -> float:
    return asyncio.get_running_loop().time()


def _reason(error: KafkaError | OSError) -> str:
    """Without the broker's addresses, which mean nothing to most people."""
    if isinstance(error, KafkaConnectionError):
        return "no connection"
    if type(error) is TimeoutError:
        return "no answer in time"
    return str(error) or type(error).__name__
