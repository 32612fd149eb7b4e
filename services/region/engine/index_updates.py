"""What requests may change of a table's indexes, by how those stand here; the rules make a definition of it."""

from collections.abc import Sequence

from services.region.commands.indexes import ChangeIndex, IndexStatus, IndexUpdate, RemoveIndex
from services.region.engine.index_states import descriptions_of, is_backfilling, removed_from, status_of
from services.region.engine.registry import Table
from services.region.rules import index_throughput
from services.region.rules.index_changes import one_at_a_time, with_index_updates
from shared.clock import Clock
from shared.errors import LimitExceededError, ResourceInUseError
from shared.model.indexes import SecondaryIndex
from shared.model.tables import BillingMode, TableDefinition

_in_use = "Attempt to change a resource which is still in use"


class IndexUpdates:
    """`region` is this region's number, `name` its name."""

    def __init__(self, *, region: int, name: str, clock: Clock) -> None:
        self._region = region
        self._region_name = name
        self._clock = clock

    def check_new(self, indexes: Sequence[SecondaryIndex], mode: BillingMode) -> None:
        """Of a table that is to be made."""
        for index in indexes:
            index_throughput.check_new(index, mode, region=self._region_name)

    def updated(self, table: Table, definition: TableDefinition, updates: Sequence[IndexUpdate]) -> TableDefinition:
        """A definition of the table with its indexes changed; its billing mode may have changed already."""
        before = table.definition.billing_mode
        removed = removed_from(table)
        statuses = {index.name: status_of(table, index) for index in table.definition.indexes}
        statuses |= {index.name: IndexStatus.DELETING for index in removed}
        for update in updates:
            _check_update(table, update, statuses)
        _check_throughput(table, definition, removed)
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


def check_deletable(table: Table) -> None:
    """A table can't go while one of its indexes comes or goes."""
    if any(each.status is not IndexStatus.ACTIVE for each in descriptions_of(table)):
        raise ResourceInUseError(
            f"{_in_use}: Cannot delete table while indexes are being created, updated, or deleted."
        )


def _check_update(table: Table, update: IndexUpdate, statuses: dict[str, IndexStatus]) -> None:
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
    has_begun = is_backfilling(table, index)
    if isinstance(update, RemoveIndex) and not has_begun:
        raise ResourceInUseError(
            f"{_in_use}: Index creation is in resource allocation phase. Retry deletion during backfilling"
            f" phase or when the index is active. Table: {table.definition.name} Index: {update.name}"
        )
    if is_change:
        state = "created" if has_begun else "created but is not backfilling yet"
        raise ResourceInUseError(
            f"{_in_use}: Index is being {state}. Table: {table.definition.name} Index: {update.name}"
        )


def _check_throughput(table: Table, definition: TableDefinition, removed: Sequence[SecondaryIndex]) -> None:
    """The table's own throughput stays as it is while an index is made ready or removed."""
    changes_capacity = _capacity_of(definition) != _capacity_of(table.definition)
    if not changes_capacity and _limits_of(definition) == _limits_of(table.definition):
        return
    begun = [
        index
        for index in table.definition.indexes
        if status_of(table, index) is IndexStatus.CREATING and not is_backfilling(table, index)
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


def _capacity_of(definition: TableDefinition) -> tuple[BillingMode, int, int]:
    return definition.billing_mode, definition.read_capacity_units, definition.write_capacity_units


def _limits_of(definition: TableDefinition) -> tuple[int | None, int | None]:
    return definition.settings.max_read_request_units, definition.settings.max_write_request_units
