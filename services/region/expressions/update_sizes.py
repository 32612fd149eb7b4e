"""What an UpdateExpression weighs, which UpdateItem bounds beside the item that it makes.

Nowhere documented, but measured to the byte against the service in October 2026: each action has a fixed weight, its
target and its operands add theirs; the item adds nothing, whatever the action reads of it.
"""

from services.region.expressions.nodes import (
    Action,
    Arithmetic,
    Call,
    DeleteAction,
    Literal,
    NamePlaceholder,
    Operand,
    Path,
    RemoveAction,
    Step,
    ValuePlaceholder,
)
from services.region.expressions.substitutions import Substitutions
from services.region.expressions.update_parser import parse_update
from shared.model.sizes import text_size_bytes, value_size_bytes

_update_bytes = 3
_written_bytes = 19  # of SET and ADD
_taken_bytes = 1  # of REMOVE and DELETE
_operator_bytes = {"+": 34, "-": 37, "list_append": 37, "if_not_exists": 39}
_character_bytes_max = 20  # that one character of an expression can stand for, names and values aside


def update_size_max_bytes(text: str, *, names_bytes: int, values_bytes: int) -> int:
    """A bound that is cheap; `names_bytes` and `values_bytes` are those of all that placeholders stand for."""
    return _character_bytes_max * len(text) + names_bytes * text.count("#") + values_bytes * text.count(":")


def update_size_bytes(text: str, substitutions: Substitutions) -> int:
    """The weight of an expression that binds."""
    actions = [action for section in parse_update(text).sections for action in section.actions]
    return _update_bytes + sum(_action_size(action, substitutions) for action in actions)


def _action_size(action: Action, substitutions: Substitutions) -> int:
    head, *steps = [_step_size(step, substitutions) for step in action.path.steps]
    target_bytes = head + sum(4 + size for size in steps)
    if isinstance(action, RemoveAction | DeleteAction):
        return _taken_bytes + target_bytes
    return _written_bytes + target_bytes + _operand_size(action.value, substitutions)


def _operand_size(operand: Operand | Arithmetic, substitutions: Substitutions) -> int:
    match operand:
        case Path(steps):
            return 1 + sum(14 + _step_size(step, substitutions) for step in steps)
        case Call(operator, operands):
            return _operator_bytes[operator] + sum(_operand_size(inner, substitutions) for inner in operands)
        case Arithmetic(operator, left, right):
            return _operator_bytes[operator] + sum(_operand_size(inner, substitutions) for inner in (left, right))
        case Literal(value):
            return value_size_bytes(value)
        case ValuePlaceholder(text):
            return value_size_bytes(substitutions.value_of(text))


def _step_size(step: Step, substitutions: Substitutions) -> int:
    return text_size_bytes(substitutions.name_of(step.text) if isinstance(step, NamePlaceholder) else str(step))
