"""The lanes of this region: its tables' partitions as replication names them, and the catalog lane, of no table.

Which lanes other regions are to get, which ones take theirs, and the partition behind each.
"""

from collections.abc import Iterable, Sequence

from services.region.engine.registry import Registry, Table
from services.region.storage.catalog import Stage
from services.region.storage.partitions import Partition
from shared.changes.records import Lane, catalog_lane
from shared.errors import RequestRefusedError
from shared.model.tables import RegionName


class Lanes:
    def __init__(self, registry: Registry, *, definitions: Partition) -> None:
        self.definitions = definitions
        self._registry = registry

    def is_shared(self, lane: Lane) -> bool:
        """Whether other regions are to get the lane's changes."""
        if lane.generation == catalog_lane.generation:
            return True
        table = self._registry.of(lane.generation)
        return table is not None and table.definition.is_global

    def is_fed(self, target: RegionName, lane: Lane) -> bool:
        """Whether `target` is to get the lane's changes."""
        if lane.generation == catalog_lane.generation:
            return True
        table = self._registry.of(lane.generation)
        return table is not None and table.feeds(target)

    def fed(self, target: RegionName, lane: Lane) -> Partition:
        """Refuses a lane that is not here, or not the target's to have."""
        if lane == catalog_lane:
            return self.definitions
        table = self._registry.of(lane.generation)
        if table is None or not 0 <= lane.partition < table.partition_count:
            raise RequestRefusedError("no_lane", "this region has no such table")
        if not table.feeds(target):
            raise RequestRefusedError("not_registered", f"{target} is not known here as a replica of the table")
        return table.partitions[lane.partition]

    def all_fed(self, target: RegionName) -> Sequence[Partition]:
        return self._with_catalog(table for table in self._registry.all() if table.feeds(target))

    def all_shared(self) -> Sequence[Partition]:
        return self._with_catalog(table for table in self._registry.all() if table.definition.is_global)

    def applied(self, lane: Lane) -> Partition | None:
        """The partition that takes other regions' changes of this lane; None while there is none."""
        if lane == catalog_lane:
            return self.definitions
        table = self._registry.of(lane.generation)
        if (
            table is None
            or table.stage not in (Stage.CREATING, Stage.ACTIVE)
            or not 0 <= lane.partition < table.partition_count
        ):
            return None
        return table.partitions[lane.partition]

    def of(self, lane: Lane) -> Partition | None:
        """The partition of a lane that was written here; None for a table that was removed meanwhile."""
        if lane == catalog_lane:
            return self.definitions
        table = self._registry.of(lane.generation)
        return None if table is None else table.partitions[lane.partition]

    def partition_count(self, lane: Lane) -> int:
        """How many partitions the lane's table has; of one that is not here, 1."""
        table = self._registry.of(lane.generation)
        return 1 if table is None else table.partition_count

    def _with_catalog(self, tables: Iterable[Table]) -> Sequence[Partition]:
        return [self.definitions, *(partition for table in tables for partition in table.partitions)]
