"""Statements to trees: SELECT, INSERT, UPDATE and DELETE around the expressions that they hold."""

from services.region.partiql.cursor import Cursor
from services.region.partiql.expression_parser import ExpressionParser
from services.region.partiql.nodes import (
    Assignment,
    Insertion,
    Modification,
    Node,
    Ordering,
    Removal,
    Returned,
    Selection,
    Wildcard,
)
from services.region.partiql.problems import malformed
from services.region.partiql.words import clause_precedence

_returned = ("all_old", "all_new", "modified_old", "modified_new")
_join_words = frozenset({"join", "cross", "inner", "left", "right", "full", "outer"})


def parse(text: str) -> tuple[Node, int]:
    """The tree of a text, and how many parameters it has; raises a `ValidationError`."""
    cursor = Cursor(text)
    node = _Parser(cursor).read()
    return node, cursor.parameters


class _Parser(ExpressionParser):
    __slots__ = ()

    def read(self) -> Node:
        node = self.expression()
        if self._cursor.take_kind("SEMICOLON") and not self._cursor.is_at_end:
            raise malformed("Unexpected token after semicolon. (Only one query is allowed.)")
        if not self._cursor.is_at_end:
            raise malformed("Unexpected token after expression")
        return node

    def _statement(self) -> Node | None:
        match self._cursor.head.text:
            case "select":
                return self._select()
            case "insert_into":
                return self._insert()
            case "update":
                return self._update()
            case "delete":
                return self._delete()
            case "from":
                return self._from()
            case _:
                return None

    def _select(self) -> Node:
        cursor = self._cursor
        place = cursor.take().place
        clauses = []
        if cursor.take_word("distinct"):
            clauses.append("DISTINCT")
        else:
            cursor.take_word("all")
        if cursor.take_word("value"):
            clauses.append("SELECT VALUE")
        if cursor.head.is_word("from"):
            raise malformed(
                "Expected identifier or an expression but found unexpected keyword 'from' in a select list."
            )
        has_alias = False
        columns: list[Node] = []
        while True:
            columns.append(self._column())
            has_alias |= self._take_alias()
            if not cursor.take_kind("COMMA"):
                break
        if len(columns) > 1 and any(isinstance(column, Wildcard) for column in columns):
            raise malformed(
                "Other expressions may not be present in the select list when '*' is used without dot notation."
            )
        if not cursor.take_word("from"):
            raise malformed("Expected FROM after SELECT list")
        source = self.expression(clause_precedence)
        has_alias |= self._take_alias()
        is_joined = cursor.head.kind == "COMMA" or (cursor.head.kind == "KEYWORD" and cursor.head.text in _join_words)
        if is_joined:
            self._skip_joined()
        where = self._clause("where")
        order = self._order()
        if cursor.take_word("group"):
            cursor.expect_kind("BY")
            cursor.list_of(self.expression)
            clauses.append("GROUP BY")
        clauses += [word.upper() for word in ("having", "limit") if self._clause(word) is not None]
        return Selection(
            tuple(columns),
            source,
            where,
            order,
            has_alias=has_alias,
            is_joined=is_joined,
            clauses=tuple(clauses),
            place=place,
        )

    def _column(self) -> Node:
        if self._cursor.head.kind == "STAR":
            return Wildcard(self._cursor.take().place)
        return self.expression()

    def _take_alias(self) -> bool:
        cursor = self._cursor
        if cursor.head.kind in ("AS", "AT"):
            kind = cursor.take().kind
            if cursor.head.kind not in ("IDENTIFIER", "QUOTED_IDENTIFIER"):
                raise malformed(f"Expected identifier for {kind}-alias")
            cursor.take()
            return True
        return cursor.take_kind("IDENTIFIER") or cursor.take_kind("QUOTED_IDENTIFIER")

    def _skip_joined(self) -> None:
        """The rest of a join; it is refused as a whole once the statement is read."""
        cursor = self._cursor
        while cursor.head.kind == "COMMA" or (cursor.head.kind == "KEYWORD" and cursor.head.text in _join_words):
            while cursor.head.kind == "KEYWORD" and cursor.head.text in _join_words:
                cursor.take()
            cursor.take_kind("COMMA")
            self.expression(clause_precedence)
            self._take_alias()
            self._clause("on")

    def _clause(self, word: str) -> Node | None:
        return self.expression(clause_precedence) if self._cursor.take_word(word) else None

    def _order(self) -> tuple[Ordering, ...]:
        if not self._cursor.take_word("order"):
            return ()
        self._cursor.expect_kind("BY")
        return self._cursor.list_of(self._ordering)

    def _ordering(self) -> Ordering:
        key = self.expression()
        descending = self._cursor.take_kind("DESC")
        if not descending:
            self._cursor.take_kind("ASC")
        if self._cursor.head.kind == "IDENTIFIER" and self._cursor.head.text.lower() == "nulls":
            self._cursor.take()
            if not (self._cursor.take_word("first") or self._cursor.take_word("last")):
                raise malformed("Expected FIRST or LAST after NULLS")
        return Ordering(key, descending)

    def _insert(self) -> Node:
        cursor = self._cursor
        place = cursor.take().place
        target = self.simple_path()
        is_single = cursor.take_word("value")
        value = self.expression()
        clauses = []
        if is_single and cursor.take_kind("AT"):
            self.expression()
            clauses.append("AT")
        if is_single and cursor.take_word("on_conflict"):
            if not cursor.take_word("where"):
                raise malformed("invalid ON CONFLICT syntax")
            self.expression()
            if not cursor.take_word("do_nothing"):
                raise malformed("invalid ON CONFLICT syntax")
            clauses.append("ON CONFLICT")
        returning = self._returning() if is_single else ()
        return Insertion(target, value, is_single, tuple(clauses), returning, place)

    def _update(self) -> Node:
        place = self._cursor.take().place
        target = self.simple_path()
        has_alias = self._take_alias()
        edits = self._edits()
        return Modification(target, edits, self._where(), self._returning(), has_alias=has_alias, place=place)

    def _delete(self) -> Node:
        place = self._cursor.take().place
        if not self._cursor.take_word("from"):
            raise malformed("Expected FROM after DELETE")
        target = self.simple_path()
        has_alias = self._take_alias()
        return Modification(target, (), self._where(), self._returning(), has_alias=has_alias, place=place)

    def _from(self) -> Node:
        """An update with its target and its condition in front."""
        place = self._cursor.take().place
        target = self.expression()
        has_alias = self._take_alias()
        where = self._where()
        return Modification(target, self._edits(), where, self._returning(), has_alias=has_alias, place=place)

    def _edits(self) -> tuple[Assignment | Removal, ...]:
        cursor = self._cursor
        edits: list[Assignment | Removal] = []
        while True:
            if cursor.take_word("set"):
                edits.extend(cursor.list_of(self._assignment))
            elif cursor.take_word("remove"):
                edits.append(Removal(self.simple_path()))
            elif edits:
                return tuple(edits)
            else:
                raise malformed("Expected data manipulation")

    def _assignment(self) -> Assignment:
        target = self.simple_path()
        if self._cursor.head.text != "=" or self._cursor.head.kind != "OPERATOR":
            raise malformed("Expected '='")
        self._cursor.take()
        return Assignment(target, self.expression())

    def _where(self) -> Node | None:
        return self.expression() if self._cursor.take_word("where") else None

    def _returning(self) -> tuple[Returned, ...]:
        return self._cursor.list_of(self._returned) if self._cursor.take_word("returning") else ()

    def _returned(self) -> Returned:
        head = self._cursor.head
        if head.kind != "KEYWORD" or head.text not in _returned:
            raise malformed("Expected ( MODIFIED | ALL ) ( NEW | OLD ) in each returning element.")
        self._cursor.take()
        return Returned(head.text, self._column())
