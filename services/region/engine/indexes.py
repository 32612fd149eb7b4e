"""A region's own work on indexes: its partition files follow the indexes that tables are defined to have.

Definitions come from requests here and from other regions alike; what a region's files have built of them is what it
says of their status. A table whose indexes were never changed needs none of this: its files are made with them.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import structlog

from services.region.commands.indexes import (
    AddIndex,
    ChangeIndex,
    IndexDescription,
    IndexStatus,
    IndexUpdate,
    RemoveIndex,
)
from services.region.commands.tables import TableDescription, TableStatus
from services.region.engine.registry import Registry, Table
from services.region.rules import index_throughput
from services.region.rules.index_changes import one_at_a_time, with_index_updates
from services.region.storage.catalog import Stage
from services.region.storage.index_entries import FileIndex, IndexPhase
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partitions import Partition
from shared.clock import Clock
from shared.errors import LimitExceededError, ResourceInUseError, ValidationError
from shared.limits import index_slice_rows_max
from shared.model.indexes import SecondaryIndex
from shared.model.tables import BillingMode, Generation, TableDefinition

log = structlog.get_logger(__name__)

settle_interval_s = 0.2
_in_use = "Attempt to change a resource which is still in use"


class TableDroppedError(Exception):
    """There is no table any more to do something for."""


class Indexes:
    """`region` is this region's number, `name` its name."""

    def __init__(self, registry: Registry, *, region: int, name: str, clock: Clock) -> None:
        self._registry = registry
        self._region = region
        self._region_name = name
        self._clock = clock
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
        if self._status(table, index) is not IndexStatus.ACTIVE:
            raise ValidationError(f"Cannot read from backfilling global secondary index: {index.name}")

    def check_new(self, indexes: Sequence[SecondaryIndex], mode: BillingMode) -> None:
        """Of a table that is to be made."""
        for index in indexes:
            index_throughput.check_new(index, mode, region=self._region_name)

    def updated(self, table: Table, definition: TableDefinition, updates: Sequence[IndexUpdate]) -> TableDefinition:
        """A definition of the table with its indexes changed; its billing mode may have changed already."""
        before = table.definition.billing_mode
        removed = [held.index for held in self._removed(table)]
        statuses = {index.name: self._status(table, index) for index in table.definition.indexes}
        statuses |= {index.name: IndexStatus.DELETING for index in removed}
        for update in updates:
            self._check_update(table, update, statuses)
        self._check_throughput_may_change(table, definition, removed)
        if not updates and definition.billing_mode is before:
            return definition
        return with_index_updates(
            definition,
            updates,
            before=before,
            now_us=self._clock.wall_us(),
            region=self._region,
            region_name=self._region_name,
            held=removed,
        )

    def descriptions(self, table: Table) -> Sequence[IndexDescription]:
        """The indexes of a table, also those that are still to go."""
        descriptions = []
        for index in table.definition.indexes:
            held = [each for each in _held(table) if each.index.number == index.number]
            status = IndexStatus.CREATING if table.stage is Stage.CREATING else self._status(table, index)
            backfilling = None
            if index.was_added and status is IndexStatus.CREATING:
                backfilling = _is_backfilling(table, index)
            descriptions.append(_counted(IndexDescription(index, status, backfilling=backfilling), held))
        descriptions += [IndexDescription(held.index, IndexStatus.DELETING) for held in self._removed(table)]
        return descriptions

    def occupies(self, table: Table) -> bool:
        """Whether the table is UPDATING for the sake of an index: one is being made ready or removed."""
        return any(
            each.status is IndexStatus.DELETING or each.backfilling is False for each in self.descriptions(table)
        )

    def check_deletable(self, table: Table) -> None:
        if any(each.status is not IndexStatus.ACTIVE for each in self.descriptions(table)):
            raise ResourceInUseError(
                f"{_in_use}: Cannot delete table while indexes are being created, updated, or deleted."
            )

    def _check_update(self, table: Table, update: IndexUpdate, statuses: dict[str, IndexStatus]) -> None:
        others = {status for name, status in statuses.items() if name != update.name}
        is_change = isinstance(update, ChangeIndex)
        if not is_change and others & {IndexStatus.CREATING, IndexStatus.DELETING}:
            raise LimitExceededError(one_at_a_time)
        status = statuses.get(update.name)
        if status is IndexStatus.DELETING:
            raise ResourceInUseError(
                f"{_in_use}: Index is being deleted. Table: {table.definition.name} Index: {update.name}"
            )
        if status is not IndexStatus.CREATING:
            return
        index = next(each for each in table.definition.indexes if each.name == update.name)
        is_backfilling = _is_backfilling(table, index)
        if isinstance(update, RemoveIndex) and not is_backfilling:
            raise ResourceInUseError(
                f"{_in_use}: Index creation is in resource allocation phase. Retry deletion during backfilling"
                f" phase or when the index is active. Table: {table.definition.name} Index: {update.name}"
            )
        if is_change:
            state = "created" if is_backfilling else "created but is not backfilling yet"
            raise ResourceInUseError(
                f"{_in_use}: Index is being {state}. Table: {table.definition.name} Index: {update.name}"
            )

    def _check_throughput_may_change(
        self, table: Table, definition: TableDefinition, removed: Sequence[SecondaryIndex]
    ) -> None:
        """The table's own throughput stays as it is while an index is made ready or removed."""
        changes_capacity = _capacity_of(definition) != _capacity_of(table.definition)
        if not changes_capacity and _limits_of(definition) == _limits_of(table.definition):
            return
        begun = [
            index
            for index in table.definition.indexes
            if self._status(table, index) is IndexStatus.CREATING and not _is_backfilling(table, index)
        ]
        for indexes, ended, noun in ((begun, "created", "creation"), (removed, "deleted", "deletion")):
            names = f"[{', '.join(index.name for index in indexes)}]"
            if indexes and changes_capacity:
                raise ResourceInUseError(
                    f"{_in_use}: Can't change table IOPS when an index is being {ended}. Table: {definition.name}"
                    f" Indexes: {names}"
                )
            if indexes:
                raise ResourceInUseError(
                    f"{_in_use}: OnDemandThroughput cannot be updated while index {noun} is in progress for indexes:"
                    f" {names}"
                )

    def _status(self, table: Table, index: SecondaryIndex) -> IndexStatus:
        built = sum(held.phase is IndexPhase.BUILT for held in _held(table) if held.index.number == index.number)
        return IndexStatus.ACTIVE if built == len(table.partitions) else IndexStatus.CREATING

    def _removed(self, table: Table) -> Sequence[FileIndex]:
        """What files still hold of indexes that the definition no longer has, one of each."""
        wanted = {index.number for index in table.definition.indexes}
        removed = {held.index.number: held for held in _held(table) if held.index.number not in wanted}
        return list(removed.values())

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


def announced(
    description: TableDescription, before: TableDefinition, updates: Sequence[IndexUpdate]
) -> TableDescription:
    """What UpdateTable answers: its changes as begun, whatever has become of them meanwhile."""
    if not updates:
        return description
    earlier = {index.name: index for index in before.indexes}
    shown = {each.index.name: each for each in description.indexes}
    for update in updates:
        if isinstance(update, AddIndex):
            added = shown[update.name]
            shown[update.name] = IndexDescription(added.index, IndexStatus.CREATING, backfilling=False)
        elif isinstance(update, RemoveIndex):
            removed = earlier[update.name]
            shown[update.name] = IndexDescription(removed, IndexStatus.DELETING)
        else:
            changed = shown[update.name]
            index = changed.index
            if description.definition.billing_mode is before.billing_mode:
                index = index_throughput.as_begun(earlier[update.name], index, description.now_us)
            shown[update.name] = replace(changed, index=index, status=IndexStatus.UPDATING)
            if update.throughput.speaks_of_warmth_alone:
                shown[update.name] = replace(changed, index=index, is_warming=True)
    occupies = any(isinstance(update, AddIndex | RemoveIndex) for update in updates)
    return replace(
        description,
        indexes=tuple(shown.values()),
        status=TableStatus.UPDATING if occupies else description.status,
    )


def _held(table: Table) -> list[FileIndex]:
    return [held for partition in table.partitions for held in partition.state.indexes if not held.index.is_of_times]


def _is_backfilling(table: Table, index: SecondaryIndex) -> bool:
    """Whether every file has begun to fill the index; until then it is made ready."""
    return sum(held.index.number == index.number for held in _held(table)) == len(table.partitions)


def _capacity_of(definition: TableDefinition) -> tuple[BillingMode, int, int]:
    return definition.billing_mode, definition.read_capacity_units, definition.write_capacity_units


def _limits_of(definition: TableDefinition) -> tuple[int | None, int | None]:
    return definition.settings.max_read_request_units, definition.settings.max_write_request_units


def _is_settled(partition: Partition, wanted: Sequence[SecondaryIndex]) -> bool:
    held = partition.state.indexes
    return {each.index.number for each in held} == {index.number for index in wanted} and all(
        each.phase is IndexPhase.BUILT for each in held
    )


def _counted(described: IndexDescription, held: Sequence[FileIndex]) -> IndexDescription:
    return replace(
        described,
        item_count=sum(each.entry_count for each in held),
        size_bytes=sum(each.size_bytes for each in held),
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
