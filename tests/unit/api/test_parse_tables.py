"""Operations on tables: the commands they become, and DynamoDB's words for what is wrong with a definition."""

from collections.abc import Callable
from typing import Any

import pytest

from services.region.api.dynamodb.parse_tables import (
    parse_create_table,
    parse_delete_table,
    parse_describe_table,
    parse_list_tables,
    parse_update_table,
)
from services.region.commands.tables import (
    CreateTable,
    DeleteTable,
    DescribeTable,
    EncryptionChange,
    ListTables,
    Units,
    UpdateTable,
)
from shared.errors import ValidationError
from shared.model.keys import KeyAttribute, KeySchema
from shared.model.tables import (
    BillingMode,
    Encryption,
    RegionName,
    ReplicaIndexSettings,
    ReplicaSettings,
    StreamSpecification,
    TableClass,
)

_invalid = "One or more parameter values were invalid: "
_create = {
    "TableName": "orders",
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
_update = {"TableName": "orders"}
_one_replica = [{"Create": {"RegionName": "eu-west-1"}}]
_no_action = "There are no actions specified in the Replica Update Action of the request."
_at_least = (
    "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, "
    "SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn,"
)
_or_one_of = "DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass"


def _refusal(parse: Callable[[dict[str, Any]], Any], request: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as raised:
        parse(request)
    return raised.value.message


def _definitions(*attributes: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": "S"} for name in attributes]


def _keys(*elements: tuple[str, str]) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": key_type} for name, key_type in elements]


def test_an_on_demand_table_is_created_from_its_keys() -> None:
    schema = KeySchema(KeyAttribute("pk", "S"))
    assert parse_create_table(dict(_create)) == CreateTable("orders", schema, BillingMode.PAY_PER_REQUEST)


def test_a_provisioned_table_keeps_its_throughput_and_stream() -> None:
    command = parse_create_table(
        {
            "TableName": "orders",
            "AttributeDefinitions": [
                {"AttributeName": "sk", "AttributeType": "N"},
                {"AttributeName": "pk", "AttributeType": "B"},
            ],
            "KeySchema": _keys(("pk", "HASH"), ("sk", "RANGE")),
            "ProvisionedThroughput": {"ReadCapacityUnits": 3, "WriteCapacityUnits": 4},
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        }
    )
    assert command.key_schema == KeySchema(KeyAttribute("pk", "B"), KeyAttribute("sk", "N"))
    assert (command.billing_mode, command.read_capacity_units, command.write_capacity_units) == ("PROVISIONED", 3, 4)
    assert command.stream == StreamSpecification(enabled=True, view_type="NEW_IMAGE")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"TableName": None},
            "The parameter 'TableName' is required but was not present in the request",
        ),
        (
            {"TableName": "ab"},
            (
                "1 validation error detected: Value 'ab' at 'tableName' failed to satisfy constraint: "
                "Member must have length greater than or equal to 3"
            ),
        ),
        (
            {"TableName": ""},
            (
                "2 validation errors detected: Value '' at 'tableName' failed to satisfy constraint: "
                "Member must have length greater than or equal to 3; Value '' at 'tableName' failed to satisfy "
                "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
            ),
        ),
        (
            {"TableName": "abc;"},
            (
                "1 validation error detected: Value 'abc;' at 'tableName' failed to satisfy constraint: "
                "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
            ),
        ),
        (
            {"BillingMode": "FREE"},
            (
                "1 validation error detected: Value 'FREE' at 'billingMode' failed to satisfy constraint: "
                "Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]"
            ),
        ),
        (
            {"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}},
            (
                f"{_invalid}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified "
                "when BillingMode is PAY_PER_REQUEST"
            ),
        ),
        (
            {"BillingMode": None},
            (
                f"{_invalid}ReadCapacityUnits and WriteCapacityUnits must both be specified "
                "when BillingMode is PROVISIONED"
            ),
        ),
        (
            {
                "BillingMode": "PROVISIONED",
                "ProvisionedThroughput": {"ReadCapacityUnits": 10**12 + 1, "WriteCapacityUnits": 1},
            },
            "Given value 1000000000001 for ReadCapacityUnits is out of bounds",
        ),
        (
            {"KeySchema": _keys(("pk", "HASH"), ("sk", "RANGE"))},
            "Invalid KeySchema: Some index key attribute have no definition",
        ),
        (
            {"KeySchema": _keys(("id", "HASH"))},
            (
                f"{_invalid}Some index key attributes are not defined in AttributeDefinitions. "
                "Keys: [id], AttributeDefinitions: [pk]"
            ),
        ),
        (
            {"AttributeDefinitions": _definitions("pk", "b"), "KeySchema": _keys(("pk", "HASH"), ("pk", "RANGE"))},
            "Both the Hash Key and the Range Key element in the KeySchema have the same name",
        ),
        (
            {"KeySchema": _keys(("pk", "RANGE"))},
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ),
        (
            {"AttributeDefinitions": _definitions("pk", "sk"), "KeySchema": _keys(("pk", "HASH"), ("sk", "HASH"))},
            "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type",
        ),
        (
            {"AttributeDefinitions": _definitions("pk", "unused")},
            (
                f"{_invalid}Number of attributes in KeySchema does not exactly match number of attributes "
                "defined in AttributeDefinitions"
            ),
        ),
        (
            {"StreamSpecification": {"StreamEnabled": False, "StreamViewType": "NEW_IMAGE"}},
            f"{_invalid}Table is being created with a stream disabled, UpdateViewType should not be specified",
        ),
        (
            {"StreamSpecification": {"StreamViewType": "NEW_IMAGE"}},
            (
                "1 validation error detected: Value null at 'streamSpecification.streamEnabled' failed to satisfy "
                "constraint: Member must not be null"
            ),
        ),
        ({"AttributeDefinitions": _definitions("pk", "pk")}, "Attribute Name is duplicated: pk"),
        (
            {"TableClass": "GLACIER"},
            (
                "Invalid table-class parameter provided. Please try again with a valid table-class value: "
                "[STANDARD, STANDARD_INFREQUENT_ACCESS]."
            ),
        ),
        (
            {"SSESpecification": {"Enabled": False, "SSEType": "KMS"}},
            f"{_invalid}SSEType can not be specified if Enabled is false",
        ),
        (
            {"SSESpecification": {"Enabled": False, "KMSMasterKeyId": "key"}},
            f"{_invalid}KMSMasterKeyId can not be specified if Enabled is false",
        ),
        (
            {"SSESpecification": {"Enabled": True, "SSEType": "AES256"}},
            f"{_invalid}SSEType AES256 is not supported",
        ),
        (
            {"SSESpecification": {"Enabled": True, "KMSMasterKeyId": "key"}},
            f"{_invalid}SSEType KMS is required if KMSMasterKeyId is specified",
        ),
        ({"Tags": [{}]}, "The Tag Key provided is invalid, Key: null"),
        ({"Tags": [{"Key": "aws:name", "Value": ""}]}, "Tag Key cannot be prefixed with aws:, Key: aws:name"),
        ({"ResourcePolicy": "{}"}, f"{_invalid}Invalid policy document: Syntax error at position (1,3)"),
    ],
)
def test_a_wrong_definition_is_refused(parameters: dict[str, Any], message: str) -> None:
    assert _refusal(parse_create_table, _create | parameters) == message


def test_what_is_as_it_would_be_anyway_changes_no_command() -> None:
    parameters = {"DeletionProtectionEnabled": False, "Tags": [], "SSESpecification": {}}
    assert parse_create_table(_create | parameters) == parse_create_table(dict(_create))


def test_settings_arrive_in_the_command() -> None:
    command = parse_create_table(
        _create
        | {
            "TableClass": "STANDARD_INFREQUENT_ACCESS",
            "SSESpecification": {"SSEType": "KMS", "KMSMasterKeyId": "alias/orders"},
            "OnDemandThroughput": {"MaxReadRequestUnits": 7},
            "WarmThroughput": {"WriteUnitsPerSecond": 5000},
            "DeletionProtectionEnabled": True,
            "Tags": [{"Key": "team", "Value": "blue"}],
        }
    )
    assert command.table_class is TableClass.STANDARD_INFREQUENT_ACCESS
    assert command.encryption == Encryption("alias/orders")
    assert (command.max_request_units, command.warm_units) == (Units(7, None), Units(None, 5000))
    assert (command.is_protected, command.tags) == (True, {"team": "blue"})


def test_everything_missing_is_named_at_once() -> None:
    message = _refusal(parse_create_table, {"TableName": "orders"})
    assert message == (
        "2 validation errors detected: Value null at 'attributeDefinitions' failed to satisfy constraint: "
        "Member must not be null; Value null at 'keySchema' failed to satisfy constraint: Member must not be null"
    )


def test_replicas_are_added_with_settings_of_their_own() -> None:
    replica = {
        "RegionName": "eu-west-1",
        "KMSMasterKeyId": "key",
        "TableClassOverride": "STANDARD",
        "ProvisionedThroughputOverride": {"ReadCapacityUnits": 7},
        "GlobalSecondaryIndexes": [{"IndexName": "by-date", "OnDemandThroughputOverride": {"MaxReadRequestUnits": 9}}],
    }
    command = parse_update_table(
        _update | {"ReplicaUpdates": [{"Create": replica}, {"Create": {"RegionName": "us-east-1"}}]}
    )
    settings = ReplicaSettings(
        RegionName("eu-west-1"),
        table_class=TableClass.STANDARD,
        read_capacity_units=7,
        encryption_key="key",
        indexes=(ReplicaIndexSettings("by-date", max_read_request_units=9),),
    )
    added = (RegionName("eu-west-1"), RegionName("us-east-1"))
    assert command == UpdateTable("orders", add_replicas=added, replica_settings=(settings,))


def test_replicas_are_changed_and_removed() -> None:
    change = {"RegionName": "eu-west-1", "OnDemandThroughputOverride": {"MaxReadRequestUnits": 9}}
    command = parse_update_table(_update | {"ReplicaUpdates": [{"Update": change}]})
    assert command.changed_replicas == (ReplicaSettings(RegionName("eu-west-1"), max_read_request_units=9),)
    command = parse_update_table(_update | {"ReplicaUpdates": [{"Delete": {"RegionName": "eu-west-1"}}]})
    assert command == UpdateTable("orders", remove_replicas=(RegionName("eu-west-1"),))


def test_billing_mode_and_throughput_are_updated() -> None:
    command = parse_update_table(
        _update
        | {
            "BillingMode": "PROVISIONED",
            "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6},
        }
    )
    assert command == UpdateTable(
        "orders", billing_mode=BillingMode.PROVISIONED, read_capacity_units=5, write_capacity_units=6
    )


@pytest.mark.parametrize(
    ("parameters", "changed"),
    [
        ({"StreamSpecification": {"StreamEnabled": False}}, {"stream": StreamSpecification(enabled=False)}),
        ({"TableClass": "STANDARD"}, {"table_class": TableClass.STANDARD}),
        ({"SSESpecification": {"Enabled": False}}, {"encryption": EncryptionChange(None)}),
        ({"SSESpecification": {"Enabled": True}}, {"encryption": EncryptionChange(Encryption())}),
        ({"OnDemandThroughput": {"MaxWriteRequestUnits": -1}}, {"max_request_units": Units(None, -1)}),
        ({"WarmThroughput": {"ReadUnitsPerSecond": 13000}}, {"warm_units": Units(13000)}),
        ({"DeletionProtectionEnabled": False, "WarmThroughput": {}}, {"is_protected": False}),
    ],
)
def test_one_thing_is_updated(parameters: dict[str, Any], changed: dict[str, Any]) -> None:
    assert parse_update_table(_update | parameters) == UpdateTable("orders", **changed)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, f"{_at_least} MultiRegionConsistency, {_or_one_of} is required"),
        ({"AttributeDefinitions": []}, f"{_at_least} MultiRegionConsistency, {_or_one_of} is required"),
        ({"MultiRegionConsistency": "EVENTUAL"}, f"{_at_least} {_or_one_of} is required"),
        ({"WarmThroughput": {}}, f"{_at_least} MultiRegionConsistency, {_or_one_of} is required"),
        ({"GlobalSecondaryIndexUpdates": []}, f"{_at_least} MultiRegionConsistency, {_or_one_of} is required"),
        *(
            (
                {"DeletionProtectionEnabled": True, **others},
                f"{_invalid}{words} must be the only operation in the request",
            )
            for others, words in (
                ({"BillingMode": "PAY_PER_REQUEST"}, "DeletionProtection modification"),
                ({"TableClass": "STANDARD"}, "TableClass modification"),
                ({"TableClass": "STANDARD", "SSESpecification": {}}, "Server-Side Encryption modification"),
                ({"WarmThroughput": {"ReadUnitsPerSecond": 1}}, "DeletionProtection modification"),
                ({"SSESpecification": {}, "ReplicaUpdates": _one_replica}, "Replica modification"),
            )
        ),
        (
            {"StreamSpecification": {"StreamEnabled": False}, "ReplicaUpdates": _one_replica},
            f"{_invalid}Replica modification must be the only operation in the request",
        ),
        (
            {"WarmThroughput": {"ReadUnitsPerSecond": 1}, "BillingMode": "PAY_PER_REQUEST"},
            f"{_invalid}WarmThroughput must be the only operation in the request",
        ),
        *(
            (
                {"OnDemandThroughput": {"MaxReadRequestUnits": 1}, **others},
                f"{_invalid}OnDemandThroughput can only be combined with BillingMode in an UpdateTable request",
            )
            for others in (
                {"StreamSpecification": {"StreamEnabled": False}},
                {"WarmThroughput": {"ReadUnitsPerSecond": 13000}},
            )
        ),
        (
            {
                "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6},
                "StreamSpecification": {"StreamEnabled": False},
            },
            f"{_invalid}You cannot modify stream status while updating table IOPS",
        ),
        (
            {"BillingMode": "PROVISIONED"},
            f"{_invalid}ProvisionedThroughput must be specified when BillingMode is PROVISIONED",
        ),
        (
            {"ReplicaUpdates": []},
            (
                "1 validation error detected: Value '[]' at 'replicaUpdates' failed to satisfy constraint: "
                "Member must have length greater than or equal to 1"
            ),
        ),
        (
            {"ReplicaUpdates": [{"Create": {}}]},
            "One or more parameter values were invalid",
        ),
        ({"ReplicaUpdates": [{"Update": {"RegionName": "eu-west-1"}}]}, _no_action),
        ({"ReplicaUpdates": [{}]}, _no_action),
        (
            {"MultiRegionConsistency": "STRONG", "ReplicaUpdates": _one_replica},
            "MultiRegionConsistency is not supported yet",
        ),
    ],
)
def test_a_wrong_update_is_refused(parameters: dict[str, Any], message: str) -> None:
    assert _refusal(parse_update_table, _update | parameters) == message


@pytest.mark.parametrize(
    "updates",
    [
        [{"Create": {"RegionName": "eu-west-1"}, "Delete": {"RegionName": "eu-west-1"}}],
        [{"Create": {"RegionName": "eu-west-1"}}, {"Delete": {"RegionName": "us-east-1"}}],
    ],
)
def test_a_request_says_one_kind_of_thing_of_replicas(updates: list[dict[str, Any]]) -> None:
    message = _refusal(parse_update_table, _update | {"ReplicaUpdates": updates})
    assert message == "Update table operation with more than one type of replica actions not allowed."


def test_a_table_is_described_and_deleted_by_name_or_arn() -> None:
    arn = "arn:aws:dynamodb:eu-west-1:000000000000:table/orders"
    assert parse_describe_table({"TableName": arn}) == DescribeTable("orders")
    assert parse_delete_table({"TableName": "orders"}) == DeleteTable("orders")


@pytest.mark.parametrize("parse", [parse_describe_table, parse_delete_table, parse_update_table])
def test_a_table_has_to_be_named(parse: Callable[[dict[str, Any]], Any]) -> None:
    assert _refusal(parse, {}) == "The parameter 'TableName' is required but was not present in the request"


@pytest.mark.parametrize("name", ["arn:aws:dynamodb:here:1:table/a", "arn:aws:dynamodb:here:1:table/orders/index/i"])
def test_an_arn_has_to_name_a_table(name: str) -> None:
    assert _refusal(parse_describe_table, {"TableName": name}).startswith(
        f"1 validation error detected: Value '{name}' at 'tableName' failed to satisfy constraint: Valid ARN format is"
    )


def test_tables_are_listed_from_a_name_on() -> None:
    assert parse_list_tables({}) == ListTables(100, None)
    assert parse_list_tables({"Limit": 5, "ExclusiveStartTableName": "orders"}) == ListTables(5, "orders")


def test_constraints_of_list_tables() -> None:
    assert _refusal(parse_list_tables, {"Limit": 101, "ExclusiveStartTableName": "a;"}) == (
        "3 validation errors detected: Value '101' at 'limit' failed to satisfy constraint: "
        "Member must have value less than or equal to 100; Value 'a;' at 'exclusiveStartTableName' failed to satisfy "
        "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; Value 'a;' at "
        "'exclusiveStartTableName' failed to satisfy constraint: Member must have length greater than or equal to 3"
    )
