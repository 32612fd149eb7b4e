"""CreateTable, DescribeTable, ListTables, DeleteTable and UpdateTable: statements in DynamoDB's order of checks.

What depends on the table as it is (whether it exists, its billing mode, its replicas) is checked by the engine.
"""

from typing import Any

from services.region.api.dynamodb import constraints, table_names
from services.region.api.dynamodb import members as shapes
from services.region.api.dynamodb.members import ListOf, Members, Shape, Text, Whole, structure
from services.region.api.dynamodb.parameters import table_of
from services.region.api.dynamodb.unsupported import refuse_replica_settings, refuse_unsupported
from services.region.commands.tables import CreateTable, DeleteTable, DescribeTable, ListTables, UpdateTable
from shared import limits
from shared.errors import ValidationError
from shared.model.keys import KeyAttribute, KeySchema
from shared.model.tables import BillingMode, RegionName, StreamSpecification

_invalid = "One or more parameter values were invalid: "
_capacity_units_max = 1_000_000_000_000
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
    StreamViewType=Text(enum=("NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY")),
)
_settings: dict[str, Shape] = {
    "SSESpecification": shapes.unread,
    "TableClass": Text(enum=("STANDARD", "STANDARD_INFREQUENT_ACCESS")),
    "DeletionProtectionEnabled": shapes.flag,
    "WarmThroughput": shapes.unread,
    "OnDemandThroughput": shapes.unread,
    "GlobalTableSettingsReplicationMode": shapes.unread,
}
_create_table = structure(
    "CreateTableInput",
    *("AttributeDefinitions", "KeySchema"),
    AttributeDefinitions=_attribute_definitions,
    TableName=shapes.table_name,
    BillingMode=_billing_mode,
    ProvisionedThroughput=_throughput,
    KeySchema=_key_schema,
    StreamSpecification=_stream,
    LocalSecondaryIndexes=shapes.unread,
    GlobalSecondaryIndexes=shapes.unread,
    VectorIndexes=shapes.unread,
    Tags=shapes.unread,
    ResourcePolicy=shapes.unread,
    GlobalTableSourceArn=shapes.unread,
    **_settings,
)
_replica_action = structure(
    "ReplicationGroupMemberAction",
    "RegionName",
    RegionName=shapes.text,
    KMSMasterKeyId=shapes.unread,
    ProvisionedThroughputOverride=shapes.unread,
    OnDemandThroughputOverride=shapes.unread,
    GlobalSecondaryIndexes=shapes.unread,
    TableClassOverride=shapes.unread,
    DisassociationMode=shapes.unread,
)
_replica_actions = ("Create", "Update", "Delete", "Disassociate")
_update_table = structure(
    "UpdateTableInput",
    TableName=shapes.table_name,
    ProvisionedThroughput=_throughput,
    BillingMode=_billing_mode,
    StreamSpecification=_stream,
    ReplicaUpdates=ListOf(
        structure("ReplicationGroupUpdate", **dict.fromkeys(_replica_actions, _replica_action)), length_min=1
    ),
    AttributeDefinitions=_attribute_definitions,
    GlobalSecondaryIndexUpdates=shapes.unread,
    VectorIndexUpdates=shapes.unread,
    MultiRegionConsistency=shapes.unread,
    GlobalTableWitnessUpdates=shapes.unread,
    DisassociationProtectionEnabled=shapes.unread,
    **_settings,
)
_table_only = structure("DescribeTableInput", TableName=shapes.table_name)
_list_tables = structure(
    "ListTablesInput",
    Limit=Whole("Integer", min=1, max=limits.list_tables_max),
    ExclusiveStartTableName=Text(
        pattern=table_names.pattern, length_min=limits.table_name_chars_min, length_max=limits.table_name_chars_max
    ),
)


def parse_create_table(request: dict[str, Any]) -> CreateTable:
    members = _create_table.read(request)
    _check_table_name(members)
    constraints.check(members, _create_table)
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
    if len(members["AttributeDefinitions"]) != len(key_schema.names):
        raise ValidationError(
            f"{_invalid}Number of attributes in KeySchema does not exactly match number of attributes "
            "defined in AttributeDefinitions"
        )
    return CreateTable(
        name=table_of(members),
        key_schema=key_schema,
        billing_mode=billing_mode,
        read_capacity_units=0 if throughput is None else throughput["ReadCapacityUnits"],
        write_capacity_units=0 if throughput is None else throughput["WriteCapacityUnits"],
        stream=_stream_of(members, "created"),
    )


def parse_update_table(request: dict[str, Any]) -> UpdateTable:
    members = _update_table.read(request)
    _check_table_name(members)
    constraints.check(members, _update_table)
    if members.keys() <= {"TableName", "AttributeDefinitions"}:
        raise ValidationError(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates "
            "or SSESpecification or ReplicaUpdates is required"
        )
    billing_mode = BillingMode(members["BillingMode"]) if "BillingMode" in members else None
    throughput = members.get("ProvisionedThroughput")
    if billing_mode is BillingMode.PROVISIONED and throughput is None:
        raise ValidationError(f"{_invalid}ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
    if billing_mode is BillingMode.PAY_PER_REQUEST:
        _check_no_throughput(throughput)
    _check_throughput(throughput)
    refuse_unsupported(members)
    added, removed = _replicas_of(members)
    return UpdateTable(
        name=table_of(members),
        add_replicas=added,
        remove_replicas=removed,
        billing_mode=billing_mode,
        read_capacity_units=None if throughput is None else throughput["ReadCapacityUnits"],
        write_capacity_units=None if throughput is None else throughput["WriteCapacityUnits"],
        stream=_stream_of(members, "updated"),
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
    _check_table_name(members)
    constraints.check(members, _table_only)
    return table_of(members)


def _check_table_name(members: Members) -> None:
    """Operations on tables word two faults in their own way, before all constraints."""
    name = members.get("TableName")
    if name is None:
        raise ValidationError("The parameter 'TableName' is required but was not present in the request")
    if table_names.table_name_of(name) is None and not (
        limits.table_name_chars_min <= len(name) <= limits.table_name_chars_max
    ):
        raise ValidationError("TableName must be at least 3 characters long and at most 255 characters long")


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
        if throughput[name] > _capacity_units_max:
            raise ValidationError(f"Given value {throughput[name]} for {name} is out of bounds")


def _key_schema_of(members: Members) -> KeySchema:
    types = {each["AttributeName"]: each["AttributeType"] for each in members["AttributeDefinitions"]}
    defined = [each["AttributeName"] for each in members["AttributeDefinitions"]]
    elements = members["KeySchema"]
    names = [each["AttributeName"] for each in elements]
    if len(names) > len(defined):
        raise ValidationError("Invalid KeySchema: Some index key attribute have no definition")
    if not types.keys() >= set(names):
        raise ValidationError(
            f"{_invalid}Some index key attributes are not defined in AttributeDefinitions. "
            f"Keys: [{', '.join(names)}], AttributeDefinitions: [{', '.join(defined)}]"
        )
    if len(set(names)) < len(names):
        raise ValidationError("Both the Hash Key and the Range Key element in the KeySchema have the same name")
    if elements[0]["KeyType"] != "HASH":
        raise ValidationError("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    if len(elements) > 1 and elements[1]["KeyType"] != "RANGE":
        raise ValidationError("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
    return KeySchema(*(KeyAttribute(name, types[name]) for name in names))


def _stream_of(members: Members, verb: str) -> StreamSpecification | None:
    stream = members.get("StreamSpecification")
    if stream is None:
        return None
    enabled, view_type = stream["StreamEnabled"], stream.get("StreamViewType")
    if enabled and view_type is None:
        raise ValidationError(
            f"{_invalid}Table is being {verb} with a stream enabled, UpdateViewType should be specified"
        )
    if not enabled and view_type is not None:
        raise ValidationError(
            f"{_invalid}Table is being {verb} with a stream disabled, UpdateViewType should not be specified"
        )
    return StreamSpecification(enabled, view_type)


def _replicas_of(members: Members) -> tuple[tuple[RegionName, ...], tuple[RegionName, ...]]:
    """The regions that the request adds and removes."""
    added: list[RegionName] = []
    removed: list[RegionName] = []
    for update in members.get("ReplicaUpdates", ()):
        if len(update) != 1:
            raise ValidationError(
                f"{_invalid}Exactly one of ReplicationGroupUpdate.Create, ReplicationGroupUpdate.Update, "
                "ReplicationGroupUpdate.Delete must be given for each replica update"
            )
        [(action, replica)] = update.items()
        region = RegionName(replica["RegionName"])
        if action not in ("Create", "Delete"):
            raise ValidationError(f"ReplicaUpdates: {action} is not supported yet")
        refuse_replica_settings(action, replica)
        if region in added or region in removed:
            raise ValidationError(f"{_invalid}Only one replica update per region is allowed. Region: {region}")
        (added if action == "Create" else removed).append(region)
    return tuple(added), tuple(removed)
