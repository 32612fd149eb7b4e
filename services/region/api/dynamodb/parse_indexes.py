"""The parts of CreateTable and UpdateTable that speak of secondary indexes: shapes, and statements in their order."""

from collections.abc import Mapping

from services.region.api.dynamodb import members as shapes
from services.region.api.dynamodb.index_checks import (
    check_global,
    check_global_keys,
    check_included_attributes,
    check_local,
    check_projection,
)
from services.region.api.dynamodb.members import ListOf, Members, Text, Whole, structure
from services.region.commands.indexes import AddIndex, ChangeIndex, IndexThroughput, IndexUpdate, RemoveIndex
from shared import limits
from shared.errors import ValidationError
from shared.model.indexes import OnDemandLimits, ProjectionType, SecondaryIndex, numbers_of_new_table
from shared.model.keys import KeyAttribute, KeySchema
from shared.model.tables import BillingMode

_invalid = "One or more parameter values were invalid: "
_lists_of_updates = ("GlobalSecondaryIndexUpdates", "VectorIndexUpdates")
_key_schema_element = structure(
    "KeySchemaElement",
    *("AttributeName", "KeyType"),
    AttributeName=Text(length_min=1, length_max=limits.key_attribute_name_chars_max),
    KeyType=Text(enum=("HASH", "RANGE")),
)
_global_key_schema = ListOf(
    _key_schema_element, length_min=1, length_max=2 * limits.index_key_attributes_max, excess_at="keySchema"
)
_projection = structure(
    "Projection",
    ProjectionType=Text(enum=("ALL", "INCLUDE", "KEYS_ONLY")),
    NonKeyAttributes=ListOf(
        Text(length_min=1, length_max=limits.projected_attribute_name_chars_max),
        length_min=1,
        length_max=limits.projected_attributes_of_index_max,
    ),
)
_throughput = structure(
    "ProvisionedThroughput",
    *("WriteCapacityUnits", "ReadCapacityUnits"),
    WriteCapacityUnits=Whole("Long", min=1),
    ReadCapacityUnits=Whole("Long", min=1),
)
_on_demand = structure("OnDemandThroughput", MaxReadRequestUnits=Whole("Long"), MaxWriteRequestUnits=Whole("Long"))
_warm = structure("WarmThroughput", ReadUnitsPerSecond=Whole("Long"), WriteUnitsPerSecond=Whole("Long"))
local_indexes = ListOf(
    structure(
        "LocalSecondaryIndex",
        *("IndexName", "KeySchema", "Projection"),
        IndexName=shapes.defined_index_name,
        KeySchema=ListOf(_key_schema_element, length_min=1, length_max=2, excess_at="keySchema"),
        Projection=_projection,
    )
)
global_indexes = ListOf(
    structure(
        "GlobalSecondaryIndex",
        *("IndexName", "KeySchema", "Projection"),
        IndexName=shapes.defined_index_name,
        KeySchema=_global_key_schema,
        Projection=_projection,
        ProvisionedThroughput=_throughput,
        OnDemandThroughput=_on_demand,
        WarmThroughput=_warm,
    )
)
global_index_updates = ListOf(
    structure(
        "GlobalSecondaryIndexUpdate",
        Update=structure(
            "UpdateGlobalSecondaryIndexAction",
            "IndexName",
            IndexName=shapes.defined_index_name,
            ProvisionedThroughput=_throughput,
            OnDemandThroughput=_on_demand,
            WarmThroughput=_warm,
        ),
        Create=structure(
            "CreateGlobalSecondaryIndexAction",
            *("Projection", "IndexName", "KeySchema"),
            Projection=_projection,
            IndexName=shapes.defined_index_name,
            ProvisionedThroughput=_throughput,
            KeySchema=_global_key_schema,
            OnDemandThroughput=_on_demand,
            WarmThroughput=_warm,
        ),
        Delete=structure("DeleteGlobalSecondaryIndexAction", "IndexName", IndexName=shapes.defined_index_name),
    )
)


def indexes_of(members: Members, key_schema: KeySchema, billing_mode: BillingMode) -> tuple[SecondaryIndex, ...]:
    """The indexes of a new table, once `check_definitions` holds."""
    types = {each["AttributeName"]: each["AttributeType"] for each in members["AttributeDefinitions"]}
    wanted_local, wanted_global = members.get("LocalSecondaryIndexes"), members.get("GlobalSecondaryIndexes")
    names: set[str] = set()
    if wanted_local is not None:
        check_local(wanted_local, key_schema, names)
    if wanted_global is not None:
        check_global(wanted_global, billing_mode, names)
    wanted = [*(wanted_local or ()), *(wanted_global or ())]
    check_included_attributes(len(index["Projection"].get("NonKeyAttributes", ())) for index in wanted)
    return tuple(
        _index_of(index, types, key_schema, number=number, is_global=position >= len(wanted_local or ()))
        for position, (number, index) in enumerate(zip(numbers_of_new_table(len(wanted)), wanted, strict=True))
    )


def index_updates_of(members: Members) -> tuple[IndexUpdate, ...]:
    updates = members.get("GlobalSecondaryIndexUpdates")
    if updates is None:
        return ()
    if not updates:
        raise ValidationError(f"{_invalid}List of GlobalSecondaryIndexUpdates is empty")
    types = {each["AttributeName"]: each["AttributeType"] for each in members.get("AttributeDefinitions", ())}
    seen: set[str] = set()
    for update in updates:
        if not update:
            raise ValidationError(
                f"{_invalid}One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
                "GlobalSecondaryIndexUpdate.Delete must not be null"
            )
        if len(update) > 1:
            raise ValidationError(
                f"{_invalid}Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object"
            )
        [action] = update.values()
        name = action["IndexName"]
        if name in seen:
            raise ValidationError(
                f"{_invalid}Only one global secondary index update per index is allowed simultaneously. Index: {name}"
            )
        seen.add(name)
    _check_indexes_stay(members)
    return tuple(_update_of(update, types, members) for update in updates)


def check_warmth(members: Members) -> None:
    """An update of an index that speaks of its warmth says how warm; this is looked at before anything else."""
    for update in members.get("GlobalSecondaryIndexUpdates", ()):
        index = update.get("Update", {})
        if index.get("WarmThroughput") == {}:
            raise ValidationError(
                f"{_invalid}WarmThroughput must have at least one of ReadUnitsPerSecond or WriteUnitsPerSecond "
                f"specified for index: {index['IndexName']}"
            )


def effective_members(members: Members) -> set[str]:
    """The members by which UpdateTable changes something: an empty list of index updates is none."""
    return {name for name, value in members.items() if value or name not in _lists_of_updates}


def _check_indexes_stay(members: Members) -> None:
    """What can't be changed in the request that adds or removes an index."""
    updates = members.get("GlobalSecondaryIndexUpdates", ())
    if not any("Create" in update or "Delete" in update for update in updates):
        return
    if "ProvisionedThroughput" in members and "BillingMode" not in members:
        raise ValidationError(f"{_invalid}You cannot create or delete index while updating table IOPS")
    if "StreamSpecification" in members:
        raise ValidationError(f"{_invalid}You cannot create or delete index while changing stream status")


def _index_of(
    index: Members, types: Mapping[str, str], key_schema: KeySchema, *, number: int, is_global: bool
) -> SecondaryIndex:
    throughput = _throughput_of(index)
    return SecondaryIndex(
        number=number,
        name=index["IndexName"],
        is_global=is_global,
        partition=tuple(KeyAttribute(name, types[name]) for name in _names(index, "HASH")),
        sort=tuple(KeyAttribute(name, types[name]) for name in _names(index, "RANGE")),
        table_keys=key_schema.names,
        projection=ProjectionType(index["Projection"]["ProjectionType"]),
        included=_included(index),
        read_capacity_units=throughput.read_capacity_units or 0,
        write_capacity_units=throughput.write_capacity_units or 0,
        on_demand=throughput.on_demand,
        warm_read_units=throughput.warm_read_units,
        warm_write_units=throughput.warm_write_units,
    )


def _update_of(update: Members, types: Mapping[str, str], members: Members) -> IndexUpdate:
    [(action, index)] = update.items()
    name = index["IndexName"]
    if action == "Delete":
        return RemoveIndex(name)
    if action == "Update":
        return ChangeIndex(name, _throughput_of(index))
    if "AttributeDefinitions" not in members:
        raise ValidationError(f"{_invalid}AttributeDefinitions is not specified for index: {name}")
    check_global_keys(index["KeySchema"])
    check_projection(index["Projection"])
    return AddIndex(
        name=name,
        partition=_names(index, "HASH"),
        sort=_names(index, "RANGE"),
        types=types,
        projection=ProjectionType(index["Projection"]["ProjectionType"]),
        included=_included(index),
        throughput=_throughput_of(index),
    )


def _names(index: Members, role: str) -> tuple[str, ...]:
    return tuple(each["AttributeName"] for each in index["KeySchema"] if each["KeyType"] == role)


def _included(index: Members) -> tuple[str, ...]:
    return tuple(sorted(index["Projection"].get("NonKeyAttributes", ())))


def _throughput_of(index: Members) -> IndexThroughput:
    provisioned, warm = index.get("ProvisionedThroughput", {}), index.get("WarmThroughput", {})
    on_demand = index.get("OnDemandThroughput")
    return IndexThroughput(
        read_capacity_units=provisioned.get("ReadCapacityUnits"),
        write_capacity_units=provisioned.get("WriteCapacityUnits"),
        on_demand=None
        if not on_demand
        else OnDemandLimits(on_demand.get("MaxReadRequestUnits"), on_demand.get("MaxWriteRequestUnits")),
        warm_read_units=warm.get("ReadUnitsPerSecond"),
        warm_write_units=warm.get("WriteUnitsPerSecond"),
    )
