"""Sources of a feed under the control of a test: one per way in which changes are carried."""

import asyncio
import uuid
from collections.abc import Iterable, Mapping
from typing import Protocol

from aiokafka.admin import AIOKafkaAdminClient

from shared.changes.batches import Delivery
from shared.changes.heartbeats import Heartbeat, encode_heartbeat
from shared.changes.records import Lane
from shared.feed.kafka.follower import KafkaFeed
from shared.feed.kafka.publisher import KafkaPublisher
from shared.feed.kafka.topics import topic_of
from shared.feed.port import Feed
from shared.feed.region_log import RegionLogFeed
from tests.contracts.ring_server import RingServer, region_number

partition_count = 4
token = "secret"


def record_of(lane: Lane, sequence: int) -> bytes:
    """A feed carries bytes; what they mean is not its business."""
    return f"{lane.generation.hex()}/{lane.partition}/{sequence}".encode()


class Source(Protocol):
    async def publish(self, lane: Lane, sequences: Iterable[int]) -> None: ...

    async def beat(self, heads: Mapping[Lane, int], *, time_us: int) -> None: ...

    async def lose_everything(self, lane: Lane) -> None:
        """What carries the changes forgets all that it held of a lane, as if it were new."""
        ...

    def open_feed(self) -> Feed: ...

    def open_feed_of_nobody(self) -> Feed:
        """A feed whose source is not there."""
        ...


class RegionLogSource:
    def __init__(self, server: RingServer) -> None:
        self._server = server

    async def publish(self, lane: Lane, sequences: Iterable[int]) -> None:
        for sequence in sequences:
            self._server.ring.append(Delivery(lane, sequence, record_of(lane, sequence)))

    async def beat(self, heads: Mapping[Lane, int], *, time_us: int) -> None:
        self._server.ring.append(encode_heartbeat(Heartbeat(region_number, time_us, heads)))

    async def lose_everything(self, lane: Lane) -> None:  # noqa: ARG002 - one ring carries all lanes
        self._server.ring.restart()

    def open_feed(self) -> Feed:
        return RegionLogFeed(self._server.endpoint, source="source", token=token, target="target")

    def open_feed_of_nobody(self) -> Feed:
        return RegionLogFeed("http://127.0.0.1:1", source="source", token=token, target="target")


class KafkaSource:
    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._region = f"test-{uuid.uuid4().hex}"
        self._publisher = KafkaPublisher(bootstrap, region=self._region)

    async def publish(self, lane: Lane, sequences: Iterable[int]) -> None:
        records = [(sequence, record_of(lane, sequence)) for sequence in sequences]
        await self._publisher.publish(lane, records, partition_count=partition_count)

    async def beat(self, heads: Mapping[Lane, int], *, time_us: int) -> None:
        await self._publisher.publish_heartbeat(encode_heartbeat(Heartbeat(region_number, time_us, heads)))

    async def lose_everything(self, lane: Lane) -> None:
        """The topic is deleted; the next publication makes it anew."""
        topic = topic_of(self._region, lane)
        client = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await client.start()
        try:
            await client.delete_topics([topic])
            async with asyncio.timeout(10):
                while topic in await client.list_topics():
                    pass
        finally:
            await client.close()
        await self._publisher.close()
        self._publisher = KafkaPublisher(self._bootstrap, region=self._region)

    def open_feed(self) -> Feed:
        return KafkaFeed(self._bootstrap, source=self._region)

    def open_feed_of_nobody(self) -> Feed:
        return KafkaFeed("127.0.0.1:1", source=self._region)

    async def close(self) -> None:
        await self._publisher.close()
