"""JSON in which numbers keep every digit: each is read as the token that was written, and written as it is stored.

What other readers let pass is refused here, because it would lose something: a name that occurs twice in an object,
NaN and Infinity, half of a surrogate pair.
"""

import json
from typing import Any, NoReturn

import orjson

from shared.errors import SerializationError


class NumberToken:
    """A number as it was written; not yet known to be one that DynamoDB can store."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NumberToken) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return self.text


def read_json(body: bytes) -> object:
    """The document with `NumberToken` for numbers, or `SerializationError`."""
    try:
        document: object = json.loads(
            body.decode(),
            parse_int=NumberToken,
            parse_float=NumberToken,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
        if b"\\ud" in body.lower():
            _check_surrogates(document)
    except json.JSONDecodeError as error:
        raise SerializationError(f"The body is not JSON: {error.msg}, at character {error.pos}") from error
    except UnicodeError as error:
        raise SerializationError("The body is not Unicode text in UTF-8") from error
    except RecursionError as error:
        raise SerializationError("The body is nested too deep") from error
    return document


def write_json(document: object) -> bytes:
    """The document, of which numbers may be `number_fragment`s."""
    return orjson.dumps(document)


def number_fragment(text: str) -> orjson.Fragment:
    """A canonical number as it will stand in the JSON that is written."""
    return orjson.Fragment(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise SerializationError(f"The name {json.dumps(twice)} occurs twice in one object")
    return members


def _refuse_constant(text: str) -> NoReturn:
    raise SerializationError(f"{text} is not a JSON number")


def _check_surrogates(document: object) -> None:
    """Raises `UnicodeEncodeError` for text that is no Unicode text."""
    pending = [document]
    while pending:
        match pending.pop():
            case str() as text:
                text.encode()
            case dict() as members:
                pending.extend(members)
                pending.extend(members.values())
            case list() as elements:
                pending.extend(elements)
