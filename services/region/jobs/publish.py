"""Publishing to Kafka: every change made here, in origin sequence order per lane, at least once.

The change log is the queue. A lane that has moved is read from its published position on and sent; the position is
kept in the partition file, written behind at the pace of the heartbeat, so a restart repeats at most a second's
changes. While Kafka is down nothing is held in memory and local reads and writes go on; `problem` says why, and the
metric `meridian_kafka_takes_changes` is 0.
"""

import asyncio
from collections.abc import Sequence

import structlog
from prometheus_client import CollectorRegistry, Gauge

from services.region.engine.feed import Feed
from services.region.engine.lanes import Lanes
from services.region.engine.registry import Registry
from services.region.storage.catalog import Catalog
from services.region.storage.partition_file import LoggedChange, PartitionFile
from services.region.storage.partitions import Partition
from shared.changes.records import Lane
from shared.errors import MeridianError
from shared.feed.kafka.publisher import KafkaPublisher
from shared.feed.port import FeedUnavailableError
from shared.model.tables import Generation

log = structlog.get_logger(__name__)

_batch_bytes_max = 1024 * 1024
_batch_rows_max = 1000
_lanes_at_once = 16
publish_retry_s = 1.0
topic_removal_interval_s = 10.0
_opens_per_slice = 16


class Publish:
    """`run` is a job that never ends by itself; `committed` is called on the commit path and only takes notes."""

    def __init__(
        self,
        registry: Registry,
        lanes: Lanes,
        *,
        catalog: Catalog,
        feed: Feed,
        publisher: KafkaPublisher,
        metrics: CollectorRegistry,
    ) -> None:
        self.problem: str | None = None  # why Kafka took nothing the last time
        self._registry = registry
        self._catalog = catalog
        self._lanes = lanes
        self._feed = feed
        self._publisher = publisher
        self._published: dict[Lane, int] = {}
        self._unsaved: dict[Lane, int] = {}
        self._waiting: dict[Lane, Partition] = {}
        self._prepared: set[Generation] = set()
        self._removed: set[Generation] = set()
        self._arrived = asyncio.Event()
        takes_changes = Gauge(
            "meridian_kafka_takes_changes",
            "1 when Kafka has taken what was last sent, 0 while changes wait in the change log.",
            registry=metrics,
        )
        takes_changes.set_function(lambda: self.problem is None)

    def committed(self, partition: Partition, changes: Sequence[LoggedChange]) -> None:  # noqa: ARG002 - the log is read
        self._waiting[partition.lane] = partition
        self._arrived.set()

    async def run(self) -> None:
        """Publishes until it is cancelled; what was left by an earlier life of the process goes first."""
        await self._find_unpublished()
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            lanes = list(self._waiting.values())
            for start in range(0, len(lanes), _lanes_at_once):
                await asyncio.gather(*map(self._publish, lanes[start : start + _lanes_at_once]))
            if self._waiting:
                await asyncio.sleep(0 if self.problem is None else publish_retry_s)
                self._arrived.set()

    async def beat(self) -> None:
        """Saves positions, then says in a heartbeat how far each lane that moved is published."""
        moved, self._unsaved = self._unsaved, {}
        try:
            await self._prepare_topics()
            partitions = ((self._lanes.of(lane), sequence) for lane, sequence in moved.items())
            await asyncio.gather(
                *(each.submit(SavePublished(sequence)) for each, sequence in partitions if each is not None)
            )
            await self._publisher.publish_heartbeat(self._feed.heartbeat(moved))
        except FeedUnavailableError as error:
            self._unsaved = moved | self._unsaved
            self._is_down(error)
        except MeridianError:
            self._unsaved = moved | self._unsaved
            raise
        else:
            self._feed.tally.heartbeats += 1
            self._is_up()

    async def remove_topics(self) -> None:
        """Deletes the topics of tables whose replica here is gone, which it is once all others have its changes."""
        retired = await asyncio.to_thread(self._catalog.retired_generations)
        gone = {generation for generation in retired if self._registry.of(generation) is None}
        self._prepared -= gone
        self._removed &= gone
        if self.problem is None:
            await self._publisher.remove(gone - self._removed)
            self._removed = gone

    async def _prepare_topics(self) -> None:
        """Makes the topic of a table that has become global before its first change, so that followers find it."""
        for table in self._registry.all():
            if table.definition.is_global and table.generation not in self._prepared:
                await self._publisher.prepare(table.generation, partition_count=table.partition_count)
                self._prepared.add(table.generation)

    async def _publish(self, partition: Partition) -> None:
        """Sends what a lane's log holds beyond its published position."""
        lane = partition.lane
        published = self._published.setdefault(lane, partition.state.published_sequence)
        reader = partition.reader
        changes: Sequence[LoggedChange] = ()
        if reader is not None:
            changes = reader.changes_after(published, bytes_max=_batch_bytes_max, rows_max=_batch_rows_max)
        if not changes:
            self._waiting.pop(lane, None)
            return
        try:
            await self._publisher.publish(lane, changes, partition_count=self._lanes.partition_count(lane))
        except FeedUnavailableError as error:
            self._is_down(error)
            return
        self._is_up()
        for change in changes:
            self._feed.tally.readable((change,))
        self._published[lane] = self._unsaved[lane] = changes[-1].origin_sequence
        if changes[-1].origin_sequence >= partition.state.origin_sequence:
            self._waiting.pop(lane, None)

    def _is_down(self, error: FeedUnavailableError) -> None:
        if self.problem is None:
            log.warning("Kafka takes no changes; they wait in the change log", reason=str(error))
        self.problem = str(error)

    def _is_up(self) -> None:
        if self.problem is not None:
            log.info("Kafka takes changes again")
        self.problem = None

    async def _find_unpublished(self) -> None:
        for count, partition in enumerate(self._lanes.all_shared()):
            if partition.state.origin_sequence > partition.state.published_sequence:
                self.committed(partition, ())
            if count % _opens_per_slice == 0:
                await asyncio.sleep(0)


class SavePublished:
    """Job: Kafka has everything made here up to a sequence."""

    __slots__ = ("_sequence",)

    def __init__(self, sequence: int) -> None:
        self._sequence = sequence

    def run(self, file: PartitionFile, now_us: int) -> None:  # noqa: ARG002 - a job is given the time
        file.state.published_sequence = max(file.state.published_sequence, self._sequence)
