"""What UpdateTable makes of a table's global indexes, from its definition alone; or DynamoDB's refusal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from services.region.commands.indexes import AddIndex, ChangeIndex, IndexThroughput, IndexUpdate, RemoveIndex
from services.region.rules.throughput import (
    CapacityChange,
    changed_capacity,
    check_index_capacity,
    decreases_today,
)
from shared.errors import LimitExceededError, ResourceNotFoundError, ValidationError
from shared.limits import capacity_units_told_max, global_indexes_max, projected_attributes_of_table_max
from shared.model.indexes import SecondaryIndex, number_of_added
from shared.model.keys import KeyAttribute
from shared.model.tables import BillingMode, TableDefinition

one_at_a_time = "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"


def with_index_updates(
    definition: TableDefinition,
    updates: Sequence[IndexUpdate],
    *,
    before: BillingMode,
    now_us: int,
    region: int,
    region_name: str,
    held: Iterable[SecondaryIndex],
) -> TableDefinition:
    """The definition afterwards. It has its new billing mode already, `before` is the one that it had.

    `held` are indexes that files of this region still know of.
    """
    if sum(isinstance(update, AddIndex | RemoveIndex) for update in updates) > 1:
        raise LimitExceededError(one_at_a_time)
    indexes = {index.name: index for index in definition.indexes}
    changes = definition.index_changes
    for update in updates:
        if isinstance(update, AddIndex):
            known = [*definition.kept_indexes, *held]
            number = number_of_added(known, now_ms=now_us // 1000, region=region)
            indexes[update.name] = _added(definition, update, number, region_name=region_name)
            changes += 1
            continue
        index = indexes.get(update.name)
        if isinstance(update, ChangeIndex):
            _check_in_bounds(update.throughput)
        if index is None:
            raise ResourceNotFoundError(
                f"Requested resource not found: Index {update.name} for table {definition.name}"
            )
        if not index.is_global:
            verb = "delete" if isinstance(update, RemoveIndex) else "update"
            raise ValidationError(f"Cannot {verb} an index that is not a GlobalSecondaryIndex: {update.name}")
        if isinstance(update, RemoveIndex):
            del indexes[update.name]
            changes += 1
        else:
            indexes[update.name] = _changed(index, update, definition.billing_mode, now_us=now_us, region=region_name)
    if definition.billing_mode is not before:
        spoken_of = {update.name for update in updates if isinstance(update, ChangeIndex)}
        indexes = {name: _rebilled(index, definition, spoken_of, now_us=now_us) for name, index in indexes.items()}
    return replace(definition, indexes=tuple(indexes.values()), index_changes=changes)


def _added(definition: TableDefinition, update: AddIndex, number: int, *, region_name: str) -> SecondaryIndex:
    name, throughput = update.name, update.throughput
    if any(index.name == name for index in definition.indexes):
        raise ValidationError("Attempting to create an index which already exists")
    if sum(index.is_global for index in definition.indexes) >= global_indexes_max:
        raise LimitExceededError(
            "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of"
            f" {global_indexes_max}"
        )
    if sum(len(index.included) for index in definition.indexes) + len(update.included) > (
        projected_attributes_of_table_max
    ):
        raise ValidationError(
            f"{_invalid}Number of NonKeyAttributes summed across all of the secondary indexes exceeds the limit of "
            f"{projected_attributes_of_table_max}"
        )
    names = (*update.partition, *update.sort)
    if not update.types.keys() >= set(names):  # also when the table defines them
        raise ValidationError(
            f"{_invalid}Some index key attributes are not defined in AttributeDefinitions. "
            f"Keys: [{', '.join(names)}], AttributeDefinitions: [{', '.join(update.types)}]"
        )
    _check_types(definition, update)
    _check_throughput(name, throughput, definition.billing_mode, is_new=True)
    if throughput.read_capacity_units is not None and throughput.write_capacity_units is not None:
        check_index_capacity(name, throughput.read_capacity_units, throughput.write_capacity_units, region=region_name)
    return SecondaryIndex(
        number=number,
        name=name,
        is_global=True,
        partition=_attributes(update.partition, update.types),
        sort=_attributes(update.sort, update.types),
        table_keys=definition.key_schema.names,
        projection=update.projection,
        included=update.included,
        read_capacity_units=throughput.read_capacity_units or 0,
        write_capacity_units=throughput.write_capacity_units or 0,
        on_demand=throughput.on_demand,
        warm_read_units=throughput.warm_read_units,
        warm_write_units=throughput.warm_write_units,
    )


def _changed(
    index: SecondaryIndex, update: ChangeIndex, mode: BillingMode, *, now_us: int, region: str
) -> SecondaryIndex:
    wanted = update.throughput
    _check_throughput(index.name, wanted, mode, is_new=False)
    changed = index
    read, write = wanted.read_capacity_units, wanted.write_capacity_units
    if read is not None and write is not None:
        check_index_capacity(index.name, read, write, region=region)
        changed = _with_capacity(index, read, write, now_us=now_us)
    if wanted.on_demand is not None:
        changed = replace(changed, on_demand=wanted.on_demand)
    return _warmed(changed, wanted)


def _with_capacity(index: SecondaryIndex, read: int, write: int, *, now_us: int) -> SecondaryIndex:
    """As warm as it was, at least."""
    present = CapacityChange(
        index.read_capacity_units,
        index.write_capacity_units,
        index.capacity_increased_us,
        index.capacity_decreased_us,
        index.capacity_decreases,
    )
    changed = changed_capacity(present, read=read, write=write, of=f"index {index.name}", now_us=now_us)
    return replace(
        index,
        read_capacity_units=read,
        write_capacity_units=write,
        capacity_increased_us=changed.increased_us,
        capacity_decreased_us=changed.decreased_us,
        capacity_decreases=changed.decreases,
        warm_read_units=max(index.warm_read_units or 0, index.read_capacity_units),
        warm_write_units=max(index.warm_write_units or 0, index.write_capacity_units),
    )


def _warmed(index: SecondaryIndex, wanted: IndexThroughput) -> SecondaryIndex:
    for member, units, current in (
        ("ReadUnitsPerSecond", wanted.warm_read_units, index.warm_read_units),
        ("WriteUnitsPerSecond", wanted.warm_write_units, index.warm_write_units),
    ):
        if units is not None and units < (current or 0):
            raise ValidationError(
                f"{_invalid}Requested {member} for WarmThroughput for index {index.name} is lower than current"
                " WarmThroughput, decreasing WarmThroughput is not supported"
            )
    return replace(
        index,
        warm_read_units=index.warm_read_units if wanted.warm_read_units is None else wanted.warm_read_units,
        warm_write_units=index.warm_write_units if wanted.warm_write_units is None else wanted.warm_write_units,
    )


def _rebilled(
    index: SecondaryIndex, definition: TableDefinition, spoken_of: set[str], *, now_us: int
) -> SecondaryIndex:
    if not index.is_global:
        return index
    if definition.billing_mode is BillingMode.PAY_PER_REQUEST:
        decreases = decreases_today(index.capacity_decreased_us, index.capacity_decreases, now_us) + 1
        return replace(
            index,
            read_capacity_units=0,
            write_capacity_units=0,
            capacity_decreased_us=now_us,
            capacity_decreases=decreases,
        )
    if index.name not in spoken_of and not index.read_capacity_units:
        raise ValidationError(f"{_invalid}ProvisionedThroughput must be specified for index: {index.name}")
    return replace(index, on_demand=None)


def _check_in_bounds(wanted: IndexThroughput) -> None:
    """Looked at before the index."""
    units = (wanted.read_capacity_units or 0, wanted.write_capacity_units or 0)
    if max(units) > capacity_units_told_max:
        raise ValidationError(
            "This operation cannot be performed with given input values. Please contact DynamoDB service team for more"
            " info: Action Blocked: IndexUpdate"
        )


def _check_types(definition: TableDefinition, update: AddIndex) -> None:
    """An attribute has one type in all keys."""
    known: dict[str, tuple[str, str]] = {}
    for keys, role in _keys_by_role(definition):
        for attribute in keys:
            known.setdefault(attribute.name, (attribute.type, role))
    for names, role in ((update.partition, "HASH"), (update.sort, "RANGE")):
        for name in names:
            wanted = update.types[name]
            present, present_role = known.get(name, (wanted, role))
            if wanted != present:
                raise ValidationError(
                    f"{_invalid}Attributes cannot be redefined. Please check that your attribute has the same type as"
                    f" previously defined. Existing schema: Schema:[SchemaElement: key{{{name}:{present}:"
                    f"{present_role}}}] New schema: Schema:[SchemaElement: key{{{name}:{wanted}:{role}}}]"
                )


def _keys_by_role(definition: TableDefinition) -> Iterator[tuple[Sequence[KeyAttribute], str]]:
    keys = definition.key_schema
    yield (keys.partition,), "HASH"
    yield () if keys.sort is None else (keys.sort,), "RANGE"
    for index in definition.indexes:
        yield index.partition, "HASH"
        yield index.sort, "RANGE"


def _check_throughput(name: str, wanted: IndexThroughput, mode: BillingMode, *, is_new: bool) -> None:
    if mode is BillingMode.PAY_PER_REQUEST:
        if is_new and wanted.read_capacity_units is not None:
            raise ValidationError(
                f"{_invalid}ProvisionedThroughput should not be specified for index: {name} when BillingMode is"
                " PAY_PER_REQUEST"
            )
        if not is_new and (wanted.read_capacity_units is not None or wanted == IndexThroughput()):
            raise ValidationError(
                f"{_invalid}The only Updates for index: {name} when TableThroughputMode is PAY_PER_REQUEST can be"
                " to OnDemandThroughput, WarmThroughput"
            )
        return
    if wanted == IndexThroughput() and not is_new:
        raise ValidationError(
            f"{_invalid}At least one of ProvisionedThroughput, OnDemandThroughput or WarmThroughput must be"
            f" specified for index: {name}"
        )
    if is_new and wanted.read_capacity_units is None:
        raise ValidationError(
            f"{_invalid}Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: {name}"
        )
    if wanted.on_demand is not None:
        member = "MaxWriteRequestUnits" if wanted.on_demand.read_units is None else "MaxReadRequestUnits"
        raise ValidationError(
            f"{_invalid}{member} for OnDemandThroughput for index : {name} cannot be specified when the table"
            " BillingMode is PROVISIONED"
        )


def _attributes(names: Sequence[str], types: Mapping[str, str]) -> tuple[KeyAttribute, ...]:
    return tuple(KeyAttribute(name, types[name]) for name in names)


_invalid = "One or more parameter values were invalid: "
