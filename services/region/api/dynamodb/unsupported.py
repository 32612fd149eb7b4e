"""What requests may ask for in DynamoDB and not here yet: refused in plain words, in this one place.

A value that changes nothing (a feature that is off, an empty list) is no request for it.
"""

from services.region.api.dynamodb.members import Members
from shared.errors import ValidationError

_members = (
    "VectorIndexes",
    "VectorIndexUpdates",
    "GlobalTableSourceArn",
    "GlobalTableSettingsReplicationMode",
    "GlobalTableWitnessUpdates",
    "DisassociationProtectionEnabled",
    "MultiRegionConsistency",
)
_names = frozenset(_members)
_without_effect: dict[str, object] = {
    "DisassociationProtectionEnabled": False,
    "GlobalTableSettingsReplicationMode": "DISABLED",
    "MultiRegionConsistency": "EVENTUAL",
}


def refuse_unsupported(members: Members) -> None:
    if _names.isdisjoint(members):
        return
    for name in _members:
        value = members.get(name)
        if value is None or value == [] or value == _without_effect.get(name):
            continue
        raise ValidationError(f"{name} is not supported yet")
