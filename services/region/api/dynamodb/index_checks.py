"""What must hold of the secondary indexes that CreateTable and UpdateTable define, in the order in which it is told."""

from collections.abc import Iterable, Sequence

from services.region.api.dynamodb.members import Members
from services.region.rules.hash_sets import as_expected_set, as_set
from services.region.rules.key_definitions import check_defined
from shared import limits
from shared.errors import ValidationError
from shared.model.keys import KeySchema
from shared.model.tables import BillingMode

_invalid = "One or more parameter values were invalid: "


def check_definitions(members: Members) -> None:
    """Attributes are defined once, lists name indexes, and those are defined that keys of the table and these use."""
    defined = [each["AttributeName"] for each in members["AttributeDefinitions"]]
    for position, name in enumerate(defined):
        if name in defined[:position]:
            raise ValidationError(f"Attribute Name is duplicated: {name}")
    _check_lists(members)
    indexes = [*members.get("LocalSecondaryIndexes", ()), *members.get("GlobalSecondaryIndexes", ())]
    used = [each["AttributeName"] for each in members["KeySchema"]]
    for index in indexes:
        names = [each["AttributeName"] for each in index["KeySchema"]]
        check_defined(names, defined)
        used += names
    if set(used) != set(defined):
        if not indexes:
            raise ValidationError(
                f"{_invalid}Number of attributes in KeySchema does not exactly match number of attributes "
                "defined in AttributeDefinitions"
            )
        raise ValidationError(
            f"{_invalid}Some AttributeDefinitions are not used. "
            f"AttributeDefinitions: [{', '.join(as_expected_set(defined))}], keys used: [{', '.join(as_set(used))}]"
        )


def _check_lists(members: Members) -> None:
    for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        if member in members and not members[member]:
            raise ValidationError(f"{_invalid}List of {member} is empty")
    if "LocalSecondaryIndexes" in members and len(members["KeySchema"]) == 1:
        raise ValidationError(
            f"{_invalid}Table KeySchema does not have a range key, which is required when specifying a"
            " LocalSecondaryIndex"
        )


def check_included_attributes(counts: Iterable[int]) -> None:
    if sum(counts) > limits.projected_attributes_of_table_max:
        raise ValidationError(
            f"{_invalid}Number of NonKeyAttributes summed across all of the secondary indexes exceeds the limit of "
            f"{limits.projected_attributes_of_table_max}"
        )


def check_local(indexes: Sequence[Members], key_schema: KeySchema, names: set[str]) -> None:
    for index in indexes:
        name, elements = index["IndexName"], index["KeySchema"]
        if len(elements) > 1 and elements[0]["AttributeName"] == elements[1]["AttributeName"]:
            raise ValidationError("Both the Hash Key and the Range Key element in the KeySchema have the same name")
        _check_roles(elements)
        if len(elements) != 2:
            raise ValidationError(f"{_invalid}Index KeySchema does not have a range key for index: {name}")
        hash_key = elements[0]["AttributeName"]
        if hash_key != key_schema.partition.name:
            raise ValidationError(
                f"{_invalid}Index KeySchema does not have the same leading hash key as table KeySchema for index: "
                f"{name}. index hash key: {hash_key}, table hash key: {key_schema.partition.name}"
            )
        check_projection(index["Projection"])
        _check_new_name(name, names)
    if len(indexes) > limits.local_indexes_max:
        raise ValidationError(
            f"{_invalid}Number of LocalSecondaryIndexes exceeds per-table limit of {limits.local_indexes_max}"
        )


def check_global(indexes: Sequence[Members], billing_mode: BillingMode, names: set[str]) -> None:
    for index in indexes:
        name = index["IndexName"]
        check_global_keys(index["KeySchema"])
        check_projection(index["Projection"])
        if billing_mode is BillingMode.PAY_PER_REQUEST:
            if "ProvisionedThroughput" in index:
                raise ValidationError(
                    f"{_invalid}ProvisionedThroughput should not be specified for index: {name} when BillingMode is"
                    " PAY_PER_REQUEST"
                )
        elif "ProvisionedThroughput" not in index:
            raise ValidationError(f"{_invalid}ProvisionedThroughput is not specified for index: {name}")
        _check_on_demand(index, billing_mode)
        _check_new_name(name, names)
    if len(indexes) > limits.global_indexes_max:
        raise ValidationError(
            f"{_invalid}GlobalSecondaryIndex count exceeds the per-table limit of {limits.global_indexes_max}"
        )


def check_global_keys(elements: Sequence[Members]) -> None:
    """Up to four attributes of each kind; those of the partition key come first."""
    names = [each["AttributeName"] for each in elements]
    roles = [each["KeyType"] for each in elements]
    if len(set(names)) < len(names):
        raise ValidationError("The KeySchema contains multiple key attributes with the same name")
    if roles[0] != "HASH":
        raise ValidationError("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    if roles != sorted(roles):
        raise ValidationError(f"{_invalid}All HASH key attributes must precede RANGE key attributes in the KeySchema")
    for role in ("HASH", "RANGE"):
        if roles.count(role) > limits.index_key_attributes_max:
            raise ValidationError(
                f"{_invalid}The KeySchema exceeds the maximum allowed number of {role} key attributes"
            )


def _check_on_demand(index: Members, billing_mode: BillingMode) -> None:
    for member in index.get("OnDemandThroughput", ()):
        if billing_mode is BillingMode.PROVISIONED:
            raise ValidationError(
                f"{_invalid}{member} for OnDemandThroughput for index: {index['IndexName']} cannot be specified when"
                " table BillingMode is PROVISIONED."
            )


def _check_roles(elements: Sequence[Members]) -> None:
    if elements[0]["KeyType"] != "HASH":
        raise ValidationError("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    if len(elements) > 1 and elements[1]["KeyType"] != "RANGE":
        raise ValidationError("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")


def check_projection(projection: Members) -> None:
    kind, included = projection.get("ProjectionType"), projection.get("NonKeyAttributes")
    if kind is None:
        raise ValidationError(f"{_invalid}Unknown ProjectionType: null")
    if included is not None and kind != "INCLUDE":
        raise ValidationError(f"{_invalid}ProjectionType is {kind}, but NonKeyAttributes is specified")
    if included is None and kind == "INCLUDE":
        raise ValidationError(f"{_invalid}ProjectionType is {kind}, but NonKeyAttributes is not specified")
    seen: set[str] = set()
    for name in included or ():
        if name in seen:
            raise ValidationError(f"{_invalid}Duplicate element in NonKeyAttributes: {name}")
        seen.add(name)


def _check_new_name(name: str, names: set[str]) -> None:
    if name in names:
        raise ValidationError(f"{_invalid}Duplicate index name: {name}")
    names.add(name)
