"""TransactWriteItems: all of its actions are done, or none, and the reasons are told action by action."""

import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.compat.tables import attribute, invalid, made_table, refused, unique

Action = dict[str, Any]

wrong_keys: list[Any] = [{"N": "5"}, {"L": []}, None]


def key(name: str) -> dict[str, Any]:
    return {"p": {"S": name}}


def put(table: Any, name: str, **more: Any) -> Action:
    attributes = {attribute: {"S": value} for attribute, value in more.pop("attributes", {}).items()}
    return {"Put": {"TableName": table.name, "Item": key(name) | attributes, **more}}


def update(table: Any, name: str, expression: str = "ADD n :one", **more: Any) -> Action:
    values = more.pop("values", {":one": {"N": "1"}})
    request = {"TableName": table.name, "Key": key(name), "UpdateExpression": expression}
    return {"Update": {**request, "ExpressionAttributeValues": values, **more}}


def delete(table: Any, name: str, **more: Any) -> Action:
    return {"Delete": {"TableName": table.name, "Key": key(name), **more}}


def check(table: Any, name: str, condition: str, **more: Any) -> Action:
    return {"ConditionCheck": {"TableName": table.name, "Key": key(name), "ConditionExpression": condition, **more}}


def item(client: Any, table: Any, name: str) -> Any:
    return client.get_item(TableName=table.name, Key=key(name), ConsistentRead=True).get("Item")


def number(client: Any, table: Any, name: str) -> str:
    text: str = item(client, table, name)["n"]["N"]
    return text


def cancelled(client: Any, *actions: Action) -> list[dict[str, Any]]:
    """The reasons with which a transaction is cancelled; its message names their codes."""
    with refused("TransactionCanceledException") as refusal:
        client.transact_write_items(TransactItems=list(actions))
    response = refusal.value.response
    reasons: list[dict[str, Any]] = response["CancellationReasons"]
    assert response["Error"]["Message"] == (
        "Transaction cancelled, please refer cancellation reasons for specific reasons"
        f" [{', '.join(reason['Code'] for reason in reasons)}]"
    )
    assert len(reasons) == len(actions)
    return reasons


def codes(reasons: list[dict[str, Any]]) -> list[str]:
    return [reason["Code"] for reason in reasons]


def constraint(value: str, member: str, must: str) -> str:
    """What is told of the first action alone."""
    place = f"transactItems.1.member.{member}"
    return f"1 validation error detected: Value {value} at '{place}' failed to satisfy constraint: Member must {must}"


def test_every_kind_of_action_is_done(client: Any, table: Any) -> None:
    made, changed, gone, checked = (unique() for _ in range(4))
    client.put_item(TableName=table.name, Item=key(changed) | {"n": {"N": "41"}})
    client.put_item(TableName=table.name, Item=key(gone))
    reply = client.transact_write_items(
        TransactItems=[
            put(table, made, attributes={"a": "x"}),
            update(table, changed),
            delete(table, gone),
            check(table, checked, "attribute_not_exists(p)"),
        ]
    )
    assert set(reply) == {"ResponseMetadata"}
    assert item(client, table, made) == key(made) | {"a": {"S": "x"}}
    assert number(client, table, changed) == "42"
    assert item(client, table, gone) is None
    assert item(client, table, checked) is None


def test_a_transaction_reaches_several_tables(client: Any, table: Any, sorted_table: Any) -> None:
    name = unique()
    other = key(name) | {"c": {"S": "c"}}
    client.transact_write_items(
        TransactItems=[put(table, name), {"Put": {"TableName": sorted_table.name, "Item": other}}]
    )
    assert item(client, table, name) == key(name)
    assert client.get_item(TableName=sorted_table.name, Key=other)["Item"] == other


def test_a_hundred_actions_are_one(client: Any, table: Any) -> None:
    names = [unique() for _ in range(100)]
    client.transact_write_items(TransactItems=[put(table, name) for name in names])
    assert all(item(client, table, name) for name in names)
    reasons = cancelled(
        client, *(delete(table, name) for name in names[:-1]), check(table, names[-1], "attribute_not_exists(p)")
    )
    assert codes(reasons) == ["None"] * 99 + ["ConditionalCheckFailed"]
    assert all(item(client, table, name) for name in names)


def test_a_condition_that_fails_leaves_nothing_done_and_all_that_fail_are_told(client: Any, table: Any) -> None:
    there, missing, new = unique(), unique(), unique()
    client.put_item(TableName=table.name, Item=key(there) | {"n": {"N": "1"}})
    reasons = cancelled(
        client,
        put(table, new),
        put(table, there, ConditionExpression="attribute_not_exists(p)"),
        check(table, missing, "attribute_exists(p)"),
    )
    failed = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
    assert reasons == [{"Code": "None"}, failed, failed]
    assert item(client, table, new) is None
    assert number(client, table, there) == "1"


def test_placeholders_may_stand_without_an_expression(client: Any, table: Any) -> None:
    name = unique()
    placeholders = {"ExpressionAttributeNames": {"#n": "n"}, "ExpressionAttributeValues": {":v": {"N": "1"}}}
    client.transact_write_items(TransactItems=[put(table, name, **placeholders)])
    assert item(client, table, name) == key(name)
    client.transact_write_items(TransactItems=[delete(table, name, **placeholders)])
    assert item(client, table, name) is None


@pytest.mark.parametrize("kind", ["Put", "Update", "Delete", "ConditionCheck"])
def test_the_reason_holds_the_item_that_was_asked_for(client: Any, table: Any, kind: str) -> None:
    name = unique()
    stored = key(name) | {"n": {"N": "1"}}
    client.put_item(TableName=table.name, Item=stored)
    wish = {"ConditionExpression": "attribute_not_exists(p)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    actions = {
        "Put": put(table, name, **wish),
        "Update": update(table, name, **wish),
        "Delete": delete(table, name, **wish),
        "ConditionCheck": check(table, name, "attribute_not_exists(p)", ReturnValuesOnConditionCheckFailure="ALL_OLD"),
    }
    assert cancelled(client, actions[kind])[0]["Item"] == stored
    actions[kind][kind]["ReturnValuesOnConditionCheckFailure"] = "NONE"
    assert "Item" not in cancelled(client, actions[kind])[0]


def test_a_reason_has_no_item_where_there_is_none(client: Any, table: Any) -> None:
    wish = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    assert "Item" not in cancelled(client, check(table, unique(), "attribute_exists(p)", **wish))[0]


def test_an_update_makes_the_item_that_is_not_there(client: Any, table: Any) -> None:
    name = unique()
    client.transact_write_items(
        TransactItems=[update(table, name, "SET a = :one", ConditionExpression="attribute_not_exists(p)")]
    )
    assert item(client, table, name) == key(name) | {"a": {"N": "1"}}


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("SET n = n + :one", "The provided expression refers to an attribute that does not exist in the item"),
        ("SET n = word + :one", "An operand in the update expression has an incorrect data type"),
        ("SET many[0] = :one", "The document path provided in the update expression is invalid for update"),
        (
            "SET p = :one",
            "One or more parameter values were invalid: Cannot update attribute p. This attribute is part of the key",
        ),
    ],
)
def test_an_update_that_does_not_suit_its_item_is_a_reason(
    client: Any, table: Any, expression: str, message: str
) -> None:
    name, other = unique(), unique()
    client.put_item(TableName=table.name, Item=key(name) | {"word": {"S": "x"}})
    reasons = cancelled(client, put(table, other), update(table, name, expression))
    assert reasons == [{"Code": "None"}, {"Code": "ValidationError", "Message": message}]
    assert item(client, table, other) is None


def test_an_update_that_makes_an_item_too_large_is_a_reason(client: Any, table: Any) -> None:
    name = unique()
    values = {":text": {"S": "x" * 409_600}}
    [reason] = cancelled(client, update(table, name, "SET a = :text", values=values))
    message = "Item size to update has exceeded the maximum allowed size"
    assert reason == {"Code": "ValidationError", "Message": message}


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("Put", {"N": "5"}, "One or more parameter values were invalid: Type mismatch for key p expected: S actual: N"),
        ("Put", {"L": []}, "One or more parameter values were invalid: Type mismatch for key p expected: S actual: L"),
        ("Put", None, "One or more parameter values were invalid: Missing the key p in the item"),
        *(
            (kind, value, "The provided key element does not match the schema")
            for kind in ("Update", "Delete", "ConditionCheck")
            for value in wrong_keys
        ),
    ],
)
def test_the_first_key_that_does_not_fit_is_the_only_reason(
    client: Any, table: Any, kind: str, value: Any, message: str
) -> None:
    """Conditions are not looked at then, nor later keys, nor whether an item comes twice."""
    member = "Item" if kind == "Put" else "Key"
    wrong: dict[str, Any] = {"TableName": table.name, member: {} if value is None else {"p": value}}
    if kind == "Update":
        wrong |= {"UpdateExpression": "SET a = :a", "ExpressionAttributeValues": {":a": {"N": "1"}}}
    if kind == "ConditionCheck":
        wrong |= {"ConditionExpression": "attribute_exists(p)"}
    reasons = cancelled(
        client,
        check(table, unique(), "attribute_exists(p)"),
        put(table, "twice"),
        put(table, "twice"),
        {kind: wrong},
        {"Put": {"TableName": table.name, "Item": {"p": {"N": "8"}}}},
    )
    none = {"Code": "None"}
    assert reasons == [none, none, none, {"Code": "ValidationError", "Message": message}, none]


@pytest.mark.parametrize("kind", ["Put", "Update", "Delete", "ConditionCheck"])
def test_an_empty_key_refuses_the_whole_request(client: Any, table: Any, kind: str) -> None:
    actions = {
        "Put": put(table, ""),
        "Update": update(table, ""),
        "Delete": delete(table, ""),
        "ConditionCheck": check(table, "", "attribute_exists(p)"),
    }
    with invalid("The AttributeValue for a key attribute cannot contain an empty string value. Key: p"):
        client.transact_write_items(TransactItems=[put(table, unique()), actions[kind]])


def test_one_item_has_one_action(client: Any, table: Any) -> None:
    name, other = unique(), unique()
    message = "Transaction request cannot include multiple operations on one item"
    second = [put(table, name), update(table, name), delete(table, name), check(table, name, "attribute_exists(p)")]
    for action in second:
        with invalid(message):
            client.transact_write_items(TransactItems=[put(table, other), put(table, name), action])
    assert item(client, table, other) is None


def test_items_of_two_tables_with_one_key_are_two(client: Any, resource: Any, table: Any) -> None:
    name = unique()
    with made_table(resource, attribute("p", "S")) as second:
        client.transact_write_items(TransactItems=[put(table, name), put(second, name)])
        assert item(client, second, name) == key(name)


def test_a_table_that_is_not_there_is_told_before_items_that_come_twice(client: Any, table: Any) -> None:
    name, missing = unique(), type("Missing", (), {"name": unique("nowhere")})
    with refused("ResourceNotFoundException", "Requested resource not found"):
        client.transact_write_items(TransactItems=[put(table, name), put(table, name), put(missing, name)])
    assert item(client, table, name) is None


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ({}, "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request"),
        (
            {
                "Put": {"TableName": "a-table", "Item": key("a")},
                "Delete": {"TableName": "a-table", "Key": key("a")},
            },
            "TransactItems can only contain one of Check, Put, Update or Delete",
        ),
        (
            {"ConditionCheck": {"TableName": "a-table", "Key": key("a")}},
            constraint("null", "conditionCheck.conditionExpression", "not be null"),
        ),
        (
            {"Put": {"TableName": "bad!name", "Item": key("a")}},
            constraint("'bad!name'", "put.tableName", "satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
        ),
        (
            {"Delete": {"TableName": "a-table", "Key": key("a"), "ReturnValuesOnConditionCheckFailure": "ALL"}},
            constraint(
                "'ALL'",
                "delete.returnValuesOnConditionCheckFailure",
                "satisfy enum value set: [ALL_OLD, NONE]",
            ),
        ),
        (
            {"Put": {"TableName": "a-table", "Item": key("a"), "ConditionExpression": ""}},
            "Invalid ConditionExpression: The expression can not be empty;",
        ),
        (
            {"ConditionCheck": {"TableName": "a-table", "Key": key("a"), "ConditionExpression": "attribute_exists("}},
            'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "("',
        ),
        (
            {
                "Delete": {
                    "TableName": "a-table",
                    "Key": key("a"),
                    "ConditionExpression": "attribute_exists(a)",
                    "ExpressionAttributeNames": {"#a": "a"},
                }
            },
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}",
        ),
        (
            {
                "Update": {
                    "TableName": "a-table",
                    "Key": key("a"),
                    "UpdateExpression": "SET a = :a",
                    "ExpressionAttributeValues": {":a": {"N": "1"}, ":b": {"N": "1"}},
                }
            },
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}",
        ),
        (
            {"Put": {"TableName": "a-table", "Item": key("a") | {"n": {"N": "one"}}}},
            "The parameter cannot be converted to a numeric value: one",
        ),
        (
            {"Put": {"TableName": "a-table", "Item": key("a") | {"text": {"S": "x" * 409_600}}}},
            "Item size has exceeded the maximum allowed size",
        ),
    ],
)
def test_what_is_wrong_with_a_request_is_told_before_its_table_is_looked_at(
    client: Any, action: Action, message: str
) -> None:
    with invalid() as refusal:
        client.transact_write_items(TransactItems=[action])
    assert refusal.value.response["Error"]["Message"] == message


def test_constraints_are_told_together_and_first(client: Any, table: Any) -> None:
    with invalid() as refusal:
        client.transact_write_items(
            TransactItems=[],
            ClientRequestToken="t" * 37,
            ReturnConsumedCapacity="hi",
            ReturnItemCollectionMetrics="hi",
        )
    assert refusal.value.response["Error"]["Message"] == (
        f"4 validation errors detected: Value '{'t' * 37}' at 'clientRequestToken' failed to satisfy constraint: Member"
        " must have length less than or equal to 36;"
        " Value 'hi' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set:"
        " [INDEXES, TOTAL, NONE];"
        " Value 'hi' at 'returnItemCollectionMetrics' failed to satisfy constraint: Member must satisfy enum value set:"
        " [SIZE, NONE];"
        " Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to"
        " 1"
    )


def test_the_first_action_with_something_wrong_is_told(client: Any, table: Any) -> None:
    deep: Any = {"S": "leaf"}
    for _ in range(32):
        deep = {"M": {"n": deep}}
    too_deep = {"Put": {"TableName": table.name, "Item": key(unique()) | {"deep": deep}}}
    malformed = check(table, unique(), "attribute_exists(")
    with invalid("Nesting Levels have exceeded supported limits"):
        client.transact_write_items(TransactItems=[too_deep, malformed])
    with invalid("Invalid ConditionExpression: Syntax error"):
        client.transact_write_items(TransactItems=[malformed, too_deep])
    with invalid("Invalid ConditionExpression: Syntax error"):
        client.transact_write_items(TransactItems=[check(table, unique(), "attribute_exists(", Key={"p": deep})])


def test_deep_values_matter_only_where_they_are_written(client: Any, table: Any) -> None:
    deep: Any = {"S": "leaf"}
    for _ in range(32):
        deep = {"M": {"n": deep}}
    [reason] = cancelled(client, update(table, unique(), "SET deep = :v", values={":v": deep}))
    assert reason["Code"] == "ValidationError"
    assert reason["Message"].startswith("Nesting Levels have exceeded supported limits")
    differs = check(table, unique(), "p = :v", ExpressionAttributeValues={":v": deep})
    assert codes(cancelled(client, differs)) == ["ConditionalCheckFailed"]
    deeper = check(table, unique(), "p = :v", ExpressionAttributeValues={":v": {"M": {"n": deep}}})
    with invalid("Nesting Levels have exceeded supported limits"):
        client.transact_write_items(TransactItems=[deeper])


def test_more_than_a_hundred_actions_are_refused(client: Any, table: Any) -> None:
    with invalid("at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100"):
        client.transact_write_items(TransactItems=[put(table, unique()) for _ in range(101)])


def test_a_request_brings_along_four_megabytes_at_most(client: Any, table: Any) -> None:
    """Items that it only deletes don't count."""
    names = [unique() for _ in range(12)]
    text = {"text": "x" * 350_000}
    client.transact_write_items(TransactItems=[put(table, name, attributes=text) for name in names[:10]])
    with invalid("Transaction payload size cannot exceed 4MB"):
        client.transact_write_items(TransactItems=[put(table, name, attributes=text) for name in names])
    for name in names[10:]:
        client.put_item(TableName=table.name, Item=key(name) | {"text": {"S": "x" * 350_000}})
    client.transact_write_items(TransactItems=[delete(table, name) for name in names])


def test_without_a_token_a_request_is_done_each_time(client: Any, table: Any) -> None:
    name = unique()
    for _ in range(2):
        client.transact_write_items(TransactItems=[update(table, name)])
    assert number(client, table, name) == "2"


def test_with_one_token_a_request_is_done_once(client: Any, table: Any) -> None:
    name, token = unique(), unique()[:36]
    for _ in range(3):
        client.transact_write_items(TransactItems=[update(table, name)], ClientRequestToken=token)
    assert number(client, table, name) == "1"


def test_the_order_of_members_does_not_make_another_request(client: Any, table: Any) -> None:
    name, token = unique(), unique()[:36]
    action = update(table, name)
    reversed_action = {"Update": dict(reversed(action["Update"].items()))}
    client.transact_write_items(TransactItems=[action], ClientRequestToken=token)
    client.transact_write_items(TransactItems=[reversed_action], ClientRequestToken=token)
    assert number(client, table, name) == "1"


def test_a_token_is_not_for_another_request(client: Any, table: Any) -> None:
    first, second, token = unique(), unique(), unique()[:36]
    client.transact_write_items(TransactItems=[put(table, first)], ClientRequestToken=token)
    with refused("IdempotentParameterMismatchException"):
        client.transact_write_items(TransactItems=[put(table, second)], ClientRequestToken=token)
    assert item(client, table, second) is None


def test_a_token_of_a_cancelled_transaction_can_be_used_again(client: Any, table: Any) -> None:
    name, token = unique(), unique()[:36]
    request = {"TransactItems": [check(table, name, "attribute_exists(p)")], "ClientRequestToken": token}
    with refused("TransactionCanceledException"):
        client.transact_write_items(**request)
    client.put_item(TableName=table.name, Item=key(name))
    client.transact_write_items(**request)


def test_capacity_is_twice_that_of_single_writes(client: Any, table: Any) -> None:
    names = [unique() for _ in range(3)]
    client.put_item(TableName=table.name, Item=key(names[2]))
    request = {
        "TransactItems": [
            put(table, names[0]),
            put(table, names[1], attributes={"a": "x" * 1500}),
            check(table, names[2], "attribute_exists(p)"),
        ],
        "ClientRequestToken": unique()[:36],
    }
    written = client.transact_write_items(**request, ReturnConsumedCapacity="TOTAL")
    assert written["ConsumedCapacity"] == [{"TableName": table.name, "CapacityUnits": 8.0, "WriteCapacityUnits": 8.0}]
    again = client.transact_write_items(**request, ReturnConsumedCapacity="INDEXES")
    consumed = {"CapacityUnits": 6.0, "ReadCapacityUnits": 6.0}
    assert again["ConsumedCapacity"] == [{"TableName": table.name, **consumed, "Table": consumed}]


def test_a_repeated_request_consumes_by_what_the_first_one_found_and_made(client: Any, table: Any) -> None:
    deleted, made = unique(), unique()
    client.put_item(TableName=table.name, Item=key(deleted) | {"a": {"S": "x" * 9_000}})
    request = {
        "TransactItems": [delete(table, deleted), put(table, made, attributes={"a": "x" * 5_000})],
        "ClientRequestToken": unique()[:36],
        "ReturnConsumedCapacity": "TOTAL",
    }
    client.transact_write_items(**request)
    client.delete_item(TableName=table.name, Key=key(made))
    [consumed] = client.transact_write_items(**request)["ConsumedCapacity"]
    assert consumed == {"TableName": table.name, "CapacityUnits": 10.0, "ReadCapacityUnits": 10.0}


def test_indexes_follow_and_are_counted(client: Any, resource: Any) -> None:
    made = resource.create_table(
        TableName=unique("compat"),
        AttributeDefinitions=[attribute("p", "S"), attribute("c", "S"), attribute("x", "S")],
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "c", "KeyType": "RANGE"}],
        LocalSecondaryIndexes=[
            {
                "IndexName": "by-x",
                "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "x", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    made.wait_until_exists()
    name = unique()
    stored = key(name) | {"c": {"S": "c"}, "x": {"S": "x"}}
    written = client.transact_write_items(
        TransactItems=[{"Put": {"TableName": made.name, "Item": stored}}],
        ReturnConsumedCapacity="INDEXES",
        ReturnItemCollectionMetrics="SIZE",
    )
    [capacity] = written["ConsumedCapacity"]
    assert (capacity["CapacityUnits"], capacity["Table"]["CapacityUnits"]) == (3.0, 2.0)
    assert capacity["LocalSecondaryIndexes"]["by-x"]["WriteCapacityUnits"] == 1.0
    assert written["ItemCollectionMetrics"] == {
        made.name: [{"ItemCollectionKey": key(name), "SizeEstimateRangeGB": [0.0, 1.0]}]
    }
    found = client.query(
        TableName=made.name,
        IndexName="by-x",
        KeyConditionExpression="p = :p",
        ExpressionAttributeValues={":p": {"S": name}},
    )
    assert found["Items"] == [stored]
    wrong_type = {"Put": {"TableName": made.name, "Item": stored | {"x": {"N": "5"}}}}
    assert codes(cancelled(client, wrong_type)) == ["ValidationError"]
    with invalid("secondary index key"):
        client.transact_write_items(
            TransactItems=[{"Put": {"TableName": made.name, "Item": stored | {"x": {"S": ""}}}}]
        )
    made.delete()


def test_transactions_on_the_same_items_leave_nothing_out(client: Any, table: Any) -> None:
    """They wait for each other; where DynamoDB would call it a conflict, a client may try again."""
    one, other = unique(), unique()
    failures: list[ClientError] = []

    def add() -> None:
        for _ in range(10):
            try:
                client.transact_write_items(TransactItems=[update(table, one), update(table, other)])
            except ClientError as error:
                failures.append(error)

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {error.response["CancellationReasons"][0]["Code"] for error in failures} <= {"TransactionConflict"}
    done = str(80 - len(failures))
    assert (number(client, table, one), number(client, table, other)) == (done, done)
