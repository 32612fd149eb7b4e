"""TransactGetItems: several items as they are at one moment."""

import threading
from typing import Any

import pytest

from tests.compat.tables import invalid, refused, unique


def key(name: str) -> dict[str, Any]:
    return {"p": {"S": name}}


def get(table: Any, name: str, **more: Any) -> dict[str, Any]:
    return {"Get": {"TableName": table.name, "Key": key(name), **more}}


def read(client: Any, *gets: dict[str, Any]) -> Any:
    return client.transact_get_items(TransactItems=list(gets))["Responses"]


def constraint(value: str, place: str, must: str) -> str:
    return f"1 validation error detected: Value {value} at '{place}' failed to satisfy constraint: Member must {must}"


def test_items_come_in_the_order_in_which_they_were_asked_for(client: Any, table: Any, sorted_table: Any) -> None:
    names = [unique() for _ in range(3)]
    other = key(names[0]) | {"c": {"S": "c"}}
    for name in names:
        client.put_item(TableName=table.name, Item=key(name))
    client.put_item(TableName=sorted_table.name, Item=other)
    elsewhere = {"Get": {"TableName": sorted_table.name, "Key": other}}
    found = read(client, get(table, names[2]), elsewhere, get(table, names[0]), get(table, names[1]))
    assert [each["Item"] for each in found] == [key(names[2]), other, key(names[0]), key(names[1])]


def test_an_item_that_is_not_there_has_an_empty_response(client: Any, table: Any) -> None:
    name = unique()
    client.put_item(TableName=table.name, Item=key(name))
    assert read(client, get(table, unique()), get(table, name)) == [{}, {"Item": key(name)}]


def test_each_get_has_its_own_projection(client: Any, table: Any) -> None:
    one, other = unique(), unique()
    for name in (one, other):
        client.put_item(TableName=table.name, Item=key(name) | {"a": {"S": "1"}, "b": {"S": "2"}})
    found = read(
        client,
        get(table, one, ProjectionExpression="#b", ExpressionAttributeNames={"#b": "b"}),
        get(table, other, ProjectionExpression="nothing"),
        get(table, unique(), ExpressionAttributeNames={"#b": "b"}),
    )
    assert found == [{"Item": {"b": {"S": "2"}}}, {}, {}]


def test_a_hundred_items_are_read_at_once(client: Any, table: Any) -> None:
    names = [unique() for _ in range(100)]
    client.transact_write_items(TransactItems=[{"Put": {"TableName": table.name, "Item": key(n)}} for n in names])
    assert read(client, *(get(table, name) for name in names)) == [{"Item": key(name)} for name in names]
    with invalid("at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100"):
        read(client, *(get(table, unique()) for _ in range(101)))


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (
            [],
            constraint("'[]'", "transactItems", "have length greater than or equal to 1"),
        ),
        (
            [{}],
            constraint("null", "transactItems.1.member.get", "not be null"),
        ),
        (
            [{"Get": {"TableName": "a-table", "Key": key("a"), "ProjectionExpression": "!!!"}}],
            'Invalid ProjectionExpression: Syntax error; token: "!", near: "!!"',
        ),
        (
            [
                {
                    "Get": {
                        "TableName": "a-table",
                        "Key": key("a"),
                        "ProjectionExpression": "a",
                        "ExpressionAttributeNames": {"#b": "b"},
                    }
                }
            ],
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}",
        ),
        (
            [{"Get": {"TableName": "a-table", "Key": {"p": {"N": "one"}}}}],
            "The parameter cannot be converted to a numeric value: one",
        ),
    ],
)
def test_what_is_wrong_with_a_request_is_told_before_its_table_is_looked_at(
    client: Any, items: Any, message: str
) -> None:
    with invalid() as refusal:
        read(client, *items)
    assert refusal.value.response["Error"]["Message"] == message


def test_an_unknown_wish_is_told_before_the_table(client: Any) -> None:
    missing = {"Get": {"TableName": unique("nowhere"), "Key": key("a")}}
    with refused("ResourceNotFoundException", "Requested resource not found"):
        read(client, missing)
    with invalid("Value 'hi' at 'returnConsumedCapacity' failed to satisfy constraint"):
        client.transact_get_items(TransactItems=[missing], ReturnConsumedCapacity="hi")


@pytest.mark.parametrize("wrong", [{}, {"p": {"N": "1"}}, {"q": {"S": "x"}}, {"p": {"S": "x"}, "q": {"S": "x"}}])
def test_a_key_that_does_not_fit_is_a_reason(client: Any, table: Any, wrong: dict[str, Any]) -> None:
    with refused("TransactionCanceledException") as refusal:
        read(client, get(table, "twice"), get(table, "twice"), {"Get": {"TableName": table.name, "Key": wrong}})
    response = refusal.value.response
    assert response["Error"]["Message"] == (
        "Transaction cancelled, please refer cancellation reasons for specific reasons [None, None, ValidationError]"
    )
    reason = {"Code": "ValidationError", "Message": "The provided key element does not match the schema"}
    assert response["CancellationReasons"] == [{"Code": "None"}, {"Code": "None"}, reason]


def test_an_empty_key_refuses_the_whole_request(client: Any, table: Any) -> None:
    with invalid("The AttributeValue for a key attribute cannot contain an empty string value. Key: p"):
        read(client, get(table, ""))


def test_an_item_is_asked_for_once(client: Any, table: Any) -> None:
    name = unique()
    with invalid("Transaction request cannot include multiple operations on one item"):
        read(client, get(table, name), get(table, name, ProjectionExpression="a"))


def test_a_reply_holds_four_megabytes_at_most(client: Any, table: Any) -> None:
    names = [unique() for _ in range(12)]
    for name in names:
        client.put_item(TableName=table.name, Item=key(name) | {"text": {"S": "x" * 350_000}})
    assert len(read(client, *(get(table, name) for name in names[:11]))) == 11
    with invalid():
        read(client, *(get(table, name) for name in names))
    client.transact_write_items(
        TransactItems=[{"Delete": {"TableName": table.name, "Key": key(name)}} for name in names]
    )


def test_capacity_is_twice_that_of_single_reads_also_for_what_is_not_there(client: Any, table: Any) -> None:
    name = unique()
    client.put_item(TableName=table.name, Item=key(name) | {"text": {"S": "x" * 5000}})
    gets = [get(table, name), get(table, unique())]
    consumed = {"CapacityUnits": 6.0, "ReadCapacityUnits": 6.0}
    total = client.transact_get_items(TransactItems=gets, ReturnConsumedCapacity="TOTAL")
    assert total["ConsumedCapacity"] == [{"TableName": table.name, **consumed}]
    each = client.transact_get_items(TransactItems=gets, ReturnConsumedCapacity="INDEXES")
    assert each["ConsumedCapacity"] == [{"TableName": table.name, **consumed, "Table": consumed}]


def test_a_read_sees_all_of_a_transaction_or_nothing(client: Any, table: Any) -> None:
    names = [unique() for _ in range(8)]
    wanted = [get(table, name) for name in names]
    writing = threading.Event()
    writing.set()

    def write() -> None:
        number = 0
        while writing.is_set():
            number += 1
            client.transact_write_items(
                TransactItems=[
                    {"Put": {"TableName": table.name, "Item": key(name) | {"n": {"N": str(number)}}}} for name in names
                ]
            )

    writer = threading.Thread(target=write)
    writer.start()
    moments: set[str] = set()
    try:
        while len(moments) < 20:
            numbers = {str(each.get("Item", {}).get("n")) for each in read(client, *wanted)}
            assert len(numbers) == 1
            moments |= numbers
    finally:
        writing.clear()
        writer.join()
