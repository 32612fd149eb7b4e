"""The receiver's side of a copy: a partition that can't go on from where it is gets another region's rows.

The rows themselves are applied as changes are. Here is what goes with them: what starts a copy that mends, what a donor
has forgotten, the positions from which the copied partition follows, and when the replica may serve.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence

import structlog

from services.region.engine.lanes import Lanes
from services.region.engine.registry import Registry
from services.region.engine.replicas import Replicas
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partition_state import CopyState
from services.region.storage.partitions import Partition
from services.region.storage.reader import RowPlace, place_of
from shared.changes.records import Lane
from shared.errors import RequestRefusedError
from shared.feed.port import Position
from shared.limits import scan_slice_rows_max, slots
from shared.model.keys import ItemKey
from shared.model.tables import Generation, RegionName
from shared.topology import Topology
from shared.versions.versions import Version

log = structlog.get_logger(__name__)


class Copies:
    def __init__(
        self, registry: Registry, lanes: Lanes, replicas: Replicas, *, topology: Topology, region: str
    ) -> None:
        self._registry = registry
        self._lanes = lanes
        self._replicas = replicas
        self._topology = topology
        self._region = region

    async def forget(
        self, lane: Lane, keys: Collection[ItemKey], *, after: RowPlace, through: RowPlace | None, collected: int
    ) -> None:
        """Drops what a donor has forgotten: of a range of its rows these `keys` are all that it holds.

        What is here beside them, no younger than the tombstones that it has collected, it has had and deleted.
        """
        partition = self._partition(lane)
        while (reader := partition.reader) is not None:
            rows = reader.rows_after(after, end_slot=slots, rows_max=scan_slice_rows_max)
            inside = [row for row in rows if through is None or place_of(row.key) <= through]
            stale = [
                (row.key, row.stored.version)
                for row in inside
                if row.stored.timestamp <= collected and row.key not in keys
            ]
            if stale:
                dropped = await partition.submit(DropForgotten(stale))
                log.warning("items that others have deleted and forgotten are dropped", lane=lane, items=dropped)
            if len(inside) < scan_slice_rows_max:
                return
            after = place_of(inside[-1].key)
            await asyncio.sleep(0)

    async def finish(
        self,
        lane: Lane,
        positions: Mapping[RegionName, Position],
        *,
        donor: RegionName | None,
        is_whole: bool,
    ) -> None:
        """The snapshot of a partition is applied; from now on it follows every region from the snapshot's positions.

        After a copy that is not whole, it follows when it has one of every source whose changes it has lost.
        """
        by_number = {self._topology.named(name).number: position for name, position in positions.items()}
        own = self._topology.named(self._region).number
        own_before = by_number.pop(own, Position(0)).sequence
        given_by = None if donor is None else self._topology.named(donor).number
        await self._partition(lane).submit(
            FinishCopy(by_number, donor=given_by, is_whole=is_whole, origin_sequence_min=own_before)
        )
        self._registry.touch()

    async def caught_up(self, generation: Generation) -> None:
        """The replica has passed its snapshot's end for every origin: it may serve."""
        table = self._registry.of(generation)
        if table is None:
            raise RequestRefusedError("no_lane", "this region has no such table")
        if any(partition.state.completeness is not CopyState.FOLLOWING for partition in table.partitions):
            raise RequestRefusedError("not_ready", "a partition of the table is not copied yet")
        await self._replicas.activate(generation)

    async def lose_source(self, lane: Lane, source: RegionName) -> None:
        """The lane can't follow `source` from its position; it is rebuilt from another region's snapshot."""
        await self._partition(lane).submit(LoseSource(self._topology.named(source).number))
        self._registry.touch()

    def _partition(self, lane: Lane) -> Partition:
        partition = self._lanes.applied(lane)
        if partition is None:
            raise RequestRefusedError("no_lane", "this region has no such lane")
        return partition


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


class FinishCopy:
    """Job: a partition's snapshot is complete."""

    __slots__ = ("_donor", "_is_whole", "_origin_sequence_min", "_positions")

    def __init__(
        self, positions: Mapping[int, Position], *, donor: int | None, is_whole: bool, origin_sequence_min: int
    ) -> None:
        self._positions = positions
        self._donor = donor
        self._is_whole = is_whole
        self._origin_sequence_min = origin_sequence_min

    def run(self, file: PartitionFile, now_us: int) -> None:  # noqa: ARG002 - a job is given the time
        lost = file.state.lost
        for source, position in self._positions.items():
            known = file.state.positions.get(source, Position(0))
            # Under the sequence up to which it was told, a source that lost changes may have made another one.
            if position.sequence > known.sequence or (source == self._donor and position.sequence == known.sequence):
                file.write_position(source, position)
        file.raise_origin_sequence(self._origin_sequence_min)
        file.write_lost(frozenset() if self._is_whole else lost - {self._donor})
        if not file.state.lost:
            file.state.completeness = CopyState.FOLLOWING


class DropForgotten:
    """Job: drops items as long as they are in the given versions; how many."""

    __slots__ = ("_items",)

    def __init__(self, items: Sequence[tuple[ItemKey, Version]]) -> None:
        self._items = items

    def run(self, file: PartitionFile, now_us: int) -> int:
        dropped = 0
        for key, version in self._items:
            stored = file.read(key)
            if stored is not None and stored.version == version:
                file.drop_item(key, stored, now_us=now_us)
                dropped += 1
        return dropped
