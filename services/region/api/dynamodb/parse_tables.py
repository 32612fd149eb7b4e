"""CreateTable, DescribeTable, ListTables, DeleteTable and UpdateTable: statements in DynamoDB's order of checks.

What depends on the table as it is (whether it exists, its billing mode, its replicas) is checked by the engine.
"""

from typing import Any

from services.region.api.dynamodb import (
    constraints,
    index_checks,
    parse_indexes,
    parse_replicas,
    parse_table_settings,
    table_names,
)
from services.region.api.dynamodb import members as shapes
from services.region.api.dynamodb.members import ListOf, Members, TableName, Text, Whole, structure
from services.region.api.dynamodb.parameters import table_of
from services.region.api.dynamodb.unsupported import refuse_unsupported
from services.region.commands.tables import CreateTable, DeleteTable, DescribeTable, ListTables, Units, UpdateTable
from services.region.rules.key_definitions import check_defined, no_definition
from services.region.rules.resource_policies import canonical_policy
from shared import limits
from shared.errors import ValidationError
from shared.model.keys import KeyAttribute, KeySchema
from shared.model.tables import BillingMode, StreamSpecification

_invalid = "One or more parameter values were invalid: "
_table_name = TableName(of_calls_on_tables=True)
_billing_mode = Text(enum=("PROVISIONED", "PAY_PER_REQUEST"))
_throughput = structure(
    "ProvisionedThroughput",
    *("WriteCapacityUnits", "ReadCapacityUnits"),
    WriteCapacityUnits=Whole("Long", min=1),
    ReadCapacityUnits=Whole("Long", min=1),
)
_attribute_definitions = ListOf(
    structure(
        "AttributeDefinition",
        *("AttributeName", "AttributeType"),
        AttributeName=Text(length_min=1, length_max=limits.key_attribute_name_chars_max),
        AttributeType=Text(enum=("B", "N", "S")),
    )
)
_key_schema = ListOf(
    structure(
        "KeySchemaElement",
        *("AttributeName", "KeyType"),
        AttributeName=Text(length_min=1, length_max=limits.key_attribute_name_chars_max),
        KeyType=Text(enum=("HASH", "RANGE")),
    ),
    length_min=1,
    length_max=2,
)
_stream = structure(
    "StreamSpecification",
    "StreamEnabled",
    StreamEnabled=shapes.flag,
    StreamViewType=Text(enum=("OLD_IMAGE", "KEYS_ONLY", "NEW_AND_OLD_IMAGES", "NEW_IMAGE")),
)
_create_table = structure(
    "CreateTableInput",
    *("AttributeDefinitions", "TableName", "KeySchema"),
    AttributeDefinitions=_attribute_definitions,
    TableName=_table_name,
    BillingMode=_billing_mode,
    TableThroughputMode=_billing_mode,
    ProvisionedThroughput=_throughput,
    KeySchema=_key_schema,
    StreamSpecification=_stream,
    GlobalSecondaryIndexes=parse_indexes.global_indexes,
    LocalSecondaryIndexes=parse_indexes.local_indexes,
    VectorIndexes=shapes.unread,
    Tags=parse_table_settings.tag_list,
    ResourcePolicy=shapes.text,
    GlobalTableSourceArn=shapes.unread,
    **parse_table_settings.settings,
)
_update_table = structure(
    "UpdateTableInput",
    "TableName",
    TableName=_table_name,
    ProvisionedThroughput=_throughput,
    BillingMode=_billing_mode,
    TableThroughputMode=_billing_mode,
    StreamSpecification=_stream,
    ReplicaUpdates=parse_replicas.replica_updates,
    AttributeDefinitions=_attribute_definitions,
    GlobalSecondaryIndexUpdates=parse_indexes.global_index_updates,
    VectorIndexUpdates=shapes.unread,
    MultiRegionConsistency=shapes.unread,
    GlobalTableWitnessUpdates=shapes.unread,
    DisassociationProtectionEnabled=shapes.unread,
    **parse_table_settings.settings,
)
_table_only = structure("DescribeTableInput", "TableName", TableName=_table_name)
_list_tables = structure(
    "ListTablesInput",
    Limit=Whole("Integer", min=1, max=limits.list_tables_max),
    ExclusiveStartTableName=Text(
        pattern=table_names.pattern, length_min=limits.table_name_chars_min, length_max=limits.table_name_chars_max
    ),
)


def parse_create_table(request: dict[str, Any]) -> CreateTable:
    members = _create_table.read(request)
    constraints.check(members, _create_table)
    _settle_billing_mode(members)
    table_class = parse_table_settings.table_class_of(members)
    billing_mode = BillingMode(members.get("BillingMode", "PROVISIONED"))
    throughput = members.get("ProvisionedThroughput")
    if billing_mode is BillingMode.PAY_PER_REQUEST:
        _check_no_throughput(throughput)
    elif throughput is None:
        raise ValidationError(
            f"{_invalid}ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
        )
    _check_throughput(throughput)
    key_schema = _key_schema_of(members)
    refuse_unsupported(members)
    index_checks.check_definitions(members)
    encryption = parse_table_settings.encryption_of(members)
    policy = members.get("ResourcePolicy")
    return CreateTable(
        name=table_of(members),
        key_schema=key_schema,
        billing_mode=billing_mode,
        read_capacity_units=0 if throughput is None else throughput["ReadCapacityUnits"],
        write_capacity_units=0 if throughput is None else throughput["WriteCapacityUnits"],
        stream=_created_stream(members),
        indexes=parse_indexes.indexes_of(members, key_schema, billing_mode),
        table_class=table_class,
        encryption=None if encryption is None else encryption.encryption,
        max_request_units=parse_table_settings.limits_of(members) or Units(),
        warm_units=parse_table_settings.warmth_of(members) or Units(),
        is_protected=members.get("DeletionProtectionEnabled", False),
        tags=parse_table_settings.tags_in(members),
        policy=None if policy is None else canonical_policy(policy, of_stream=False),
    )


def parse_update_table(request: dict[str, Any]) -> UpdateTable:
    members = _update_table.read(request)
    constraints.check(members, _update_table)
    _settle_billing_mode(members)
    table_class = parse_table_settings.table_class_of(members)
    parse_indexes.check_warmth(members)
    parse_table_settings.check_changes(members, parse_indexes.effective_members(members))
    billing_mode = BillingMode(members["BillingMode"]) if "BillingMode" in members else None
    throughput = members.get("ProvisionedThroughput")
    if billing_mode is BillingMode.PROVISIONED and throughput is None:
        raise ValidationError(f"{_invalid}ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
    if billing_mode is BillingMode.PAY_PER_REQUEST:
        _check_no_throughput(throughput)
    _check_throughput(throughput)
    refuse_unsupported(members)
    replicas = parse_replicas.replicas_of(members)
    return UpdateTable(
        name=table_of(members),
        add_replicas=replicas.added,
        remove_replicas=replicas.removed,
        replica_settings=replicas.settings,
        changed_replicas=replicas.changed,
        billing_mode=billing_mode,
        read_capacity_units=None if throughput is None else throughput["ReadCapacityUnits"],
        write_capacity_units=None if throughput is None else throughput["WriteCapacityUnits"],
        stream=_updated_stream(members),
        index_updates=parse_indexes.index_updates_of(members),
        table_class=table_class,
        encryption=parse_table_settings.encryption_of(members),
        max_request_units=parse_table_settings.limits_of(members),
        warm_units=parse_table_settings.warmth_of(members),
        is_protected=members.get("DeletionProtectionEnabled"),
    )


def parse_describe_table(request: dict[str, Any]) -> DescribeTable:
    return DescribeTable(_table_only_of(request))


def parse_delete_table(request: dict[str, Any]) -> DeleteTable:
    return DeleteTable(_table_only_of(request))


def parse_list_tables(request: dict[str, Any]) -> ListTables:
    members = _list_tables.read(request)
    constraints.check(members, _list_tables)
    return ListTables(members.get("Limit", limits.list_tables_max), members.get("ExclusiveStartTableName"))


def _table_only_of(request: dict[str, Any]) -> str:
    members = _table_only.read(request)
    constraints.check(members, _table_only)
    return table_of(members)


def _settle_billing_mode(members: Members) -> None:
    """The mode has a second name, which the service model does not tell; it counts where the first one is missing."""
    mode = members.pop("TableThroughputMode", None)
    if mode is not None:
        members.setdefault("BillingMode", mode)


def _check_no_throughput(throughput: Members | None) -> None:
    if throughput is not None:
        raise ValidationError(
            f"{_invalid}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified "
            "when BillingMode is PAY_PER_REQUEST"
        )


def _check_throughput(throughput: Members | None) -> None:
    if throughput is None:
        return
    for name in ("ReadCapacityUnits", "WriteCapacityUnits"):
        if throughput[name] > limits.capacity_units_told_max:
            raise ValidationError(f"Given value {throughput[name]} for {name} is out of bounds")


def _key_schema_of(members: Members) -> KeySchema:
    types = {each["AttributeName"]: each["AttributeType"] for each in members["AttributeDefinitions"]}
    defined = [each["AttributeName"] for each in members["AttributeDefinitions"]]
    if len(types) < len(defined):
        raise ValidationError(f"Attribute Name is duplicated: {_first_twice(defined)}")
    elements = members["KeySchema"]
    names = [each["AttributeName"] for each in elements]
    if len(names) > len(defined):
        raise no_definition()
    check_defined(names, defined)
    if len(set(names)) < len(names):
        raise ValidationError("Both the Hash Key and the Range Key element in the KeySchema have the same name")
    if elements[0]["KeyType"] != "HASH":
        raise ValidationError("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    if len(elements) > 1 and elements[1]["KeyType"] != "RANGE":
        raise ValidationError("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
    return KeySchema(*(KeyAttribute(name, types[name]) for name in names))


def _first_twice(names: list[str]) -> str:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    raise AssertionError("one is there twice")


def _created_stream(members: Members) -> StreamSpecification | None:
    return _stream_of(
        members,
        no_view_type="Table is being created with a stream enabled, UpdateViewType is required",
        needless_view_type="Table is being created with a stream disabled, UpdateViewType should not be specified",
    )


def _updated_stream(members: Members) -> StreamSpecification | None:
    return _stream_of(
        members,
        no_view_type="If stream is being enabled then UpdateViewType is required",
        needless_view_type="If stream is being disabled, then UpdateViewType must not be specified",
    )


def _stream_of(members: Members, *, no_view_type: str, needless_view_type: str) -> StreamSpecification | None:
    stream = members.get("StreamSpecification")
    if stream is None:
        return None
    enabled, view_type = stream["StreamEnabled"], stream.get("StreamViewType")
    if enabled and view_type is None:
        raise ValidationError(f"{_invalid}{no_view_type}")
    if not enabled and view_type is not None:
        raise ValidationError(f"{_invalid}{needless_view_type}")
    return StreamSpecification(enabled, view_type)
