"""Conditions to trees: ConditionExpression, FilterExpression and KeyConditionExpression share one grammar.

NOT binds tighter than AND, AND tighter than OR. Conditions in parentheses may nest as deep as the text is long, so
they are kept on a stack of our own. Trees are kept by text: a repeated expression costs its binding only.
"""

from functools import lru_cache

from services.region.expressions.cursor import Cursor, check_length, redundant_parentheses
from services.region.expressions.lexer import end_of_text
from services.region.expressions.nodes import (
    Between,
    Call,
    Comparison,
    Conjunction,
    Disjunction,
    Membership,
    Negation,
    Predicate,
)
from services.region.expressions.vocabulary import check_condition
from shared.limits import cached_expressions_max


@lru_cache(maxsize=cached_expressions_max)
def parse_condition(text: str) -> Predicate:
    """The tree of a condition, or `ExpressionProblem`."""
    check_length(text)
    predicate = _ConditionParser(Cursor(text)).parse()
    check_condition(predicate)
    return predicate


class _ConditionParser:
    """Operator precedence with two stacks: what waits for its right side, and the terms read so far."""

    __slots__ = ("_cursor", "_terms", "_waiting")

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._waiting: list[str] = []
        self._terms: list[_Term] = []

    def parse(self) -> Predicate:
        cursor = self._cursor
        while True:
            self._before_term()
            self._terms.append(_Term(_comparison(cursor)))
            while cursor.kind == ")" and "(" in self._waiting:
                self._reduce(0)
                self._close_group()
            if cursor.kind in ("AND", "OR"):
                operator = cursor.take_operator().kind
                self._reduce(_precedence[operator])
                self._waiting.append(operator)
            elif cursor.kind == end_of_text and "(" not in self._waiting:
                self._reduce(0)
                return self._terms.pop().predicate
            else:
                cursor.fail()

    def _before_term(self) -> None:
        cursor = self._cursor
        while True:
            if cursor.kind == "NOT":
                self._waiting.append(cursor.take_operator().kind)
                continue
            groups = cursor.outer_openers(_condition_operators) if cursor.kind == "(" else 0
            if not groups:
                return
            self._waiting.extend("(" * groups)
            cursor.at += groups

    def _close_group(self) -> None:
        self._cursor.expect(")")
        self._waiting.pop()
        if self._terms[-1].is_group:
            raise redundant_parentheses()
        self._terms[-1].is_group = True

    def _reduce(self, precedence: int) -> None:
        """Put together what binds at least this tightly, back to the last open parenthesis."""
        while self._waiting and self._waiting[-1] != "(" and _precedence[self._waiting[-1]] >= precedence:
            operator, last = self._waiting.pop(), self._terms.pop()
            if operator == "NOT":
                self._terms.append(_Term(Negation(last.predicate)))
                continue
            first = self._terms.pop()
            combine = Conjunction if operator == "AND" else Disjunction
            extends = isinstance(first.predicate, combine) and not first.is_group
            terms = first.predicate.terms if extends else (first.predicate,)  # type: ignore[union-attr]
            self._terms.append(_Term(combine((*terms, last.predicate))))


class _Term:
    """A condition, and whether it stood in parentheses."""

    __slots__ = ("is_group", "predicate")

    def __init__(self, predicate: Predicate) -> None:
        self.predicate = predicate
        self.is_group = False


def _comparison(cursor: Cursor) -> Predicate:
    operand = cursor.operand()
    if cursor.kind in _comparators:
        return Comparison(cursor.take_operator().kind, operand, cursor.operand())
    if cursor.kind == "BETWEEN":
        cursor.take_operator()
        low = cursor.operand()
        cursor.expect("AND")
        return Between(operand, low, cursor.operand())
    if cursor.kind == "IN":
        cursor.take_operator()
        return Membership(operand, cursor.operands())
    return operand if isinstance(operand, Call) else cursor.fail()


_comparators = frozenset({"=", "<>", "<", "<=", ">", ">="})
_condition_operators = _comparators | {"BETWEEN", "IN"}
_precedence = {"OR": 1, "AND": 2, "NOT": 3}
