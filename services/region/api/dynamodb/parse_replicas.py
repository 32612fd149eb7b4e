"""ReplicaUpdates of UpdateTable: which replicas come, go and change, and what each has otherwise than its table."""

from typing import NamedTuple

from services.region.api.dynamodb import members as shapes
from services.region.api.dynamodb.members import ListOf, Members, Shape, Text, Whole, structure
from services.region.api.dynamodb.parse_table_settings import table_class_of
from shared.errors import ValidationError
from shared.model.tables import RegionName, ReplicaIndexSettings, ReplicaSettings

_no_action = "There are no actions specified in the Replica Update Action of the request."
_throughput = structure("ProvisionedThroughputOverride", ReadCapacityUnits=Whole("Long", min=1))
_on_demand = structure("OnDemandThroughputOverride", MaxReadRequestUnits=Whole("Long"))
_indexes = ListOf(
    structure(
        "ReplicaGlobalSecondaryIndex",
        "IndexName",
        IndexName=shapes.index_name,
        ProvisionedThroughputOverride=_throughput,
        OnDemandThroughputOverride=_on_demand,
    ),
    length_min=1,
)
_overrides: dict[str, Shape] = {
    "RegionName": shapes.text,
    "KMSMasterKeyId": Text(length_min=1),
    "ProvisionedThroughputOverride": _throughput,
    "OnDemandThroughputOverride": _on_demand,
    "GlobalSecondaryIndexes": _indexes,
    "TableClassOverride": shapes.text,
}
replica_updates = ListOf(
    structure(
        "ReplicationGroupUpdate",
        Create=structure("CreateReplicationGroupMemberAction", **_overrides),
        Update=structure("UpdateReplicationGroupMemberAction", "RegionName", **_overrides),
        Delete=structure("DeleteReplicationGroupMemberAction", "RegionName", RegionName=shapes.text),
        Disassociate=structure("DisassociateReplicationGroupMemberAction", "RegionName", RegionName=shapes.text),
    ),
    length_min=1,
)


class ReplicaUpdates(NamedTuple):
    added: tuple[RegionName, ...] = ()
    removed: tuple[RegionName, ...] = ()
    settings: tuple[ReplicaSettings, ...] = ()  # of added replicas that have any
    changed: tuple[ReplicaSettings, ...] = ()


def replicas_of(members: Members) -> ReplicaUpdates:
    """Several replicas may be added, or removed, by one request; DynamoDB takes one at a time."""
    updates = members.get("ReplicaUpdates", ())
    kinds = {kind for update in updates for kind in update}
    if "Disassociate" in kinds:
        raise ValidationError("ReplicaUpdates: Disassociate is not supported yet")
    if any(not update for update in updates):
        raise ValidationError(_no_action)
    if any("RegionName" not in action for update in updates for action in update.values()):
        raise ValidationError("One or more parameter values were invalid")
    if len(kinds) > 1:
        raise ValidationError("Update table operation with more than one type of replica actions not allowed.")
    actions = [(kind, _settings_of(action)) for update in updates for kind, action in update.items()]
    if any(kind == "Update" and settings == ReplicaSettings(settings.region) for kind, settings in actions):
        raise ValidationError(_no_action)
    return ReplicaUpdates(
        added=tuple(settings.region for kind, settings in actions if kind == "Create"),
        removed=tuple(settings.region for kind, settings in actions if kind == "Delete"),
        settings=tuple(
            settings for kind, settings in actions if kind == "Create" and settings != ReplicaSettings(settings.region)
        ),
        changed=tuple(settings for kind, settings in actions if kind == "Update"),
    )


def _settings_of(action: Members) -> ReplicaSettings:
    return ReplicaSettings(
        RegionName(action["RegionName"]),
        table_class=table_class_of(action, "TableClassOverride"),
        read_capacity_units=_read_units(action),
        max_read_request_units=_max_read_units(action),
        encryption_key=action.get("KMSMasterKeyId"),
        indexes=tuple(
            ReplicaIndexSettings(index["IndexName"], _read_units(index), _max_read_units(index))
            for index in action.get("GlobalSecondaryIndexes", ())
        ),
    )


def _read_units(action: Members) -> int | None:
    units: int | None = action.get("ProvisionedThroughputOverride", {}).get("ReadCapacityUnits")
    return units


def _max_read_units(action: Members) -> int | None:
    units: int | None = action.get("OnDemandThroughputOverride", {}).get("MaxReadRequestUnits")
    return units
