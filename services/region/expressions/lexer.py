"""Expression text to tokens, as DynamoDB cuts it.

One lexer serves all kinds of expressions, so the keywords of one kind are no names in another. A character that
belongs to no token becomes a token of kind `bad`: it is the parser that meets it, in its turn.
"""

import re
from typing import NamedTuple

keywords = frozenset({"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"})
end_of_text = "<EOF>"


class Token(NamedTuple):
    kind: str  # word, name, value, index, bad, a keyword in capitals, punctuation as it is, or end_of_text
    text: str
    start: int
    end: int


def tokens_of(text: str) -> list[Token]:
    """All tokens of `text`, the last one of kind `end_of_text`."""
    tokens = []
    for match in _token.finditer(text):
        kind, word = match.lastgroup, match[match.lastgroup or 0]
        if kind == "punctuation":
            kind = word
        elif kind == "word" and word.upper() in keywords:
            kind = word.upper()
        tokens.append(Token(kind or "bad", word, match.start(match.lastgroup or 0), match.end()))
    tokens.append(Token(end_of_text, end_of_text, len(text), len(text)))
    return tokens


_token = re.compile(
    r"""[ \t\r\n]*(?:
        (?P<word>[A-Za-z][A-Za-z0-9_]*)
      | (?P<name>\#[A-Za-z0-9_]+)
      | (?P<value>:[A-Za-z0-9_]+)
      | (?P<index>0|[1-9][0-9]*)
      | (?P<punctuation><>|<=|>=|[=<>()\[\],.+-])
      | (?P<bad>[^ \t\r\n])
    )""",
    re.ASCII | re.VERBOSE,
)
