"""Statement text to tokens. The kinds of punctuation are spelled as messages spell them ("Expected RIGHT_PAREN")."""

import re
import string
from bisect import bisect_right
from collections.abc import Callable
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
    words = _words_of(text)
    line_starts = [0, *(match.end() for match in _line_end.finditer(text)), len(text) + 1]
    tokens: list[Token] = []
    at, line, start, next_start = 0, 1, 0, line_starts[1]
    for word in words:
        if at >= next_start:
            line = bisect_right(line_starts, at)
            start, next_start = line_starts[line - 1], line_starts[line]
        fixed = _fixed.get(word)
        if fixed is not None:
            tokens.append(Token(*fixed, Place(line, at - start + 1, len(word))))
        elif (token_of := _kinds.get(word[0])) is not None:
            _put(tokens, token_of(word, Place(line, at - start + 1, len(word))))
        at += len(word)
    line = len(line_starts) - 1
    tokens.append(Token(end_of_text, end_of_text, Place(line, at - line_starts[line - 1] + 1, 0)))
    return tokens


def _words_of(text: str) -> list[str]:
    """The text cut at every token; what comes after the first character that begins none is one piece."""
    words = _token.findall(text)
    if words and _well_formed.fullmatch(words[-1]) is None:
        raise malformed()
    return words


def _word(text: str, place: Place) -> Token:
    lower = text.lower()
    kind = _kinds_of_words.get(lower)
    return Token("IDENTIFIER", text, place) if kind is None else Token(kind, lower, place)


def _string(text: str, place: Place) -> Token:
    return Token("STRING", text[1:-1].replace("''", "'"), place)


def _quoted(text: str, place: Place) -> Token:
    return Token("QUOTED_IDENTIFIER", text[1:-1].replace('""', '"'), place)


def _number(text: str, place: Place) -> Token:
    """Its exponent and its scale are numbers of 32 bits."""
    mantissa, _, exponent = text.lower().partition("e")
    fraction = mantissa.partition(".")[2]
    if exponent and (len(exponent.lstrip("+-0")) > len(str(_int_max)) or not _fit_int(exponent, len(fraction))):
        raise malformed()
    return Token("NUMBER", text, place)


def _fit_int(exponent: str, fraction: int) -> bool:
    number = int(exponent)
    return -_int_max - 1 <= number <= _int_max and -_int_max - 1 <= fraction - number <= _int_max


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
_operators = {each: each for each in ("=", "<>", "<", "<=", ">", ">=", "||", "%", "@", "+", "~", "-", "/")}
_fixed = {
    **{text: (kind, text) for text, kind in _punctuation.items()},
    **{text: ("OPERATOR", operator) for text, operator in (_operators | {"!=": "<>"}).items()},
}
_kinds_of_words = {
    **dict.fromkeys(keywords, "KEYWORD"),
    **dict.fromkeys(("true", "false"), "BOOLEAN"),
    **tokens_of_their_own,
    **dict.fromkeys(word_operators, "OPERATOR"),
}
_kinds: dict[str, Callable[[str, Place], Token]] = {  # by the first character; what has none is space
    **dict.fromkeys(string.ascii_letters + "_$", _word),
    **dict.fromkeys(string.digits + ".", _number),
    "'": _string,
    '"': _quoted,
}
_int_max = 2**31 - 1
_line_end = re.compile(r"\r\n|\r|\n")
_tokens = r"""
        [ \t\r\n\f\v]+ | --[^\r\n]* | /\*(?:[^*]|\*(?!/))*\*/
      | [A-Za-z_$][A-Za-z0-9_$]*
      | '(?:[^']|'')*'
      | "(?:[^"]|"")*"
      | (?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+|(?![eE]))
      | <=|>=|<>|!=|\|\||<(?!<)|>(?!>)|[=%@+~-]|/(?!\*)
      | <<|>>|[()\[\]{}:,.*;?]
"""
_well_formed = re.compile(_tokens, re.ASCII | re.VERBOSE)
_token = re.compile(rf"{_tokens} | .+", re.ASCII | re.DOTALL | re.VERBOSE)
