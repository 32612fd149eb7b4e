"""QueryFilter, ScanFilter and AttributesToGet: filters and projections as they were before expressions."""

from typing import Any

import pytest

from tests.compat.tables import invalid, items_of, refused, unique

parameters = "One or more parameter values were invalid: "
partition = unique()
items: list[dict[str, Any]] = [
    {"p": partition, "c": "0", "n": 1, "s": "one", "l": [1, "a"], "t": True},
    {"p": partition, "c": "1", "n": 2, "s": "two", "b": b"xyz"},
    {"p": partition, "c": "2", "n": "3", "ns": {1, 2}},
    {"p": partition, "c": "3"},
]


def compared(operator: str, *values: Any) -> dict[str, Any]:
    return {"ComparisonOperator": operator, "AttributeValueList": list(values)}


@pytest.fixture(scope="module")
def filled(sorted_table: Any) -> Any:
    for item in items:
        sorted_table.put_item(Item=item)
    return sorted_table


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ({}, "0123"),
        ({"n": compared("EQ", 1)}, "0"),
        ({"n": compared("NE", 1)}, "123"),
        ({"n": compared("LE", 2)}, "01"),
        ({"n": compared("IN", 2, 3)}, "1"),
        ({"n": compared("BETWEEN", 1, 9)}, "01"),
        ({"n": compared("NULL")}, "3"),
        ({"n": {"ComparisonOperator": "NOT_NULL"}}, "012"),
        ({"s": compared("BEGINS_WITH", "t")}, "1"),
        ({"s": compared("CONTAINS", "o")}, "01"),
        ({"s": compared("NOT_CONTAINS", "ne")}, "1"),
        ({"l": compared("CONTAINS", "a")}, "0"),
        ({"ns": compared("CONTAINS", 2)}, "2"),
        ({"t": compared("EQ", True)}, "0"),
        ({"t": compared("CONTAINS", True)}, ""),
        ({"l": compared("EQ", [1, "a"])}, "0"),
        ({"n": compared("EQ", 2), "s": compared("EQ", "two")}, "1"),
        ({"n": compared("EQ", 2), "s": compared("EQ", "one")}, ""),
    ],
)
def test_items_are_filtered(filled: Any, conditions: Any, found: str) -> None:
    query = {"KeyConditions": {"p": compared("EQ", partition)}, "QueryFilter": conditions}
    page = filled.query(**query)
    assert "".join(item["c"] for item in page["Items"]) == found
    assert (page["Count"], page["ScannedCount"]) == (len(found), 4)
    scan = items_of(filled.scan, ScanFilter={"p": compared("EQ", partition)} | conditions)
    assert "".join(sorted(item["c"] for item in scan)) == found


def test_conditions_are_joined_by_or(filled: Any) -> None:
    conditions = {"n": compared("EQ", 2), "s": compared("EQ", "one")}
    page = filled.query(
        KeyConditions={"p": compared("EQ", partition)}, QueryFilter=conditions, ConditionalOperator="OR"
    )
    assert [item["c"] for item in page["Items"]] == ["0", "1"]


def test_attributes_to_get(filled: Any) -> None:
    key = {"p": partition, "c": "0"}
    assert filled.get_item(Key=key, AttributesToGet=["n", "c", "x"])["Item"] == {"n": 1, "c": "0"}
    assert filled.get_item(Key=key, AttributesToGet=["x"])["Item"] == {}
    page = filled.query(
        KeyConditions={"p": compared("EQ", partition)},
        QueryFilter={"s": compared("EQ", "two")},
        AttributesToGet=["n"],
        Select="SPECIFIC_ATTRIBUTES",
    )
    assert page["Items"] == [{"n": 2}]
    found = filled.meta.client.batch_get_item(RequestItems={filled.name: {"Keys": [key], "AttributesToGet": ["s"]}})
    assert found["Responses"][filled.name] == [{"s": "one"}]


def test_the_attributes_to_get_are_distinct(filled: Any) -> None:
    message = f"{parameters}Duplicate value in attribute name: a"
    names = ["a", "b", "a"]
    with invalid(message):
        filled.get_item(Key={"p": "x", "c": "y"}, AttributesToGet=names)
    with invalid(message):
        filled.scan(AttributesToGet=names, ScanFilter={"a": compared("EQ")})
    with invalid(message):
        filled.query(AttributesToGet=names, KeyConditions={})
    with invalid(message):
        filled.meta.client.batch_get_item(RequestItems={filled.name: {"Keys": [{}], "AttributesToGet": names}})


@pytest.mark.parametrize("name", ["p", "c"])
def test_a_query_filter_names_no_key_attribute(filled: Any, name: str) -> None:
    with invalid(f"QueryFilter can only contain non-primary key attributes: Primary key attribute: {name}"):
        filled.query(
            KeyConditions={"p": compared("EQ", partition)},
            QueryFilter={name: compared("EQ", "0"), "n": compared("EQ", 1)},
        )


def refusals() -> list[tuple[Any, str]]:
    arguments = "Invalid number of argument(s) for the {} ComparisonOperator"
    types = "ComparisonOperator {} is not valid for {} AttributeValue type"
    kinds: dict[str, Any] = {"BOOL": True, "NULL": None, "SS": {"a"}, "NS": {1}, "BS": {b"a"}, "M": {}, "L": []}
    unary = ("EQ", "NE", "LE", "LT", "GE", "GT", "CONTAINS", "NOT_CONTAINS", "BEGINS_WITH")
    return [
        *((compared(operator), arguments.format(operator)) for operator in (*unary, "IN", "BETWEEN")),
        *((compared(operator, "a", "b"), arguments.format(operator)) for operator in unary),
        *((compared(operator, "a"), arguments.format(operator)) for operator in ("NULL", "NOT_NULL", "BETWEEN")),
        (compared("BETWEEN", 1, 2, 3), arguments.format("BETWEEN")),
        *(
            (compared(operator, value), types.format(operator, kind))
            for operator in ("LT", "LE", "GT", "GE", "IN", "BEGINS_WITH")
            for kind, value in kinds.items()
        ),
        *((compared("BETWEEN", value, value), types.format("BETWEEN", kind)) for kind, value in kinds.items()),
        *(
            (compared(operator, kinds[kind]), types.format(operator, kind))
            for operator in ("CONTAINS", "NOT_CONTAINS")
            for kind in ("SS", "NS", "BS", "M", "L")
        ),
        (compared("BEGINS_WITH", 1), types.format("BEGINS_WITH", "N")),
        (compared("IN", "a", 1), "AttributeValues inside AttributeValueList must be of same type"),
        (compared("IN", "a", True), types.format("IN", "BOOL")),
        (compared("BETWEEN", "a", 1), "AttributeValues inside AttributeValueList must be of same type"),
    ]


@pytest.mark.parametrize(("condition", "message"), refusals())
def test_what_no_filter_may_say_is_refused(filled: Any, condition: Any, message: str) -> None:
    """Also of key conditions and of several: the first that is wrong is told, before the table is looked for."""
    with invalid(parameters + message):
        filled.query(AttributesToGet=["a", "a"], QueryFilter={"a": condition})
    with invalid(parameters + message):
        filled.scan(Segment=1, ScanFilter={"a": condition, "b": compared("NULL", 1)})
    with invalid(parameters + message):
        filled.query(KeyConditions={"a": condition})


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({}, "ConditionalOperator cannot be used without Filter or Expected"),
        (
            {"a": compared("EQ", 1)},
            "ConditionalOperator can only be used when Filter or Expected has two or more elements",
        ),
    ],
)
def test_an_operator_needs_two_conditions(filled: Any, conditions: Any, message: str) -> None:
    with invalid(message):
        filled.scan(ConditionalOperator="AND", ScanFilter=conditions)
    with invalid(message):
        filled.query(ConditionalOperator="OR", QueryFilter=conditions, KeyConditions={"p": compared("EQ", partition)})


@pytest.mark.parametrize("operator", ["DOG", "and"])
def test_an_unknown_operator_is_told_by_its_place_and_by_a_query_alone(filled: Any, operator: str) -> None:
    with invalid(f"Value '{operator}' at 'conditionalOperator' failed to satisfy constraint"):
        filled.scan(ConditionalOperator=operator)
    with refused("ValidationException") as refusal:
        filled.query(ConditionalOperator=operator, Select="NONE")
    assert refusal.value.response["Error"]["Message"] == (
        "Failed to satisfy constraint: Member must satisfy enum value set: [ALL, OR]"
    )
    with invalid(f"Value '{operator}' at 'scanFilter.a.member.comparisonOperator' failed to satisfy constraint"):
        filled.scan(ScanFilter={"a": compared(operator)})


@pytest.mark.parametrize(
    ("legacy", "expressions"),
    [
        (["ConditionalOperator"], ["FilterExpression"]),
        (["ConditionalOperator"], ["ProjectionExpression"]),
        (["ScanFilter"], ["ProjectionExpression"]),
        (["AttributesToGet"], ["FilterExpression"]),
        (["AttributesToGet", "ScanFilter", "ConditionalOperator"], ["ProjectionExpression", "FilterExpression"]),
    ],
)
def test_old_and_new_parameters_do_not_mix(filled: Any, legacy: list[str], expressions: list[str]) -> None:
    values: dict[str, Any] = {
        "ConditionalOperator": "AND",
        "ScanFilter": {"a": compared("NULL")},
        "AttributesToGet": ["a"],
        "ProjectionExpression": "a",
        "FilterExpression": "a = a",
    }
    with invalid(
        "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: "
        f"{{{', '.join(legacy)}}} Expression parameters: {{{', '.join(expressions)}}}"
    ):
        filled.scan(**{name: values[name] for name in (*legacy, *expressions)})
