"""The source's side of replication: the tail of recent changes, and everything older from the change logs.

A follower reads the tail, which has a heartbeat a second. One that lost its place in it (a restart of either side, or
too far behind) is told so, gets the heads of all its lanes, and fills each lane from the partition's own change log.
What it says to have applied is remembered, so that the log may be trimmed, and so that a source notices what it lost.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import structlog

from services.region.engine.copies import LoseSource
from services.region.engine.feed_ring import FeedRing
from services.region.engine.feed_tally import FeedTally
from services.region.engine.lanes import Lanes
from services.region.engine.registry import Registry
from services.region.storage.partition_file import LoggedChange, PartitionFile
from services.region.storage.partitions import Partition
from shared.changes.batches import Delivery
from shared.changes.heartbeats import Heartbeat, encode_heartbeat
from shared.changes.records import Lane
from shared.clock import Clock
from shared.errors import RequestRefusedError
from shared.feed.port import Position
from shared.limits import (
    feed_reply_bytes_max,
    feed_reply_interval_s,
    scan_slice_rows_max,
)
from shared.model.tables import RegionName
from shared.topology import Topology

log = structlog.get_logger(__name__)

_opens_per_slice = 16


class Share(NamedTuple):
    """Which lanes a worker follows: those whose partition number leaves `rank` when divided by `workers`."""

    rank: int
    workers: int

    def holds(self, lane: Lane) -> bool:
        return lane.partition % self.workers == self.rank


class Tail(NamedTuple):
    """What a follower gets for its cursor; `interrupted`: records may have been left out, heartbeats hold all heads."""

    cursor: str
    deliveries: Sequence[Delivery]
    heartbeats: Sequence[bytes]
    interrupted: bool = False
    head_times: Mapping[Lane, int] = {}  # of the heads that an interrupted follower is told


class LaneChanges(NamedTuple):
    """A lane's own changes behind a sequence; `commit_us` is that of the sequence itself, 0 when it is not known."""

    head: int
    deliveries: Sequence[Delivery]
    commit_us: int


class Feed:
    """What other regions' replicators ask of this region as a source."""

    def __init__(
        self,
        registry: Registry,
        lanes: Lanes,
        *,
        ring: FeedRing,
        topology: Topology,
        region: str,
        clock: Clock,
    ) -> None:
        self.tally = FeedTally(clock)
        self._registry = registry
        self._lanes = lanes
        self._ring = ring
        self._topology = topology
        self._region = topology.named(region)
        self._clock = clock
        self._moved: dict[Lane, int] = {}
        self._replied_s: dict[tuple[str, Share], float] = {}

    def committed(self, partition: Partition, changes: Sequence[LoggedChange]) -> None:
        """Takes a shared lane's new changes up into the tail."""
        self._moved[partition.lane] = changes[-1].origin_sequence
        self._ring.append(partition.lane, changes)
        self.tally.readable(changes)

    async def beat(self) -> None:
        """The heartbeat: the time, and the head of every lane that moved since the one before."""
        moved, self._moved = self._moved, {}
        self._ring.append_heartbeat(self.heartbeat(moved))
        self.tally.heartbeats += 1

    def heartbeat(self, heads: Mapping[Lane, int]) -> bytes:
        """An encoded heartbeat of now with these heads."""
        return encode_heartbeat(Heartbeat(self._region.number, self._clock.wall_us(), heads))

    async def tail(self, target: RegionName, cursor: str | None, *, wait_s: float, share: Share) -> Tail:
        """What happened since `cursor`, waiting for something; replies to a follower are a few milliseconds apart."""
        key = (target, share)
        pause_s = self._replied_s.get(key, 0.0) + feed_reply_interval_s - self._clock.monotonic_s()
        if pause_s > 0:
            await asyncio.sleep(pause_s)
        deadline_s = self._clock.monotonic_s() + wait_s
        tail = await self._tail_now(target, cursor, share)
        while not tail.deliveries and not tail.heartbeats and (left_s := deadline_s - self._clock.monotonic_s()) > 0:
            await self._ring.wait(left_s)
            tail = await self._tail_now(target, tail.cursor, share)
        self._replied_s[key] = self._clock.monotonic_s()
        return tail

    async def heads(self, target: RegionName, share: Share) -> Mapping[Lane, Position]:
        """The last change of every lane that `target` follows; sequence 0 where nothing was written yet."""
        heads = {}
        for count, partition in enumerate(self._lanes.all_fed(target)):
            if share.holds(partition.lane):
                heads[partition.lane] = partition.state.head
            if count % _opens_per_slice == 0:
                await asyncio.sleep(0)
        return heads

    def lane(self, target: RegionName, lane: Lane, *, after: int) -> LaneChanges:
        """The head of a lane and its changes after a sequence, from the change log."""
        partition = self._lanes.fed(target, lane)
        head = partition.state.origin_sequence
        commit_us = self._commit_us(partition, after)
        if after >= head or partition.reader is None:
            return LaneChanges(head, (), commit_us)
        changes = partition.reader.changes_after(
            after, bytes_max=feed_reply_bytes_max, rows_max=scan_slice_rows_max * 8
        )
        if not changes or changes[0].origin_sequence != after + 1:
            raise RequestRefusedError("too_old", f"the change log no longer holds sequence {after + 1}")
        return LaneChanges(head, [Delivery(lane, *change) for change in changes], commit_us)

    async def acknowledge(self, target: RegionName, applied: Mapping[Lane, Position]) -> None:
        """Remembers how far a target has applied each lane, so that the change log may be trimmed up to there.

        A target that has applied a change which was never made here shows that this region's data are older than they
        have been: such a lane has to get back from there what it has lost. Lanes that are not here, or not known to be
        the target's, are passed over: they must not hold up the others.
        """
        number = self._topology.named(target).number
        news = []
        for lane, position in applied.items():
            with suppress(RequestRefusedError):
                partition = self._lanes.fed(target, lane)
                if self._has_lost(partition, position):
                    log.error("data are older than another region knows them", lane=lane, region=target, known=position)
                    news.append(partition.submit(LoseSource(number, origin_sequence_min=position.sequence)))
                    self._registry.touch()
                elif position.sequence > partition.state.followers.get(number, 0):
                    news.append(partition.submit(Acknowledge(number, position.sequence)))
        await asyncio.gather(*news)

    async def _tail_now(self, target: RegionName, cursor: str | None, share: Share) -> Tail:
        entries = None if cursor is None else self._ring.after(cursor)
        if cursor is None or entries is None:
            fresh = self._ring.cursor
            heads = await self.heads(target, share)
            sequences = {lane: head.sequence for lane, head in heads.items()}
            times = {lane: head.commit_us for lane, head in heads.items() if head.commit_us}
            return Tail(fresh, (), (self.heartbeat(sequences),), interrupted=True, head_times=times)
        deliveries, heartbeats, size_bytes, taken = [], [], 0, 0
        for delivery, heartbeat, entry_bytes in entries:
            if heartbeat is not None:
                heartbeats.append(heartbeat)
            elif delivery is not None and share.holds(delivery.lane) and self._lanes.is_fed(target, delivery.lane):
                size_bytes += entry_bytes
                deliveries.append(delivery)
            taken += 1
            if size_bytes > feed_reply_bytes_max:
                break
        return Tail(self._ring.cursor_after(cursor, taken), deliveries, heartbeats)

    def _commit_us(self, partition: Partition, sequence: int) -> int:
        """When a change made here was committed; 0 when that is not known any more, or there was none."""
        state = partition.state
        if sequence == state.origin_sequence:
            return state.head_us
        return 0 if partition.reader is None else partition.reader.commit_us_of(sequence)

    def _has_lost(self, partition: Partition, applied: Position) -> bool:
        head = partition.state.origin_sequence
        if applied.sequence > head or applied.sequence <= 0 or not applied.commit_us:
            return applied.sequence > head
        commit_us = self._commit_us(partition, applied.sequence)
        return commit_us not in (0, applied.commit_us)


class Acknowledge:
    """Job: a target has applied this lane up to a sequence."""

    __slots__ = ("_region", "_sequence")

    def __init__(self, region: int, sequence: int) -> None:
        self._region = region
        self._sequence = sequence

    def run(self, file: PartitionFile, now_us: int) -> None:  # noqa: ARG002 - a job is given the time
        file.write_follower(self._region, self._sequence)
