"""The partitions that are in this process: reached by lane, opened on demand, closed when long unused.

A partition costs nothing until it is written or read: no file before its first write, no descriptors before its first
use. The engine asks for a partition and never assumes anything about files, so that one day it may live elsewhere.
"""

import asyncio
from asyncio import Future
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from services.region.rules.stored import StoredItem
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partition_state import PartitionState
from services.region.storage.reader import PartitionReader
from services.region.storage.writer import Group, Hold, Job, Writer
from services.region.storage.writer_threads import WriterThreads
from shared.changes.records import Lane
from shared.clock import Clock
from shared.limits import open_partitions_max
from shared.model.keys import ItemKey

Answer = TypeVar("Answer")

CommittedHook = Callable[["Partition", Group], None]

_idle_ticks = 3


class Partition:
    """One partition as the event loop sees it: reads at once, writes through its writer."""

    def __init__(self, owner: "Partitions", lane: Lane, path: Path, *, first_state: PartitionState) -> None:
        self.lane = lane
        self.path = path
        self._owner = owner
        self._first_state = first_state
        self._state: PartitionState | None = None
        self._exists = path.exists()
        self._reader: PartitionReader | None = None
        self.used_tick = 0
        self._writer = Writer(
            loop=owner.loop,
            threads=owner.threads,
            number=lane.partition,
            clock=owner.clock,
            open_file=self._open_file,
            committed=self._committed,
        )

    @property
    def state(self) -> PartitionState:
        """As of the last commit."""
        if self._state is None:
            reader = self.reader
            self._state = self._first_state if reader is None else reader.state()
        return self._state

    @property
    def known_state(self) -> PartitionState | None:
        """The state if it is in memory; looking does not open the file."""
        return self._state

    @property
    def reader(self) -> PartitionReader | None:
        """None while nothing was ever written."""
        self.used_tick = self._owner.tick
        if self._reader is None and self._exists:
            self._reader = self._owner.open_reader(self)
            self._exists = self._reader is not None
        return self._reader

    @property
    def is_open(self) -> bool:
        return self._reader is not None or not self._writer.is_closed

    def read(self, key: ItemKey) -> StoredItem | None:
        """A point read of what is committed; the point reads of one turn of the event loop share a transaction."""
        reader = self._reader or self.reader
        if reader is None:
            return None
        self.used_tick = self._owner.tick
        if reader.begin():
            self._owner.loop.call_soon(reader.end)
        return reader.read(key)

    def submit(self, job: Job[Answer]) -> "Future[Answer]":
        """Runs a job in the partition's next transaction; the future resolves when that is durable."""
        self.used_tick = self._owner.tick
        if self._writer.is_closed:
            self._owner.make_room()
        return self._writer.submit(job)

    def hold(self) -> "Future[Hold]":
        """Lets nobody else write from then on; what is committed stays readable, and nothing is added to it."""
        self.used_tick = self._owner.tick
        if self._writer.is_closed:
            self._owner.make_room()
        return self._writer.hold()

    async def drain(self) -> None:
        await self._writer.drain()

    def close(self) -> None:
        """Gives descriptors back; the next use opens again. Only while nothing is queued."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        self._writer.close_file()

    def end(self) -> None:
        """Closes for good, before the file is deleted: whoever still reads finds nothing more."""
        self.close()
        self._exists = False

    def is_unused(self, tick: int) -> bool:
        return self.is_open and self._writer.is_idle and tick - self.used_tick >= _idle_ticks

    def _open_file(self) -> PartitionFile:
        return self._owner.open_file(self, self._first_state)

    def _committed(self, group: Group) -> None:
        if group.state is not None:
            self._exists = True
            self._state = group.state
        if self._reader is not None:
            self._reader.end()  # what is acknowledged from here on must be seen
        self._owner.committed(self, group)


class Partitions:
    """All partitions of a region; `committed` is told of every group before its writers are woken."""

    def __init__(
        self,
        folder: Path,
        *,
        key: bytes,
        region: int,
        clock: Clock,
        writer_threads: int,
        committed: CommittedHook,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.threads = WriterThreads(writer_threads)
        self.clock = clock
        self.committed = committed
        self.tick = 0
        self._folder = folder
        self._key = key
        self._region = region
        self._partitions: dict[Lane, Partition] = {}
        self._opened = 0

    def of(self, lane: Lane, *, first_state: PartitionState | None = None) -> Partition:
        """The partition of a lane; `first_state` is what a file that is not there yet starts with."""
        partition = self._partitions.get(lane)
        if partition is None:
            path = self._folder / lane.generation.hex() / f"{lane.partition}.db"
            partition = Partition(self, lane, path, first_state=first_state or PartitionState())
            self._partitions[lane] = partition
        return partition

    def all(self) -> Iterator[Partition]:
        return iter(list(self._partitions.values()))

    async def release(self, lane: Lane) -> None:
        """Closes a partition and keeps nothing of it in memory; its file stays."""
        partition = self._partitions.pop(lane, None)
        if partition is not None:
            await partition.drain()
            partition.end()

    async def forget(self, lane: Lane) -> None:
        """Closes a partition and deletes its file."""
        partition = self.of(lane)
        await self.release(lane)
        closed: Future[None] = self.loop.create_future()
        self.threads.run(lane.partition, lambda: self._delete(partition.path, closed))
        await closed

    def close_unused(self) -> None:
        """One tick of the idle clock: closes what was not used for some ticks, and more when too many are open."""
        self.tick += 1
        for partition in self._partitions.values():
            if partition.is_unused(self.tick):
                partition.close()

    async def close(self) -> None:
        """Flushes and closes everything; nothing may be submitted any more."""
        for partition in self._partitions.values():
            await partition.drain()
            partition.close()
        await asyncio.to_thread(self.threads.stop)

    def open_file(self, partition: Partition, first_state: PartitionState) -> PartitionFile:
        return PartitionFile(
            partition.path, self._key, lane=partition.lane, region=self._region, first_state=first_state
        )

    def open_reader(self, partition: Partition) -> PartitionReader | None:
        """None for a file whose making was cut short: nothing was ever committed to it."""
        self.make_room()
        reader = PartitionReader(partition.path, self._key)
        if reader.is_made():
            return reader
        reader.close()
        return None

    def make_room(self) -> None:
        """Called before a file is opened; now and then closes those that were not used for longest."""
        self._opened += 1
        if self._opened % (open_partitions_max // 4) == 0:
            opened = [partition for partition in self._partitions.values() if partition.is_open]
            if len(opened) < open_partitions_max:
                return
            for partition in sorted(opened, key=lambda each: each.used_tick)[: open_partitions_max // 4]:
                if partition.is_unused(self.tick + _idle_ticks):
                    partition.close()

    def _delete(self, path: Path, closed: "Future[None]") -> None:
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        self.loop.call_soon_threadsafe(closed.set_result, None)
