"""LocalSecondaryIndexes and GlobalSecondaryIndexes of a TableDescription."""

from typing import Any

from services.region.commands.indexes import IndexDescription, IndexStatus
from services.region.commands.tables import Pending, TableDescription, TableStatus
from services.region.rules.index_throughput import warm_units
from services.region.rules.throughput import decreases_today
from shared.model.indexes import SecondaryIndex
from shared.model.tables import BillingMode


def describe_indexes(described: TableDescription, *, arn: str) -> dict[str, Any]:
    """The members that a table with indexes has; `arn` is the table's."""
    members: dict[str, Any] = {}
    local = [_local(each, arn) for each in described.indexes if not each.index.is_global]
    if local:
        members["LocalSecondaryIndexes"] = local
    wide = [_global(each, arn, described) for each in described.indexes if each.index.is_global]
    if wide:
        members["GlobalSecondaryIndexes"] = wide
    return members


def key_schema_of(index: SecondaryIndex) -> list[dict[str, str]]:
    return [
        *({"AttributeName": attribute.name, "KeyType": "HASH"} for attribute in index.partition),
        *({"AttributeName": attribute.name, "KeyType": "RANGE"} for attribute in index.sort),
    ]


def _local(described: IndexDescription, arn: str) -> dict[str, Any]:
    index = described.index
    projection: dict[str, Any] = {"ProjectionType": index.projection.value}
    if index.included:
        projection["NonKeyAttributes"] = list(index.included)
    return {
        "IndexName": index.name,
        "KeySchema": key_schema_of(index),
        "Projection": projection,
        "IndexSizeBytes": described.size_bytes,
        "ItemCount": described.item_count,
        "IndexArn": f"{arn}/index/{index.name}",
    }


def _global(described: IndexDescription, arn: str, table: TableDescription) -> dict[str, Any]:
    index = described.index
    status = IndexStatus.CREATING if table.status is TableStatus.CREATING else described.status
    members = _local(described, arn)
    members["IndexStatus"] = status.value
    if described.backfilling is not None:
        members["Backfilling"] = described.backfilling
    members["ProvisionedThroughput"] = _throughput(index, table.now_us)
    limits = index.on_demand
    if limits is not None:
        units = {"MaxReadRequestUnits": limits.read_units, "MaxWriteRequestUnits": limits.write_units}
        members["OnDemandThroughput"] = {name: value for name, value in units.items() if value is not None}
    if table.pending is not Pending.CREATION:
        members["WarmThroughput"] = _warmth(described, status, table.definition.billing_mode)
    return members


def _warmth(described: IndexDescription, status: IndexStatus, mode: BillingMode) -> dict[str, Any]:
    read, write = warm_units(described.index, mode)
    is_updating = described.is_warming or status is IndexStatus.CREATING
    return {
        "ReadUnitsPerSecond": read,
        "WriteUnitsPerSecond": write,
        "Status": "UPDATING" if is_updating else "ACTIVE",
    }


def _throughput(index: SecondaryIndex, now_us: int) -> dict[str, Any]:
    decreases = decreases_today(index.capacity_decreased_us, index.capacity_decreases, now_us)
    members: dict[str, Any] = {
        "NumberOfDecreasesToday": decreases,
        "ReadCapacityUnits": index.read_capacity_units,
        "WriteCapacityUnits": index.write_capacity_units,
    }
    if index.capacity_increased_us is not None:
        members["LastIncreaseDateTime"] = index.capacity_increased_us / 1_000_000
    if index.capacity_decreased_us is not None:
        members["LastDecreaseDateTime"] = index.capacity_decreased_us / 1_000_000
    return members
