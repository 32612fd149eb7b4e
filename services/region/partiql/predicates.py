"""Conditions of a statement as the trees that condition expressions become, with the bounds that those have."""

from collections.abc import Iterable

from services.region.expressions.nodes import (
    Between,
    Call,
    Comparison,
    Conjunction,
    Disjunction,
    Literal,
    Membership,
    Negation,
    Operand,
    Predicate,
)
from services.region.partiql.nodes import FunctionCall, Node, Operation, Scalar, Selection, Sequence, TypeTest
from services.region.partiql.paths import is_path, path_of
from services.region.partiql.problems import malformed, unrecognized_function, unsupported_operator
from services.region.partiql.values import operand_value
from services.region.partiql.words import other_type_names, type_names
from shared.errors import ValidationError
from shared.limits import expression_operators_max

_comparators = frozenset({"=", "<>", "<", "<=", ">", ">="})
_negated = {"not_in": "in", "not_between": "between"}
_conditions = _comparators | _negated.keys() | {"and", "or", "not", "in", "between"}
_chained = _conditions - {"and", "or", "not"}
_values_in_values_max = 4
_functions = frozenset({"attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains"})


def condition_of(node: Node) -> Predicate:
    """What stands behind WHERE."""
    if _is_size(node):
        raise ValidationError("WHERE clause must contain an expression that resolves to a boolean")
    return _bounded(_predicate(node))


def _bounded(predicate: Predicate) -> Predicate:
    if _operators(predicate) > expression_operators_max:
        raise ValidationError(
            f"The expression contains too many operators; operator count: {expression_operators_max + 1}"
        )
    return predicate


def _predicate(node: Node) -> Predicate:
    if isinstance(node, TypeTest):
        return _type_test(node)
    if isinstance(node, FunctionCall):
        return _function(node)
    if not isinstance(node, Operation):
        raise malformed("Expected a condition in the where clause")
    match node.operator:
        case "and":
            return Conjunction(tuple(map(_predicate, _conditions_in(node))))
        case "or":
            return Disjunction(tuple(map(_predicate, _conditions_in(node))))
        case "not":
            return Negation(*map(_predicate, _conditions_in(node)))
        case "in":
            return _membership(node)
        case "between":
            if any(map(_is_condition, node.operands)):
                raise _wrong_operand("BETWEEN", "BOOL")
            operand, low, high = map(_operand, node.operands)
            return Between(operand, low, high)
        case "not_in" | "not_between" as operator:
            return Negation(_predicate(Operation(_negated[operator], node.operands, node.place)))
        case operator if operator in _comparators:
            return _comparison(node)
        case operator:
            raise unsupported_operator(operator)


def _operators(predicate: Predicate) -> int:
    """How many operators and functions a condition has."""
    match predicate:
        case Conjunction(terms) | Disjunction(terms):
            return len(terms) - 1 + sum(map(_operators, terms))
        case Negation(term):
            return 1 + _operators(term)
        case Comparison(_, left, right):
            return 1 + _functions_in((left, right))
        case Between(operand, low, high):
            return 1 + _functions_in((operand, low, high))
        case Membership(operand, candidates):
            return 1 + _functions_in((operand, *candidates))
        case Call():
            return _functions_in((predicate,))


def _functions_in(operands: Iterable[Operand]) -> int:
    return sum(1 + _functions_in(operand.operands) for operand in operands if isinstance(operand, Call))


def _operand(node: Node) -> Operand:
    if isinstance(node, Scalar) and node.kind == "MISSING":
        raise ValidationError("MISSING must be compared using IS operator")
    value = operand_value(node)
    if value is not None:
        return value
    if is_path(node):
        return path_of(node)
    if isinstance(node, FunctionCall) and node.name == "size":
        return Call("size", tuple(map(_operand, node.arguments)))
    if isinstance(node, Operation):
        raise unsupported_operator(node.operator)
    raise _unsupported_function(node)


def _conditions_in(node: Operation) -> list[Node]:
    """What AND, OR or NOT makes a condition of, none of which is a number."""
    terms = [node.operands[0]] if node.operator == "not" else _flat(node)
    if any(map(_is_size, terms)):
        raise _wrong_operand(node.operator.upper(), "N")
    return terms


def _is_size(node: Node) -> bool:
    return isinstance(node, FunctionCall) and node.name == "size"


def _wrong_operand(operator: str, kind: str) -> ValidationError:
    return ValidationError(
        f"Incorrect operand type for operator or function; operator or function: {operator}, operand type: {kind}"
    )


def _flat(node: Operation) -> list[Node]:
    """The terms of a chain of one operator; the chain itself leans to the left."""
    terms: list[Node] = []
    left: Node = node
    while isinstance(left, Operation) and left.operator == node.operator:
        terms.append(left.operands[1])
        left = left.operands[0]
    return [left, *reversed(terms)]


def _comparison(node: Operation) -> Predicate:
    left, right = node.operands
    if _is_condition(left) or _is_condition(right):
        if node.operator not in ("=", "<>"):
            raise _wrong_operand(node.operator, "BOOL")
        equal = _equal(left, right) if _is_condition(left) else _equal(right, left)
        return equal if node.operator == "=" else Negation(equal)
    return Comparison(node.operator, _operand(left), _operand(right))


def _is_condition(node: Node) -> bool:
    """Whether it is true or false, of which others are made as well."""
    if isinstance(node, Operation):
        return node.operator in _conditions
    return isinstance(node, TypeTest) or (isinstance(node, FunctionCall) and node.name in _functions)


def _equal(condition: Node, other: Node) -> Predicate:
    """A condition is what is true or false itself: a literal, an attribute, a parameter or another condition."""
    holds = _bounded(_value(condition))
    if isinstance(other, Scalar) and other.kind == "BOOLEAN":
        return holds if other.text == "true" else Negation(holds)
    if _is_condition(other):
        is_true = _bounded(_value(other))
        return _either(holds, is_true, Negation(is_true))
    operand = _operand(other)
    return _either(holds, *(Comparison("=", operand, Literal({"BOOL": each})) for each in (True, False)))


def _value(condition: Node) -> Predicate:
    """Such values of such values, which a chain of comparisons makes, come to an end."""
    inner = condition
    for _ in range(_values_in_values_max):
        if not isinstance(inner, Operation) or inner.operator not in _chained:
            return _predicate(condition)
        inner = inner.operands[0]
    assert isinstance(condition, Operation), "anything else has ended the chain"
    raise unsupported_operator(condition.operator)


def _either(holds: Predicate, is_true: Predicate, is_false: Predicate) -> Predicate:
    return Disjunction((Conjunction((holds, is_true)), Conjunction((Negation(holds), is_false))))


def _membership(node: Operation) -> Predicate:
    operand, candidates = node.operands
    if not isinstance(candidates, Sequence):
        raise unsupported_operator("in")
    if _is_condition(operand) and candidates.elements:
        return Disjunction(tuple(_equal(operand, each) for each in candidates.elements))
    if any(map(_is_condition, candidates.elements)):
        return Disjunction(tuple(_equal_to_operand(operand, each) for each in candidates.elements))
    return Membership(_operand(operand), tuple(map(_operand, candidates.elements)))


def _equal_to_operand(operand: Node, other: Node) -> Predicate:
    return _equal(other, operand) if _is_condition(other) else Comparison("=", _operand(operand), _operand(other))


def _type_test(node: TypeTest) -> Predicate:
    if isinstance(node.operand, FunctionCall | Operation):
        raise ValidationError("The left hand side argument to IS must be a Variable Reference, Literal, or Path")
    kind = type_names.get(node.type)
    if kind is None:
        raise ValidationError(
            f"Unsupported data type for IS operator: {other_type_names[node.type]}Type. Supported data types are"
            f" [MISSING, NULL, BOOLEAN, BLOB, STRING, NUMERIC, STRUCT, TUPLE, LIST] at {node.operand.place}"
        )
    path = path_of(node.operand)
    if kind == "MISSING":
        return Call("attribute_not_exists", (path,))
    return Call("attribute_type", (path, Literal({"S": kind})))


def _function(node: FunctionCall) -> Predicate:
    if node.name not in _functions:
        raise _unsupported_function(node)
    return Call(node.name, tuple(map(_operand, node.arguments)))


def _unsupported_function(node: Node) -> ValidationError:
    if isinstance(node, FunctionCall):
        selected = next((each for each in node.arguments if isinstance(each, Selection)), None)
        if node.name == "exists" and selected is not None:
            return ValidationError(f"Unsupported token in expression: SELECT at {selected.place}")
        return unrecognized_function(node.name, node.place)
    return ValidationError(f"Unsupported expression at {node.place}")
