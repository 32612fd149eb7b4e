"""What each action of an update makes of the attribute at its path, worked out from the item as it was before.

An action is bound to a function from an item to the new value, or to `removed`. Errors that depend on the item are
`ValidationError` without a parameter's name, as DynamoDB words them.
"""

from collections.abc import Callable
from typing import Any, Final

from services.region.expressions.nodes import (
    Action,
    AddAction,
    Arithmetic,
    Call,
    DeleteAction,
    Operand,
    Path,
    RemoveAction,
)
from services.region.expressions.operands import (
    Binder,
    BoundOperand,
    Reader,
    check_count,
    check_distinct,
    check_is_path,
    check_kinds,
    reader,
)
from services.region.expressions.problems import ExpressionProblem
from services.region.expressions.sets import joined, without
from shared.errors import ValidationError
from shared.model.numbers import add_numbers, subtract_numbers
from shared.model.values import AttributeValue, Item, type_of

removed: Final[AttributeValue] = {}  # stands for no value; no attribute value is empty

Outcome = Callable[[Item], AttributeValue]


class MissingAttributeError(ValidationError):
    def __init__(self) -> None:
        super().__init__("The provided expression refers to an attribute that does not exist in the item")


class OperandTypeError(ValidationError):
    """The item holds a value of another type than the action works on."""

    def __init__(self) -> None:
        super().__init__("An operand in the update expression has an incorrect data type")


def bind_action(action: Action, binder: Binder) -> Outcome:
    """The outcome of one action; raises `ExpressionProblem` for what no item could satisfy."""
    if isinstance(action, RemoveAction):
        return lambda _: removed
    if isinstance(action, AddAction):
        return _bind_add(reader(binder.path(action.path)), binder.value(action.value))
    if isinstance(action, DeleteAction):
        return _bind_delete(reader(binder.path(action.path)), binder.value(action.value))
    if isinstance(action.value, Arithmetic):
        return _bind_arithmetic(action.value, binder)
    return _required(_bind_operand(action.value, binder))


def bind_names(action: Action, binder: Binder) -> None:
    """Look up all names that an action reads: undefined names are told before undefined values."""
    if isinstance(action, RemoveAction):
        return
    if isinstance(action.value, Arithmetic):
        _bind_operand_names(action.value.left, binder)
        _bind_operand_names(action.value.right, binder)
    else:
        _bind_operand_names(action.value, binder)


def _bind_operand_names(operand: Operand, binder: Binder) -> None:
    if isinstance(operand, Path):
        binder.path(operand)
    elif isinstance(operand, Call):
        for inner in operand.operands:
            _bind_operand_names(inner, binder)


def _bind_operand(operand: Operand, binder: Binder) -> BoundOperand:
    if not isinstance(operand, Call):
        return binder.operand(operand)
    operands = [_bind_operand(inner, binder) for inner in operand.operands]
    check_count(operand)
    if operand.function == "list_append":
        return _list_append(operands)
    return _if_not_exists(operands)


def _list_append(operands: list[BoundOperand]) -> BoundOperand:
    check_kinds("list_append", operands, ("L",))
    first, second = map(_required, operands)

    def append(item: Item) -> AttributeValue:
        return {"L": [*_content(first(item), "L"), *_content(second(item), "L")]}

    return BoundOperand(append)


def _if_not_exists(operands: list[BoundOperand]) -> BoundOperand:
    current, default = operands
    check_is_path("if_not_exists", current)
    check_distinct("if_not_exists", current, (default,))

    def current_or_default(item: Item) -> AttributeValue | None:
        value = current.read(item)
        return default.read(item) if value is None else value

    return BoundOperand(current_or_default)


def _bind_arithmetic(arithmetic: Arithmetic, binder: Binder) -> Outcome:
    operands = [_bind_operand(operand, binder) for operand in (arithmetic.left, arithmetic.right)]
    check_kinds(arithmetic.operator, operands, ("N",))
    left, right = map(_required, operands)
    calculate = add_numbers if arithmetic.operator == "+" else subtract_numbers
    return lambda item: {"N": calculate(_content(left(item), "N"), _content(right(item), "N"))}


def _bind_add(read: Reader, value: AttributeValue) -> Outcome:
    kind = type_of(value)
    if kind not in ("N", "SS", "NS", "BS"):
        raise _not_allowed("ADD", kind)

    def add(item: Item) -> AttributeValue:
        current = read(item)
        if current is None:
            return value
        content = _content(current, kind)
        if kind == "N":
            return {"N": add_numbers(content, value["N"])}
        return {kind: joined(kind, content, value[kind])}

    return add


def _bind_delete(read: Reader, value: AttributeValue) -> Outcome:
    kind = type_of(value)
    if kind not in ("SS", "NS", "BS"):
        raise _not_allowed("DELETE", kind)

    def delete(item: Item) -> AttributeValue:
        current = read(item)
        if current is None:
            return removed
        left = without(_content(current, kind), value[kind])
        return {kind: left} if left else removed

    return delete


def _required(operand: BoundOperand) -> Outcome:
    read = operand.read

    def value_of(item: Item) -> AttributeValue:
        value = read(item)
        if value is None:
            raise MissingAttributeError
        return value

    return value_of


def _content(value: AttributeValue, kind: str) -> Any:
    if kind not in value:
        raise OperandTypeError
    return value[kind]


def _not_allowed(operator: str, kind: str) -> ExpressionProblem:
    return ExpressionProblem(
        f"Incorrect operand type for operator or function; operator: {operator}, "
        f"operand type: {_type_words[kind]}, typeSet: ALLOWED_FOR_ADD_OPERAND"
    )


_type_words = {
    "S": "STRING",
    "N": "NUMBER",
    "B": "BINARY",
    "NULL": "NULL",
    "BOOL": "BOOL",
    "L": "LIST",
    "M": "MAP",
}
