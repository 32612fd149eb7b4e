"""The source's side of replication: the tail of recent changes in memory, and everything older from the files.

The tail is a bounded ring of the change records that were committed here, in commit order, with a heartbeat a second.
A follower that lost its place in it (a restart of either side, or too far behind) is told so, gets the heads of all
its lanes, and fills each lane from the partition's own change log.
"""

import asyncio
import re
import secrets
from asyncio import Future
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

import structlog

from services.region.engine.feed_tally import FeedTally
from services.region.engine.registry import Registry, Table
from services.region.storage.partition_file import LoggedChange, PartitionFile
from services.region.storage.partition_state import CopyState
from services.region.storage.partitions import Partition
from services.region.storage.reader import RowPlace, before_all
from shared.changes.batches import Delivery
from shared.changes.heartbeats import Heartbeat, encode_heartbeat
from shared.changes.records import Kind, Lane, encode_change
from shared.clock import Clock
from shared.errors import RequestRefusedError
from shared.feed.port import Position
from shared.limits import (
    feed_reply_bytes_max,
    feed_reply_interval_s,
    feed_ring_bytes_max,
    scan_slice_rows_max,
    slots,
    snapshot_page_bytes_max,
)
from shared.model.keys import ItemKey
from shared.model.tables import RegionName, catalog_generation
from shared.topology import Topology

log = structlog.get_logger(__name__)

catalog_lane = Lane(catalog_generation, 0)
_opens_per_slice = 16
_entry_number = re.compile(r"[0-9]{1,18}")


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


class SnapshotPage(NamedTuple):
    positions: Mapping[str, Position]  # by region: what to follow from once the whole snapshot is applied
    deliveries: Sequence[Delivery]
    cursor: str | None
    rows_total: int
    is_whole: bool  # apart from what the target itself has
    collected_timestamp: int  # tombstones up to here may be missing


class _Entry(NamedTuple):
    delivery: Delivery | None
    heartbeat: bytes | None
    size_bytes: int


class FeedRing:
    """The most recent records of this region's feed, numbered 1, 2, 3 … within one life of the process."""

    def __init__(self, bytes_max: int = feed_ring_bytes_max) -> None:
        self._epoch = secrets.token_hex(8)
        self._bytes_max = bytes_max
        self._entries: deque[_Entry] = deque()
        self._size_bytes = 0
        self._last = 0
        self._waiting: list[Future[None]] = []

    @property
    def cursor(self) -> str:
        return self._cursor_at(self._last)

    def append(self, lane: Lane, changes: Sequence[LoggedChange]) -> None:
        for sequence, record in changes:
            self._push(_Entry(Delivery(lane, sequence, record), None, len(record)))
        self._wake()

    def append_heartbeat(self, record: bytes) -> None:
        self._push(_Entry(None, record, len(record)))
        self._wake()

    def after(self, cursor: str) -> Sequence[_Entry] | None:
        """Entries after a cursor, oldest first; None when the ring no longer, or never, held that place."""
        epoch, _, number = cursor.partition(":")
        if epoch != self._epoch or _entry_number.fullmatch(number) is None:
            return None
        missing = self._last - int(number)
        if not 0 <= missing <= len(self._entries):
            return None
        return list(islice(reversed(self._entries), missing))[::-1]

    def cursor_after(self, cursor: str, entries: int) -> str:
        return self._cursor_at(int(cursor.partition(":")[2]) + entries)

    async def wait(self, timeout_s: float) -> None:
        """Until something is appended, or the time is over."""
        arrived: Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(arrived)
        await asyncio.wait((arrived,), timeout=timeout_s)

    def _cursor_at(self, number: int) -> str:
        return f"{self._epoch}:{number}"

    def _push(self, entry: _Entry) -> None:
        self._entries.append(entry)
        self._last += 1
        self._size_bytes += entry.size_bytes
        while self._size_bytes > self._bytes_max:
            self._size_bytes -= self._entries.popleft().size_bytes

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for arrived in waiting:
            if not arrived.done():
                arrived.set_result(None)


class Feed:
    """What other regions' replicators ask of this region as a source."""

    def __init__(
        self,
        registry: Registry,
        *,
        ring: FeedRing,
        definitions: Partition,
        topology: Topology,
        region: str,
        clock: Clock,
    ) -> None:
        self.tally = FeedTally(clock)
        self._registry = registry
        self._ring = ring
        self._definitions = definitions
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

    def is_shared(self, lane: Lane) -> bool:
        """Whether other regions are to get the lane's changes."""
        if lane.generation == catalog_generation:
            return True
        table = self._registry.of(lane.generation)
        return table is not None and table.definition.is_global

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
        partitions = [self._definitions]
        for table in self._registry.all():
            if table.feeds(target):
                partitions += table.partitions
        for count, partition in enumerate(partitions):
            if share.holds(partition.lane):
                heads[partition.lane] = self._head(partition)
            if count % _opens_per_slice == 0:
                await asyncio.sleep(0)
        return heads

    def lane(self, target: RegionName, lane: Lane, *, after: int) -> LaneChanges:
        """The head of a lane and its changes after a sequence, from the change log."""
        partition = self._partition(target, lane)
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

    def snapshot(self, target: RegionName, lane: Lane, *, cursor: str | None) -> SnapshotPage:
        """A page of stored rows with tombstones. Positions are read before any row: rows are never older than they.

        A copy that waits for other regions' changes is given as well: it holds all that its positions say, and what
        was made here, and that is what a region that lost this one's changes is in need of.
        """
        partition = self._partition(target, lane)
        state = partition.state
        if state.completeness is CopyState.COPYING:
            raise RequestRefusedError("not_ready", "this region's own copy is not complete")
        is_whole = state.completeness is CopyState.FOLLOWING or state.lost == {self._topology.named(target).number}
        positions, collected = self.positions(partition), state.collected_timestamp
        if partition.reader is None or cursor == "end":
            return SnapshotPage(positions, (), None, 0, is_whole, collected)
        after = before_all if cursor is None else parse_cursor(cursor)
        deliveries, size_bytes, next_cursor = [], 0, None
        for key, stored in partition.reader.rows_after(after, end_slot=slots, rows_max=scan_slice_rows_max * 4):
            record = encode_change(
                Kind.DELETE if stored.image is None else Kind.PUT,
                lane,
                version=stored.version,
                origin_sequence=0,
                seen=stored.seen,
                commit_us=stored.version.milliseconds * 1000,
                partition_key=key.partition,
                sort_key=key.sort,
                image=stored.image,
            )
            deliveries.append(Delivery(lane, 0, record))
            size_bytes += len(record)
            next_cursor = _format_cursor(key)
            if size_bytes > snapshot_page_bytes_max:
                break
        return SnapshotPage(positions, deliveries, next_cursor, state.item_count, is_whole, collected)

    def positions(self, partition: Partition) -> Mapping[str, Position]:
        """This region's own head under its own name, and its frontier for every other region."""
        state = partition.state
        own = {self._region.name: self._head(partition)}
        return own | {self._topology.numbered(source).name: at for source, at in state.positions.items()}

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
                partition = self._partition(target, lane)
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
            elif delivery is not None and share.holds(delivery.lane) and self._is_for(target, delivery.lane):
                size_bytes += entry_bytes
                deliveries.append(delivery)
            taken += 1
            if size_bytes > feed_reply_bytes_max:
                break
        return Tail(self._ring.cursor_after(cursor, taken), deliveries, heartbeats)

    def _head(self, partition: Partition) -> Position:
        return Position(partition.state.origin_sequence, commit_us=partition.state.head_us)

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

    def _is_for(self, target: RegionName, lane: Lane) -> bool:
        if lane.generation == catalog_generation:
            return True
        table = self._registry.of(lane.generation)
        return table is not None and table.feeds(target)

    def _partition(self, target: RegionName, lane: Lane) -> Partition:
        if lane == catalog_lane:
            return self._definitions
        table: Table | None = self._registry.of(lane.generation)
        if table is None or not 0 <= lane.partition < table.partition_count:
            raise RequestRefusedError("no_lane", "this region has no such table")
        if not table.feeds(target):
            raise RequestRefusedError("not_registered", f"{target} is not known here as a replica of the table")
        return table.partitions[lane.partition]


class LoseSource:
    """Job: changes of another region can't be had by following it; this partition needs a copy of what it has.

    `origin_sequence_min`: sequences up to here were given to changes that are not here any more, and not again.
    """

    __slots__ = ("_origin_sequence_min", "_source")

    def __init__(self, source: int, *, origin_sequence_min: int = 0) -> None:
        self._source = source
        self._origin_sequence_min = origin_sequence_min

    def run(self, file: PartitionFile, now_us: int) -> None:  # noqa: ARG002 - a job is given the time
        file.raise_origin_sequence(self._origin_sequence_min)
        if file.state.completeness is not CopyState.COPYING:
            file.write_lost(file.state.lost | {self._source})
            file.state.completeness = CopyState.NEEDS_RESYNC


class Acknowledge:
    """Job: a target has applied this lane up to a sequence."""

    __slots__ = ("_region", "_sequence")

    def __init__(self, region: int, sequence: int) -> None:
        self._region = region
        self._sequence = sequence

    def run(self, file: PartitionFile, now_us: int) -> None:  # noqa: ARG002 - a job is given the time
        file.write_follower(self._region, self._sequence)


def _format_cursor(key: ItemKey) -> str:
    return f"{key.slot}.{key.partition.hex()}.{key.sort.hex()}"


def parse_cursor(cursor: str) -> RowPlace:
    try:
        slot, partition, sort = cursor.split(".")
        return int(slot), bytes.fromhex(partition), bytes.fromhex(sort)
    except ValueError as error:
        raise RequestRefusedError("bad_cursor", "not a cursor of a snapshot page") from error
