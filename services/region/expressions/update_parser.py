"""Update expressions to trees: sections of SET, REMOVE, ADD and DELETE actions, kept by text."""

from functools import lru_cache

from services.region.expressions.cursor import Cursor, check_length
from services.region.expressions.lexer import end_of_text
from services.region.expressions.nodes import (
    Action,
    AddAction,
    Arithmetic,
    DeleteAction,
    Operand,
    RemoveAction,
    Section,
    SetAction,
    UpdateTree,
    ValuePlaceholder,
)
from services.region.expressions.vocabulary import check_update
from shared.limits import cached_expressions_max


@lru_cache(maxsize=cached_expressions_max)
def parse_update(text: str) -> UpdateTree:
    """The tree of an update, or `ExpressionProblem`."""
    check_length(text)
    cursor = Cursor(text)
    sections = [_section(cursor)]
    while cursor.kind != end_of_text:
        sections.append(_section(cursor))
    tree = UpdateTree(tuple(sections))
    check_update(tree)
    return tree


def _section(cursor: Cursor) -> Section:
    if cursor.kind not in _actions:
        cursor.fail()
    keyword = cursor.take().kind
    action = _actions[keyword]
    actions = [action(cursor)]
    while cursor.take_if(","):
        actions.append(action(cursor))
    return Section(keyword, tuple(actions))


def _set_action(cursor: Cursor) -> Action:
    path = cursor.path()
    cursor.expect("=")
    return SetAction(path, _set_value(cursor))


def _set_value(cursor: Cursor) -> Operand | Arithmetic:
    """One operand or the sum or difference of two; one pair of parentheses may stand around all of it."""
    groups = cursor.outer_openers(_arithmetic)
    cursor.at += groups
    left = cursor.operand()
    is_arithmetic = cursor.kind in _arithmetic
    value = Arithmetic(cursor.take_operator().kind, left, cursor.operand()) if is_arithmetic else left
    cursor.close(groups)
    return value


def _remove_action(cursor: Cursor) -> Action:
    return RemoveAction(cursor.path())


def _add_action(cursor: Cursor) -> Action:
    return AddAction(cursor.path(), ValuePlaceholder(cursor.expect("value").text))


def _delete_action(cursor: Cursor) -> Action:
    return DeleteAction(cursor.path(), ValuePlaceholder(cursor.expect("value").text))


_arithmetic = frozenset({"+", "-"})
_actions = {"SET": _set_action, "REMOVE": _remove_action, "ADD": _add_action, "DELETE": _delete_action}
