"""Writing new values into a copy of an item: only the maps and lists on the way to a change are copied.

Positions in lists are those of the old item, whatever else is written: an element past the end is appended, in order
of its position, and removed elements close their gaps last.
"""

from collections.abc import Iterable
from typing import Any

from services.region.expressions.operands import BoundPath
from shared.model.values import AttributeValue, Item

Edit = tuple[BoundPath, AttributeValue]  # an empty value removes what is there

_Tree = dict[str | int, Any]  # a branch, or a leaf
_Leaf = tuple[AttributeValue]


def edited(item: Item, edits: Iterable[Edit]) -> Item:
    """A new item; the paths do not overlap, and what they lead through is there and of the right type."""
    tree: _Tree = {}
    for path, value in edits:
        branch = tree
        for step in path[:-1]:
            branch = branch.setdefault(step, {})
        branch[path[-1]] = (value,)
    return _edited_members(item, tree)


def _edited_members(members: dict[str, AttributeValue], tree: _Tree) -> dict[str, AttributeValue]:
    new = dict(members)
    for name, branch in tree.items():
        value = _edited_value(members.get(str(name)), branch)
        if value:
            new[str(name)] = value
        else:
            new.pop(str(name), None)
    return new


def _edited_elements(elements: list[AttributeValue], tree: _Tree) -> list[AttributeValue]:
    new: list[AttributeValue] = list(elements)
    for at in sorted(step for step in tree if isinstance(step, int)):
        if at < len(elements):
            new[at] = _edited_value(elements[at], tree[at])
        else:
            new.append(_edited_value(None, tree[at]))
    return [element for element in new if element]


def _edited_value(value: AttributeValue | None, branch: _Tree | _Leaf) -> AttributeValue:
    if isinstance(branch, tuple):
        return branch[0]
    if value is not None and "M" in value:
        return {"M": _edited_members(value["M"], branch)}
    if value is not None and "L" in value:
        return {"L": _edited_elements(value["L"], branch)}
    raise AssertionError("an edit leads through maps and lists that are there")
