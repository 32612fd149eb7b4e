"""AttributeUpdates as an update: PUT, ADD and DELETE on whole attributes."""

from services.region.api.dynamodb.attribute_values import StandaloneValue
from services.region.api.dynamodb.members import Members
from services.region.api.dynamodb.parameters import check_names, no_substitutions
from services.region.expressions.nodes import (
    Action,
    AddAction,
    Call,
    DeleteAction,
    Literal,
    Path,
    RemoveAction,
    Section,
    SetAction,
    UpdateTree,
)
from services.region.expressions.update_actions import OperandTypeError
from services.region.expressions.updates import Update, UpdatedItem, update_from
from shared.errors import ValidationError
from shared.model.values import Item, type_of

_invalid = "One or more parameter values were invalid: "
_set_types = ("SS", "NS", "BS")


class AttributeUpdates(Update):
    """An update whose values have to fit what the item has; says so in this parameter's words."""

    __slots__ = ()

    def apply(self, item: Item) -> UpdatedItem:
        try:
            return Update.apply(self, item)
        except OperandTypeError:
            raise ValidationError("Type mismatch for attribute to update") from None


def attribute_updates_of(members: Members) -> AttributeUpdates | None:
    """What AttributeUpdates does to an item; None where it names no attribute."""
    updates = members.get("AttributeUpdates")
    if not updates:
        return None
    check_names(updates)
    actions = tuple(_action(name, update.get("Action", "PUT"), update.get("Value")) for name, update in updates.items())
    update = update_from(UpdateTree((Section("SET", actions),)), no_substitutions)
    return AttributeUpdates(update.paths, update.nested, update.creates, update.sections, update.tree)


def _action(name: str, action: str, given: StandaloneValue | None) -> Action:
    path = Path((name,))
    if given is None:
        if action != "DELETE":
            raise ValidationError(f"{_invalid}Only DELETE action is allowed when no attribute value is specified")
        return RemoveAction(path)
    if given.problem is not None:
        raise ValidationError(given.problem)
    value, kind = Literal(given.value), type_of(given.value)
    if action == "PUT":
        return SetAction(path, value)
    if action == "DELETE":
        if kind not in _set_types:
            raise ValidationError(f"{_invalid}DELETE action with value is not supported for the type {kind}")
        return DeleteAction(path, value)
    if kind == "L":
        current = Call("if_not_exists", (path, Literal({"L": []})))
        return SetAction(path, Call("list_append", (current, value)))
    if kind not in ("N", *_set_types):
        raise ValidationError(f"{_invalid}ADD action is not supported for the type {kind}")
    return AddAction(path, value)
