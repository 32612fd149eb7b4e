"""What requests may ask for in DynamoDB and not here yet: refused in plain words, in this one place.

A value that changes nothing (a feature that is off, an empty list) is no request for it.
"""

from services.region.api.dynamodb.members import Members
from shared.errors import ValidationError

_members = {
    "Expected": "ConditionExpression",
    "AttributeUpdates": "UpdateExpression",
    "KeyConditions": "KeyConditionExpression",
    "QueryFilter": "FilterExpression",
    "ScanFilter": "FilterExpression",
    "ConditionalOperator": "AND and OR in an expression",
    "IndexName": None,
    "LocalSecondaryIndexes": None,
    "GlobalSecondaryIndexes": None,
    "GlobalSecondaryIndexUpdates": None,
    "VectorIndexes": None,
    "VectorIndexUpdates": None,
    "SSESpecification": None,
    "Tags": None,
    "TableClass": None,
    "DeletionProtectionEnabled": None,
    "WarmThroughput": None,
    "OnDemandThroughput": None,
    "ResourcePolicy": None,
    "GlobalTableSourceArn": None,
    "GlobalTableSettingsReplicationMode": None,
    "GlobalTableWitnessUpdates": None,
    "DisassociationProtectionEnabled": None,
    "MultiRegionConsistency": None,
}
_names = frozenset(_members)
_without_effect: dict[str, object] = {
    "DeletionProtectionEnabled": False,
    "DisassociationProtectionEnabled": False,
    "GlobalTableSettingsReplicationMode": "DISABLED",
    "MultiRegionConsistency": "EVENTUAL",
    "SSESpecification": {"Enabled": False},
    "TableClass": "STANDARD",
}


def refuse_unsupported(members: Members) -> None:
    if _names.isdisjoint(members):
        return
    for name, instead in _members.items():
        value = members.get(name)
        if value is None or value == [] or value == _without_effect.get(name):
            continue
        hint = "" if instead is None else f"; use {instead} instead"
        raise ValidationError(f"{name} is not supported yet{hint}")


def refuse_replica_settings(action: str, members: Members) -> None:
    """`members` are those of one replica's action; a replica takes all its settings from the table."""
    if settings := sorted(set(members) - {"RegionName"}):
        raise ValidationError(f"ReplicaUpdates: {settings[0]} of {action} is not supported yet")
