"""ProjectionExpression: which parts of an item are returned."""

from decimal import Decimal
from typing import Any

import pytest

from tests.compat.tables import invalid, unique

document = {
    "a": 1,
    "m": {"x": 1, "y": {"z": "deep"}, "l": [{"k": "v"}, 2]},
    "l": [Decimal(0), [Decimal(1), Decimal(2)], {"q": True}],
    "b": "text",
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a", {"a": 1}),
        ("a, b", {"a": 1, "b": "text"}),
        ("m.x", {"m": {"x": 1}}),
        ("m.y.z, m.x", {"m": {"x": 1, "y": {"z": "deep"}}}),
        ("l[0]", {"l": [0]}),
        ("l[2], l[1][1]", {"l": [[2], {"q": True}]}),
        ("m.l[0].k", {"m": {"l": [{"k": "v"}]}}),
        ("absent, m.absent, l[9], a.b", {}),
    ],
)
def test_projections(table: Any, expression: str, expected: dict[str, Any]) -> None:
    key = {"p": unique()}
    table.put_item(Item=key | document)
    assert table.get_item(Key=key, ProjectionExpression=expression)["Item"] == expected


def test_names_stand_for_attributes(table: Any) -> None:
    key = {"p": unique()}
    table.put_item(Item=key | {"name": "reserved", "a.b": 1})
    names = {"#n": "name", "#d": "a.b"}
    found = table.get_item(Key=key, ProjectionExpression="#n, #d", ExpressionAttributeNames=names)
    assert found["Item"] == {"name": "reserved", "a.b": 1}


def test_queries_and_scans_project_as_well(sorted_table: Any) -> None:
    p = unique()
    sorted_table.put_item(Item={"p": p, "c": "1", "a": 1, "b": 2})
    request = {"ProjectionExpression": "a", "ExpressionAttributeValues": {":p": p}}
    assert sorted_table.query(KeyConditionExpression="p = :p", **request)["Items"] == [{"a": 1}]
    assert sorted_table.scan(FilterExpression="p = :p", **request)["Items"] == [{"a": 1}]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("a, a", "Two document paths overlap with each other"),
        ("m, m.x", "Two document paths overlap with each other"),
        ("m.x, m[0]", "Two document paths conflict with each other"),
        ("name", "Attribute name is a reserved keyword; reserved keyword: name"),
        ("a,", "Syntax error; token:"),
        ("#a", "An expression attribute name used in the document path is not defined"),
        ("", "The expression can not be empty"),
    ],
)
def test_malformed_projections_are_refused(table: Any, expression: str, message: str) -> None:
    with invalid(message):
        table.get_item(Key={"p": "x"}, ProjectionExpression=expression)
