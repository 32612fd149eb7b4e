"""Conditions bound to a request, ready to judge items: ConditionExpression and FilterExpression."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from services.region.expressions.condition_parser import parse_condition
from services.region.expressions.evaluation import begins_with, contains, is_ordered, ordered_types
from services.region.expressions.nodes import (
    Between,
    Call,
    Comparison,
    Conjunction,
    Disjunction,
    Membership,
    Negation,
    Predicate,
)
from services.region.expressions.operands import (
    Binder,
    BoundOperand,
    Reader,
    check_distinct,
    check_is_path,
    check_kinds,
    wrong_kind,
)
from services.region.expressions.problems import ExpressionProblem
from services.region.expressions.substitutions import Substitutions
from shared.limits import in_operands_max
from shared.model.values import AttributeValue, Item, same_value, type_names, type_of

_Test = Callable[[Item], bool]
_no_attributes: Item = {}


@dataclass(frozen=True, slots=True)
class Condition:
    paths: tuple[str, ...]  # top-level names that it mentions
    nested: tuple[str, ...]  # those of them that it looks into
    _test: _Test

    def holds(self, item: Item | None) -> bool:
        """Whether an item satisfies it; None is an absent item, which has no attributes."""
        return self._test(_no_attributes if item is None else item)


def bind_condition(text: str, substitutions: Substitutions, *, parameter: str) -> Condition:
    """`parameter` is the request parameter that holds `text`, as DynamoDB's messages name it."""
    try:
        return condition_from(parse_condition(text), substitutions)
    except ExpressionProblem as problem:
        raise problem.of(parameter) from None


def condition_from(predicate: Predicate, substitutions: Substitutions) -> Condition:
    """The condition that a tree describes; raises `ExpressionProblem`."""
    binder = Binder(substitutions)
    test = _bind(predicate, binder)
    return Condition(tuple(binder.heads), tuple(binder.nested), test)


def _bind(predicate: Predicate, binder: Binder) -> _Test:
    if isinstance(predicate, Comparison):
        return _bind_comparison(predicate, binder)
    if isinstance(predicate, Call):
        return _functions[predicate.function](binder.operands(predicate))
    match predicate:
        case Conjunction(terms):
            return _every([_bind(term, binder) for term in terms])
        case Disjunction(terms):
            return _some([_bind(term, binder) for term in terms])
        case Negation(term):
            negated = _bind(term, binder)
            return lambda item: not negated(item)
        case Between():
            return _bind_between(predicate, binder)
        case Membership():
            return _bind_membership(predicate, binder)


def _every(tests: list[_Test]) -> _Test:
    def test(item: Item) -> bool:
        for part in tests:  # noqa: SIM110 - a generator costs more than it says
            if not part(item):
                return False
        return True

    return test


def _some(tests: list[_Test]) -> _Test:
    def test(item: Item) -> bool:
        for part in tests:  # noqa: SIM110 - as above
            if part(item):
                return True
        return False

    return test


def _bind_comparison(comparison: Comparison, binder: Binder) -> _Test:
    left, right = binder.operand(comparison.left), binder.operand(comparison.right)
    check_distinct(comparison.operator, left, (right,))
    if comparison.operator == "=":
        return _both(left, right, same_value)
    if comparison.operator == "<>":
        same = _both(left, right, same_value)
        return lambda item: not same(item)
    check_kinds(comparison.operator, (left, right), ordered_types)
    return _both(left, right, partial(is_ordered, test=_order_tests[comparison.operator]))


def _bind_between(between: Between, binder: Binder) -> _Test:
    operand, low, high = map(binder.operand, (between.operand, between.low, between.high))
    check_distinct("BETWEEN", operand, (low, high))
    check_kinds("BETWEEN", (operand, low, high), ordered_types)
    if low.literal is not None and high.literal is not None:
        _check_bounds(low.literal, high.literal)
    not_below = _both(operand, low, partial(is_ordered, test=operator.ge))
    not_above = _both(operand, high, partial(is_ordered, test=operator.le))
    return lambda item: not_below(item) and not_above(item)


def _check_bounds(low: AttributeValue, high: AttributeValue) -> None:
    bounds = f"lower bound operand: {_value_text(low)}, upper bound operand: {_value_text(high)}"
    if type_of(low) != type_of(high):
        raise ExpressionProblem(f"The BETWEEN operator requires same data type for lower and upper bounds; {bounds}")
    if is_ordered(low, high, operator.gt):
        raise ExpressionProblem(
            f"The BETWEEN operator requires upper bound to be greater than or equal to lower bound; {bounds}"
        )


def _bind_membership(membership: Membership, binder: Binder) -> _Test:
    operand = binder.operand(membership.operand)
    candidates = [binder.operand(candidate) for candidate in membership.candidates]
    check_distinct("IN", operand, candidates)
    if len(candidates) > in_operands_max:
        raise ExpressionProblem(
            f"The IN operator is provided with too many operands; number of operands: {len(candidates)}"
        )
    literals = [candidate.literal for candidate in candidates if candidate.literal is not None]
    if len(literals) < len(candidates):
        return _some([_both(operand, candidate, same_value) for candidate in candidates])
    return _among(operand.read, literals)


def _among(read: Reader, literals: list[AttributeValue]) -> _Test:
    def test(item: Item) -> bool:
        value = read(item)
        return value is not None and any(same_value(value, literal) for literal in literals)

    return test


def _attribute_exists(operands: list[BoundOperand]) -> _Test:
    check_is_path("attribute_exists", operands[0])
    read = operands[0].read
    return lambda item: read(item) is not None


def _attribute_not_exists(operands: list[BoundOperand]) -> _Test:
    check_is_path("attribute_not_exists", operands[0])
    read = operands[0].read
    return lambda item: read(item) is None


def _attribute_type(operands: list[BoundOperand]) -> _Test:
    operand, kind = operands
    check_distinct("attribute_type", operand, (kind,))
    if kind.literal is None or kind.kind != "S":
        raise wrong_kind("attribute_type", kind.kind or "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
    name = kind.literal["S"]
    if name not in type_names:
        raise ExpressionProblem(
            f"Invalid attribute type name found; type: {name}, valid types: {{N,BS,L,B,NULL,M,S,SS,NS,BOOL}}"
        )
    return _both(operand, kind, lambda value, _: name in value)


def _begins_with(operands: list[BoundOperand]) -> _Test:
    check_distinct("begins_with", operands[0], operands[1:])
    check_kinds("begins_with", operands, ("S", "B"))
    return _both(operands[0], operands[1], begins_with)


def _contains(operands: list[BoundOperand]) -> _Test:
    check_distinct("contains", operands[0], operands[1:])
    return _both(operands[0], operands[1], contains)


def _both(left: BoundOperand, right: BoundOperand, judge: Callable[[AttributeValue, AttributeValue], bool]) -> _Test:
    """What `judge` says of two operands, or False if an item lacks one of them."""
    if right.literal is not None:
        return _against(left.read, right.literal, judge)
    read_left, read_right = left.read, right.read

    def test(item: Item) -> bool:
        a, b = read_left(item), read_right(item)
        return a is not None and b is not None and judge(a, b)

    return test


def _against(read: Reader, literal: AttributeValue, judge: Callable[[AttributeValue, AttributeValue], bool]) -> _Test:
    def test(item: Item) -> bool:
        value = read(item)
        return value is not None and judge(value, literal)

    return test


def _value_text(value: AttributeValue) -> str:
    kind = type_of(value)
    return f"AttributeValue: {{{kind}:{value[kind]}}}"


_order_tests = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_functions: dict[str, Callable[[list[BoundOperand]], _Test]] = {
    "attribute_exists": _attribute_exists,
    "attribute_not_exists": _attribute_not_exists,
    "attribute_type": _attribute_type,
    "begins_with": _begins_with,
    "contains": _contains,
}
