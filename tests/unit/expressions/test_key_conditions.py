"""Key conditions: their form, how they fit a key, and the range that they give."""

from typing import Any

import pytest

from services.region.expressions.key_conditions import KeyComparison, KeyCondition, KeyRange, bind_key_condition
from services.region.expressions.substitutions import Substitutions
from shared.errors import ValidationError

_types = {"pk": "S", "sk": "N"}
_values: dict[str, Any] = {
    ":p": {"S": "k"},
    ":n": {"N": "1"},
    ":m": {"N": "5"},
    ":s": {"S": "x"},
    ":e": {"S": ""},
    ":t": {"BOOL": True},
    ":f": {"BOOL": False},
}


def _bind(text: str) -> KeyCondition:
    used = {name: value for name, value in _values.items() if name in text}
    return bind_key_condition(text, Substitutions({"#a": "a"}, used or None))


def _range(text: str, *, sort_key_name: str | None = "sk", types: dict[str, str] = _types) -> KeyRange:
    return _bind(text).range_for("pk", sort_key_name, types)


@pytest.mark.parametrize(
    ("text", "operator", "values"),
    [
        ("pk = :p AND sk = :n", "=", (":n",)),
        ("pk = :p AND sk < :n", "<", (":n",)),
        ("(sk <= :n) AND (pk = :p)", "<=", (":n",)),
        (":p = pk AND :n < sk", ">", (":n",)),
        ("(pk = :p AND (:n <= sk))", ">=", (":n",)),
        ("pk = :p AND :n > sk", "<", (":n",)),
        ("pk = :p AND :n >= sk", "<=", (":n",)),
        ("pk = :p AND sk BETWEEN :n AND :m", "BETWEEN", (":n", ":m")),
    ],
)
def test_a_key_condition_gives_a_range(text: str, operator: str, values: tuple[str, ...]) -> None:
    expected = KeyComparison("sk", operator, tuple(_values[value] for value in values))
    assert _range(text) == KeyRange({"S": "k"}, expected)


def test_begins_with_gives_a_prefix() -> None:
    found = _range("pk = :p AND begins_with(sk, :s)", types={"pk": "S", "sk": "S"})
    assert found.sort == KeyComparison("sk", "begins_with", ({"S": "x"},))


def test_a_partition_key_alone_gives_all_its_items() -> None:
    assert _range("pk = :p") == KeyRange({"S": "k"}, None)
    assert _range("pk = :p", sort_key_name=None) == KeyRange({"S": "k"}, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a > b and size(b) > c or a > c", "Invalid operator used in KeyConditionExpression: OR"),
        ("a in (b, size(c), d)", "Invalid operator used in KeyConditionExpression: IN"),
        ("attribute_exists(a)", "Invalid operator used in KeyConditionExpression: attribute_exists"),
        ("contains(a.d, b)", "Invalid operator used in KeyConditionExpression: contains"),
        ("not a > b", "Invalid operator used in KeyConditionExpression: NOT"),
        ("a <> b", "Invalid operator used in KeyConditionExpression: <>"),
        (
            ":s between size(b) and size(a) and b > :n",
            (
                "Invalid condition in KeyConditionExpression: "
                "BETWEEN operator must have the key attribute as its first operand"
            ),
        ),
        (
            "begins_with(:s, b) and a > :n",
            (
                "Invalid condition in KeyConditionExpression: "
                "begins_with operator must have the key attribute as its first operand"
            ),
        ),
        (
            "size(b) > a AND a.b > b AND b > c",
            "KeyConditionExpressions cannot contain nested operations",
        ),
        ("a > size(b.d)", "KeyConditionExpressions cannot contain nested operations"),
        ("a between size(b) and size(a)", "KeyConditionExpressions cannot contain nested operations"),
        ("b > a.b", "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"),
        (
            "begins_with(a, b)",
            "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
        ),
        (
            "b.d > a AND c.d > e.f",
            "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes",
        ),
        (
            "pk = :p AND #a.foo = :s",
            "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes",
        ),
        (":n > :m AND a < :n", "Invalid condition in KeyConditionExpression: No key attribute specified"),
        (
            "pk = :p AND sk > :n AND sk < :m",
            "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
        ),
    ],
)
def test_what_no_key_condition_may_say_is_refused(text: str, message: str) -> None:
    condition = _bind(text)
    with pytest.raises(ValidationError) as refusal:
        condition.comparisons()
    assert refusal.value.message == message


@pytest.mark.parametrize(
    ("text", "operator", "kind"),
    [
        ("pk = :p AND begins_with(sk, :n)", "begins_with", "N"),
        ("pk = :p AND sk < :t", "<", "BOOL"),
        ("pk = :p AND :t >= sk", ">=", "BOOL"),
        ("pk = :p AND sk BETWEEN :f AND :t", "BETWEEN", "BOOL"),
    ],
)
def test_values_of_a_type_that_no_key_has_are_refused_as_in_any_condition(text: str, operator: str, kind: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        _bind(text)
    assert refusal.value.message == (
        "Invalid KeyConditionExpression: Incorrect operand type for operator or function; "
        f"operator or function: {operator}, operand type: {kind}"
    )


_mismatch = "One or more parameter values were invalid: Condition parameter type does not match schema type"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sk = :n", "Query condition missed key schema element: pk"),
        ("attr1 = :s", "Query condition missed key schema element: pk"),
        ("pk = :p AND attr1 = :s", "Query condition missed key schema element: sk"),
        ("attr1 = :s AND attr2 = :n", "Query condition missed key schema element: pk"),
        ("pk > :p", "Query key condition not supported"),
        (":p <= pk AND sk = :n", "Query key condition not supported"),
        ("begins_with(pk, :p)", "Query key condition not supported"),
        ("pk = :n", _mismatch),
        ("pk < :n", _mismatch),
        ("pk = :p AND sk = :s", _mismatch),
        ("pk = :p AND sk = :t", _mismatch),
        ("pk = :p AND begins_with(sk, :s)", _mismatch),
        ("pk = :p AND sk BETWEEN :s AND :s", _mismatch),
        (
            "pk = :e",
            (
                "One or more parameter values are not valid. "
                "The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"
            ),
        ),
        (
            "pk = :p AND sk > :n AND extra = :m",
            "The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)",
        ),
    ],
)
def test_a_condition_that_does_not_fit_the_key_is_refused(text: str, message: str) -> None:
    condition = _bind(text)
    with pytest.raises(ValidationError) as refusal:
        condition.range_for("pk", "sk", _types)
    assert refusal.value.message == message


def test_a_key_without_sort_attribute_takes_one_condition() -> None:
    with pytest.raises(ValidationError) as refusal:
        _range("pk = :p AND sk = :n", sort_key_name=None)
    assert refusal.value.message == (
        "The number of query conditions (2) exceeds the number of key attributes defined in the schema (1)"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The expression can not be empty;"),
        ("things are not gonna be ok", 'Syntax error; token: "are", near: "things are not"'),
        ("((pk = :p))", "The expression has redundant parentheses;"),
        (
            "pk = :undefined",
            "An expression attribute value used in expression is not defined; attribute value: :undefined",
        ),
        (
            "pk = :p and a between :s and :n",
            (
                "The BETWEEN operator requires same data type for lower and upper bounds; "
                "lower bound operand: AttributeValue: {S:x}, upper bound operand: AttributeValue: {N:1}"
            ),
        ),
    ],
)
def test_the_parameters_name_stands_in_its_messages(text: str, message: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        _bind(text)
    assert refusal.value.message == f"Invalid KeyConditionExpression: {message}"
