"""What UpdateTable makes of a table's global indexes, from its definition alone; or DynamoDB's refusal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from services.region.commands.indexes import AddIndex, ChangeIndex, IndexUpdate, RemoveIndex
from services.region.rules import index_throughput
from services.region.rules.key_definitions import check_defined
from shared.errors import LimitExceededError, ResourceNotFoundError, ValidationError
from shared.limits import global_indexes_max, projected_attributes_of_table_max
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
            index_throughput.check_in_bounds(update.throughput)
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
            indexes[update.name] = index_throughput.changed(
                index, update.throughput, definition.billing_mode, now_us=now_us, region=region_name
            )
    if definition.billing_mode is not before:
        spoken_of = {update.name for update in updates if isinstance(update, ChangeIndex)}
        for name, index in indexes.items():
            if index.is_global:
                indexes[name] = index_throughput.rebilled(
                    index, definition.billing_mode, is_spoken_of=name in spoken_of, now_us=now_us
                )
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
    check_defined((*update.partition, *update.sort), tuple(update.types))  # also when the table defines them
    _check_types(definition, update)
    index_throughput.check_mode(name, throughput, definition.billing_mode, is_new=True)
    index = SecondaryIndex(
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
    index_throughput.check_new(index, definition.billing_mode, region=region_name)
    return index


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


def _attributes(names: Sequence[str], types: Mapping[str, str]) -> tuple[KeyAttribute, ...]:
    return tuple(KeyAttribute(name, types[name]) for name in names)


_invalid = "One or more parameter values were invalid: "
