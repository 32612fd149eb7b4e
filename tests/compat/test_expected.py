"""Expected and ConditionalOperator: conditions of writes as they were before expressions."""

from typing import Any

import pytest

from tests.compat.tables import condition_failed, invalid, unique

parameters = "One or more parameter values were invalid: "
without_conditions = "ConditionalOperator cannot be used without Filter or Expected"
one_condition = "ConditionalOperator can only be used when Filter or Expected has two or more elements"
stored = {
    "n": 2,
    "s": "hello",
    "b": b"hi there",
    "ns": {2, 4, 7},
    "ss": {"a", "b"},
    "l": [2, "x"],
    "m": {"a": 1},
    "t": True,
    "e": None,
}


def compared(operator: str, *values: Any) -> dict[str, Any]:
    return {"ComparisonOperator": operator, "AttributeValueList": list(values)}


holding: list[tuple[str, dict[str, Any]]] = [
    ("n", {"Value": 2}),
    ("n", {"Value": 2, "Exists": True}),
    ("ss", {"Value": {"b", "a"}}),
    ("m", {"Value": {"a": 1}}),
    ("x", {"Exists": False}),
    ("n", {"Value": 3, "ComparisonOperator": "LT"}),
    ("x", {"ComparisonOperator": "NULL"}),
    ("x", compared("NULL")),
    ("e", {"ComparisonOperator": "NOT_NULL"}),
    ("n", compared("EQ", 2)),
    ("ns", compared("EQ", {7, 4, 2})),
    ("t", compared("EQ", True)),
    ("l", compared("EQ", [2, "x"])),
    ("n", compared("NE", 3)),
    ("n", compared("NE", "2")),
    ("x", compared("NE", 1)),
    ("n", compared("LE", 2)),
    ("s", compared("LT", "help")),
    ("b", compared("GE", b"hi")),
    ("n", compared("GT", 1)),
    ("s", compared("CONTAINS", "ell")),
    ("b", compared("CONTAINS", b"the")),
    ("ns", compared("CONTAINS", 4)),
    ("l", compared("CONTAINS", "x")),
    ("s", compared("NOT_CONTAINS", "dog")),
    ("s", compared("NOT_CONTAINS", 1)),
    ("ns", compared("NOT_CONTAINS", 5)),
    ("s", compared("BEGINS_WITH", "he")),
    ("b", compared("BEGINS_WITH", b"hi ")),
    ("n", compared("IN", 1, 2, 3)),
    ("n", compared("IN", *range(150))),
    ("n", compared("BETWEEN", 2, 3)),
    ("s", compared("BETWEEN", "hello", "hello")),
]
failing: list[tuple[str, dict[str, Any]]] = [
    ("n", {"Value": 3}),
    ("x", {"Value": 1}),
    ("n", {"Exists": False}),
    ("e", {"ComparisonOperator": "NULL"}),
    ("x", {"ComparisonOperator": "NOT_NULL"}),
    ("n", compared("EQ", "2")),
    ("n", compared("NE", 2)),
    ("n", compared("LT", "3")),
    ("x", compared("GT", 0)),
    ("ns", compared("CONTAINS", 1)),
    ("x", compared("CONTAINS", 1)),
    ("x", compared("NOT_CONTAINS", 1)),
    ("s", compared("NOT_CONTAINS", "ell")),
    ("n", compared("BEGINS_WITH", "2")),
    ("ns", compared("IN", 2, 4, 7)),
    ("n", compared("IN", 1, 3)),
    ("n", compared("BETWEEN", "1", "3")),
    ("x", compared("BETWEEN", 0, 9)),
]


@pytest.fixture(scope="module")
def key(table: Any) -> dict[str, str]:
    key = {"p": unique()}
    table.put_item(Item=key | stored)
    return key


@pytest.mark.parametrize(("name", "expected"), holding)
def test_a_write_is_done_when_what_it_expects_holds(table: Any, key: Any, name: str, expected: Any) -> None:
    table.put_item(Item=key | stored, Expected={name: expected})


@pytest.mark.parametrize(("name", "expected"), failing)
def test_a_write_is_refused_when_it_does_not(table: Any, key: Any, name: str, expected: Any) -> None:
    with condition_failed():
        table.update_item(Key=key, Expected={name: expected})


def test_deletes_and_puts_expect_too(table: Any) -> None:
    key = {"p": unique()}
    table.put_item(Item=key | {"a": 1}, Expected={"p": {"Exists": False}})
    with condition_failed():
        table.put_item(Item=key, Expected={"p": {"Exists": False}})
    with condition_failed():
        table.delete_item(Key=key, Expected={"a": {"Value": 2}})
    table.delete_item(Key=key, Expected={"a": {"Value": 1}})
    assert "Item" not in table.get_item(Key=key)


def test_the_item_comes_with_the_refusal_when_asked_for(table: Any, key: Any) -> None:
    with condition_failed() as refusal:
        table.put_item(Item=key, Expected={"n": {"Value": 3}}, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    assert refusal.value.response["Item"]["n"] == {"N": "2"}


@pytest.mark.parametrize(
    ("operator", "wrong", "holds"),
    [(None, 0, True), (None, 1, False), ("AND", 0, True), ("AND", 1, False), ("OR", 1, True), ("OR", 2, False)],
)
def test_conditions_are_joined(table: Any, key: Any, operator: str | None, wrong: int, holds: bool) -> None:
    expected = {"n": {"Value": 9 if wrong else 2}, "s": compared("EQ", "no" if wrong == 2 else "hello")}
    request = {"Key": key, "Expected": expected} | ({} if operator is None else {"ConditionalOperator": operator})
    if holds:
        table.update_item(**request)
        return
    with condition_failed():
        table.update_item(**request)


def test_an_empty_expectation_is_none(table: Any) -> None:
    table.put_item(Item={"p": unique()}, Expected={})


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, without_conditions),
        ({"Expected": {}}, without_conditions),
        ({"Expected": {"a": {"Value": 1}}}, one_condition),
        ({"Expected": {"a": {"Exists": True}}}, one_condition),
    ],
)
@pytest.mark.parametrize("operation", ["put_item", "update_item", "delete_item"])
def test_an_operator_needs_two_conditions(table: Any, operation: str, members: Any, message: str) -> None:
    key = {"Item" if operation == "put_item" else "Key": {"p": unique()}}
    with invalid(message):
        getattr(table, operation)(**key, **members, ConditionalOperator="AND")


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ({}, "Value must be provided when Exists is null for Attribute: a"),
        ({"Exists": True}, "Value must be provided when Exists is true for Attribute: a"),
        ({"Exists": False, "Value": 1}, "Value cannot be used when Exists is false for Attribute: a"),
        (
            {"ComparisonOperator": "LT"},
            "Value or AttributeValueList must be used with ComparisonOperator: LT for Attribute: a",
        ),
        (
            {"ComparisonOperator": "LT", "Exists": True},
            "Exists and ComparisonOperator cannot be used together for Attribute: a",
        ),
        (
            compared("LT", 1) | {"Value": 1},
            "Value and AttributeValueList cannot be used together for Attribute: a",
        ),
        (
            {"AttributeValueList": [1]},
            "AttributeValueList can only be used with a ComparisonOperator for Attribute: a",
        ),
        (
            {"AttributeValueList": [1], "Exists": True},
            "AttributeValueList can only be used with a ComparisonOperator for Attribute: a",
        ),
        (compared("EQ"), "Invalid number of argument(s) for the EQ ComparisonOperator"),
        (compared("EQ", 1, 2), "Invalid number of argument(s) for the EQ ComparisonOperator"),
        (compared("NULL", 1), "Invalid number of argument(s) for the NULL ComparisonOperator"),
        (compared("NOT_NULL", 1, 2), "Invalid number of argument(s) for the NOT_NULL ComparisonOperator"),
        (compared("IN"), "Invalid number of argument(s) for the IN ComparisonOperator"),
        (compared("BETWEEN", 1), "Invalid number of argument(s) for the BETWEEN ComparisonOperator"),
        (compared("IN", 1, "a"), "AttributeValues inside AttributeValueList must be of same type"),
        (compared("IN", 1, True), "ComparisonOperator IN is not valid for BOOL AttributeValue type"),
        (compared("LT", [1]), "ComparisonOperator LT is not valid for L AttributeValue type"),
        (compared("BEGINS_WITH", 1), "ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type"),
        (compared("CONTAINS", {1}), "ComparisonOperator CONTAINS is not valid for NS AttributeValue type"),
        (compared("IN", [1], [2]), "ComparisonOperator IN is not valid for L AttributeValue type"),
    ],
)
def test_what_no_expectation_may_say_is_refused(table: Any, expected: Any, message: str) -> None:
    with invalid(parameters + message):
        table.put_item(Item={"p": unique()}, Expected={"a": expected})


def test_a_range_begins_below_its_end(table: Any) -> None:
    with invalid("The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"):
        table.put_item(Item={"p": unique()}, Expected={"a": compared("BETWEEN", 4, 3)})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
        ({"NS": ["1", ""]}, "The parameter cannot be converted to a numeric value"),
        ({"NULL": False}, parameters + "Null attribute value types must have the value of true"),
    ],
)
def test_values_are_checked(client: Any, table: Any, value: Any, message: str) -> None:
    for expected in ({"Value": value}, {"ComparisonOperator": "EQ", "AttributeValueList": [value]}):
        with invalid(message):
            client.put_item(TableName=table.name, Item={"p": {"S": "x"}}, Expected={"a": expected})


def test_an_unknown_operator_is_told_by_its_place(table: Any) -> None:
    with invalid("Value 'eq' at 'expected.a.member.comparisonOperator' failed to satisfy constraint"):
        table.put_item(Item={"p": unique()}, Expected={"a": compared("eq", 1)})


@pytest.mark.parametrize(
    ("operation", "legacy", "expressions"),
    [
        ("put_item", ["ConditionalOperator"], ["ConditionExpression"]),
        ("put_item", ["Expected", "ConditionalOperator"], ["ConditionExpression"]),
        ("delete_item", ["Expected"], ["ConditionExpression"]),
        ("update_item", ["ConditionalOperator"], ["UpdateExpression"]),
        ("update_item", ["Expected"], ["UpdateExpression"]),
        (
            "update_item",
            ["AttributeUpdates", "Expected", "ConditionalOperator"],
            ["UpdateExpression", "ConditionExpression"],
        ),
    ],
)
def test_old_and_new_parameters_do_not_mix(
    table: Any, operation: str, legacy: list[str], expressions: list[str]
) -> None:
    values: dict[str, Any] = {
        "ConditionalOperator": "AND",
        "Expected": {"a": {"Value": 1}},
        "AttributeUpdates": {"a": {"Value": 1}},
        "ConditionExpression": "attribute_exists(p)",
        "UpdateExpression": "REMOVE a",
    }
    key = {"Item" if operation == "put_item" else "Key": {"p": unique()}}
    with invalid(
        "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: "
        f"{{{', '.join(legacy)}}} Expression parameters: {{{', '.join(expressions)}}}"
    ):
        getattr(table, operation)(**key, **{name: values[name] for name in (*legacy, *expressions)})
