"""Which refusals are told in the envelope "1 validation error detected: ", and which are not.

PutItem, UpdateItem and DeleteItem tell all that is wrong with a request in it, before they look for the table; so do
Query and Scan of what Select asks for and of numbers out of bounds. What depends on the table or the item stands
alone, as do all other refusals of reads. BatchWriteItem and Scan have words of their own for numbers and duplicates;
writes without a key, or nested very deep, are told of in older words.
"""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.compat.tables import unique

envelope = "1 validation error detected: "
key = {"p": {"S": "x"}}
empty_set = "One or more parameter values were invalid: An string set  may not be empty"
no_expression = "ExpressionAttributeNames can only be specified when using expressions"
no_expression_for_values = "ExpressionAttributeValues can only be specified when using expressions"
empty = "The expression can not be empty;"
too_large_name = "Attribute name is too large, must be less than 65536 bytes"
longer = "n" * 65_536
unused = "Value provided in ExpressionAttributeNames unused in expressions: keys: {#n}"
nobody = {"ExpressionAttributeNames": {"#n": "n"}}
wrong_choices: list[tuple[dict[str, Any], str]] = [
    (
        {"Select": "SPECIFIC_ATTRIBUTES"},
        "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
    ),
    (
        {"Select": "COUNT", "ProjectionExpression": "a"},
        "Cannot specify the ProjectionExpression when choosing to get only the Count",
    ),
    (
        {"Select": "ALL_PROJECTED_ATTRIBUTES"},
        "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
    ),
]


def message_of(operation: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as refusal:
        operation(**request)
    error = refusal.value.response["Error"]
    assert error["Code"] == "ValidationException"
    return str(error["Message"])


@pytest.mark.parametrize(
    ("operation", "members", "message"),
    [
        ("put_item", {"Item": key | {"a": {"SS": []}}}, empty_set),
        ("put_item", {"Item": key, "ReturnValues": "ALL_NEW"}, "ReturnValues can only be ALL_OLD or NONE"),
        ("put_item", {"Item": key, "ConditionExpression": ""}, f"Invalid ConditionExpression: {empty}"),
        ("put_item", {"Item": key} | nobody, no_expression),
        ("put_item", {"Item": key, "ConditionExpression": "attribute_exists(a)"} | nobody, unused),
        ("update_item", {"Key": key, "UpdateExpression": ""}, f"Invalid UpdateExpression: {empty}"),
        ("update_item", {"Key": key, "UpdateExpression": "REMOVE a"} | nobody, unused),
        ("put_item", {"Item": key | {longer: {"S": "x"}}}, too_large_name),
        ("put_item", {"Item": key | {"a": {"M": {longer: {"S": "x"}}}}}, too_large_name),
        (
            "update_item",
            {"Key": key, "UpdateExpression": "REMOVE #n", "ExpressionAttributeNames": {"#n": longer}},
            too_large_name,
        ),
        (
            "update_item",
            {"Key": key, "UpdateExpression": "SET a = :a", "ExpressionAttributeValues": {":a": {"SS": []}}},
            empty_set,
        ),
        (
            "update_item",
            {"Key": key, "UpdateExpression": "SET a = :a", "ExpressionAttributeValues": {}},
            "ExpressionAttributeValues must not be empty",
        ),
        (
            "update_item",
            {"Key": key, "UpdateExpression": "SET a = b, a.c = b"},
            (
                "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of "
                "these paths; path one: [a], path two: [a, c]"
            ),
        ),
        ("delete_item", {"Key": key, "ConditionExpression": "attribute_exists(a)"} | nobody, unused),
        *(
            (name, members | {"ExpressionAttributeValues": {":v": {"S": "x"}}}, no_expression_for_values)
            for name, members in (
                ("put_item", {"Item": key}),
                ("update_item", {"Key": key}),
                ("delete_item", {"Key": key}),
            )
        ),
        (
            "delete_item",
            {"Key": key, "Expected": {"a": {}}},
            "One or more parameter values were invalid: Value must be provided when Exists is null for Attribute: a",
        ),
        *(("scan", members, message) for members, message in wrong_choices),
        *(("query", {"KeyConditionExpression": "p = q"} | members, message) for members, message in wrong_choices),
        (
            "query",
            {"Select": "ALL_ATTRIBUTES", "AttributesToGet": ["a"], "KeyConditions": {}},
            "Cannot specify the AttributesToGet when choosing to get ALL_ATTRIBUTES",
        ),
        (
            "query",
            {"KeyConditionExpression": "p = q", "Limit": 0},
            "Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
        ),
        (
            "scan",
            {"Segment": -1, "TotalSegments": 0},
            "Value at 'TotalSegments' failed to satisfy constraint: Member must have value greater than or equal to 1",
        ),
    ],
)
def test_what_is_wrong_with_a_request_is_told_in_an_envelope(
    client: Any, operation: str, members: Any, message: str
) -> None:
    assert message_of(getattr(client, operation), TableName=unique(), **members) == envelope + message


@pytest.mark.parametrize(
    ("operation", "members", "message"),
    [
        (
            "put_item",
            {"Item": {"p": {"N": "1"}}},
            "One or more parameter values were invalid: Type mismatch for key p expected: S actual: N",
        ),
        (
            "put_item",
            {"Item": {"p": {"S": ""}}},
            (
                "One or more parameter values are not valid. "
                "The AttributeValue for a key attribute cannot contain an empty string value. Key: p"
            ),
        ),
        ("put_item", {"Item": key | {"a": {"S": "x" * 409_600}}}, "Item size has exceeded the maximum allowed size"),
        (
            "update_item",
            {"Key": {"p": {"S": "none"}}, "UpdateExpression": "SET a = b"},
            "The provided expression refers to an attribute that does not exist in the item",
        ),
        ("update_item", {"Key": {"q": {"S": "x"}}}, "The provided key element does not match the schema"),
        ("get_item", {"Key": key, "ProjectionExpression": ""}, f"Invalid ProjectionExpression: {empty}"),
        ("get_item", {"Key": key} | nobody, no_expression),
        (
            "get_item",
            {"Key": key, "ProjectionExpression": "#n", "ExpressionAttributeNames": {"#n": longer}},
            f"ExpressionAttributeNames contains invalid value: {too_large_name} for key #n",
        ),
        ("scan", {"FilterExpression": "attribute_exists(a)"} | nobody, unused),
        ("query", {"KeyConditionExpression": ""}, f"Invalid KeyConditionExpression: {empty}"),
    ],
)
def test_other_refusals_stand_alone(client: Any, table: Any, operation: str, members: Any, message: str) -> None:
    assert message_of(getattr(client, operation), TableName=table.name, **members) == message


invalid_values = [
    ({"N": ""}, "The parameter cannot be converted to a numeric value: "),
    ({"N": "1e2147483647"}, "Number overflow. Attempting to store a number with magnitude larger than supported range"),
    ({"NS": ["2", "1", "2"]}, "One or more parameter values were invalid: Input collection contains duplicates."),
    (
        {"SS": ["b", "a", "b", "a"]},
        'One or more parameter values were invalid: Input collection ["a", "b", "b", "a"] contains duplicates.',
    ),
    (
        {"BS": [b"\xff", b"\0", b"\0"]},
        (
            'One or more parameter values were invalid: Input collection ["AA==","/w==","AA=="]of type BS contains '
            "duplicates."
        ),
    ),
]
older_words = [
    "The parameter cannot be converted to a numeric value",
    "Number underflow. Attempting to store a number with magnitude smaller than supported range",
    "Input collection contains duplicates",
    "One or more parameter values were invalid: Input collection [b, a, b, a] contains duplicates.",
    "One or more parameter values were invalid: Input collection [/w==, AA==, AA==]of type BS contains duplicates.",
]


@pytest.mark.parametrize(
    ("value", "message", "older"),
    [(value, message, older) for (value, message), older in zip(invalid_values, older_words, strict=True)],
)
def test_each_operation_has_its_words_for_values_that_cannot_be(
    client: Any, table: Any, value: Any, message: str, older: str
) -> None:
    name = table.name
    values = {"ExpressionAttributeValues": {":v": value}}
    condition = {"ConditionExpression": "a = :v"} | values
    told = [
        message_of(client.put_item, TableName=name, Item=key | {"a": {"L": [value]}}),
        message_of(client.put_item, TableName=name, Item=key | {"a": value}),
        message_of(client.put_item, TableName=name, Item=key, Expected={"a": {"Value": value}}),
        message_of(client.update_item, TableName=name, Key={"p": value}),
        message_of(client.update_item, TableName=name, Key=key, AttributeUpdates={"a": {"Value": value}}),
        message_of(client.delete_item, TableName=name, Key=key, **condition),
    ]
    assert told == [envelope + message] * len(told)
    start = {"KeyConditionExpression": "p = :p", "ExpressionAttributeValues": {":p": key["p"]}}
    told = [
        message_of(client.get_item, TableName=name, Key={"p": value}),
        message_of(client.batch_get_item, RequestItems={name: {"Keys": [{"p": value}]}}),
        message_of(client.query, TableName=name, KeyConditionExpression="p = :v", **values),
        message_of(client.query, TableName=name, ExclusiveStartKey={"p": value}, **start),
    ]
    assert told == [message] * len(told)
    put, delete = {"PutRequest": {"Item": {"p": value}}}, {"DeleteRequest": {"Key": {"p": value}}}
    told = [message_of(client.batch_write_item, RequestItems={name: [write]}) for write in (put, delete)]
    told.append(message_of(client.scan, TableName=name, ExclusiveStartKey={"p": value}))
    assert told == [older] * len(told)
    assert message_of(client.scan, TableName=name, FilterExpression="a = :v", **values) == (
        f"ExpressionAttributeValues contains invalid value: {older} for key :v"
    )


no_name = "Value at 'TableName' failed to satisfy constraint: Member must have length greater than or equal to 1"
no_name_in_older_words = (
    "Value '' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 1"
)
no_key = "Value null at 'key' failed to satisfy constraint: Member must not be null"
wrong_capacity = (
    "Value 'x' at 'returnConsumedCapacity' failed to satisfy constraint: "
    "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
)
wrong_metrics = "ReturnItemCollectionMetrics can only be SIZE or NONE"
any_of = "Failed to satisfy constraint: Member must satisfy enum value set: "
wrong_values = f"{any_of}[ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]"
wrong_values_in_older_words = (
    "Value 'x' at 'returnValues' failed to satisfy constraint: "
    "Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"
)
wrong_operator = f"{any_of}[ALL, OR]"
wrong_operator_in_older_words = (
    "Value 'x' at 'conditionalOperator' failed to satisfy constraint: Member must satisfy enum value set: [OR, AND]"
)
single_writes = ("put_item", "update_item", "delete_item")
three_choices = {"ReturnConsumedCapacity": "x", "ReturnValues": "x", "ReturnItemCollectionMetrics": "x"}


def nested(levels: int) -> Any:
    value: Any = {"S": "leaf"}
    for _ in range(levels):
        value = {"M": {"n": value}}
    return value


def compared(levels: int) -> Any:
    return {"Expected": {"a": {"Value": nested(levels)}, "b": {"Exists": False}}}


@pytest.mark.parametrize(
    ("operation", "wrong", "told"),
    [
        ("put_item", {"TableName": "", "ReturnValues": "x"}, [no_name]),
        ("delete_item", {"TableName": "", "Key": {}}, [no_name]),
        ("update_item", {"TableName": "", "ReturnValues": "x"}, [no_name]),
        ("update_item", {"TableName": "", "Key": None}, [no_name_in_older_words, no_key]),
        ("update_item", {"ConditionalOperator": "x", "Key": None}, [wrong_operator_in_older_words, no_key]),
        ("put_item", three_choices, [wrong_capacity, wrong_values]),
        ("delete_item", three_choices, [wrong_capacity, wrong_values]),
        ("update_item", three_choices, [wrong_values]),
        *((operation, {"ReturnItemCollectionMetrics": "x"}, [wrong_metrics]) for operation in single_writes),
        ("put_item", {"ConditionalOperator": "x"} | compared(62), [wrong_operator]),
        ("put_item", {"ConditionalOperator": "x"} | compared(63), [wrong_operator_in_older_words]),
        ("update_item", {"ConditionalOperator": "x"} | compared(63), [wrong_operator_in_older_words]),
        ("delete_item", {"ReturnValues": "x"} | compared(63), [wrong_values_in_older_words]),
        ("delete_item", {"ReturnValues": "x", "Key": {"p": nested(100)}}, [wrong_values_in_older_words]),
    ],
)
def test_a_wrong_table_name_is_told_alone_and_any_wrong_choice_of_an_update(
    client: Any, operation: str, wrong: dict[str, Any], told: list[str]
) -> None:
    keyed = {"TableName": "table", "Item" if operation == "put_item" else "Key": key}
    given = {name: value for name, value in (keyed | wrong).items() if value is not None}
    errors = f"{len(told)} validation error{'s' if len(told) > 1 else ''} detected: {'; '.join(told)}"
    assert message_of(getattr(client, operation), **given) == errors


@pytest.mark.parametrize("others", [{}, {"ConditionalOperator": "x"}, {"ReturnItemCollectionMetrics": "x"}])
def test_what_an_update_is_to_return_is_told_without_an_envelope(client: Any, others: dict[str, str]) -> None:
    request = {"TableName": unique(), "Key": key, **others}
    assert message_of(client.update_item, **request, ReturnConsumedCapacity="x") == wrong_capacity
    assert message_of(client.update_item, **request, ReturnValuesOnConditionCheckFailure="x") == (
        "Value 'x' at 'returnValuesOnConditionCheckFailure' failed to satisfy constraint: "
        "Member must satisfy enum value set: [ALL_OLD, NONE]"
    )


def test_an_update_tells_its_condition_before_what_it_sets_and_a_transaction_after(client: Any) -> None:
    update = {
        "TableName": unique(),
        "Key": key,
        "UpdateExpression": "SET a = contains(a, :v)",
        "ConditionExpression": "if_not_exists(a, :v) = :v",
        "ExpressionAttributeValues": {":v": {"S": "x"}},
    }
    assert message_of(client.update_item, **update) == (
        f"{envelope}Invalid ConditionExpression: The function is not allowed in a condition expression; "
        "function: if_not_exists"
    )
    assert message_of(client.transact_write_items, TransactItems=[{"Update": update}]) == (
        "Invalid UpdateExpression: The function is not allowed in an update expression; function: contains"
    )


def test_a_request_that_nests_very_deep_is_told_of_without_an_envelope(client: Any) -> None:
    request = {"TableName": unique(), "Key": key, "ReturnValues": "UPDATED_NEW"}
    message = "ReturnValues can only be ALL_OLD or NONE"
    assert message_of(client.delete_item, **request, **compared(62)) == envelope + message
    assert message_of(client.delete_item, **request, **compared(63)) == message


def test_an_attribute_without_a_name_is_told_before_what_is_wrong_with_others(client: Any) -> None:
    item = key | {"a": nested(100), "": {"S": "x"}}
    assert message_of(client.put_item, TableName=unique(), Item=item) == f"{envelope}Empty attribute name"


wrong_names = (
    "at 'requestItems' failed to satisfy constraint: Map keys must satisfy constraint: "
    "[Member must have length less than or equal to 255, Member must have length greater than or equal to 3, "
    "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]"
)


def test_wrong_table_names_are_told_with_reads_and_give_way_with_writes(client: Any) -> None:
    reads = {"RequestItems": {"bad!name": {"Keys": [{"p": {"S": "a"}}]}}}
    shown = 'Value \'{"bad!name":{"Keys":[{"p":{"S":"a"}}]}}\' ' + wrong_names
    assert message_of(client.batch_get_item, **reads) == envelope + shown
    assert message_of(client.batch_get_item, **reads, ReturnConsumedCapacity="x") == (
        f"2 validation errors detected: {shown}; {wrong_capacity}"
    )
    writes = {"RequestItems": {"bad!name": [{"PutRequest": {"Item": key}}]}}
    assert message_of(client.batch_write_item, **writes).endswith(wrong_names)
    assert message_of(client.batch_write_item, **writes, ReturnConsumedCapacity="x") == envelope + wrong_capacity
