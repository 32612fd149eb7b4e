"""Disks that outlive the processes which use them: real partition files and a real catalog, in memory.

The code of `services.region.storage` runs unchanged on SQLite databases without a file. A transaction runs in one go,
so whatever a process leaves behind when it dies is committed; what it had only queued is gone.
"""

import asyncio
from asyncio import Future
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import cast

import apsw

from services.region.rules.stored import StoredItem
from services.region.storage.catalog import Catalog
from services.region.storage.partition_file import CollectedTombstone, PartitionFile
from services.region.storage.partition_state import CopyState, PartitionState, is_made, load_state, open_state
from services.region.storage.partitions import CommittedHook, Partition, Partitions
from services.region.storage.reader import PartitionReader
from services.region.storage.transaction_log import Entry, TransactionLog, TransactionLogFile
from services.region.storage.transaction_log import has_tables as has_log
from services.region.storage.write_ahead_log import WriteAheadLog
from services.region.storage.writer_threads import WriterThreads
from shared.changes.records import Kind, Lane
from shared.clock import Clock
from shared.feed.port import Position
from shared.model.keys import ItemKey
from shared.versions.versions import SeenVector, Version, encode_seen
from tests.simulation.ledger import FoundConflict, Item, Ledger, LocalWrite, StoredChange, Transaction, Violation
from tests.simulation.processes import Process

commit_s_min, commit_s_max = 0.0002, 0.004
slow_commit_chance, slow_commit_s_max = 0.01, 0.4

Reached = Callable[[str], None]


class Disk:
    """`note` is told of every transaction, `broken` of every promise that one did not keep."""

    def __init__(
        self,
        region: str,
        number: int,
        *,
        ledger: Ledger,
        broken: Callable[[Violation], None],
        note: Callable[[object], None],
    ) -> None:
        self.catalog = Catalog(Path(":memory:"), region=region, number=number)
        self.is_full = False
        self.name = region
        self.region = number
        self.ledger = ledger
        self.broken = broken
        self.note = note
        self.losers: set[tuple[Item, Version]] = set()  # in conflict logs that were deleted with their replica
        self.transactions = apsw.Connection(":memory:", statementcachesize=64)
        self._databases: dict[Lane, apsw.Connection] = {}
        ledger.enter(self)

    def replicas(self, lane: Lane) -> Sequence[str]:
        """The regions that have a replica of a lane's table, as this region knows it."""
        tables = (local.definition for local in self.catalog.tables())
        return [name for each in tables if each.generation == lane.generation for name in each.replicas]

    def is_followed(self, lane: Lane) -> bool:
        """Whether the lane's changes of other regions are taken here, and nothing but they is missing."""
        return self.holds(lane) and self.state(lane).completeness is not CopyState.COPYING

    def positions(self, lane: Lane) -> Mapping[int, Position]:
        return self.state(lane).positions

    def holds(self, lane: Lane) -> bool:
        return lane in self._databases and is_made(self._databases[lane], self.path(lane))

    def database(self, lane: Lane) -> apsw.Connection:
        if lane not in self._databases:
            self._databases[lane] = apsw.Connection(":memory:", statementcachesize=64)
        return self._databases[lane]

    def path(self, lane: Lane) -> Path:
        """A name for messages."""
        return Path(f"{self.region}/{lane.generation.hex()}/{lane.partition}.db")

    def state(self, lane: Lane) -> PartitionState:
        return load_state(self._databases[lane])

    def reader(self, lane: Lane) -> PartitionReader:
        return SimulatedReader(self, lane)

    def conflicts(self, lane: Lane) -> set[tuple[Item, Version]]:
        """The losers that the conflict log of a lane shows."""
        if not self.holds(lane):
            return set()
        rows = self._databases[lane].execute("SELECT pk, sk, loser_timestamp, loser_region FROM conflicts")
        return {(Item(lane, pk, sk), Version(timestamp, region)) for pk, sk, timestamp, region in rows}

    def delete(self, lane: Lane) -> None:
        self.losers |= self.conflicts(lane)
        self._databases.pop(lane).close()

    def close(self) -> None:
        self.catalog.close()
        self.transactions.close()
        for database in self._databases.values():
            database.close()


class SimulatedFile(PartitionFile):
    """A partition file that tells the ledger what each of its transactions did."""

    def __init__(self, disk: Disk, lane: Lane, *, first_state: PartitionState) -> None:
        self.path = disk.path(lane)
        self.lane = lane
        self.region = disk.region
        self.logged = []
        self.connection = disk.database(lane)
        self._execute = self.connection.cursor().execute
        self.log = WriteAheadLog(self.connection)
        self.state = open_state(self.connection, self.path, first_state)
        self._before = self.state
        self._disk = disk
        self._done = Transaction(self.region, lane)

    def begin(self) -> None:
        super().begin()
        self._done = Transaction(self.region, self.lane)

    def commit(self) -> None:
        if self._disk.is_full:
            raise apsw.FullError("the disk is full")
        super().commit()
        done = self._done
        done.positions_before, done.positions = self._before.positions, self.state.positions
        done.needs_resync = self.state.completeness is CopyState.NEEDS_RESYNC is not self._before.completeness
        self._disk.note(done)
        try:
            self._disk.ledger.committed(done, self)
        except Violation as violation:
            self._disk.broken(violation)

    def write_decided(
        self,
        key: ItemKey,
        stored: StoredItem | None,
        *,
        kind: Kind,
        image: bytes | None,
        timestamp: int,
        now_us: int,
    ) -> Version:
        version = super().write_decided(key, stored, kind=kind, image=image, timestamp=timestamp, now_us=now_us)
        self._done.local.append(LocalWrite(stored, self.logged[-1].record))
        self._note_row(key, stored)
        return version

    def write_applied(
        self, key: ItemKey, stored: StoredItem | None, arrived: StoredItem, *, record: bytes, now_us: int
    ) -> None:
        super().write_applied(key, stored, arrived, record=record, now_us=now_us)
        self._note_row(key, stored)

    def write_seen(self, key: ItemKey, seen: SeenVector) -> None:
        stored = self.read(key)
        super().write_seen(key, seen)
        if stored is not None:
            self._done.stored.append(StoredChange(key, stored, stored._replace(seen=encode_seen(seen))))

    def write_conflict(self, key: ItemKey, *, loser: StoredItem, winner: StoredItem, now_us: int) -> None:
        super().write_conflict(key, loser=loser, winner=winner, now_us=now_us)
        self._done.conflicts.append(FoundConflict(key, loser, winner))

    def collect_tombstones(self, *, below: int, rows_max: int) -> Sequence[CollectedTombstone]:
        collected = super().collect_tombstones(below=below, rows_max=rows_max)
        self._done.collected += collected
        return collected

    def write_dead_letter(self, source: int, position: Position, *, reason: str, record: bytes, now_us: int) -> None:
        super().write_dead_letter(source, position, reason=reason, record=record, now_us=now_us)
        self._disk.broken(Violation(f"region {self.region} refused change {position.sequence} of {source}: {reason}"))

    def write_follower(self, region: int, sequence: int) -> None:
        super().write_follower(region, sequence)
        self._done.followers[region] = sequence

    def close(self) -> None:
        """The database stays."""

    def _note_row(self, key: ItemKey, before: StoredItem | None) -> None:
        after = self.read(key)
        if after is not None:
            self._done.stored.append(StoredChange(key, before, after))


class SimulatedReader(PartitionReader):
    def __init__(self, disk: Disk, lane: Lane) -> None:
        self._path = disk.path(lane)
        self._is_reading = False
        self._connection = disk.database(lane)
        self._execute = self._connection.cursor().execute

    def begin(self) -> bool:
        """One connection serves both sides, so reads have no transaction of their own; nothing comes between them."""
        return False

    def close(self) -> None:
        """The database stays."""


class SimulatedPartition(Partition):
    def __init__(self, owner: "SimulatedPartitions", lane: Lane, *, first_state: PartitionState) -> None:
        super().__init__(owner, lane, owner.disk.path(lane), first_state=first_state)
        self._exists = owner.disk.holds(lane)


class SimulatedPartitions(Partitions):
    """One life of a region's partitions, as long as its process lives."""

    def __init__(
        self,
        disk: Disk,
        process: Process,
        *,
        clock: Clock,
        chance: Random,
        reached: Reached,
        committed: CommittedHook,
    ) -> None:
        super().__init__(
            Path("no such place"), key=b"", region=disk.region, clock=clock, writer_threads=0, committed=committed
        )
        self.disk = disk
        self.loop = process.loop(chance)
        self.threads = cast("WriterThreads", SimulatedThreads(process, chance, reached))

    def of(self, lane: Lane, *, first_state: PartitionState | None = None) -> Partition:
        partition = self._partitions.get(lane)
        if partition is None:
            partition = SimulatedPartition(self, lane, first_state=first_state or PartitionState())
            self._partitions[lane] = partition
        return partition

    async def forget(self, lane: Lane) -> None:
        await super().forget(lane)
        self.disk.delete(lane)

    def open_file(self, partition: Partition, first_state: PartitionState) -> PartitionFile:
        return SimulatedFile(self.disk, partition.lane, first_state=first_state)

    def open_reader(self, partition: Partition) -> PartitionReader | None:
        self.make_room()
        reader = SimulatedReader(self.disk, partition.lane)
        return reader if reader.is_made() else None

    def _delete(self, path: Path, closed: "Future[None]") -> None:  # noqa: ARG002 - there is no path
        self.loop.call_soon_threadsafe(closed.set_result, None)


class SimulatedTransactionLog(TransactionLog):
    def __init__(self, disk: Disk, partitions: SimulatedPartitions) -> None:
        self._disk = disk
        super().__init__(
            Path(f"{disk.name}/transactions.db"), key=b"", loop=partitions.loop, threads=partitions.threads
        )

    def _is_there(self) -> bool:
        return has_log(self._disk.transactions)

    def _open_file(self) -> TransactionLogFile:
        return SimulatedTransactionLogFile(self._disk)

    def _open_reader(self) -> apsw.Connection:
        return self._disk.transactions


class SimulatedTransactionLogFile(TransactionLogFile):
    def __init__(self, disk: Disk) -> None:
        super().__init__(disk.transactions)
        self._disk = disk

    def write(self, entries: Sequence[tuple[int, Entry]], finished: Sequence[int], *, forgotten_us: int = 0) -> None:
        if self._disk.is_full:
            raise apsw.FullError("the disk is full")
        super().write(entries, finished, forgotten_us=forgotten_us)
        self._disk.note(f"{self._disk.name} log: {[number for number, _ in entries]} decided, {finished} finished")

    def close(self) -> None:
        """The database stays."""


class SimulatedThreads:
    """Writer threads: what a thread is given runs in one go, in order, after the time that a commit takes."""

    def __init__(self, process: Process, chance: Random, reached: Reached) -> None:
        self._process = process
        self._chance = chance
        self._reached = reached
        self._loop = asyncio.get_running_loop()
        self._busy_until_s: dict[int, float] = {}

    def run(self, number: int, task: Callable[[], None]) -> None:
        at_s = max(self._loop.time(), self._busy_until_s.get(number, 0.0)) + self._duration_s()
        self._busy_until_s[number] = at_s
        self._loop.call_at(at_s, self._process.guarded(lambda: self._run(task)))

    def _run(self, task: Callable[[], None]) -> None:
        self._reached("before a commit")
        if self._process.is_alive:
            task()
            self._reached("after a commit")

    def _duration_s(self) -> float:
        if self._chance.random() < slow_commit_chance:
            return self._chance.uniform(commit_s_max, slow_commit_s_max)
        return self._chance.uniform(commit_s_min, commit_s_max)
