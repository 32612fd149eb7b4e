"""Values, paths and conditions of a statement: one grammar for all of them, read by the precedence of operators.

The order of checks and the words are those of PartiQL's reference implementation, which DynamoDB's answers show.
"""

from abc import ABC, abstractmethod

from services.region.partiql.cursor import Cursor
from services.region.partiql.nodes import (
    DocumentPath,
    FunctionCall,
    Name,
    Node,
    Operation,
    Parameter,
    Scalar,
    Sequence,
    Step,
    Struct,
    TypeTest,
    Wildcard,
)
from services.region.partiql.problems import malformed
from services.region.partiql.words import (
    function_keywords,
    infix_precedences,
    negation_precedence,
    other_type_names,
    type_names,
    unary_operators,
)

_scalars = frozenset({"STRING", "NUMBER", "BOOLEAN", "NULL", "MISSING"})
_names = frozenset({"IDENTIFIER", "QUOTED_IDENTIFIER"})
_step_beginnings = frozenset({"DOT", "LEFT_BRACKET"})


class ExpressionParser(ABC):
    """Whoever knows of statements as well inherits from it, since statements and expressions hold each other."""

    __slots__ = ("_cursor",)

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def expression(self, precedence: int = -1) -> Node:
        """An expression up to the first operator that does not bind tighter than `precedence`."""
        cursor = self._cursor
        cursor.go_in()
        node = self._unary()
        while (found := self._precedence()) > precedence:
            node = self._operation(node, found)
        cursor.go_out()
        return node

    def simple_path(self) -> Node:
        """What may be written to: a name, and steps behind it."""
        if self._cursor.head.kind not in _names:
            raise malformed("Expected identifier for simple path")
        return self._steps(self._name(), is_simple=True)

    @abstractmethod
    def _statement(self) -> Node | None:
        """The statement that begins at the cursor, or None if none does."""

    def _precedence(self) -> int:
        """That of the operator here, or one below all others."""
        head = self._cursor.head
        if head.kind == "OPERATOR":
            return infix_precedences.get(head.text, -1)
        return infix_precedences["*"] if head.kind == "STAR" else -1

    def _operation(self, left: Node, precedence: int) -> Node:
        cursor = self._cursor
        operator = cursor.head
        if operator.text in ("is", "is_not"):
            cursor.take()
            test = TypeTest(left, self._type(), operator.place)
            return test if operator.text == "is" else Operation("not", (test,), operator.place)
        if operator.text in ("in", "not_in") and self._is_list_in_parentheses():
            cursor.take()
            place = cursor.take().place
            elements = cursor.list_of(self.expression)
            cursor.expect_kind("RIGHT_PAREN")
            return Operation(operator.text, (left, Sequence("LIST", elements, place)), operator.place)
        operands: tuple[Node, ...] = (left, self._right_side(precedence))
        if operator.text in ("between", "not_between"):
            operands = (*operands, self._upper_bound())
        return Operation(operator.text, operands, operator.place)

    def _right_side(self, precedence: int) -> Node:
        if self._cursor.at + 2 >= len(self._cursor.tokens):
            raise malformed("Missing right-hand side expression of infix operator")
        self._cursor.take()
        return self.expression(precedence)

    def _upper_bound(self) -> Node:
        cursor = self._cursor
        if cursor.head.text != "and" or cursor.head.kind != "OPERATOR":
            raise malformed("Expected AND keyword")
        cursor.take()
        if cursor.is_at_end:
            raise malformed("Expected expression after AND")
        return self.expression(infix_precedences["between"])

    def _is_list_in_parentheses(self) -> bool:
        tokens, at = self._cursor.tokens, self._cursor.at
        return tokens[at + 1].kind == "LEFT_PAREN" and not (
            tokens[at + 2].is_word("select") or tokens[at + 2].is_word("values")
        )

    def _unary(self) -> Node:
        head = self._cursor.head
        if head.kind != "OPERATOR" or head.text not in unary_operators:
            return self._steps(self._term(), is_simple=False)
        self._cursor.take()
        if head.text == "not":
            return Operation("not", (self.expression(negation_precedence),), head.place)
        self._cursor.go_in()
        operand = self._unary()
        self._cursor.go_out()
        if isinstance(operand, Scalar) and operand.kind == "NUMBER":
            return operand if head.text == "+" else Scalar("NUMBER", _negated(operand.text), operand.place)
        return Operation(head.text, (operand,), head.place)

    def _steps(self, root: Node, *, is_simple: bool) -> Node:
        cursor = self._cursor
        if cursor.head.kind not in _step_beginnings:
            return root
        steps: list[Step] = []
        while True:
            if cursor.take_kind("DOT"):
                steps.append(Step(self._dot_step(is_simple=is_simple), in_brackets=False))
            elif cursor.take_kind("LEFT_BRACKET"):
                star = cursor.head
                inner = Wildcard(star.place) if cursor.take_kind("STAR") else self.expression()
                cursor.expect_kind("RIGHT_BRACKET")
                steps.append(Step(inner, in_brackets=True))
            else:
                return DocumentPath(root, tuple(steps), root.place)

    def _dot_step(self, *, is_simple: bool) -> Node:
        head = self._cursor.head
        if head.kind in _names:
            return self._name()
        if head.kind == "STAR":
            if is_simple:
                raise malformed("Invalid path dot component for simple path")
            return Wildcard(self._cursor.take().place)
        raise malformed("Invalid path dot component")

    def _term(self) -> Node:
        cursor = self._cursor
        head = cursor.head
        if head.kind in _names:
            return self._call() if cursor.following.kind == "LEFT_PAREN" else self._name()
        if head.kind in _scalars:
            return Scalar(head.kind, cursor.take().text, head.place)
        match head.kind:
            case "QUESTION_MARK":
                cursor.take()
                cursor.parameters += 1
                return Parameter(cursor.parameters, head.place)
            case "KEYWORD":
                return self._keyword()
            case "LEFT_PAREN":
                return self._group()
            case "LEFT_BRACKET":
                return Sequence("LIST", self._elements("RIGHT_BRACKET"), head.place)
            case "LEFT_DOUBLE_ANGLE_BRACKET":
                return Sequence("BAG", self._elements("RIGHT_DOUBLE_ANGLE_BRACKET"), head.place)
            case "LEFT_CURLY":
                return self._struct()
            case "OPERATOR":
                raise malformed("Unexpected operator")
            case _:
                raise malformed("Unexpected term")

    def _keyword(self) -> Node:
        statement = self._statement()
        if statement is not None:
            return statement
        cursor = self._cursor
        if cursor.head.text in function_keywords and cursor.following.kind == "LEFT_PAREN":
            return self._call()
        raise malformed("Unexpected keyword")

    def _name(self) -> Name:
        token = self._cursor.take()
        return Name(token.text, token.place)

    def _call(self) -> Node:
        cursor = self._cursor
        name = cursor.take()
        cursor.take()
        arguments: tuple[Node, ...] = ()
        if name.text.lower() == "count" and cursor.head.kind == "STAR":
            arguments = (Wildcard(cursor.take().place),)
        elif cursor.head.kind == "STAR":
            raise malformed(f"{name.text}(*) is not allowed")
        elif cursor.head.kind != "RIGHT_PAREN":
            arguments = cursor.list_of(self.expression)
        cursor.expect_kind("RIGHT_PAREN")
        return FunctionCall(name.text.lower(), arguments, name.place)

    def _group(self) -> Node:
        """An expression in parentheses; several of them are a list."""
        place = self._cursor.take().place
        elements = self._cursor.list_of(self.expression)
        self._cursor.expect_kind("RIGHT_PAREN")
        return elements[0] if len(elements) == 1 else Sequence("LIST", elements, place)

    def _elements(self, closing: str) -> tuple[Node, ...]:
        self._cursor.take()
        if self._cursor.take_kind(closing):
            return ()
        elements = self._cursor.list_of(self.expression)
        self._cursor.expect_kind(closing)
        return elements

    def _struct(self) -> Node:
        cursor = self._cursor
        place = cursor.take().place
        members: tuple[tuple[Node, Node], ...] = ()
        if not cursor.take_kind("RIGHT_CURLY"):
            members = cursor.list_of(self._member)
            cursor.expect_kind("RIGHT_CURLY")
        return Struct(members, place)

    def _member(self) -> tuple[Node, Node]:
        name = self.expression()
        self._cursor.expect_kind("COLON")
        return name, self.expression()

    def _type(self) -> str:
        head = self._cursor.head
        if (head.text not in type_names and head.text not in other_type_names) or head.kind in (*_names, "STRING"):
            raise malformed("Expected type name")
        self._cursor.take()
        if self._cursor.take_kind("LEFT_PAREN"):
            self._cursor.list_of(lambda: self._cursor.expect_kind("NUMBER"))
            self._cursor.expect_kind("RIGHT_PAREN")
        return head.text


def _negated(number: str) -> str:
    return number.removeprefix("-") if number.startswith("-") else f"-{number}"
