"""A region's own work on indexes: its partition files follow the indexes that tables are defined to have.

Definitions come from requests here and from other regions alike. A table whose indexes were never changed needs none
of this: its files are made with them.
"""

from collections.abc import Sequence
from contextlib import suppress

import structlog

from services.region.commands.indexes import IndexStatus
from services.region.engine.index_states import status_of
from services.region.engine.registry import Registry, Table
from services.region.storage.catalog import Stage
from services.region.storage.index_entries import IndexPhase
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partitions import Partition
from shared.errors import ValidationError
from shared.limits import index_slice_rows_max
from shared.model.indexes import SecondaryIndex
from shared.model.tables import Generation

log = structlog.get_logger(__name__)

settle_interval_s = 0.2


class TableDroppedError(Exception):
    """There is no table any more to do something for."""


class Indexes:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._seen_revision = 0
        self._settled: dict[Generation, tuple[SecondaryIndex, ...]] = {}

    async def settle(self) -> None:
        """Brings every table's files to what its definition says; returns at once when nothing has changed."""
        revision = self._registry.revision
        if revision == self._seen_revision:
            return
        tables = [table for table in self._registry.all() if self._may_differ(table)]
        settled = {table.generation: self._settled.get(table.generation) for table in tables}
        self._settled = {generation: indexes for generation, indexes in settled.items() if indexes is not None}
        for table in tables:
            indexes = table.definition.kept_indexes
            if table.stage is not Stage.DELETING and self._settled.get(table.generation) != indexes:
                with suppress(TableDroppedError):
                    await self._settle_one(table)
                    self._settled[table.generation] = indexes
        self._seen_revision = revision

    def check_readable(self, table: Table, index: SecondaryIndex) -> None:
        """Whether every item has its entry; an index that came with its table was never without one."""
        if not index.was_added or self._settled.get(table.generation) == table.definition.kept_indexes:
            return
        if status_of(table, index) is not IndexStatus.ACTIVE:
            raise ValidationError(f"Cannot read from backfilling global secondary index: {index.name}")

    def _may_differ(self, table: Table) -> bool:
        """Whether files may hold other indexes than the definition has: also one that has lost to another region's."""
        if table.definition.index_changes or table.generation in self._settled:
            return True
        states = [partition.known_state for partition in table.partitions]
        wanted = {index.number for index in table.definition.kept_indexes}
        return any(state is not None and {held.index.number for held in state.indexes} != wanted for state in states)

    async def _settle_one(self, table: Table) -> None:
        wanted = table.definition.kept_indexes
        for partition in table.partitions:
            await self._submit(table, partition, WantIndexes(wanted))
        for partition in table.partitions:
            while not _is_settled(partition, wanted):
                # Again, because an index that was on its way out may be wanted by now.
                await self._submit(table, partition, WantIndexes(wanted))
                await self._submit(table, partition, WorkOnIndexes())
        log.info("indexes are settled", table=table.definition.name)

    async def _submit(self, table: Table, partition: Partition, job: "WantIndexes | WorkOnIndexes") -> None:
        """A table that was dropped meanwhile must not get its files back."""
        if self._registry.of(table.generation) is None:
            raise TableDroppedError
        await partition.submit(job)


def _is_settled(partition: Partition, wanted: Sequence[SecondaryIndex]) -> bool:
    held = partition.state.indexes
    return {each.index.number for each in held} == {index.number for index in wanted} and all(
        each.phase is IndexPhase.BUILT for each in held
    )


class WantIndexes:
    """Job: the file keeps these indexes from here on."""

    __slots__ = ("_indexes",)

    def __init__(self, indexes: Sequence[SecondaryIndex]) -> None:
        self._indexes = indexes

    def run(self, file: PartitionFile, now_us: int) -> None:  # noqa: ARG002 - a job is given the time
        file.want_indexes(self._indexes)


class WorkOnIndexes:
    """Job: one slice of filling or removing an index."""

    __slots__ = ()

    def run(self, file: PartitionFile, now_us: int) -> None:  # noqa: ARG002 - a job is given the time
        file.work_on_indexes(rows_max=index_slice_rows_max)
