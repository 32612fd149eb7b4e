"""KeyConditions: what a Query reads, as it was said before expressions."""

from typing import Any

import pytest

from tests.compat.tables import invalid, items_of, refused, unique

parameters = "One or more parameter values were invalid: "
partition = unique()


def compared(operator: str, *values: Any) -> dict[str, Any]:
    return {"ComparisonOperator": operator, "AttributeValueList": list(values)}


@pytest.fixture(scope="module")
def numbered(number_table: Any) -> Any:
    """Ten items of one partition, 0 to 9."""
    with number_table.batch_writer() as batch:
        for at in range(10):
            batch.put_item(Item={"p": partition, "c": at})
    return number_table


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (compared("EQ", 3), [3]),
        (compared("LT", 2), [0, 1]),
        (compared("LE", 2), [0, 1, 2]),
        (compared("GT", 7), [8, 9]),
        (compared("GE", 8), [8, 9]),
        (compared("BETWEEN", 4, 6), [4, 5, 6]),
        (compared("EQ", 11), []),
    ],
)
def test_a_range_of_numbers(numbered: Any, condition: Any, found: list[int]) -> None:
    conditions = {"c": condition, "p": compared("EQ", partition)}
    assert [item["c"] for item in items_of(numbered.query, KeyConditions=conditions)] == found
    backwards = items_of(numbered.query, KeyConditions=conditions, ScanIndexForward=False, Limit=2)
    assert [item["c"] for item in backwards] == found[::-1]


def test_a_partition_alone(numbered: Any) -> None:
    items = items_of(numbered.query, KeyConditions={"p": compared("EQ", partition)}, Limit=3)
    assert [item["c"] for item in items] == list(range(10))


def test_prefixes_of_strings_and_binaries(sorted_table: Any, binary_table: Any) -> None:
    p = unique()
    for c in ("a", "ab", "abc", "b", "ÿÿÿ"):
        sorted_table.put_item(Item={"p": p, "c": c})
        binary_table.put_item(Item={"p": p.encode(), "c": c.encode("latin-1")})
    for prefix, found in (("ab", ["ab", "abc"]), ("ÿÿ", ["ÿÿÿ"])):
        conditions = {"p": compared("EQ", p), "c": compared("BEGINS_WITH", prefix)}
        assert [item["c"] for item in sorted_table.query(KeyConditions=conditions)["Items"]] == found
        conditions = {"p": compared("EQ", p.encode()), "c": compared("BEGINS_WITH", prefix.encode("latin-1"))}
        items = binary_table.query(KeyConditions=conditions)["Items"]
        assert [item["c"].value.decode("latin-1") for item in items] == found


def test_key_conditions_go_with_other_expressions(numbered: Any) -> None:
    found = numbered.query(
        KeyConditions={"p": compared("EQ", partition)},
        FilterExpression="attribute_not_exists(a)",
        ProjectionExpression="c",
        Limit=1,
    )
    assert found["Items"] == [{"c": 0}]


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({}, "Conditions can be of length 1 or 2 only"),
        ({"p": compared("EQ")}, f"{parameters}Invalid number of argument(s) for the EQ ComparisonOperator"),
        ({"p": compared("EQ", "a", "b")}, f"{parameters}Invalid number of argument(s) for the EQ ComparisonOperator"),
        (
            {"p": compared("EQ", "a"), "c": compared("BETWEEN", 1)},
            f"{parameters}Invalid number of argument(s) for the BETWEEN ComparisonOperator",
        ),
        (
            {"p": compared("EQ", "a"), "c": compared("BETWEEN", 2, 1)},
            "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound",
        ),
        (
            {"p": compared("EQ", "a"), "c": compared("BEGINS_WITH", 1)},
            f"{parameters}ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type",
        ),
        ({"c": compared("EQ", 1)}, "Query condition missed key schema element: p"),
        (
            {"p": compared("EQ", "a"), "x": compared("NULL")},
            "Query condition missed key schema element: c",
        ),
        ({"p": compared("LT", "a")}, "Query key condition not supported"),
        ({"p": compared("BEGINS_WITH", "a")}, "Query key condition not supported"),
        ({"p": compared("BETWEEN", "a", "b")}, "Query key condition not supported"),
        *(
            (conditions, "Attempted conditional constraint is not an indexable operation")
            for operator, values in [
                ("NULL", ()),
                ("NOT_NULL", ()),
                ("NE", (1,)),
                ("CONTAINS", (1,)),
                ("NOT_CONTAINS", (1,)),
                ("IN", (1,)),
            ]
            for conditions in (
                {"p": compared(operator, *map(str, values))},
                {"p": compared("EQ", "a"), "c": compared(operator, *values)},
            )
        ),
        ({"p": compared("EQ", 1)}, f"{parameters}Condition parameter type does not match schema type"),
        (
            {"p": compared("EQ", "a"), "c": compared("LT", "a")},
            f"{parameters}Condition parameter type does not match schema type",
        ),
        ({"p": compared("EQ", "")}, "The AttributeValue for a key attribute cannot contain an empty string value"),
    ],
)
def test_what_a_query_cannot_read_is_refused(number_table: Any, conditions: Any, message: str) -> None:
    with invalid(message):
        number_table.query(KeyConditions=conditions)


def test_a_table_is_looked_for_before_its_key_is_judged(client: Any) -> None:
    conditions = {"z": {"ComparisonOperator": "NULL"}}
    with refused("ResourceNotFoundException"):
        client.query(TableName=unique(), KeyConditions=conditions)
    conditions["z"]["ComparisonOperator"] = "EQ"
    with invalid("Invalid number of argument(s) for the EQ ComparisonOperator"):
        client.query(TableName=unique(), KeyConditions=conditions)


def test_a_query_needs_a_key_condition(number_table: Any) -> None:
    message = "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
    with invalid(message):
        number_table.query()
    with invalid("ConditionalOperator cannot be used without Filter or Expected"):
        number_table.query(ConditionalOperator="AND")


@pytest.mark.parametrize(
    ("members", "legacy", "expressions"),
    [
        ({"FilterExpression": "a = b"}, "QueryFilter, ConditionalOperator", "FilterExpression"),
        (
            {"KeyConditionExpression": "p = :p"},
            "QueryFilter, ConditionalOperator, KeyConditions",
            "KeyConditionExpression",
        ),
        (
            {"AttributesToGet": ["a", "a"], "ProjectionExpression": "", "FilterExpression": ""},
            "AttributesToGet, QueryFilter, ConditionalOperator",
            "ProjectionExpression, FilterExpression",
        ),
    ],
)
def test_old_and_new_parameters_do_not_mix(number_table: Any, members: Any, legacy: str, expressions: str) -> None:
    with invalid(f"Non-expression parameters: {{{legacy}}} Expression parameters: {{{expressions}}}"):
        number_table.query(
            KeyConditions={"p": compared("EQ", "a")},
            QueryFilter={"a": compared("NULL"), "b": compared("NULL")},
            ConditionalOperator="OR",
            **members,
        )
