"""Time to live: which tables have one, and the sweep that removes the items that have outlived theirs.

Partition files keep the items of such a table in the order of their times, so that a sweep reads what has expired and
nothing else; a partition where nothing was written and nothing is due is not even opened. Tables without it cost
nothing. An item is judged again in the transaction that removes it, so a write in between is never lost, and its
tombstone beats exactly the version that was judged: a rewrite in another region that is not yet seen here survives.
"""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from services.region.commands.tables import DescribeTable
from services.region.commands.time_to_live import DescribeTimeToLive, TimeToLiveDescription, UpdateTimeToLive
from services.region.engine.registry import Registry
from services.region.engine.tables import Tables
from services.region.rules.time_to_live import due_times, is_to_expire, with_time_to_live
from services.region.storage.catalog import Stage
from services.region.storage.index_entries import IndexPhase
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partitions import Partition
from services.region.storage.reader import IndexRow, IndexRowPlace
from shared.changes.records import Kind, Lane
from shared.clock import Clock
from shared.errors import ValidationError
from shared.limits import expiries_per_job_max, expiry_jobs_max, expiry_looks_max
from shared.model.keys import ItemKey
from shared.model.tables import Generation, TableDefinition, TimeToLive
from shared.model.values import decode_item


class TimesToLive:
    """`region` is this region's number."""

    def __init__(self, registry: Registry, tables: Tables, *, region: int, clock: Clock) -> None:
        self._registry = registry
        self._tables = tables
        self._region = region
        self._clock = clock

    async def update(self, command: UpdateTimeToLive) -> None:
        def changed(definition: TableDefinition) -> TableDefinition:
            return with_time_to_live(
                definition,
                command.attribute,
                enabled=command.enabled,
                now_us=self._clock.wall_us(),
                region=self._region,
            )

        await self._tables.redefine(command.table, changed)

    def describe(self, command: DescribeTimeToLive) -> TimeToLiveDescription:
        table = self._registry.named(command.table)
        if table is None or table.stage in (Stage.CREATING, Stage.DELETING):
            status = self._tables.describe(DescribeTable(command.table)).status
            raise ValidationError(
                f"Cannot describe time to live while table is in {status} state: Current table state is {status}"
            )
        ttl = table.definition.ttl
        return TimeToLiveDescription(None if ttl is None else ttl.attribute)


class ExpiryStanding(NamedTuple):
    """How the sweep of a table stands, as far as is known without opening a file."""

    table: str
    expired: int  # items, since the process began
    behind_s: float  # how long ago the oldest item that is left was due; 0 if none is


class Expiry:
    def __init__(self, registry: Registry, *, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._turn: Iterator[Lane] = iter(())
        self._next: dict[Lane, tuple[int, int, bytes | None]] = {}  # at a sequence, what is due next in an order
        self._oldest_s: dict[Lane, float] = {}  # when the oldest item that is left is or was due
        self._expired: dict[Generation, int] = {}

    def standings(self) -> Iterator[ExpiryStanding]:
        """Of tables that have a time to live, or had one and lost items by it."""
        now_s = self._clock.wall_us() / 1e6
        for table in self._registry.all():
            if table.definition.ttl is not None or table.generation in self._expired:
                oldest_s = min(self._oldest_s.get(lane, now_s) for lane in table.lanes)
                expired = self._expired.get(table.generation, 0)
                yield ExpiryStanding(table.definition.name, expired, max(0.0, now_s - oldest_s))

    async def sweep(self) -> None:
        """Goes on through the tables that have a time to live; looks into a bounded number of files."""
        looks = 0
        for lane in self._turn:
            table = self._registry.of(lane.generation)  # as it is now, not as it was when the turn began
            if table is None or table.stage is not Stage.ACTIVE or (ttl := table.definition.ttl) is None:
                continue
            partition = table.partitions[lane.partition]
            if self._is_of_interest(partition, ttl):
                await self._sweep(partition, ttl)
                await asyncio.sleep(0)
                looks += 1
                if looks == expiry_looks_max:
                    return
        self._turn = self._places()

    def _places(self) -> Iterator[Lane]:
        tables = [table for table in self._registry.all() if table.definition.ttl is not None]
        lanes = [lane for table in tables for lane in table.lanes]
        self._next = {lane: self._next[lane] for lane in lanes if lane in self._next}
        self._oldest_s = {lane: self._oldest_s[lane] for lane in lanes if lane in self._oldest_s}
        there = {table.generation for table in self._registry.all()}
        self._expired = {generation: count for generation, count in self._expired.items() if generation in there}
        return iter(lanes)

    def _is_of_interest(self, partition: Partition, ttl: TimeToLive) -> bool:
        if all(each.index.number != ttl.number for each in partition.state.indexes):
            return False  # the order is yet to be begun
        number, sequence, due = self._next.get(partition.lane, (0, -1, None))
        if (number, sequence) != (ttl.number, partition.state.sequence):
            return True
        return due is not None and due <= due_times(self._clock.wall_us()).last

    async def _sweep(self, partition: Partition, ttl: TimeToLive) -> None:
        times = due_times(self._clock.wall_us())
        place: IndexRowPlace = (times.first, b"", -1, b"", b"")
        left: Sequence[IndexRow] = ()
        for _ in range(expiry_jobs_max):
            reader, sequence = partition.reader, partition.state.sequence
            if reader is None:
                return
            rows = reader.index_after(ttl.number, place, rows_max=expiries_per_job_max)
            due = [row.key for row in rows if row.partition <= times.last]
            self._note_oldest(partition.lane, ttl, left or rows)
            if not due:
                self._note(partition, ttl, sequence, rows[0].partition if rows else None)
                return
            expired = await partition.submit(Expire(due, ttl.attribute))
            self._expired[partition.lane.generation] = self._expired.get(partition.lane.generation, 0) + len(expired)
            left = left or [row for row in rows if row.key not in expired]
            if len(due) < expiries_per_job_max:
                self._note_oldest(partition.lane, ttl, left)
                return
            last = rows[-1]
            self._note_oldest(partition.lane, ttl, left or [last])  # what comes next is not older
            place = (last.partition, last.sort, *last.key)

    def _note_oldest(self, lane: Lane, ttl: TimeToLive, left: Sequence[IndexRow]) -> None:
        """`left` are items in the order of their times, the first of which is the oldest that is there still."""
        if left:
            self._oldest_s[lane] = float(decode_item(left[0].image)[ttl.attribute]["N"])
        else:
            self._oldest_s.pop(lane, None)

    def _note(self, partition: Partition, ttl: TimeToLive, sequence: int, due: bytes | None) -> None:
        """Only a whole order tells what is due next."""
        held = partition.state.indexes
        if any(each.index.number == ttl.number and each.phase is IndexPhase.BUILT for each in held):
            self._next[partition.lane] = (ttl.number, sequence, due)


class Expire:
    """Job: removes those of these items that have outlived their time; which ones."""

    __slots__ = ("_attribute", "_keys")

    def __init__(self, keys: Sequence[ItemKey], attribute: str) -> None:
        self._keys = keys
        self._attribute = attribute

    def run(self, file: PartitionFile, now_us: int) -> Collection[ItemKey]:
        expired = set()
        for key in self._keys:
            stored = file.read(key)
            if stored is not None and is_to_expire(stored, self._attribute, region=file.region, now_us=now_us):
                # Not the clock's time: a rewrite elsewhere that is not seen here yet must win.
                timestamp = stored.timestamp + 1
                file.write_decided(key, stored, kind=Kind.EXPIRY, image=None, timestamp=timestamp, now_us=now_us)
                expired.add(key)
        return expired
