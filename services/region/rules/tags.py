"""What tags may be: their number, their characters, and the words for those that can't be."""

import unicodedata
from collections.abc import Mapping, Sequence, Sized
from typing import Any

from shared.errors import ValidationError
from shared.limits import tag_key_chars_max, tag_value_chars_max, tags_max

_punctuation = frozenset("+-=._:/@")
_too_many = "Number of Tags exceed the current limit for the provided ResourceArn"


def tags_of(pairs: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """Tags as requests give them: `Key` and `Value` of each, which may be missing."""
    tags: dict[str, str] = {}
    for pair in pairs:
        key, value = pair.get("Key"), pair.get("Value")
        check_key(key)
        if value is None or len(value) > tag_value_chars_max or not _is_plain(value):
            raise ValidationError(f"The Tag Value provided is invalid, Value: {'null' if value is None else value}")
        if key in tags:
            raise ValidationError(f"Duplicate Tag Keys provided as input: Duplicate Tag Key found {key}")
        tags[str(key)] = value
    check_count(tags)
    return tags


def check_any(given: Sized, kind: str) -> None:
    if not given:
        raise ValidationError(f"Atleast one {kind} needs to be provided as Input.")


def check_key(key: str | None) -> None:
    if not key or len(key) > tag_key_chars_max or not _is_plain(key):
        raise ValidationError(f"The Tag Key provided is invalid, Key: {'null' if key is None else key}")
    if key.lower().startswith("aws:"):
        raise ValidationError(f"Tag Key cannot be prefixed with aws:, Key: {key}")


def check_count(tags: Mapping[str, str] | Sequence[str]) -> None:
    if len(tags) > tags_max:
        raise ValidationError(_too_many)


def _is_plain(text: str) -> bool:
    """Letters, digits and spaces of any script, and a few signs."""
    return all(char in _punctuation or unicodedata.category(char)[0] in "LNZ" for char in text)
