"""TableDescription: every field of the API that a table here has, with the values that DynamoDB shows for it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.region.commands.tables import TableDescription
from shared.model.tables import BillingMode, RegionName, ReplicaState, ReplicaStatus, TableDefinition

global_table_version = "2019.11.21"
_warm_read_units_min = 12_000  # what DynamoDB shows for every table of which no more was asked
_warm_write_units_min = 4_000


def describe(described: TableDescription, *, arn: str) -> dict[str, Any]:
    """The description as JSON members; `arn` is the table's."""
    definition = described.definition
    created_s = definition.created_us / 1_000_000
    members: dict[str, Any] = {
        "AttributeDefinitions": [
            {"AttributeName": each.name, "AttributeType": each.type} for each in _key_attributes(definition)
        ],
        "TableName": definition.name,
        "KeySchema": [
            {"AttributeName": each.name, "KeyType": key_type}
            for each, key_type in zip(_key_attributes(definition), ("HASH", "RANGE"), strict=False)
        ],
        "TableStatus": described.status.value,
        "CreationDateTime": created_s,
        "ProvisionedThroughput": {
            "NumberOfDecreasesToday": 0,
            "ReadCapacityUnits": definition.read_capacity_units,
            "WriteCapacityUnits": definition.write_capacity_units,
        },
        "TableSizeBytes": described.size_bytes,
        "ItemCount": described.item_count,
        "TableArn": arn,
        "TableId": str(UUID(bytes=definition.generation)),
    }
    if definition.billing_mode is BillingMode.PAY_PER_REQUEST:
        members["BillingModeSummary"] = {
            "BillingMode": "PAY_PER_REQUEST",
            "LastUpdateToPayPerRequestDateTime": created_s,
        }
    members |= _stream(definition, arn)
    if definition.is_global:
        members["GlobalTableVersion"] = global_table_version
        members["Replicas"] = [_replica(name, state) for name, state in described.replicas.items()]
    members["DeletionProtectionEnabled"] = False
    members["WarmThroughput"] = {
        "ReadUnitsPerSecond": max(_warm_read_units_min, definition.read_capacity_units),
        "WriteUnitsPerSecond": max(_warm_write_units_min, definition.write_capacity_units),
        "Status": "ACTIVE",
    }
    return members


def _key_attributes(definition: TableDefinition) -> list[Any]:
    keys = definition.key_schema
    return [keys.partition] if keys.sort is None else [keys.partition, keys.sort]


def _stream(definition: TableDefinition, arn: str) -> dict[str, Any]:
    stream = definition.stream
    if stream is None or not stream.enabled:
        return {}
    created = datetime.fromtimestamp(definition.created_us / 1_000_000, UTC)
    label = created.strftime("%Y-%m-%dT%H:%M:%S.") + f"{created.microsecond // 1000:03d}"
    return {
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": stream.view_type},
        "LatestStreamLabel": label,
        "LatestStreamArn": f"{arn}/stream/{label}",
    }


def _replica(name: RegionName, state: ReplicaState) -> dict[str, Any]:
    members: dict[str, Any] = {"RegionName": name, "ReplicaStatus": state.status.value}
    if state.status is ReplicaStatus.CREATING:
        members["ReplicaStatusPercentProgress"] = str(state.percent)
    if state.description is not None:
        members["ReplicaStatusDescription"] = state.description
    return members
