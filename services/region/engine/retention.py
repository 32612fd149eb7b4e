"""Retention: gives back log and tombstones that nothing needs any more, a few partitions at a time."""

from collections.abc import Iterator, Sequence

from services.region.engine.horizons import Horizons
from services.region.engine.registry import Registry, Table
from services.region.rules.retention import applied_everywhere, collectable_below, trim_through
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partitions import Partition
from shared.changes.records import Lane
from shared.clock import Clock
from shared.limits import tombstone_jobs_max, tombstones_per_job_max, trim_partitions_max, trim_rows_max
from shared.topology import Topology

Place = tuple[Table, Partition]


class Retention:
    def __init__(
        self, registry: Registry, horizons: Horizons, *, topology: Topology, region: str, clock: Clock
    ) -> None:
        self.tombstones_collected = 0  # since the process began
        self._registry = registry
        self._horizons = horizons
        self._topology = topology
        self._region = region
        self._clock = clock
        self._trimming: Iterator[Lane] = iter(())
        self._collecting: Iterator[Lane] = iter(())
        self._oldest: dict[Lane, tuple[int, int | None]] = {}  # at a sequence, the timestamp of the oldest tombstone

    async def trim(self) -> None:
        """Looks at the next partitions in turn; the log of each loses at most a bounded number of rows."""
        chosen, self._trimming = self._next(self._trimming)
        for table, partition in chosen:
            state = partition.state
            if state.sequence == state.trimmed_sequence or partition.reader is None:
                continue
            applied = (
                applied_everywhere(state.followers, self._followers(table)) if table.definition.is_global else None
            )
            oldest = partition.reader.oldest_changes(trim_rows_max)
            through = trim_through(oldest, applied=applied, now_us=self._clock.wall_us())
            if through:
                await partition.submit(Trim(through))

    async def collect(self) -> None:
        """Looks at the next partitions in turn; each loses a bounded number of tombstones, in small transactions."""
        chosen, self._collecting = self._next(self._collecting)
        for table, partition in chosen:
            oldest = self._oldest_tombstone(partition)
            if oldest is None or oldest >= collectable_below(self._clock.wall_us(), horizon_us=None):
                self._horizons.forget(partition.lane)
                continue
            self._horizons.want(table, partition.lane)
            horizon_us = self._horizons.lowest(table, partition.lane)
            below = collectable_below(self._clock.wall_us(), horizon_us=horizon_us)
            if oldest < below:
                await self._collect(partition, below)

    async def _collect(self, partition: Partition, below: int) -> None:
        for _ in range(tombstone_jobs_max):
            collected = await partition.submit(CollectTombstones(below))
            self.tombstones_collected += collected
            if collected < tombstones_per_job_max:
                break
        self._oldest.pop(partition.lane, None)

    def _oldest_tombstone(self, partition: Partition) -> int | None:
        """A partition in which nothing was written since the last look is not opened for another one."""
        sequence = partition.state.sequence
        looked, oldest = self._oldest.get(partition.lane, (-1, None))
        if looked != sequence:
            reader = partition.reader
            oldest = None if reader is None else reader.oldest_tombstone()
            self._oldest[partition.lane] = (sequence, oldest)
        return oldest

    def _next(self, turn: Iterator[Lane]) -> tuple[Sequence[Place], Iterator[Lane]]:
        """The next places of a turn, with their tables as they are now, and the turn to go on with."""
        chosen = [lane for _, lane in zip(range(trim_partitions_max), turn, strict=False)]
        places = [
            (table, table.partitions[lane.partition])
            for lane in chosen
            if (table := self._registry.of(lane.generation)) is not None
        ]
        if len(chosen) < trim_partitions_max:
            self._oldest = {lane: known for lane, known in self._oldest.items() if self._registry.of(lane.generation)}
            turn = iter([lane for table in self._registry.all() for lane in table.lanes])
        return places, turn

    def _followers(self, table: Table) -> Sequence[int]:
        names = (name for name in table.definition.replicas if name != self._region and name in self._topology)
        return [self._topology.named(name).number for name in names]


class Trim:
    """Job: drops the log's oldest changes up to a sequence."""

    __slots__ = ("_through",)

    def __init__(self, through: int) -> None:
        self._through = through

    def run(self, file: PartitionFile, now_us: int) -> None:  # noqa: ARG002 - a job is given the time
        file.trim_changes(self._through)


class CollectTombstones:
    """Job: drops the oldest tombstones below a timestamp; how many."""

    __slots__ = ("_below",)

    def __init__(self, below: int) -> None:
        self._below = below

    def run(self, file: PartitionFile, now_us: int) -> int:  # noqa: ARG002 - a job is given the time
        return len(file.collect_tombstones(below=self._below, rows_max=tombstones_per_job_max))
