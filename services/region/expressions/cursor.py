"""A place in an expression's tokens, and the parts that all kinds of expressions share: paths and operands.

The first token that fits no rule ends the parse with DynamoDB's syntax error. Nesting is bounded by the number of
functions and operators that an expression may have, so no text can exhaust the stack.
"""

from typing import NoReturn

from services.region.expressions.lexer import Token, tokens_of
from services.region.expressions.nodes import Call, NamePlaceholder, Operand, Path, Step, ValuePlaceholder
from services.region.expressions.problems import ExpressionProblem, SizeProblem
from shared.limits import expression_bytes_max, expression_operators_max


class Cursor:
    __slots__ = ("_operators", "_text", "at", "tokens")

    def __init__(self, text: str) -> None:
        self._text = text
        self._operators = 0
        self.tokens = tokens_of(text)
        self.at = 0

    @property
    def kind(self) -> str:
        return self.tokens[self.at].kind

    def take(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def take_if(self, kind: str) -> bool:
        if self.tokens[self.at].kind != kind:
            return False
        self.at += 1
        return True

    def expect(self, kind: str) -> Token:
        return self.take() if self.kind == kind else self.fail()

    def fail(self) -> NoReturn:
        """The syntax error at this place, with the text from the token before it to the token after it."""
        tokens, at = self.tokens, self.at
        start = tokens[max(at - 1, 0)].start
        end = tokens[min(at + 1, len(tokens) - 1)].end
        raise ExpressionProblem(f'Syntax error; token: "{tokens[at].text}", near: "{self._text[start:end]}"')

    def take_operator(self) -> Token:
        """Take a token that counts against the number of operators and functions."""
        self._operators += 1
        if self._operators > expression_operators_max:
            raise ExpressionProblem(f"The expression contains too many operators; operator count: {self._operators}")
        return self.take()

    def path(self) -> Path:
        steps = [self._name()]
        while True:
            if self.take_if("."):
                steps.append(self._name())
            elif self.take_if("["):
                steps.append(int(self.expect("index").text))
                self.expect("]")
            else:
                return Path(tuple(steps))

    def operand(self) -> Operand:
        """A path, a value or a function, in parentheses or not."""
        groups = self.openers()
        self.at += groups
        operand = self._bare_operand()
        self.close(groups)
        return operand

    def operands(self) -> tuple[Operand, ...]:
        """Operands in parentheses, with commas between them."""
        self.expect("(")
        operands = [self.operand()]
        while self.take_if(","):
            operands.append(self.operand())
        self.expect(")")
        return tuple(operands)

    def close(self, groups: int) -> None:
        """Close as many parentheses; two of them straight around the same thing are one too many."""
        for closed in range(groups):
            self.expect(")")
            if closed:
                raise redundant_parentheses()

    def openers(self) -> int:
        """How many opening parentheses stand here in a row."""
        at = self.at
        while self.tokens[at].kind == "(":
            at += 1
        return at - self.at

    def outer_openers(self, operators: frozenset[str]) -> int:
        """How many of the opening parentheses here hold more than one operand of one of these operators."""
        openers = self.openers()
        at = self.at + openers
        is_call = self.tokens[at].kind == "word" and self.tokens[at + 1].kind == "("
        at = self._end_of_operand(at)
        closers = 0
        while closers < openers and self.tokens[at + closers].kind == ")":
            closers += 1
        is_operand = self.tokens[at + closers].kind in operators or not is_call
        return openers - closers if is_operand else openers

    def _name(self) -> Step:
        token = self.tokens[self.at]
        if token.kind == "word":
            self.at += 1
            return token.text
        return NamePlaceholder(self.expect("name").text)

    def _bare_operand(self) -> Operand:
        if self.kind == "value":
            return ValuePlaceholder(self.take().text)
        if self.kind == "word" and self.tokens[self.at + 1].kind == "(":
            return Call(self.take_operator().text, self.operands())
        return self.path()

    def _end_of_operand(self, at: int) -> int:
        """The token after the operand that seems to begin here; only a guess if it is not well formed."""
        tokens = self.tokens
        if tokens[at].kind == "word" and tokens[at + 1].kind == "(":
            depth = 0
            for after in range(at + 1, len(tokens) - 1):
                depth += (tokens[after].kind == "(") - (tokens[after].kind == ")")
                if not depth:
                    return after + 1
            return at
        while tokens[at].kind in _operand_tokens:
            at += 1
        return at


def check_length(text: str) -> None:
    """Refuse an empty expression and one that is too long."""
    if not text.strip(" \t\r\n"):
        raise ExpressionProblem("The expression can not be empty;")
    length_bytes = len(text.encode())
    if length_bytes > expression_bytes_max:
        raise SizeProblem(length_bytes)


def redundant_parentheses() -> ExpressionProblem:
    return ExpressionProblem("The expression has redundant parentheses;")


_operand_tokens = frozenset({"word", "name", "value", "index", ".", "[", "]"})
