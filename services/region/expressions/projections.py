"""Projections: the parts of an item that a ProjectionExpression names."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from services.region.expressions.cursor import Cursor, check_length
from services.region.expressions.lexer import end_of_text
from services.region.expressions.nodes import Path
from services.region.expressions.operands import Binder
from services.region.expressions.path_trees import PathTree, check_overlaps, picked, tree_of
from services.region.expressions.problems import ExpressionProblem
from services.region.expressions.substitutions import Substitutions
from services.region.expressions.vocabulary import check_path
from shared.limits import cached_expressions_max
from shared.model.values import Item


@dataclass(frozen=True, slots=True)
class Projection:
    paths: tuple[str, ...]  # top-level names that it mentions
    nested: tuple[str, ...]  # those of them that it looks into
    _tree: PathTree

    def of(self, item: Item) -> Item:
        return picked(item, self._tree)


def bind_projection(text: str, substitutions: Substitutions) -> Projection:
    try:
        return projection_from(parse_projection(text), substitutions)
    except ExpressionProblem as problem:
        raise problem.of("ProjectionExpression") from None


def projection_from(paths: Iterable[Path], substitutions: Substitutions) -> Projection:
    """The projection on these paths; raises `ExpressionProblem`."""
    binder = Binder(substitutions)
    bound = [binder.path(path) for path in paths]
    check_overlaps(bound)
    return Projection(tuple(binder.heads), tuple(binder.nested), tree_of(bound))


@lru_cache(maxsize=cached_expressions_max)
def parse_projection(text: str) -> tuple[Path, ...]:
    """The paths of a projection, or `ExpressionProblem`."""
    check_length(text)
    cursor = Cursor(text)
    paths = [cursor.path()]
    while cursor.take_if(","):
        paths.append(cursor.path())
    if cursor.kind != end_of_text:
        cursor.fail()
    for path in paths:
        check_path(path)
    return tuple(paths)
