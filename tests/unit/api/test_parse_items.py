"""PutItem, GetItem, UpdateItem and DeleteItem: the commands they become, and which fault is reported first."""

from collections.abc import Callable
from typing import Any

import pytest

from services.region.api.dynamodb.parse_items import (
    parse_delete_item,
    parse_get_item,
    parse_put_item,
    parse_update_item,
)
from services.region.commands.items import DeleteItem, GetItem, PutItem, ReturnConsumedCapacity, ReturnValues
from shared.errors import SerializationError, ServiceError, ValidationError

_key = {"pk": {"S": "a"}}
_item = {"pk": {"S": "a"}, "n": {"N": "1.0"}}


def _refusal(parse: Callable[[dict[str, Any]], Any], request: dict[str, Any]) -> str:
    with pytest.raises(ServiceError) as raised:
        parse(request)
    return raised.value.message


def test_a_plain_put_is_read_the_short_way_to_the_same_command() -> None:
    """The short and the whole way must not drift apart."""
    plain = parse_put_item({"TableName": "orders", "Item": dict(_item)})
    whole = parse_put_item({"TableName": "orders", "Item": dict(_item), "ReturnValues": "NONE"})
    assert plain == whole == PutItem("orders", {"pk": {"S": "a"}, "n": {"N": "1"}})


@pytest.mark.parametrize("consistent", [None, True, False])
def test_a_plain_get_is_read_the_short_way_to_the_same_command(consistent: bool | None) -> None:
    request = {"TableName": "orders", "Key": _key} | ({} if consistent is None else {"ConsistentRead": consistent})
    expected = GetItem("orders", _key, consistent=consistent is True)
    assert parse_get_item(request) == parse_get_item(request | {"ReturnConsumedCapacity": "NONE"}) == expected


@pytest.mark.parametrize(
    "item",
    [{"pk": {}}, {"pk": {"NULL": False}}, {"pk": {"S": "x" * 409_600}}, {"pk": {"N": "x"}}, {"pk": {"SS": ["a", "a"]}}],
)
def test_the_short_and_the_whole_way_refuse_in_the_same_words(item: dict[str, Any]) -> None:
    short = _refusal(parse_put_item, {"TableName": "orders", "Item": {"pk": dict(item["pk"])}})
    whole = _refusal(parse_put_item, {"TableName": "orders", "Item": item, "ReturnValues": "NONE"})
    assert short == whole


def test_a_table_may_be_named_by_its_arn() -> None:
    arn = "arn:aws:dynamodb:eu-west-1:000000000000:table/orders"
    assert parse_put_item({"TableName": arn, "Item": _item}).table == "orders"
    assert parse_get_item({"TableName": arn, "Key": _key, "ReturnConsumedCapacity": "TOTAL"}).table == "orders"


def test_all_parameters_of_a_put_arrive_in_the_command() -> None:
    command = parse_put_item(
        {
            "TableName": "orders",
            "Item": _item,
            "ConditionExpression": "#p = :v",
            "ExpressionAttributeNames": {"#p": "pk"},
            "ExpressionAttributeValues": {":v": {"S": "a"}},
            "ReturnValues": "ALL_OLD",
            "ReturnConsumedCapacity": "INDEXES",
            "ReturnItemCollectionMetrics": "SIZE",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    )
    assert command.guard.condition is not None
    assert command.guard.condition.holds({"pk": {"S": "a"}})
    assert command.guard.return_item_on_failure
    assert command.return_values is ReturnValues.ALL_OLD
    assert command.return_consumed_capacity is ReturnConsumedCapacity.INDEXES


def test_an_update_without_an_expression_only_makes_the_item() -> None:
    command = parse_update_item({"TableName": "orders", "Key": _key})
    assert command.update is None
    assert command.return_values is ReturnValues.NONE


def test_an_update_binds_its_expressions() -> None:
    command = parse_update_item(
        {
            "TableName": "orders",
            "Key": _key,
            "UpdateExpression": "SET #n = :one",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeNames": {"#n": "n"},
            "ExpressionAttributeValues": {":one": {"N": "1"}},
            "ReturnValues": "UPDATED_NEW",
        }
    )
    assert command.update is not None
    assert command.guard.condition is not None
    assert command.return_values is ReturnValues.UPDATED_NEW


def test_a_delete_becomes_its_command() -> None:
    assert parse_delete_item({"TableName": "orders", "Key": _key}) == DeleteItem("orders", _key)


def test_attributes_to_get_is_a_projection() -> None:
    command = parse_get_item({"TableName": "orders", "Key": _key, "AttributesToGet": ["n", "a.b"]})
    assert command.projection is not None
    item = {"n": {"N": "1"}, "a.b": {"S": "x"}, "other": {"S": "y"}}
    assert command.projection.of(item) == {"n": {"N": "1"}, "a.b": {"S": "x"}}


def test_faults_of_a_put_are_reported_in_the_services_order() -> None:
    """Each step mends the fault that was reported last; the next one in DynamoDB's order must then appear."""
    request: dict[str, Any] = {
        "TableName": "",
        "Item": {"a": {"S": 1}, "b": {"N": "x"}},
        "ReturnValues": "ALL_NEW",
        "Expected": {},
        "ConditionExpression": "a =",
        "ExpressionAttributeValues": {"v": {"N": "y"}, ":v": {"N": "y"}},
    }
    mended: list[tuple[str, dict[str, Any]]] = [
        ("NUMBER_VALUE cannot be converted to String", {"Item": {"a": {"S": "1"}, "b": {"N": "x"}}}),
        (
            (
                "1 validation error detected: Value at 'TableName' failed to satisfy constraint: "
                "Member must have length greater than or equal to 1"
            ),
            {"TableName": "orders"},
        ),
        (
            (
                "1 validation error detected: "
                "Can not use both expression and non-expression parameters in the same request: "
                "Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}"
            ),
            {"Expected": None},
        ),
        (
            "1 validation error detected: The parameter cannot be converted to a numeric value: x",
            {"Item": {"a": {"S": "x" * 409_600}}},
        ),
        ("1 validation error detected: ReturnValues can only be ALL_OLD or NONE", {"ReturnValues": "ALL_OLD"}),
        ("Item size has exceeded the maximum allowed size", {"Item": {"a": {"S": "x"}}}),
        (
            '1 validation error detected: ExpressionAttributeValues contains invalid key: Syntax error; key: "v"',
            {"ExpressionAttributeValues": {":v": {"N": "y"}}},
        ),
        (
            "1 validation error detected: The parameter cannot be converted to a numeric value: y",
            {"ExpressionAttributeValues": {":v": {"N": "1"}}},
        ),
        (
            '1 validation error detected: Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "="',
            {"ConditionExpression": "a = b"},
        ),
        (
            (
                "1 validation error detected: "
                "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}"
            ),
            {"ConditionExpression": "a = :v"},
        ),
    ]
    for message, correction in mended:
        assert _refusal(parse_put_item, _fresh(request)) == message
        request |= correction
    assert isinstance(parse_put_item(request), PutItem)


@pytest.mark.parametrize("parse", [parse_put_item, parse_get_item, parse_update_item, parse_delete_item])
def test_a_request_without_members_names_what_is_missing(parse: Callable[[dict[str, Any]], Any]) -> None:
    message = _refusal(parse, {})
    assert message.startswith("2 validation errors detected: Value null at 'tableName'")
    assert message.endswith("failed to satisfy constraint: Member must not be null")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"ExpressionAttributeNames": {"#a": "a"}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            {"AttributesToGet": ["a"], "ProjectionExpression": "a"},
            (
                "Can not use both expression and non-expression parameters in the same request: "
                "Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}"
            ),
        ),
        (
            {"AttributesToGet": ["a", "b", "a"]},
            "One or more parameter values were invalid: Duplicate value in attribute name: a",
        ),
        (
            {"AttributesToGet": []},
            (
                "1 validation error detected: Value '[]' at 'attributesToGet' failed to satisfy constraint: "
                "Member must have length greater than or equal to 1"
            ),
        ),
        ({"ProjectionExpression": ""}, "Invalid ProjectionExpression: The expression can not be empty;"),
    ],
)
def test_parameters_of_a_get_that_do_not_go_together(parameters: dict[str, Any], message: str) -> None:
    assert _refusal(parse_get_item, {"TableName": "orders", "Key": _key} | parameters) == message


def test_values_without_an_expression_are_refused() -> None:
    request = {"TableName": "orders", "Key": _key, "ExpressionAttributeValues": {":v": {"S": "x"}}}
    for parse in (parse_update_item, parse_delete_item):
        assert _refusal(parse, dict(request)) == (
            "1 validation error detected: ExpressionAttributeValues can only be specified when using expressions"
        )


def test_errors_have_the_services_class() -> None:
    with pytest.raises(SerializationError):
        parse_get_item({"TableName": "orders", "Key": []})
    with pytest.raises(ValidationError):
        parse_get_item({"TableName": "orders", "Key": {"a": {}}})


def _fresh(request: dict[str, Any]) -> dict[str, Any]:
    """Parsers make attributes canonical in place."""
    item = {name: dict(value) for name, value in request["Item"].items()}
    return request | {"Item": item}
