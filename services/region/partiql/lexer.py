"""Statement text to tokens. The kinds of punctuation are spelled as messages spell them ("Expected RIGHT_PAREN")."""

import re
from bisect import bisect_right
from typing import NamedTuple

from services.region.partiql.problems import Place, malformed
from services.region.partiql.words import joined, keywords, tokens_of_their_own, word_operators

end_of_text = "EOF"


class Token(NamedTuple):
    kind: str  # IDENTIFIER, QUOTED_IDENTIFIER, KEYWORD, OPERATOR, STRING, NUMBER, BOOLEAN, or a kind of its own
    text: str  # a name or a string without its quotes; a keyword or an operator in small letters
    place: Place

    def is_word(self, word: str) -> bool:
        return self.text == word and self.kind == "KEYWORD"


def tokens_of(text: str) -> list[Token]:
    """All tokens of `text`, the last one of kind `end_of_text`."""
    line_starts = [0, *(match.end() for match in _line_end.finditer(text))]
    tokens: list[Token] = []
    for match in _token.finditer(text):
        group = match.lastgroup
        if group == "space":
            continue
        if group is None or group == "bad":
            raise malformed()
        start = match.start()
        line = bisect_right(line_starts, start)
        place = Place(line, start - line_starts[line - 1] + 1, match.end() - start)
        _put(tokens, _token_of(group, match[group], place))
    tokens.append(Token(end_of_text, end_of_text, Place(len(line_starts), len(text) - line_starts[-1] + 1, 0)))
    return tokens


def _token_of(group: str, text: str, place: Place) -> Token:
    if group == "word":
        return _word(text, place)
    if group == "string":
        return Token("STRING", text[1:-1].replace("''", "'"), place)
    if group == "quoted":
        return Token("QUOTED_IDENTIFIER", text[1:-1].replace('""', '"'), place)
    if group == "number":
        return Token("NUMBER", text, place)
    if group == "operator":
        return Token("OPERATOR", "<>" if text == "!=" else text, place)
    return Token(_punctuation[text], text, place)


def _word(text: str, place: Place) -> Token:
    lower = text.lower()
    if lower in word_operators:
        return Token("OPERATOR", lower, place)
    if lower in tokens_of_their_own:
        return Token(tokens_of_their_own[lower], lower, place)
    if lower in ("true", "false"):
        return Token("BOOLEAN", lower, place)
    if lower in keywords:
        return Token("KEYWORD", lower, place)
    return Token("IDENTIFIER", text, place)


def _put(tokens: list[Token], token: Token) -> None:
    """Two words that belong together become one token."""
    if tokens and token.kind in ("KEYWORD", "OPERATOR") and tokens[-1].kind in ("KEYWORD", "OPERATOR"):
        together = joined.get((tokens[-1].text, token.text))
        if together is not None:
            token = Token(token.kind, together, tokens.pop().place)
    tokens.append(token)


_punctuation = {
    "(": "LEFT_PAREN",
    ")": "RIGHT_PAREN",
    "[": "LEFT_BRACKET",
    "]": "RIGHT_BRACKET",
    "{": "LEFT_CURLY",
    "}": "RIGHT_CURLY",
    "<<": "LEFT_DOUBLE_ANGLE_BRACKET",
    ">>": "RIGHT_DOUBLE_ANGLE_BRACKET",
    ":": "COLON",
    ",": "COMMA",
    ".": "DOT",
    "*": "STAR",
    ";": "SEMICOLON",
    "?": "QUESTION_MARK",
}
_line_end = re.compile(r"\r\n|\r|\n")
_token = re.compile(
    r"""
        (?P<space>[ \t\r\n\f\v]+ | --[^\r\n]* | /\*(?:[^*]|\*(?!/))*\*/)
      | (?P<word>[A-Za-z_$][A-Za-z0-9_$]*)
      | (?P<string>'(?:[^']|'')*')
      | (?P<quoted>"(?:[^"]|"")*")
      | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+|(?![eE])))
      | (?P<operator><=|>=|<>|!=|\|\||<(?!<)|>(?!>)|[=%@+~-]|/(?!\*))
      | (?P<punctuation><<|>>|[()\[\]{}:,.*;?])
      | (?P<bad>.)
    """,
    re.ASCII | re.DOTALL | re.VERBOSE,
)
