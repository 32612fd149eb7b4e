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
from services.region.commands.tables import CreateTable, DeleteTable, DescribeTable, ListTables, UpdateTable
from shared.errors import ValidationError
from shared.model.keys import KeyAttribute, KeySchema
from shared.model.tables import BillingMode, RegionName, StreamSpecification

_invalid = "One or more parameter values were invalid: "
_create = {
    "TableName": "orders",
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
_update = {"TableName": "orders"}


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
        ({"TableName": None}, "The parameter 'TableName' is required but was not present in the request"),
        ({"TableName": "ab"}, "TableName must be at least 3 characters long and at most 255 characters long"),
        ({"TableName": "a" * 256}, "TableName must be at least 3 characters long and at most 255 characters long"),
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
        ({"GlobalSecondaryIndexes": [{"IndexName": "by-date"}]}, "GlobalSecondaryIndexes is not supported yet"),
        ({"LocalSecondaryIndexes": [{}]}, "LocalSecondaryIndexes is not supported yet"),
        ({"DeletionProtectionEnabled": True}, "DeletionProtectionEnabled is not supported yet"),
    ],
)
def test_a_wrong_definition_is_refused(parameters: dict[str, Any], message: str) -> None:
    assert _refusal(parse_create_table, _create | parameters) == message


def test_what_changes_nothing_is_no_request_for_what_is_not_supported() -> None:
    parameters = {"DeletionProtectionEnabled": False, "Tags": [], "TableClass": "STANDARD"}
    assert parse_create_table(_create | parameters) == parse_create_table(dict(_create))


def test_everything_missing_is_named_at_once() -> None:
    message = _refusal(parse_create_table, {"TableName": "orders"})
    assert message == (
        "2 validation errors detected: Value null at 'attributeDefinitions' failed to satisfy constraint: "
        "Member must not be null; Value null at 'keySchema' failed to satisfy constraint: Member must not be null"
    )


def test_replicas_are_added_and_removed() -> None:
    command = parse_update_table(
        _update
        | {
            "ReplicaUpdates": [
                {"Create": {"RegionName": "eu-west-1"}},
                {"Delete": {"RegionName": "us-east-1"}},
            ]
        }
    )
    expected = UpdateTable(
        "orders", add_replicas=(RegionName("eu-west-1"),), remove_replicas=(RegionName("us-east-1"),)
    )
    assert command == expected


def test_billing_mode_throughput_and_stream_are_updated() -> None:
    command = parse_update_table(
        _update
        | {
            "BillingMode": "PROVISIONED",
            "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6},
            "StreamSpecification": {"StreamEnabled": False},
        }
    )
    assert command == UpdateTable(
        "orders",
        billing_mode=BillingMode.PROVISIONED,
        read_capacity_units=5,
        write_capacity_units=6,
        stream=StreamSpecification(enabled=False),
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {},
            (
                "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates "
                "or SSESpecification or ReplicaUpdates is required"
            ),
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
            (
                "1 validation error detected: Value null at 'replicaUpdates.1.member.create.regionName' failed to "
                "satisfy constraint: Member must not be null"
            ),
        ),
        (
            {"ReplicaUpdates": [{"Create": {"RegionName": "eu-west-1", "KMSMasterKeyId": "key"}}]},
            "ReplicaUpdates: KMSMasterKeyId of Create is not supported yet",
        ),
        (
            {"ReplicaUpdates": [{"Update": {"RegionName": "eu-west-1"}}]},
            "ReplicaUpdates: Update is not supported yet",
        ),
    ],
)
def test_a_wrong_update_is_refused(parameters: dict[str, Any], message: str) -> None:
    assert _refusal(parse_update_table, _update | parameters) == message


@pytest.mark.parametrize(
    "updates",
    [
        [{}],
        [{"Create": {"RegionName": "eu-west-1"}, "Delete": {"RegionName": "eu-west-1"}}],
        [{"Create": {"RegionName": "eu-west-1"}}, {"Delete": {"RegionName": "eu-west-1"}}],
    ],
)
def test_a_replica_update_says_one_thing_of_one_region(updates: list[dict[str, Any]]) -> None:
    assert _refusal(parse_update_table, _update | {"ReplicaUpdates": updates}).startswith(_invalid)


def test_a_table_is_described_and_deleted_by_name_or_arn() -> None:
    arn = "arn:aws:dynamodb:eu-west-1:000000000000:table/orders"
    assert parse_describe_table({"TableName": arn}) == DescribeTable("orders")
    assert parse_delete_table({"TableName": "orders"}) == DeleteTable("orders")


@pytest.mark.parametrize("parse", [parse_describe_table, parse_delete_table, parse_update_table])
def test_operations_on_tables_word_a_missing_name_in_their_own_way(parse: Callable[[dict[str, Any]], Any]) -> None:
    assert _refusal(parse, {}) == "The parameter 'TableName' is required but was not present in the request"


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
