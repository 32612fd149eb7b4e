"""The parts of CreateTable and UpdateTable that speak of secondary indexes: shapes, and statements in their order."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.region.api.dynamodb import members as shapes
from services.region.api.dynamodb.hash_sets import as_expected_set, as_set
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
        KeySchema=ListOf(_key_schema_element, length_min=1, length_max=2),
        Projection=_projection,
    )
)
global_indexes = ListOf(
    structure(
        "GlobalSecondaryIndex",
        *("IndexName", "KeySchema", "Projection"),
        IndexName=shapes.defined_index_name,
        KeySchema=ListOf(_key_schema_element, length_min=1),
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
            KeySchema=ListOf(_key_schema_element, length_min=1),
            OnDemandThroughput=_on_demand,
            WarmThroughput=_warm,
        ),
        Delete=structure("DeleteGlobalSecondaryIndexAction", "IndexName", IndexName=shapes.defined_index_name),
    )
)


def check_definitions(members: Members) -> None:
    """Attributes are defined once, and those are defined that keys of the table and its indexes use."""
    defined = [each["AttributeName"] for each in members["AttributeDefinitions"]]
    for position, name in enumerate(defined):
        if name in defined[:position]:
            raise ValidationError(f"Attribute Name is duplicated: {name}")
    indexes = [*members.get("LocalSecondaryIndexes", ()), *members.get("GlobalSecondaryIndexes", ())]
    used = [each["AttributeName"] for each in members["KeySchema"]]
    for index in indexes:
        names = [each["AttributeName"] for each in index["KeySchema"]]
        if not set(names) <= set(defined):
            raise ValidationError(
                f"{_invalid}Some index key attributes are not defined in AttributeDefinitions. "
                f"Keys: [{', '.join(names)}], AttributeDefinitions: [{', '.join(as_expected_set(defined))}]"
            )
        used += names
    if set(used) != set(defined):
        if not indexes:
            raise ValidationError(
                f"{_invalid}Number of attributes in KeySchema does not exactly match number of attributes "
                "defined in AttributeDefinitions"
            )
        raise ValidationError(
            f"{_invalid}Some AttributeDefinitions are not used. "
            f"AttributeDefinitions: [{', '.join(as_expected_set(defined))}], keys used: [{', '.join(as_set(used))}]"
        )


def indexes_of(members: Members, key_schema: KeySchema, billing_mode: BillingMode) -> tuple[SecondaryIndex, ...]:
    """The indexes of a new table, once `check_definitions` holds."""
    types = {each["AttributeName"]: each["AttributeType"] for each in members["AttributeDefinitions"]}
    wanted_local, wanted_global = members.get("LocalSecondaryIndexes"), members.get("GlobalSecondaryIndexes")
    names: set[str] = set()
    if wanted_local is not None:
        _check_local(wanted_local, key_schema, names)
    if wanted_global is not None:
        _check_global(wanted_global, billing_mode, names)
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


def check_included_attributes(counts: Any) -> None:
    if sum(counts) > limits.projected_attributes_of_table_max:
        raise ValidationError(
            f"{_invalid}Number of NonKeyAttributes summed across all of the secondary indexes exceeds the limit of "
            f"{limits.projected_attributes_of_table_max}"
        )


def _check_local(indexes: Sequence[Members], key_schema: KeySchema, names: set[str]) -> None:
    if not indexes:
        raise ValidationError(f"{_invalid}List of LocalSecondaryIndexes is empty")
    if key_schema.sort is None:
        raise ValidationError(
            f"{_invalid}Table KeySchema does not have a range key, which is required when specifying a"
            " LocalSecondaryIndex"
        )
    for index in indexes:
        name, elements = index["IndexName"], index["KeySchema"]
        if len(elements) > 1 and elements[0]["AttributeName"] == elements[1]["AttributeName"]:
            raise ValidationError("Both the Hash Key and the Range Key element in the KeySchema have the same name")
        _check_roles(elements)
        if len(elements) != 2:
            raise ValidationError(f"{_invalid}Index KeySchema does not have a range key for index: {name}")
        hash_key = elements[0]["AttributeName"]
        if hash_key != key_schema.partition.name:
            raise ValidationError(
                f"{_invalid}Index KeySchema does not have the same leading hash key as table KeySchema for index: "
                f"{name}. index hash key: {hash_key}, table hash key: {key_schema.partition.name}"
            )
        _check_projection(index["Projection"])
        _check_new_name(name, names)
    if len(indexes) > limits.local_indexes_max:
        raise ValidationError(
            f"{_invalid}Number of LocalSecondaryIndexes exceeds per-table limit of {limits.local_indexes_max}"
        )


def _check_global(indexes: Sequence[Members], billing_mode: BillingMode, names: set[str]) -> None:
    if not indexes:
        raise ValidationError(f"{_invalid}List of GlobalSecondaryIndexes is empty")
    for index in indexes:
        name = index["IndexName"]
        check_global_keys(index["KeySchema"])
        _check_projection(index["Projection"])
        if billing_mode is BillingMode.PAY_PER_REQUEST:
            if "ProvisionedThroughput" in index:
                raise ValidationError(
                    f"{_invalid}ProvisionedThroughput should not be specified for index: {name} when BillingMode is"
                    " PAY_PER_REQUEST"
                )
        elif "ProvisionedThroughput" not in index:
            raise ValidationError(f"{_invalid}ProvisionedThroughput is not specified for index: {name}")
        _check_on_demand(index, billing_mode)
        _check_new_name(name, names)
    if len(indexes) > limits.global_indexes_max:
        raise ValidationError(
            f"{_invalid}GlobalSecondaryIndex count exceeds the per-table limit of {limits.global_indexes_max}"
        )


def check_global_keys(elements: Sequence[Members]) -> None:
    """Up to four attributes of each kind; those of the partition key come first."""
    names = [each["AttributeName"] for each in elements]
    roles = [each["KeyType"] for each in elements]
    if len(set(names)) < len(names):
        raise ValidationError("The KeySchema contains multiple key attributes with the same name")
    if roles[0] != "HASH":
        raise ValidationError("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    if roles != sorted(roles):
        raise ValidationError(f"{_invalid}All HASH key attributes must precede RANGE key attributes in the KeySchema")
    for role in ("HASH", "RANGE"):
        if roles.count(role) > limits.index_key_attributes_max:
            raise ValidationError(
                f"{_invalid}The KeySchema exceeds the maximum allowed number of {role} key attributes"
            )


def _check_on_demand(index: Members, billing_mode: BillingMode) -> None:
    for member in index.get("OnDemandThroughput", ()):
        if billing_mode is BillingMode.PROVISIONED:
            raise ValidationError(
                f"{_invalid}{member} for OnDemandThroughput for index: {index['IndexName']} cannot be specified when"
                " table BillingMode is PROVISIONED."
            )


def _check_roles(elements: Sequence[Members]) -> None:
    if elements[0]["KeyType"] != "HASH":
        raise ValidationError("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    if len(elements) > 1 and elements[1]["KeyType"] != "RANGE":
        raise ValidationError("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")


def _check_projection(projection: Members) -> None:
    kind, included = projection.get("ProjectionType"), projection.get("NonKeyAttributes")
    if kind is None:
        raise ValidationError(f"{_invalid}Unknown ProjectionType: null")
    if included is not None and kind != "INCLUDE":
        raise ValidationError(f"{_invalid}ProjectionType is {kind}, but NonKeyAttributes is specified")
    if included is None and kind == "INCLUDE":
        raise ValidationError(f"{_invalid}ProjectionType is {kind}, but NonKeyAttributes is not specified")
    seen: set[str] = set()
    for name in included or ():
        if name in seen:
            raise ValidationError(f"{_invalid}Duplicate element in NonKeyAttributes: {name}")
        seen.add(name)


def _check_new_name(name: str, names: set[str]) -> None:
    if name in names:
        raise ValidationError(f"{_invalid}Duplicate index name: {name}")
    names.add(name)


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
    _check_projection(index["Projection"])
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
