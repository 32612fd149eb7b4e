"""Binding: placeholders become names and values, operands become functions of an item, and their types are judged.

What can be known of an operand before any item is read (a value's type, that `size` is a number) is checked here, in
the order in which DynamoDB meets it: the operands of an operator first, then the operator itself.
"""

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from services.region.expressions.evaluation import size_of, sized_types
from services.region.expressions.nodes import Call, Literal, NamePlaceholder, Operand, Path, Step, ValuePlaceholder
from services.region.expressions.problems import ExpressionProblem
from services.region.expressions.substitutions import Substitutions
from services.region.expressions.vocabulary import operand_counts
from shared.limits import path_levels_max
from shared.model.values import AttributeValue, Item, type_of

BoundPath = tuple[str | int, ...]
Reader = Callable[[Item], AttributeValue | None]


class BoundOperand(NamedTuple):
    read: Reader  # the operand's value for an item, or None if it has none
    kind: str | None = None  # its type, where that does not depend on the item
    path: BoundPath | None = None
    literal: AttributeValue | None = None


class Binder:
    """Binds the paths and operands of one expression, and notes which attributes it names."""

    __slots__ = ("_substitutions", "heads", "nested")

    def __init__(self, substitutions: Substitutions) -> None:
        self._substitutions = substitutions
        self.heads: dict[str, None] = {}  # top-level names, in the order in which they are met
        self.nested: dict[str, None] = {}  # those of them that are looked into

    def path(self, path: Path) -> BoundPath:
        steps = self._steps(path.steps)
        if len(steps) > path_levels_max:
            raise ExpressionProblem(f"The document path has too many nesting levels; nesting levels: {len(steps)}")
        head = steps[0]
        assert isinstance(head, str), "a path begins with an attribute's name"
        self.heads[head] = None
        if len(steps) > 1:
            self.nested[head] = None
        return steps

    def value(self, leaf: ValuePlaceholder | Literal) -> AttributeValue:
        return leaf.value if isinstance(leaf, Literal) else self._substitutions.value_of(leaf.text)

    def operand(self, operand: Operand) -> BoundOperand:
        """An operand of a condition; of the functions only `size` is one."""
        if isinstance(operand, Path):
            path = self.path(operand)
            return BoundOperand(reader(path), path=path)
        if isinstance(operand, Call):
            return self._size(operand)
        value = self.value(operand)
        return BoundOperand(lambda _: value, type_of(value), literal=value)

    def operands(self, call: Call) -> list[BoundOperand]:
        """The operands of a function, as many as it takes."""
        operands = [self.operand(operand) for operand in call.operands]
        check_count(call)
        return operands

    def _steps(self, steps: tuple[Step, ...]) -> BoundPath:
        name_of = self._substitutions.name_of
        return tuple([name_of(step.text) if isinstance(step, NamePlaceholder) else step for step in steps])

    def _size(self, call: Call) -> BoundOperand:
        operands = self.operands(call)
        check_kinds("size", operands, sized_types)
        read = operands[0].read

        def size(item: Item) -> AttributeValue | None:
            value = read(item)
            return None if value is None else size_of(value)

        return BoundOperand(size, "N")


def reader(path: BoundPath) -> Reader:
    """A function that reads the value at a path."""
    head = path[0]
    if len(path) == 1 and isinstance(head, str):
        return lambda item: item.get(head)
    return lambda item: value_at(item, path)


def value_at(item: Item, path: BoundPath) -> AttributeValue | None:
    """The value at a path, or None if the item has none there."""
    value = item.get(str(path[0]))
    for step in path[1:]:
        if value is None:
            return None
        if isinstance(step, str):
            value = value["M"].get(step) if "M" in value else None
        else:
            elements = value.get("L", ())
            value = elements[step] if step < len(elements) else None
    return value


def check_count(call: Call) -> None:
    if len(call.operands) != operand_counts[call.function]:
        raise ExpressionProblem(
            "Incorrect number of operands for operator or function; "
            f"operator or function: {call.function}, number of operands: {len(call.operands)}"
        )


def check_kinds(operator: str, operands: Iterable[BoundOperand], allowed: Collection[str]) -> None:
    for operand in operands:
        if operand.kind is not None and operand.kind not in allowed:
            raise wrong_kind(operator, operand.kind)


def check_distinct(operator: str, first: BoundOperand, rest: Iterable[BoundOperand]) -> None:
    path = first.path
    if path is None:
        return
    for other in rest:
        if other.path == path:
            raise ExpressionProblem(
                "The first operand must be distinct from the remaining operands for this operator or function; "
                f"operator: {operator}, first operand: {path_text(path)}"
            )


def check_is_path(function: str, operand: BoundOperand) -> None:
    if operand.path is None:
        raise ExpressionProblem(f"Operator or function requires a document path; operator or function: {function}")


def wrong_kind(operator: str, kind: str) -> ExpressionProblem:
    return ExpressionProblem(
        f"Incorrect operand type for operator or function; operator or function: {operator}, operand type: {kind}"
    )


def path_text(path: BoundPath) -> str:
    """A path as DynamoDB writes it in messages: `[a, [1], b]`."""
    return f"[{', '.join(step if isinstance(step, str) else f'[{step}]' for step in path)}]"
