"""BatchWriteItem and BatchGetItem: many items, each on its own."""

from typing import Any

import pytest

from tests.compat.tables import invalid, refused, unique


def key(name: str) -> dict[str, Any]:
    return {"p": {"S": name}}


def put(name: str, **attributes: str) -> dict[str, Any]:
    item = key(name) | {attribute: {"S": value} for attribute, value in attributes.items()}
    return {"PutRequest": {"Item": item}}


def delete(name: str) -> dict[str, Any]:
    return {"DeleteRequest": {"Key": key(name)}}


def names_of(items: list[dict[str, Any]]) -> list[str]:
    return sorted(item["p"]["S"] for item in items)


def test_many_items_are_written_and_read(client: Any, table: Any) -> None:
    names = [unique() for _ in range(25)]
    written = client.batch_write_item(RequestItems={table.name: [put(name, a="x") for name in names]})
    assert written["UnprocessedItems"] == {}
    found = client.batch_get_item(RequestItems={table.name: {"Keys": [key(name) for name in names]}})
    assert names_of(found["Responses"][table.name]) == sorted(names)
    assert found["UnprocessedKeys"] == {}


def test_puts_and_deletes_go_together(client: Any, table: Any) -> None:
    kept, gone, never = unique(), unique(), unique()
    client.batch_write_item(RequestItems={table.name: [put(gone)]})
    client.batch_write_item(RequestItems={table.name: [put(kept), delete(gone), delete(never)]})
    keys = [key(name) for name in (kept, gone, never)]
    found = client.batch_get_item(RequestItems={table.name: {"Keys": keys, "ConsistentRead": True}})
    assert names_of(found["Responses"][table.name]) == [kept]


def test_a_batch_reaches_several_tables(client: Any, table: Any, sorted_table: Any) -> None:
    name = unique()
    other = {"p": {"S": name}, "c": {"S": "c"}}
    client.batch_write_item(
        RequestItems={table.name: [put(name)], sorted_table.name: [{"PutRequest": {"Item": other}}]}
    )
    found = client.batch_get_item(
        RequestItems={table.name: {"Keys": [key(name)]}, sorted_table.name: {"Keys": [other]}}
    )
    assert found["Responses"] == {table.name: [key(name)], sorted_table.name: [other]}


def test_a_table_in_which_nothing_was_found_is_there(client: Any, table: Any) -> None:
    found = client.batch_get_item(RequestItems={table.name: {"Keys": [key(unique())]}})
    assert found["Responses"] == {table.name: []}


def test_reads_project(client: Any, table: Any) -> None:
    name = unique()
    client.batch_write_item(RequestItems={table.name: [put(name, a="1", b="2")]})
    wanted = {"Keys": [key(name)], "ProjectionExpression": "#b", "ExpressionAttributeNames": {"#b": "b"}}
    found = client.batch_get_item(RequestItems={table.name: wanted})
    assert found["Responses"][table.name] == [{"b": {"S": "2"}}]


def test_reads_of_several_tables_project_in_one_way(client: Any, table: Any, sorted_table: Any) -> None:
    expression = {"Keys": [{"p": {"S": "x"}}], "ProjectionExpression": "a"}
    names = {"Keys": [{"p": {"S": "x"}, "c": {"S": "x"}}], "AttributesToGet": ["a"]}
    with invalid(
        "Can not use both expression and non-expression parameters in the same request: "
        "Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}"
    ):
        client.batch_get_item(RequestItems={table.name: expression, sorted_table.name: names})
    placeholders = {"Keys": expression["Keys"], "ExpressionAttributeNames": {"#a": "a"}}
    with invalid("ExpressionAttributeNames can only be specified when using expressions"):
        client.batch_get_item(RequestItems={table.name: placeholders, sorted_table.name: names})


def test_reads_stop_at_16_megabytes_and_name_the_rest(client: Any, table: Any) -> None:
    names = [unique() for _ in range(60)]
    for name in names:
        client.put_item(TableName=table.name, Item=key(name) | {"text": {"S": "x" * 300_000}})
    asked = {table.name: {"Keys": [key(name) for name in names]}}
    found = client.batch_get_item(RequestItems=asked)
    first = names_of(found["Responses"][table.name])
    assert 40 <= len(first) <= 55
    rest = client.batch_get_item(RequestItems=found["UnprocessedKeys"])
    assert rest["UnprocessedKeys"] == {}
    assert sorted(first + names_of(rest["Responses"][table.name])) == sorted(names)
    client.batch_write_item(RequestItems={table.name: [delete(name) for name in names[:25]]})


def test_too_many_requests_are_refused(client: Any, table: Any) -> None:
    with invalid("less than or equal to 25"):
        client.batch_write_item(RequestItems={table.name: [put(unique()) for _ in range(26)]})
    with invalid("less than or equal to 100"):
        client.batch_get_item(RequestItems={table.name: {"Keys": [key(unique()) for _ in range(101)]}})


@pytest.mark.parametrize("empty", [{}, {"a-table": []}])
def test_empty_batches_are_refused(client: Any, empty: dict[str, Any]) -> None:
    with invalid():
        client.batch_write_item(RequestItems=empty)


def test_the_same_key_twice_is_refused(client: Any, table: Any) -> None:
    name = unique()
    with invalid("Provided list of item keys contains duplicates"):
        client.batch_write_item(RequestItems={table.name: [put(name), delete(name)]})
    with invalid("Provided list of item keys contains duplicates"):
        client.batch_get_item(RequestItems={table.name: {"Keys": [key(name), key(name)]}})


def test_a_key_with_its_number_in_two_forms_is_answered_once_and_written_never(client: Any, number_table: Any) -> None:
    """The service compares keys to read as they are written, and keys to write by value."""
    name = number_table.name
    place = {"p": {"S": unique()}}
    plain, exponential = place | {"c": {"N": "1000"}}, place | {"c": {"N": "1e3"}}
    with invalid("Provided list of item keys contains duplicates"):
        client.batch_write_item(RequestItems={name: [{"PutRequest": {"Item": key}} for key in (plain, exponential)]})
    client.put_item(TableName=name, Item=plain)
    found = client.batch_get_item(RequestItems={name: {"Keys": [plain, exponential]}})
    assert found["Responses"][name] == [plain]


def test_one_bad_item_refuses_the_whole_batch(client: Any, table: Any) -> None:
    good = unique()
    with invalid("key"):
        client.batch_write_item(
            RequestItems={table.name: [put(good), {"PutRequest": {"Item": {"a": {"S": "no key"}}}}]}
        )
    assert "Item" not in client.get_item(TableName=table.name, Key=key(good))


@pytest.mark.parametrize("item", [{}, {"c": {"S": "x"}}, {"p": {"S": "x"}, "c": {"N": "1"}}, {"p": {"N": "1"}}])
def test_a_key_that_does_not_fit_is_told_alike_for_puts_and_deletes(client: Any, sorted_table: Any, item: Any) -> None:
    for write in ({"PutRequest": {"Item": item}}, {"DeleteRequest": {"Key": item}}):
        with invalid("The provided key element does not match the schema"):
            client.batch_write_item(RequestItems={sorted_table.name: [write]})


def test_a_request_is_a_put_or_a_delete(client: Any, table: Any) -> None:
    message = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported"
    with invalid(message):
        client.batch_write_item(RequestItems={table.name: [{"PutRequest": {"Item": {"p": {}}}}, {}]})
    with invalid(message):
        client.batch_write_item(RequestItems={table.name: [put("x") | delete("x")]})


def test_of_a_put_without_item_and_a_delete_without_key_the_delete_is_told_first(client: Any, table: Any) -> None:
    places = [
        f"requestItems.{table.name}.member.1.member.{member}" for member in ("deleteRequest.key", "putRequest.item")
    ]
    told = [f"Value null at '{place}' failed to satisfy constraint: Member must not be null" for place in places]
    with invalid(f"2 validation errors detected: {'; '.join(told)}"):
        client.batch_write_item(RequestItems={table.name: [{"PutRequest": {}, "DeleteRequest": {}}]})


def test_a_table_that_is_not_there_refuses_the_whole_batch(client: Any, table: Any) -> None:
    good = unique()
    with refused("ResourceNotFoundException"):
        client.batch_write_item(RequestItems={table.name: [put(good)], unique("nowhere"): [put("x")]})
    assert "Item" not in client.get_item(TableName=table.name, Key=key(good))


def test_capacity_is_told_for_each_table(client: Any, table: Any) -> None:
    names = [unique(), unique()]
    written = client.batch_write_item(
        RequestItems={table.name: [put(name, a="x" * 1500) for name in names]}, ReturnConsumedCapacity="TOTAL"
    )
    assert written["ConsumedCapacity"] == [{"TableName": table.name, "CapacityUnits": 4.0}]
