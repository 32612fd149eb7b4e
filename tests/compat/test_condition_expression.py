"""ConditionExpression: a write happens if it holds, and not at all if not."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.conditions import Attr

from tests.compat.tables import condition_failed, invalid, unique

stored = {
    "n": Decimal(10),
    "s": "hello",
    "l": ["x", Decimal(2)],
    "m": {"deep": {"er": "value"}, "li": [Decimal(1), {"a": "b"}]},
    "texts": {"a", "b"},
    "flag": True,
    "nothing": None,
}


def holds(table: Any, expression: str, values: dict[str, Any] | None = None) -> bool:
    """Whether a condition holds of the stored item, as a write judges it."""
    key = {"p": unique()}
    table.put_item(Item=key | stored)
    given = {"ExpressionAttributeValues": values} if values else {}
    try:
        table.put_item(Item=key, ConditionExpression=expression, **given)
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        assert table.get_item(Key=key)["Item"] == key | stored, "a refused write leaves the item as it was"
        return False
    return True


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("attribute_exists(s)", None),
        ("attribute_not_exists(absent)", None),
        ("attribute_not_exists(m.deep.absent)", None),
        ("n = :v", {":v": Decimal("1e1")}),
        ("n <> :v", {":v": "10"}),
        ("n > :v", {":v": Decimal("9.99")}),
        ("n BETWEEN :a AND :b", {":a": 10, ":b": 11}),
        ("s IN (:a, :b)", {":a": "x", ":b": "hello"}),
        ("begins_with(s, :v)", {":v": "hel"}),
        ("contains(s, :v)", {":v": "ell"}),
        ("contains(texts, :v)", {":v": "a"}),
        ("contains(l, :v)", {":v": 2}),
        ("size(s) = :v", {":v": 5}),
        ("size(l) < size(s)", None),
        ("attribute_type(texts, :v)", {":v": "SS"}),
        ("attribute_type(:s, :v)", {":s": 1, ":v": "N"}),
        ("m.deep.er = :v", {":v": "value"}),
        ("m.li[1].a = :v", {":v": "b"}),
        ("NOT absent = :v", {":v": 1}),
        ("texts = :v", {":v": {"b", "a"}}),
        ("flag = :v AND nothing = :n", {":v": True, ":n": None}),
        ("s = :x OR s = :y AND n = :n", {":x": "hello", ":y": "hello", ":n": 0}),
        ("absent <> :v", {":v": 1}),
    ],
)
def test_conditions_that_hold(table: Any, expression: str, values: dict[str, Any] | None) -> None:
    assert holds(table, expression, values)


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("attribute_exists(absent)", None),
        ("n = :v", {":v": "10"}),
        ("n < :v", {":v": "a text"}),
        ("absent = :v", {":v": 1}),
        ("absent < :v", {":v": 1}),
        ("(s = :x OR s = :y) AND n = :n", {":x": "hello", ":y": "hello", ":n": 0}),
        ("NOT (n > :v)", {":v": 1}),
        ("contains(texts, :v)", {":v": "ab"}),
        ("begins_with(n, :v)", {":v": "1"}),
        ("m.li[7] = :v", {":v": 1}),
        ("size(n) > :v", {":v": 0}),
    ],
)
def test_conditions_that_do_not_hold(table: Any, expression: str, values: dict[str, Any] | None) -> None:
    assert not holds(table, expression, values)


def test_an_absent_item_has_no_attributes(table: Any) -> None:
    with condition_failed():
        table.put_item(Item={"p": unique()}, ConditionExpression=Attr("p").exists())
    table.put_item(Item={"p": unique()}, ConditionExpression=Attr("p").not_exists())


def test_a_deleted_item_is_absent(table: Any) -> None:
    key = {"p": unique()}
    table.put_item(Item=key)
    table.delete_item(Key=key, ConditionExpression=Attr("p").exists())
    with condition_failed():
        table.delete_item(Key=key, ConditionExpression=Attr("p").exists())
    table.put_item(Item=key, ConditionExpression=Attr("p").not_exists())


def test_a_refused_write_shows_the_item_when_asked_to(client: Any, table: Any) -> None:
    key = {"p": {"S": unique()}}
    client.put_item(TableName=table.name, Item=key | {"a": {"N": "1"}})
    with condition_failed() as refusal:
        client.delete_item(
            TableName=table.name,
            Key=key,
            ConditionExpression="attribute_not_exists(p)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert refusal.value.response["Item"] == key | {"a": {"N": "1"}}


def test_of_many_at_once_one_wins(client: Any, table: Any) -> None:
    key = {"p": {"S": unique()}}

    def put(number: int) -> bool:
        try:
            client.put_item(
                TableName=table.name,
                Item=key | {"winner": {"N": str(number)}},
                ConditionExpression="attribute_not_exists(p)",
            )
        except client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        won = list(threads.map(put, range(32)))
    assert won.count(True) == 1
    item = client.get_item(TableName=table.name, Key=key, ConsistentRead=True)["Item"]
    assert item["winner"] == {"N": str(won.index(True))}


@pytest.mark.parametrize(
    ("expression", "given", "message"),
    [
        ("a = :x", {}, "An expression attribute value used in expression is not defined; attribute value: :x"),
        ("#a = a", {}, "An expression attribute name used in the document path is not defined; attribute name: #a"),
        ("a = = b", {}, "Syntax error; token:"),
        ("", {}, "The expression can not be empty"),
        ("size = a", {}, "Attribute name is a reserved keyword; reserved keyword: size"),
        ("unknown(a)", {}, "Invalid function name; function: unknown"),
        ("a = b", {"ExpressionAttributeNames": {"#n": "x"}}, "unused in expressions"),
        ("a = b", {"ExpressionAttributeValues": {":v": "x"}}, "unused in expressions"),
        ("begins_with(a)", {}, "Incorrect number of operands"),
        ("a BETWEEN :h AND :l", {"ExpressionAttributeValues": {":h": 2, ":l": 1}}, "upper bound to be greater"),
        ("a < :v", {"ExpressionAttributeValues": {":v": {"x"}}}, "Incorrect operand type"),
    ],
)
def test_malformed_conditions_are_refused(table: Any, expression: str, given: dict[str, Any], message: str) -> None:
    with invalid(message):
        table.put_item(Item={"p": unique()}, ConditionExpression=expression, **given)
