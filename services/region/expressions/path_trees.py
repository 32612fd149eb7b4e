"""Several document paths as one tree: none may be another's beginning, nor take one value for both a map and a list.

Reading along such a tree gives the parts of an item that the paths name (projections, and what an update returns).
"""

from collections.abc import Iterable

from services.region.expressions.operands import BoundPath, path_text
from services.region.expressions.problems import ExpressionProblem
from shared.model.values import AttributeValue, Item

PathTree = dict[str | int, "PathTree"]  # a path ends at an empty tree


def tree_of(paths: Iterable[BoundPath]) -> PathTree:
    """The tree of paths that were checked not to overlap."""
    tree: PathTree = {}
    for path in paths:
        branch = tree
        for step in path:
            branch = branch.setdefault(step, {})
    return tree


def check_overlaps(paths: Iterable[BoundPath]) -> None:
    """Refuse paths that overlap, and else paths that conflict; the message names the earlier path first."""
    root = _Branch(())
    conflict: tuple[BoundPath, BoundPath] | None = None
    for path in paths:
        branch = root
        for step in path:
            if branch.is_end:
                raise _clash("overlap", branch.first, path)
            other = branch.first_by_kind.get(int if isinstance(step, str) else str)
            if other is not None and conflict is None:
                conflict = other, path
            branch = branch.enter(step, path)
        if branch.is_end or branch.branches:
            raise _clash("overlap", branch.first, path)
        branch.is_end = True
    if conflict:
        raise _clash("conflict", *conflict)


def picked(item: Item, tree: PathTree) -> Item:
    """The parts of an item that a tree names: maps partly, lists condensed in their order, without what is missing."""
    return {str(name): part for name, branch in tree.items() if (part := _part(item.get(str(name)), branch))}


class _Branch:
    __slots__ = ("branches", "first", "first_by_kind", "is_end")

    def __init__(self, first: BoundPath) -> None:
        self.first = first  # the first path that came this way
        self.first_by_kind: dict[type, BoundPath] = {}  # and the first that went on by name or by position
        self.branches: dict[str | int, _Branch] = {}
        self.is_end = False

    def enter(self, step: str | int, path: BoundPath) -> "_Branch":
        self.first_by_kind.setdefault(type(step), path)
        branch = self.branches.get(step)
        if branch is None:
            branch = self.branches[step] = _Branch(path)
        return branch


def _part(value: AttributeValue | None, tree: PathTree) -> AttributeValue | None:
    if value is None or not tree:
        return value
    if "M" in value:
        members = {name: part for name, branch in tree.items() if (part := _part(value["M"].get(name), branch))}
        return {"M": members} if members else None
    if "L" in value:
        positions = sorted(step for step in tree if isinstance(step, int) and step < len(value["L"]))
        elements = [part for at in positions if (part := _part(value["L"][at], tree[at]))]
        return {"L": elements} if elements else None
    return None


def _clash(what: str, one: BoundPath, two: BoundPath) -> ExpressionProblem:
    return ExpressionProblem(
        f"Two document paths {what} with each other; must remove or rewrite one of these paths; "
        f"path one: {path_text(one)}, path two: {path_text(two)}"
    )
