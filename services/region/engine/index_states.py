"""How the indexes of a table stand here, by what its files have built of them: what is told of them, and what waits."""

from collections.abc import Sequence
from dataclasses import replace

from services.region.commands.indexes import AddIndex, IndexDescription, IndexStatus, IndexUpdate, RemoveIndex
from services.region.commands.tables import TableDescription, TableStatus
from services.region.engine.registry import Table
from services.region.rules import index_throughput
from services.region.storage.catalog import Stage
from services.region.storage.index_entries import FileIndex, IndexPhase
from shared.model.indexes import SecondaryIndex
from shared.model.tables import TableDefinition


def status_of(table: Table, index: SecondaryIndex) -> IndexStatus:
    """ACTIVE once every file has built it."""
    built = sum(held.phase is IndexPhase.BUILT for held in _held(table) if held.index.number == index.number)
    return IndexStatus.ACTIVE if built == len(table.partitions) else IndexStatus.CREATING


def is_backfilling(table: Table, index: SecondaryIndex) -> bool:
    """Whether every file has begun to fill the index; until then it is made ready."""
    return sum(held.index.number == index.number for held in _held(table)) == len(table.partitions)


def removed_from(table: Table) -> Sequence[SecondaryIndex]:
    """What files still hold of indexes that the definition no longer has."""
    wanted = {index.number for index in table.definition.indexes}
    removed = {held.index.number: held.index for held in _held(table) if held.index.number not in wanted}
    return list(removed.values())


def descriptions_of(table: Table) -> Sequence[IndexDescription]:
    """The indexes of a table, also those that are still to go."""
    descriptions = []
    for index in table.definition.indexes:
        held = [each for each in _held(table) if each.index.number == index.number]
        status = IndexStatus.CREATING if table.stage is Stage.CREATING else status_of(table, index)
        backfilling = None
        if index.was_added and status is IndexStatus.CREATING:
            backfilling = is_backfilling(table, index)
        descriptions.append(_counted(IndexDescription(index, status, backfilling=backfilling), held))
    descriptions += [IndexDescription(index, IndexStatus.DELETING) for index in removed_from(table)]
    return descriptions


def occupy(table: Table) -> bool:
    """Whether the table is UPDATING for the sake of an index: one is being made ready or removed."""
    return any(each.status is IndexStatus.DELETING or each.backfilling is False for each in descriptions_of(table))


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


def _counted(described: IndexDescription, held: Sequence[FileIndex]) -> IndexDescription:
    return replace(
        described,
        item_count=sum(each.entry_count for each in held),
        size_bytes=sum(each.size_bytes for each in held),
    )
