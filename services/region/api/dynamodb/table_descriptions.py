"""TableDescription: every field of the API that a table here has, with the values that DynamoDB shows for it."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from services.region.api.dynamodb.index_descriptions import describe_indexes
from services.region.commands.tables import Pending, TableDescription, TableStatus
from services.region.rules.arns import Arns
from services.region.rules.streams import label_of
from services.region.rules.throughput import decreases_today, warm_units
from shared.model.tables import (
    BillingMode,
    RegionName,
    ReplicaIndexSettings,
    ReplicaSettings,
    ReplicaState,
    ReplicaStatus,
    TableDefinition,
)

global_table_version = "2019.11.21"
_forgotten_first = frozenset(
    {"AttributeDefinitions", "KeySchema", "CreationDateTime", "LocalSecondaryIndexes", "GlobalSecondaryIndexes"}
)


def describe(described: TableDescription, *, arns: Arns) -> dict[str, Any]:
    """The description as JSON members."""
    definition = described.definition
    arn = arns.of_table(definition.name)
    members: dict[str, Any] = {
        "AttributeDefinitions": [
            {"AttributeName": each.name, "AttributeType": each.type} for each in definition.key_attributes
        ],
        "TableName": definition.name,
        "KeySchema": [
            {"AttributeName": each.name, "KeyType": key_type}
            for each, key_type in zip(_key_attributes(definition), ("HASH", "RANGE"), strict=False)
        ],
        "TableStatus": described.status.value,
        "CreationDateTime": _seconds(definition.created_us),
        "ProvisionedThroughput": _throughput(definition, described.now_us),
        "TableSizeBytes": described.size_bytes,
        "ItemCount": described.item_count,
        "TableArn": arn,
        "TableId": str(UUID(bytes=definition.generation, version=4)),
    }
    members |= _billing(described)
    members |= describe_indexes(described, arn=arn)
    members |= _stream(definition, arn)
    members |= _replicas(described, arns)
    members |= _encryption(described, arns)
    members |= _table_class(definition, RegionName(arns.region))
    members["DeletionProtectionEnabled"] = described.is_protected
    members |= _on_demand(definition) | _warmth(described)
    if described.status is TableStatus.DELETING:
        return {name: value for name, value in members.items() if name not in _forgotten_first}
    return members


def _throughput(definition: TableDefinition, now_us: int) -> dict[str, Any]:
    settings = definition.settings
    members: dict[str, Any] = {}
    if settings.capacity_increased_us is not None:
        members["LastIncreaseDateTime"] = _seconds(settings.capacity_increased_us)
    if settings.capacity_decreased_us is not None:
        members["LastDecreaseDateTime"] = _seconds(settings.capacity_decreased_us)
    decreases = decreases_today(settings.capacity_decreased_us, settings.capacity_decreases, now_us)
    return members | {
        "NumberOfDecreasesToday": decreases,
        "ReadCapacityUnits": definition.read_capacity_units,
        "WriteCapacityUnits": definition.write_capacity_units,
    }


def _billing(described: TableDescription) -> dict[str, Any]:
    """Shown, under both of its names, once a table is or ever was on-demand; the time not yet in the first answer."""
    definition = described.definition
    since_us = definition.settings.on_demand_since_us
    if since_us is None and definition.billing_mode is BillingMode.PROVISIONED:
        return {}
    since = {}
    if since_us is not None and described.pending is not Pending.CREATION:
        since["LastUpdateToPayPerRequestDateTime"] = _seconds(since_us)
    mode = definition.billing_mode.value
    return {
        "BillingModeSummary": {"BillingMode": mode, **since},
        "TableThroughputModeSummary": {"TableThroughputMode": mode, **since},
    }


def _encryption(described: TableDescription, arns: Arns) -> dict[str, Any]:
    settings = described.definition.settings
    is_pending = described.pending is Pending.ENCRYPTION
    if settings.encryption is None:
        return {"SSEDescription": {"Status": "UPDATING"}} if is_pending else {}
    key = settings.of_replica(RegionName(arns.region)).encryption_key or settings.encryption.key
    status = "UPDATING" if is_pending else "ENABLED"
    return {"SSEDescription": {"Status": status, "SSEType": "KMS", "KMSMasterKeyArn": arns.of_key(key)}}


def _table_class(definition: TableDefinition, region: RegionName) -> dict[str, Any]:
    """Shown once it was not STANDARD, or was changed."""
    settings = definition.settings
    override = settings.of_replica(region).table_class
    if settings.table_class_changed_us is None and override is None:
        return {}
    summary: dict[str, Any] = {"TableClass": (override or settings.table_class).value}
    if settings.table_class_changed_us not in (None, definition.created_us):
        summary["LastUpdateDateTime"] = _seconds(settings.table_class_changed_us)
    return {"TableClassSummary": summary}


def _on_demand(definition: TableDefinition) -> dict[str, Any]:
    settings = definition.settings
    limits = {
        "MaxReadRequestUnits": settings.max_read_request_units,
        "MaxWriteRequestUnits": settings.max_write_request_units,
    }
    given = {name: units for name, units in limits.items() if units is not None}
    return {"OnDemandThroughput": given} if given else {}


def _warmth(described: TableDescription) -> dict[str, Any]:
    """The answer of CreateTable shows it only if it was asked for."""
    settings = described.definition.settings
    asked = settings.warm_read_units or settings.warm_write_units
    if described.pending is Pending.CREATION and not asked:
        return {}
    read, write = warm_units(described.definition)
    status = "UPDATING" if described.pending in (Pending.CREATION, Pending.WARMTH) else "ACTIVE"
    return {"WarmThroughput": {"ReadUnitsPerSecond": read, "WriteUnitsPerSecond": write, "Status": status}}


def _seconds(time_us: int | None) -> float:
    return (time_us or 0) // 1000 / 1000


def _key_attributes(definition: TableDefinition) -> list[Any]:
    keys = definition.key_schema
    return [keys.partition] if keys.sort is None else [keys.partition, keys.sort]


def _stream(definition: TableDefinition, arn: str) -> dict[str, Any]:
    """The latest stream is named also when it is off."""
    members: dict[str, Any] = {}
    if definition.stream is not None and definition.stream.enabled:
        members["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": definition.stream.view_type}
    if definition.stream_since_us is not None:
        label = label_of(definition.stream_since_us)
        members |= {"LatestStreamLabel": label, "LatestStreamArn": f"{arn}/stream/{label}"}
    return members


def _replicas(described: TableDescription, arns: Arns) -> dict[str, Any]:
    """Those of the other regions: the region that was asked is not among them."""
    settings = described.definition.settings
    replicas = [
        _replica(state, settings.of_replica(name), arns)
        for name, state in described.replicas.items()
        if name != arns.region
    ]
    if not replicas:
        return {}
    return {
        "GlobalTableVersion": global_table_version,
        "Replicas": replicas,
        "GlobalTableSettingsReplicationMode": "ENABLED_WITH_OVERRIDES",
    }


def _replica(state: ReplicaState, settings: ReplicaSettings, arns: Arns) -> dict[str, Any]:
    members: dict[str, Any] = {"RegionName": settings.region, "ReplicaStatus": state.status.value}
    if state.status is ReplicaStatus.CREATING:
        members["ReplicaStatusPercentProgress"] = str(state.percent)
    if state.description is not None:
        members["ReplicaStatusDescription"] = state.description
    if settings.encryption_key is not None:
        members["KMSMasterKeyId"] = replace(arns, region=settings.region).of_key(settings.encryption_key)
    members |= _overrides(settings)
    if settings.indexes:
        members["GlobalSecondaryIndexes"] = [{"IndexName": each.name} | _overrides(each) for each in settings.indexes]
    if settings.table_class is not None:
        members["ReplicaTableClassSummary"] = {"TableClass": settings.table_class.value}
    return members


def _overrides(settings: ReplicaSettings | ReplicaIndexSettings) -> dict[str, Any]:
    members: dict[str, Any] = {}
    if settings.read_capacity_units is not None:
        members["ProvisionedThroughputOverride"] = {"ReadCapacityUnits": settings.read_capacity_units}
    if settings.max_read_request_units is not None:
        members["OnDemandThroughputOverride"] = {"MaxReadRequestUnits": settings.max_read_request_units}
    return members
