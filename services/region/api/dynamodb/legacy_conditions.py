"""Older parameters that compare: Expected, QueryFilter and ScanFilter as conditions, KeyConditions as a key condition.

They become the trees that expressions become, with attribute names as they are (never document paths) and values as
literals. What is wrong with a comparison is told here; a tree that leaves this module binds.
"""

import operator as order
from collections.abc import Sequence
from typing import NamedTuple

from services.region.api.dynamodb.attribute_values import StandaloneValue
from services.region.api.dynamodb.members import Members
from services.region.api.dynamodb.parameters import check_names, no_substitutions
from services.region.expressions.conditions import Condition, condition_from
from services.region.expressions.evaluation import is_ordered
from services.region.expressions.key_conditions import KeyComparison, KeyCondition
from services.region.expressions.nodes import (
    Between,
    Call,
    Comparison,
    Conjunction,
    Disjunction,
    Literal,
    Negation,
    Path,
    Predicate,
)
from shared.errors import ValidationError
from shared.model.values import AttributeValue, type_of

_invalid = "One or more parameter values were invalid: "


class _Asked(NamedTuple):
    """What is asked of one attribute."""

    name: str
    operator: str  # as ComparisonOperator names it
    arguments: Sequence[AttributeValue]


def check_conditional_operator(members: Members, parameter: str) -> None:
    """ConditionalOperator joins the conditions of `parameter`, so there must be at least two."""
    if "ConditionalOperator" not in members:
        return
    conditions = len(members.get(parameter, ()))
    if conditions == 0:
        raise ValidationError("ConditionalOperator cannot be used without Filter or Expected")
    if conditions == 1:
        raise ValidationError("ConditionalOperator can only be used when Filter or Expected has two or more elements")


def expected_of(members: Members) -> Condition | None:
    """What Expected asks of the stored item."""
    expectations = members.get("Expected", {})
    check_names(expectations)
    asked = [_expectation(name, expected) for name, expected in expectations.items()]
    return _condition(asked, members)


def filter_of(members: Members, parameter: str) -> Condition | None:
    """What QueryFilter or ScanFilter asks of each item."""
    return _condition(_comparisons(members.get(parameter, {})), members)


def key_condition_of(members: Members) -> KeyCondition:
    """What KeyConditions says; whether it fits the key is judged when the table is known."""
    asked = _comparisons(members["KeyConditions"])
    if not asked:
        raise ValidationError("Conditions can be of length 1 or 2 only")
    comparisons = tuple(
        KeyComparison(name, _key_operators.get(operator, operator), tuple(arguments))
        for name, operator, arguments in asked
    )
    return KeyCondition(lambda: comparisons)


def _expectation(name: str, expected: Members) -> _Asked:
    value, values = expected.get("Value"), expected.get("AttributeValueList")
    operator = expected.get("ComparisonOperator")
    if value is not None and values is not None:
        raise ValidationError(f"{_invalid}Value and AttributeValueList cannot be used together for Attribute: {name}")
    if operator is None:
        return _expected_value(name, expected)
    if "Exists" in expected:
        raise ValidationError(f"{_invalid}Exists and ComparisonOperator cannot be used together for Attribute: {name}")
    if value is None and values is None and _argument_counts[operator] != (0, 0):
        raise ValidationError(
            f"{_invalid}Value or AttributeValueList must be used with ComparisonOperator: {operator}"
            f" for Attribute: {name}"
        )
    return _judged(name, operator, values or ([] if value is None else [value]))


def _expected_value(name: str, expected: Members) -> _Asked:
    """Without an operator: the attribute has this value, or is not there."""
    value, exists = expected.get("Value"), expected.get("Exists")
    if "AttributeValueList" in expected:
        raise ValidationError(
            f"{_invalid}AttributeValueList can only be used with a ComparisonOperator for Attribute: {name}"
        )
    if exists is False:
        if value is not None:
            raise ValidationError(f"{_invalid}Value cannot be used when Exists is false for Attribute: {name}")
        return _Asked(name, "NULL", ())
    if value is None:
        told = "null" if exists is None else "true"
        raise ValidationError(f"{_invalid}Value must be provided when Exists is {told} for Attribute: {name}")
    return _judged(name, "EQ", [value])


def _comparisons(conditions: dict[str, Members]) -> list[_Asked]:
    check_names(conditions)
    return [
        _judged(name, condition["ComparisonOperator"], condition.get("AttributeValueList", ()))
        for name, condition in conditions.items()
    ]


def _judged(name: str, operator: str, values: Sequence[StandaloneValue]) -> _Asked:
    for value in values:
        if value.problem is not None:
            raise ValidationError(value.problem)
    arguments = [value.value for value in values]
    least, most = _argument_counts[operator]
    if not least <= len(arguments) <= (len(arguments) if most is None else most):
        raise ValidationError(f"{_invalid}Invalid number of argument(s) for the {operator} ComparisonOperator")
    kinds = [type_of(argument) for argument in arguments]
    allowed = _argument_types.get(operator)
    if allowed is not None and (unfit := [kind for kind in kinds if kind not in allowed]):
        kind = unfit[0]
        raise ValidationError(f"{_invalid}ComparisonOperator {operator} is not valid for {kind} AttributeValue type")
    if len(set(kinds)) > 1:
        raise ValidationError(f"{_invalid}AttributeValues inside AttributeValueList must be of same type")
    if operator == "BETWEEN" and is_ordered(arguments[0], arguments[1], order.gt):
        raise ValidationError(
            "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"
        )
    return _Asked(name, operator, arguments)


def _condition(asked: Sequence[_Asked], members: Members) -> Condition | None:
    if not asked:
        return None
    terms = tuple(map(_predicate, asked))
    joined = Disjunction(terms) if members.get("ConditionalOperator") == "OR" else Conjunction(terms)
    return condition_from(joined, no_substitutions)


def _predicate(asked: _Asked) -> Predicate:
    path = Path((asked.name,))
    arguments = [Literal(argument) for argument in asked.arguments]
    match asked.operator:
        case "NULL":
            return Call("attribute_not_exists", (path,))
        case "NOT_NULL":
            return Call("attribute_exists", (path,))
        case "CONTAINS":
            return Call("contains", (path, arguments[0]))
        case "NOT_CONTAINS":  # unlike NE, it does not hold of an attribute that is missing
            contains = Call("contains", (path, arguments[0]))
            return Conjunction((Call("attribute_exists", (path,)), Negation(contains)))
        case "BEGINS_WITH":
            return Call("begins_with", (path, arguments[0]))
        case "BETWEEN":
            return Between(path, arguments[0], arguments[1])
        case "IN":  # not bounded as the expression's IN is
            return Disjunction(tuple(Comparison("=", path, argument) for argument in arguments))
        case _:
            return Comparison(_comparators[asked.operator], path, arguments[0])


_comparators = {"EQ": "=", "NE": "<>", "LT": "<", "LE": "<=", "GT": ">", "GE": ">="}
_key_operators = _comparators | {"BEGINS_WITH": "begins_with"}
_argument_counts: dict[str, tuple[int, int | None]] = {
    **dict.fromkeys((*_comparators, "CONTAINS", "NOT_CONTAINS", "BEGINS_WITH"), (1, 1)),
    "NULL": (0, 0),
    "NOT_NULL": (0, 0),
    "BETWEEN": (2, 2),
    "IN": (1, None),
}
_argument_types: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("LT", "LE", "GT", "GE", "BETWEEN", "IN"), ("S", "N", "B")),
    **dict.fromkeys(("CONTAINS", "NOT_CONTAINS"), ("S", "N", "B", "BOOL", "NULL")),
    "BEGINS_WITH": ("S", "B"),
}
