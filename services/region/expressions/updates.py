"""Updates bound to a request: what an UpdateExpression makes of an item, and what it touched.

Every action sees the item as it was. Errors come in DynamoDB's order: those of the text, then of the paths, then of
the placeholders and types from the last action to the first; with an item at hand, a path through a value of the
wrong type, a wrong operand, then from the last section to the first a path that leads nowhere and a missing attribute.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from services.region.expressions.edits import Edit, edited
from services.region.expressions.nodes import (
    Action,
    Arithmetic,
    Call,
    DeleteAction,
    Literal,
    RemoveAction,
    SetAction,
    UpdateTree,
    ValuePlaceholder,
)
from services.region.expressions.operands import Binder, BoundPath, value_at
from services.region.expressions.path_trees import check_overlaps, picked, tree_of
from services.region.expressions.problems import ExpressionProblem
from services.region.expressions.substitutions import Substitutions
from services.region.expressions.update_actions import MissingAttributeError, Outcome, bind_action, bind_names
from services.region.expressions.update_parser import parse_update
from shared.errors import ValidationError
from shared.model.values import AttributeValue, Item, type_of


@dataclass(frozen=True, slots=True)
class UpdatedItem:
    item: Item
    touched: tuple[BoundPath, ...]


class _BoundAction(NamedTuple):
    path: BoundPath
    outcome: Outcome
    value: AttributeValue | None  # that the request gives outright


@dataclass(frozen=True, slots=True)
class Update:
    paths: tuple[str, ...]  # top-level names that it writes to
    nested: tuple[str, ...]  # top-level names that it looks into, to write or to read
    creates: bool  # whether it makes an item where there is none; what only removes does not
    sections: tuple[tuple[_BoundAction, ...], ...]
    tree: UpdateTree  # that the sections are of

    @property
    def assigned(self) -> Mapping[str, AttributeValue]:
        """The values that the request itself gives for whole attributes, by their names."""
        return {
            str(action.path[0]): action.value
            for section in self.sections
            for action in section
            if action.value is not None and len(action.path) == 1
        }

    @property
    def assigned_types(self) -> Mapping[str, str]:
        """The types of what it gives to whole attributes, by their names, where no item is needed to tell them."""
        return {
            str(bound.path[0]): kind
            for section, source in zip(self.sections, self.tree.sections, strict=True)
            for bound, action in zip(section, source.actions, strict=True)
            if len(bound.path) == 1 and (kind := _certain_type(bound, action)) is not None
        }

    @property
    def touched(self) -> tuple[BoundPath, ...]:
        """The paths that it writes to, in the order in which they were written down."""
        return tuple(action.path for section in self.sections for action in section)

    def apply(self, item: Item) -> UpdatedItem:
        """The item afterwards; `item` stays as it is. An absent item is given as its key attributes."""
        for section in self.sections:
            for action in section:
                _check_parent_type(item, action.path)
        edits: list[Edit] = []
        missing = [_collect(item, section, edits) for section in self.sections]
        for section, error in zip(reversed(self.sections), reversed(missing), strict=True):
            for action in section:
                _check_parent(item, action.path)
            if error is not None:
                raise error
        return UpdatedItem(edited(item, edits), self.touched)


def bind_update(text: str, substitutions: Substitutions) -> Update:
    try:
        return update_from(parse_update(text), substitutions)
    except ExpressionProblem as problem:
        raise problem.of("UpdateExpression") from None


def update_from(tree: UpdateTree, substitutions: Substitutions) -> Update:
    """The update that a tree describes; raises `ExpressionProblem`."""
    targets, binder = Binder(substitutions), Binder(substitutions)
    paths = [[targets.path(action.path) for action in section.actions] for section in tree.sections]
    check_overlaps(path for section in paths for path in section)
    actions = [action for section in tree.sections for action in section.actions]
    for action in reversed(actions):
        bind_names(action, binder)
    outcomes = [bind_action(action, binder) for action in reversed(actions)]
    values = [_given_value(action, binder) for action in reversed(actions)]
    sections = tuple(tuple(_BoundAction(path, outcomes.pop(), values.pop()) for path in section) for section in paths)
    creates = not all(isinstance(action, RemoveAction | DeleteAction) for action in actions)
    return Update(tuple(targets.heads), tuple(targets.nested | binder.nested), creates, sections, tree)


def updated_attributes(item: Item, touched: tuple[BoundPath, ...]) -> Item:
    """What UPDATED_OLD (of the old item) or UPDATED_NEW (of the new one) returns: the touched parts that it has."""
    return picked(item, tree_of(touched))


def _given_value(action: Action, binder: Binder) -> AttributeValue | None:
    if isinstance(action, RemoveAction) or not isinstance(action.value, ValuePlaceholder | Literal):
        return None
    return binder.value(action.value)


def _certain_type(bound: _BoundAction, action: Action) -> str | None:
    if bound.value is not None:
        return type_of(bound.value)
    match action:
        case SetAction(value=Arithmetic()):
            return "N"
        case SetAction(value=Call("list_append")):
            return "L"
    return None


def _collect(item: Item, section: tuple[_BoundAction, ...], edits: list[Edit]) -> MissingAttributeError | None:
    """Work out a section's outcomes; a missing attribute is handed back, since other errors come before it."""
    missing = None
    for action in section:
        try:
            edits.append((action.path, action.outcome(item)))
        except MissingAttributeError as error:
            missing = missing or error
    return missing


def _check_parent_type(item: Item, path: BoundPath) -> None:
    if len(path) > 1 and (parent := value_at(item, path[:-1])) is not None and not _takes(parent, path[-1]):
        raise _invalid_path()


def _check_parent(item: Item, path: BoundPath) -> None:
    if len(path) > 1 and value_at(item, path[:-1]) is None:
        raise _invalid_path()


def _takes(parent: dict[str, object], step: str | int) -> bool:
    return ("M" if isinstance(step, str) else "L") in parent


def _invalid_path() -> ValidationError:
    return ValidationError("The document path provided in the update expression is invalid for update")
