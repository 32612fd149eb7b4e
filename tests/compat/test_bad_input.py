"""Bad input: whatever is sent, the answer is a refusal in the service's form, and the region goes on."""

import json
from itertools import product
from typing import Any

import pytest

from tests.compat.connection import ask, check_refused
from tests.compat.tables import unique

operations = {
    "CreateTable": ["TableName", "KeySchema", "AttributeDefinitions", "BillingMode", "ProvisionedThroughput"],
    "DescribeTable": ["TableName"],
    "ListTables": ["Limit", "ExclusiveStartTableName"],
    "DeleteTable": ["TableName"],
    "UpdateTable": ["TableName", "ReplicaUpdates", "StreamSpecification", "ProvisionedThroughput"],
    "PutItem": ["TableName", "Item", "ConditionExpression", "ExpressionAttributeValues", "ReturnValues"],
    "GetItem": ["TableName", "Key", "ProjectionExpression", "ExpressionAttributeNames", "ConsistentRead"],
    "UpdateItem": ["TableName", "Key", "UpdateExpression", "ReturnConsumedCapacity"],
    "DeleteItem": ["TableName", "Key", "ConditionExpression", "ReturnValues"],
    "Query": ["TableName", "KeyConditionExpression", "ScanIndexForward", "Limit", "ExclusiveStartKey", "Select"],
    "Scan": ["TableName", "FilterExpression", "Segment", "TotalSegments", "Limit", "ExclusiveStartKey"],
    "BatchGetItem": ["RequestItems", "ReturnConsumedCapacity"],
    "BatchWriteItem": ["RequestItems", "ReturnItemCollectionMetrics"],
}
strange: list[Any] = [
    0,
    -1,
    1.5,
    "",
    "x",
    True,
    [],
    [[]],
    [None],
    {},
    {"": {}},
    {"x": None},
    {"S": 1},
    2**70,
    [{"x": 1}],
]
refusals = ("SerializationException", "ValidationException", "ResourceNotFoundException")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"nonsense", b"[]", b"null", b"7", b'"text"', b"{}{}", b"\xff\xfe", b"\x00"]
)
def test_a_body_that_is_no_json_object_is_refused(url: str, body: bytes) -> None:
    check_refused(ask(url, "PutItem", body), ["SerializationException"])


@pytest.mark.parametrize(
    "target", ["", "PutItem", "DynamoDB_20120810.", "DynamoDB_20120810.Nothing", "DynamoDB_20111205.PutItem", "\xff"]
)
def test_an_unknown_operation_is_refused(url: str, target: str) -> None:
    reply = ask(url, "", b"{}", f"X-Amz-Target: {target}")
    check_refused(reply, ["UnknownOperationException", "MissingAuthenticationTokenException"])


@pytest.mark.parametrize("operation", sorted(operations))
def test_wrong_types_everywhere_are_refused(url: str, operation: str, table: Any) -> None:
    """Each member of each operation with each strange value, the others left out or well."""
    well = {"TableName": table.name, "Key": {"p": {"S": "x"}}, "Item": {"p": {"S": "x"}}}
    for member, value in product(operations[operation], strange):
        members = {name: well[name] for name in operations[operation] if name in well} | {member: value}
        reply = ask(url, operation, json.dumps(members).encode())
        if reply.status != 200:
            check_refused(reply, refusals)


@pytest.mark.parametrize(
    "value",
    [
        '{"S": 1}',
        '{"S": null}',
        '{"N": 1}',
        '{"B": "no base64!"}',
        '{"B": "YQ"}',
        '{"SS": "a"}',
        '{"SS": [1]}',
        '{"NS": ["x"]}',
        '{"L": {}}',
        '{"L": [1]}',
        '{"L": [null]}',
        '{"M": []}',
        '{"M": {"a": 1}}',
        '{"X": "unknown"}',
        "[]",
        "null",
        "7",
        r'{"S": "\ud800"}',
        '{"N": "1E+1000000"}',
        '{"N": "%s"}' % ("9" * 39),
        '{"N": "%s"}' % ("9" * 100_000),
        '{"L": [' * 33 + '{"S": "x"}' + "]}" * 33,
    ],
)
def test_values_that_cannot_be_are_refused(url: str, table: Any, value: str) -> None:
    name = unique()
    body = f'{{"TableName": "{table.name}", "Item": {{"p": {{"S": "{name}"}}, "a": {value}}}}}'
    check_refused(ask(url, "PutItem", body.encode()), refusals)
    assert "Item" not in table.get_item(Key={"p": name})


@pytest.mark.parametrize(
    ("a_set", "message"),
    [
        ({"SS": ["a", None]}, "An string set may not have a null string as a member"),
        ({"NS": ["1", None]}, "Supplied AttributeValue is empty"),
        ({"BS": ["AAE=", None]}, "Supplied AttributeValue is empty"),
    ],
)
def test_null_is_no_member_of_a_set(url: str, table: Any, a_set: dict[str, Any], message: str) -> None:
    for value in (a_set, {"L": [a_set]}, {"M": {"inner": a_set}}):
        members = {"TableName": table.name, "Item": {"p": {"S": "x"}, "a": value}}
        reply = ask(url, "PutItem", json.dumps(members).encode())
        check_refused(reply, ["ValidationException"])
        assert message in reply.document["message"]


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"L":[', '{"M":{"a":'])
@pytest.mark.parametrize("levels", [500, 100_000])
def test_hostile_nesting_costs_nothing(url: str, table: Any, opening: str, levels: int) -> None:
    body = f'{{"TableName": "{table.name}", "Item": {{"p": {{"S": "x"}}, "a": {opening * levels}'
    check_refused(ask(url, "PutItem", body.encode()), refusals)


@pytest.mark.parametrize("closing", [("[", "]"), ('{"L":[', "]}"), ('{"M":{"a":', "}}")])
def test_nesting_that_is_closed_again_is_refused_as_well(url: str, table: Any, closing: tuple[str, str]) -> None:
    value = closing[0] * 400 + '{"S":"x"}' + closing[1] * 400
    body = f'{{"TableName": "{table.name}", "Item": {{"p": {{"S": "x"}}, "a": {value}}}}}'
    check_refused(ask(url, "PutItem", body.encode()), refusals)


def test_of_a_member_that_is_given_twice_one_counts(url: str, table: Any) -> None:
    body = b'{"TableName":"nowhere","TableName":"%b","Key":{"p":{"S":"x"}}}' % table.name.encode()
    reply = ask(url, "GetItem", body)
    assert reply.status == 200 or reply.error in refusals


def test_members_that_nobody_knows_are_passed_over(url: str, table: Any) -> None:
    body = json.dumps({"TableName": table.name, "Key": {"p": {"S": "x"}}, "Unheard": {"of": [1]}})
    assert ask(url, "GetItem", body.encode()).status == 200


@pytest.mark.parametrize(
    "expression",
    ["(" * 2000, "a" * 5000, "a = :x " * 400, "\x00", "#", ":", "a[", "a[99999999999999999999]", "\ud7ff🎉"],
)
def test_hostile_expressions_are_refused(url: str, table: Any, expression: str) -> None:
    members = {"TableName": table.name, "Item": {"p": {"S": "x"}}, "ConditionExpression": expression}
    check_refused(ask(url, "PutItem", json.dumps(members).encode()), ["ValidationException"])


def test_an_error_names_its_type_and_says_why(url: str) -> None:
    document = ask(url, "DescribeTable", b'{"TableName":"nowhere"}').document
    assert document["__type"] == "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"
    assert "nowhere" in document["message"]


def test_after_all_that_the_region_works(table: Any) -> None:
    item = {"p": unique(), "a": 1}
    table.put_item(Item=item)
    assert table.get_item(Key={"p": item["p"]})["Item"] == item
