"""BatchGetItem and BatchWriteItem: the commands they become, and how too many, too few and duplicates are refused."""

from collections.abc import Callable
from typing import Any

import pytest

from services.region.api.dynamodb.parse_batches import parse_batch_get_item, parse_batch_write_item
from services.region.commands.batches import ItemToPut, KeyToDelete
from shared.errors import ValidationError


def _refusal(parse: Callable[[dict[str, Any]], Any], tables: object) -> str:
    with pytest.raises(ValidationError) as raised:
        parse({"RequestItems": tables})
    return raised.value.message


def _key(number: int) -> dict[str, Any]:
    return {"pk": {"N": str(number)}}


def _put(number: int) -> dict[str, Any]:
    return {"PutRequest": {"Item": _key(number)}}


def test_keys_of_several_tables_arrive_in_the_command() -> None:
    command = parse_batch_get_item(
        {
            "RequestItems": {
                "orders": {"Keys": [_key(1), _key(2)], "ConsistentRead": True},
                "arn:aws:dynamodb:eu-west-1:1:table/items": {
                    "Keys": [{"pk": {"N": "1.0"}}],
                    "ProjectionExpression": "#a",
                    "ExpressionAttributeNames": {"#a": "a"},
                },
            }
        }
    )
    assert list(command.tables) == ["orders", "items"]
    assert command.tables["orders"].consistent
    assert command.tables["items"].keys == [{"pk": {"N": "1"}}]
    assert command.tables["items"].projection is not None


def test_writes_arrive_in_the_command() -> None:
    command = parse_batch_write_item({"RequestItems": {"orders": [_put(1), {"DeleteRequest": {"Key": _key(2)}}]}})
    assert command.tables == {"orders": [ItemToPut(_key(1)), KeyToDelete(_key(2))]}


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (
            None,
            (
                "1 validation error detected: Value null at 'requestItems' failed to satisfy constraint: "
                "Member must not be null"
            ),
        ),
        (
            {},
            (
                "1 validation error detected: Value at 'RequestItems' failed to satisfy constraint: "
                "Member must have length greater than or equal to 1"
            ),
        ),
        (
            {"orders": {"Keys": []}},
            (
                "1 validation error detected: Value at 'RequestItems.orders.member.Keys' failed to satisfy constraint: "
                "Member must have length greater than or equal to 1"
            ),
        ),
        (
            {"orders": {"Keys": [_key(number) for number in range(101)]}},
            (
                "1 validation error detected: Value at 'RequestItems.orders.member.Keys' failed to satisfy constraint: "
                "Member must have length less than or equal to 100"
            ),
        ),
        (
            {"orders": {}},
            (
                "1 validation error detected: Value null at 'requestItems.orders.member.keys' failed to satisfy "
                "constraint: Member must not be null"
            ),
        ),
        (
            {name: {"Keys": [_key(number) for number in range(60)]} for name in ("orders", "items")},
            "Too many items requested for the BatchGetItem call",
        ),
        ({"orders": {"Keys": [_key(1), _key(1)]}}, "Provided list of item keys contains duplicates"),
        (
            {"orders": {"Keys": [_key(1)], "AttributesToGet": ["a"], "ProjectionExpression": "a"}},
            (
                "Can not use both expression and non-expression parameters in the same request: "
                "Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}"
            ),
        ),
    ],
)
def test_a_wrong_batch_get_is_refused(tables: object, message: str) -> None:
    assert _refusal(parse_batch_get_item, tables) == message


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({}, "The requestItems parameter is required for BatchWriteItem"),
        (
            {"orders": []},
            (
                "1 validation error detected: Value '{orders=[]}' at 'requestItems' failed to satisfy constraint: "
                "Map value must satisfy constraint: [Member must have length less than or equal to 25, "
                "Member must have length greater than or equal to 1]"
            ),
        ),
        (
            {name: [_put(number) for number in range(13)] for name in ("orders", "items")},
            "Too many items requested for the BatchWriteItem call",
        ),
        (
            {"orders": [{}]},
            (
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported "
                "datatypes"
            ),
        ),
        (
            {"orders": [{"PutRequest": {}}]},
            (
                "1 validation error detected: Value null at 'requestItems.orders.member.1.member.putRequest.item' "
                "failed to satisfy constraint: Member must not be null"
            ),
        ),
        (
            {"orders": [{"PutRequest": {"Item": {"a": {"S": "x" * 409_600}}}}]},
            "Item size has exceeded the maximum allowed size",
        ),
        (
            {"o": [{"PutRequest": {"Item": {}}}]},
            (
                "1 validation error detected: Value '{o=[WriteRequest(putRequest=PutRequest("
                "item={}), deleteRequest=null)]}' "
                "at 'requestItems' failed to satisfy constraint: Map keys must satisfy constraint: "
                "[Member must have length less than or equal to 255, "
                "Member must have length greater than or equal to 3, "
                "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]"
            ),
        ),
    ],
)
def test_a_wrong_batch_write_is_refused(tables: object, message: str) -> None:
    assert _refusal(parse_batch_write_item, tables) == message


def test_a_write_of_too_many_items_shows_them_as_java_does() -> None:
    message = _refusal(parse_batch_write_item, {"orders": [_put(number) for number in range(26)]})
    assert message.startswith("1 validation error detected: Value '{orders=[WriteRequest(putRequest=PutRequest(item={")
    assert message.endswith(
        "]}' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: "
        "[Member must have length less than or equal to 25, Member must have length greater than or equal to 1]"
    )


def test_a_table_is_not_requested_twice_under_two_names() -> None:
    own, foreign = (f"arn:aws:dynamodb:eu-west-1:{account}:table/orders" for account in (1, 2))
    assert "requested twice" in _refusal(parse_batch_write_item, {"orders": [_put(1)], own: [_put(2)]})
    keys = {"Keys": [{"p": {"S": "x"}}]}
    assert "requested twice" in _refusal(parse_batch_get_item, {own: keys, foreign: keys})
