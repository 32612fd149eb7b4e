"""A place in a statement's tokens, and how deep the parser is in what it reads there.

The first token that fits no rule ends the parse. Nesting is bounded, so no text can exhaust the stack.
"""

from collections.abc import Callable
from typing import TypeVar

from services.region.partiql.lexer import Token, end_of_text, tokens_of
from services.region.partiql.problems import malformed
from shared.limits import statement_levels_max

T = TypeVar("T")


class Cursor:
    __slots__ = ("_level", "at", "head", "parameters", "tokens")

    def __init__(self, text: str) -> None:
        self._level = 0
        self.tokens = tokens_of(text)
        self.at = 0
        self.head = self.tokens[0]  # the token at this place
        self.parameters = 0  # read so far

    @property
    def following(self) -> Token:
        return self.tokens[min(self.at + 1, len(self.tokens) - 1)]

    @property
    def is_at_end(self) -> bool:
        return self.head.kind == end_of_text

    def take(self) -> Token:
        token = self.head
        if token.kind != end_of_text:
            self._go_on()
        return token

    def take_kind(self, kind: str) -> bool:
        if self.head.kind != kind:
            return False
        self._go_on()
        return True

    def take_word(self, word: str) -> bool:
        if not self.head.is_word(word):
            return False
        self._go_on()
        return True

    def expect_kind(self, kind: str) -> None:
        if not self.take_kind(kind):
            raise malformed(f"Expected {kind}")

    def list_of(self, read: Callable[[], T]) -> tuple[T, ...]:
        """One or more of a kind, with commas between them."""
        elements = [read()]
        while self.take_kind("COMMA"):
            elements.append(read())
        return tuple(elements)

    def go_in(self) -> None:
        """What is read until `go_out` is one level further in."""
        self._level += 1
        if self._level > statement_levels_max:
            raise malformed("Expression is nested too deeply")

    def go_out(self) -> None:
        self._level -= 1

    def _go_on(self) -> None:
        self.at += 1
        self.head = self.tokens[self.at]
