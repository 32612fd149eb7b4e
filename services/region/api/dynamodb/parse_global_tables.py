"""The calls for global tables of version 2017.11.29: DynamoDB makes none any more, so there never is one."""

from typing import Any

from services.region.api.dynamodb import constraints
from services.region.api.dynamodb import members as shapes
from services.region.api.dynamodb.members import ListOf, Members, Structure, Text, Whole, structure
from services.region.api.dynamodb.table_names import pattern
from shared.errors import GlobalTableNotFoundError, ValidationError

_invalid = "One or more parameter values were invalid"
_name = Text(pattern=pattern)
_region = structure("Replica", RegionName=shapes.text)
_create = structure(
    "CreateGlobalTableInput",
    *("GlobalTableName", "ReplicationGroup"),
    GlobalTableName=_name,
    ReplicationGroup=ListOf(_region),
)
_describe = structure("DescribeGlobalTableInput", "GlobalTableName", GlobalTableName=_name)
_update = structure(
    "UpdateGlobalTableInput",
    *("GlobalTableName", "ReplicaUpdates"),
    GlobalTableName=_name,
    ReplicaUpdates=ListOf(
        structure(
            "ReplicaUpdate",
            Create=structure("CreateReplicaAction", "RegionName", RegionName=shapes.text),
            Delete=structure("DeleteReplicaAction", "RegionName", RegionName=shapes.text),
        )
    ),
)
_update_settings = structure(
    "UpdateGlobalTableSettingsInput",
    "GlobalTableName",
    GlobalTableName=_name,
    GlobalTableBillingMode=Text(enum=("PROVISIONED", "PAY_PER_REQUEST")),
    GlobalTableProvisionedWriteCapacityUnits=Whole("Long", min=1),
    ReplicaSettingsUpdate=ListOf(
        structure("ReplicaSettingsUpdate", "RegionName", RegionName=shapes.text), length_min=1, length_max=50
    ),
)
_list = structure(
    "ListGlobalTablesInput",
    ExclusiveStartGlobalTableName=Text(pattern=pattern, length_min=3, length_max=255),
    Limit=Whole("Integer", min=1),
    RegionName=shapes.text,
)


def parse_create_global_table(request: dict[str, Any]) -> None:
    _checked(request, _create)
    raise ValidationError(
        f"{_invalid}: DynamoDB global tables version 2017.11.29 is not supported. We recommend using DynamoDB global "
        "tables version 2019.11.21, instead of version 2017.11.29 (Legacy)."
    )


def parse_describe_global_table(request: dict[str, Any]) -> None:
    raise _not_found(_checked(request, _describe), "Global table not found: ")


def parse_update_global_table(request: dict[str, Any]) -> None:
    members = _checked(request, _update)
    if not members["ReplicaUpdates"] or any(len(update) != 1 for update in members["ReplicaUpdates"]):
        raise ValidationError(_invalid)
    raise _not_found(members, "Global table not found: ")


def parse_describe_global_table_settings(request: dict[str, Any]) -> None:
    raise _not_found(_checked(request, _describe), "")


def parse_update_global_table_settings(request: dict[str, Any]) -> None:
    raise _not_found(_checked(request, _update_settings), "")


def parse_list_global_tables(request: dict[str, Any]) -> None:
    constraints.check(_list.read(request), _list)


def _checked(request: dict[str, Any], shape: Structure) -> Members:
    members = shape.read(request)
    name = members.get("GlobalTableName")
    if name is not None and not 3 <= len(name) <= 255:
        raise ValidationError("TableName must be at least 3 characters long and at most 255 characters long")
    constraints.check(members, shape)
    return members


def _not_found(members: Members, beginning: str) -> GlobalTableNotFoundError:
    name = members["GlobalTableName"]
    return GlobalTableNotFoundError(f"{beginning}Global table with name: '{name}' does not exist.")
