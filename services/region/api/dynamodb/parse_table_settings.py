"""What CreateTable and UpdateTable say of a table beside its keys: shapes, and what goes together in one request."""

from collections.abc import Set
from typing import Any

from services.region.api.dynamodb import members as shapes
from services.region.api.dynamodb.members import ListOf, Members, Shape, Text, Whole, structure
from services.region.commands.tables import EncryptionChange, Units
from services.region.rules.tags import tags_of
from shared.errors import ValidationError
from shared.model.tables import Encryption, TableClass

invalid = "One or more parameter values were invalid: "
settings: dict[str, Shape] = {
    "SSESpecification": structure(
        "SSESpecification",
        Enabled=shapes.flag,
        SSEType=Text(enum=("AES256", "KMS")),
        KMSMasterKeyId=Text(length_min=1),
    ),
    "TableClass": shapes.text,
    "DeletionProtectionEnabled": shapes.flag,
    "WarmThroughput": structure("WarmThroughput", ReadUnitsPerSecond=Whole("Long"), WriteUnitsPerSecond=Whole("Long")),
    "OnDemandThroughput": structure(
        "OnDemandThroughput", MaxReadRequestUnits=Whole("Long"), MaxWriteRequestUnits=Whole("Long")
    ),
    "GlobalTableSettingsReplicationMode": Text(enum=("ENABLED", "DISABLED", "ENABLED_WITH_OVERRIDES")),
}
tag_list = ListOf(structure("Tag", Key=shapes.text, Value=shapes.text))
_classes = tuple(TableClass)
_alone = (
    ("ReplicaUpdates", "Replica modification"),
    ("SSESpecification", "Server-Side Encryption modification"),
    ("TableClass", "TableClass modification"),
    ("DeletionProtectionEnabled", "DeletionProtection modification"),
)
_changes = {
    "ProvisionedThroughput": "ProvisionedThroughput",
    "BillingMode": "BillingMode",
    "StreamSpecification": "UpdateStreamEnabled",
    "GlobalSecondaryIndexUpdates": "GlobalSecondaryIndexUpdates",
    "SSESpecification": "SSESpecification",
    "ReplicaUpdates": "ReplicaUpdates",
    "MultiAccountReplicaReady": "MultiAccountReplicaReady",
    "ReplicaTransitRoleArn": "ReplicaTransitRoleArn",
    "MultiRegionConsistency": "MultiRegionConsistency",
    "DeletionProtectionEnabled": "DeletionProtectionEnabled",
    "OnDemandThroughput": "OnDemandThroughput",
    "WarmThroughput": "WarmThroughput",
    "TableClass": "TableClass",
}
_index_updates = "GlobalSecondaryIndexUpdates"
_no_changes = frozenset({"TableName", "AttributeDefinitions", "MultiRegionConsistency", "GlobalTableWitnessUpdates"})


def check_changes(members: Members, given: Set[str]) -> None:
    """`given` are the members of an UpdateTable that ask for something; most changes come alone."""
    empty = {name for name in ("WarmThroughput", "OnDemandThroughput") if members.get(name) == {}}
    changes = given - _no_changes - empty
    if not changes:
        *names, last = (words for name, words in _changes.items() if name not in given - empty)
        raise ValidationError(f"At least one of {', '.join(names)} or {last} is required")
    for name, words in _alone:
        if name in changes and len(changes) > 1:
            raise ValidationError(f"{invalid}{words} must be the only operation in the request")
    if "OnDemandThroughput" in changes and not changes <= {"OnDemandThroughput", "BillingMode"}:
        raise ValidationError(
            f"{invalid}OnDemandThroughput can only be combined with BillingMode in an UpdateTable request"
        )
    if "WarmThroughput" in changes and len(changes) > 1:
        if any("Create" in each for each in members.get(_index_updates, ())):
            raise ValidationError(
                f"{invalid}Create global secondary index cannot be specified when updating WarmThroughput"
            )
        raise ValidationError(f"{invalid}WarmThroughput must be the only operation in the request")
    changes_capacity = "ProvisionedThroughput" in changes or members.get("BillingMode") == "PROVISIONED"
    if "StreamSpecification" in changes and changes_capacity:
        raise ValidationError(f"{invalid}You cannot modify stream status while updating table IOPS")


def table_class_of(members: Members, name: str = "TableClass") -> TableClass | None:
    given = members.get(name)
    if given is not None and given not in _classes:
        raise ValidationError(
            "Invalid table-class parameter provided. Please try again with a valid table-class value: "
            f"[{', '.join(_classes)}]."
        )
    return None if given is None else TableClass(given)


def encryption_of(members: Members) -> EncryptionChange | None:
    wanted = members.get("SSESpecification")
    if wanted is None:
        return None
    enabled, kind, key = wanted.get("Enabled"), wanted.get("SSEType"), wanted.get("KMSMasterKeyId")
    if enabled is False and kind is not None:
        raise ValidationError(f"{invalid}SSEType can not be specified if Enabled is false")
    if enabled is False and key is not None:
        raise ValidationError(f"{invalid}KMSMasterKeyId can not be specified if Enabled is false")
    if kind == "AES256":
        raise ValidationError(f"{invalid}SSEType AES256 is not supported")
    if kind is None and key is not None:
        raise ValidationError(f"{invalid}SSEType KMS is required if KMSMasterKeyId is specified")
    return EncryptionChange(Encryption(key) if enabled or kind is not None else None)


def limits_of(members: Members) -> Units | None:
    return _units(members.get("OnDemandThroughput"), "MaxReadRequestUnits", "MaxWriteRequestUnits")


def warmth_of(members: Members) -> Units | None:
    return _units(members.get("WarmThroughput"), "ReadUnitsPerSecond", "WriteUnitsPerSecond")


def tags_in(members: Members) -> dict[str, str]:
    return dict(tags_of(members.get("Tags", ())))


def _units(given: dict[str, Any] | None, read: str, write: str) -> Units | None:
    return Units(given.get(read), given.get(write)) if given else None
