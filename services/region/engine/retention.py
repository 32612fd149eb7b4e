"""Trimming: gives back what the change log holds beyond its promise, a few partitions at a time."""

from collections.abc import Iterator, Sequence

from services.region.engine.registry import Registry, Table
from services.region.rules.retention import applied_everywhere, trim_through
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partitions import Partition
from shared.clock import Clock
from shared.limits import trim_partitions_max, trim_rows_max
from shared.topology import Topology


class Retention:
    def __init__(self, registry: Registry, *, topology: Topology, region: str, clock: Clock) -> None:
        self._registry = registry
        self._topology = topology
        self._region = region
        self._clock = clock
        self._turn: Iterator[tuple[Table, Partition]] = iter(())

    async def trim(self) -> None:
        """Looks at the next partitions in turn; the log of each loses at most a bounded number of rows."""
        for table, partition in self._next():
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

    def _next(self) -> Sequence[tuple[Table, Partition]]:
        chosen = [entry for _, entry in zip(range(trim_partitions_max), self._turn, strict=False)]
        if len(chosen) < trim_partitions_max:
            tables = self._registry.all()
            self._turn = iter([(table, partition) for table in tables for partition in table.partitions])
        return chosen

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
