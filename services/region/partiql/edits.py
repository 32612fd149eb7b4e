"""SET and REMOVE of a statement as the tree that an update expression becomes."""

from services.region.expressions.nodes import (
    Action,
    AddAction,
    Arithmetic,
    Call,
    DeleteAction,
    Literal,
    Operand,
    Path,
    RemoveAction,
    Section,
    SetAction,
    UpdateTree,
)
from services.region.partiql.nodes import Assignment, FunctionCall, Node, Operation, Removal
from services.region.partiql.paths import is_path, path_of
from services.region.partiql.problems import unsupported_operator
from services.region.partiql.values import operand_value
from shared.errors import ValidationError
from shared.model.values import type_of

set_types = frozenset({"SS", "NS", "BS"})
_sections = {SetAction: "SET", RemoveAction: "REMOVE", AddAction: "ADD", DeleteAction: "DELETE"}
_set_functions: dict[str, type[AddAction] | type[DeleteAction]] = {"set_add": AddAction, "set_delete": DeleteAction}


def update_tree_of(edits: tuple[Assignment | Removal, ...]) -> UpdateTree:
    """A section for each kind of edit, in the order in which the kinds first appear."""
    actions = [_action(edit) for edit in edits]
    kinds = dict.fromkeys(map(type, actions))
    return UpdateTree(
        tuple(Section(_sections[kind], tuple(each for each in actions if type(each) is kind)) for kind in kinds)
    )


def _action(edit: Assignment | Removal) -> Action:
    path = path_of(edit.target)
    if isinstance(edit, Removal):
        return RemoveAction(path)
    value = edit.value
    if isinstance(value, FunctionCall) and value.name in _set_functions:
        return _set_action(path, value)
    if isinstance(value, Operation):
        if value.operator not in ("+", "-") or len(value.operands) != 2:
            raise unsupported_operator(value.operator)
        left, right = map(_operand, value.operands)
        return SetAction(path, Arithmetic(value.operator, left, right))
    return SetAction(path, _operand(value))


def _set_action(path: Path, call: FunctionCall) -> Action:
    name = call.name.upper()
    if len(call.arguments) != 2:
        raise ValidationError(f"{name} must have exactly two arguments at {call.place}")
    target, members = call.arguments
    if not is_path(target) or path_of(target) != path:
        raise ValidationError(f"The first argument to {name} must equal the assignment value at {call.place}")
    value = operand_value(members)
    if value is None or (isinstance(value, Literal) and type_of(value.value) not in set_types):
        raise ValidationError(f"The second argument to {name} must be a value with type SET at {target.place}")
    return _set_functions[call.name](path, value)


def _operand(node: Node) -> Operand:
    if is_path(node):
        return path_of(node)
    value = operand_value(node)
    if value is not None:
        return value
    if isinstance(node, FunctionCall) and node.name == "list_append":
        return Call("list_append", tuple(map(_operand, node.arguments)))
    if isinstance(node, Operation):
        raise unsupported_operator(node.operator)
    name = node.name if isinstance(node, FunctionCall) else "UNKNOWN"
    raise ValidationError(f"Unsupported function in assignment. Function: {name}")
