"""Items as plain JSON, without loss in either direction.

Strings, numbers, booleans, null, lists and maps are JSON's own. The four types that JSON lacks, and a map that could
be taken for one of them, have one tagged form each:

    binary      {"$binary": "<base64>"}
    string set  {"$string_set": ["a", "b"]}
    number set  {"$number_set": [1, 2.5]}
    binary set  {"$binary_set": ["<base64>"]}
    map         {"$map": {...}}, written only for a map whose single name begins with "$"

The attributes of an item stand at the top and are never tagged: an item may have one attribute named "$binary".
"""

from collections.abc import Callable
from typing import Any

from services.region.api.dynamodb.attribute_values import Attributes, read_attributes
from services.region.api.rest.plain_json import NumberToken, number_fragment
from shared.errors import ValidationError
from shared.limits import nesting_levels_max
from shared.model.values import AttributeValue, Item, type_of


def attributes_of(plain: dict[str, Any]) -> Attributes:
    """The attributes that a plain item, key or map of expression values describes, checked and canonical."""
    return read_attributes({name: _attribute_value(value, 1) for name, value in plain.items()})


def plain_item(item: Item) -> dict[str, Any]:
    """An item for `write_json`."""
    return {name: _plain_value(value) for name, value in item.items()}


def _attribute_value(plain: object, depth: int) -> AttributeValue:
    match plain:
        case str():
            return {"S": plain}
        case NumberToken():
            return {"N": plain.text}
        case bool():
            return {"BOOL": plain}
        case None:
            return {"NULL": True}
    if depth > nesting_levels_max:
        raise ValidationError(f"Nesting levels have exceeded the limit of {nesting_levels_max}")
    match plain:
        case list():
            return {"L": [_attribute_value(element, depth + 1) for element in plain]}
        case dict():
            return _tagged_value(plain, depth) or {"M": _map_content(plain, depth)}
    raise AssertionError("JSON has no other types")


def _tagged_value(plain: dict[str, Any], depth: int) -> AttributeValue | None:
    """What an object with a single name that begins with "$" stands for; None for every other object."""
    if len(plain) != 1:
        return None
    [(tag, content)] = plain.items()
    if not tag.startswith("$"):
        return None
    if tag == "$map":
        if not isinstance(content, dict):
            raise _wrong_content(tag, "an object")
        return {"M": _map_content(content, depth)}
    if tag not in _tags:
        raise ValidationError(
            f'{tag} is no type. A map whose single name begins with "$" is written as {{"$map": {{...}}}}'
        )
    kind, read = _tags[tag]
    return {kind: read(tag, content)}


def _map_content(plain: dict[str, Any], depth: int) -> Item:
    return {name: _attribute_value(value, depth + 1) for name, value in plain.items()}


def _text(tag: str, content: object) -> str:
    if not isinstance(content, str):
        raise _wrong_content(tag, "base64 text")
    return content


def _texts(tag: str, content: object) -> list[str]:
    if not isinstance(content, list) or not all(isinstance(element, str) for element in content):
        raise _wrong_content(tag, "a list of strings")
    return list(content)


def _numbers(tag: str, content: object) -> list[str]:
    if not isinstance(content, list) or not all(isinstance(element, NumberToken) for element in content):
        raise _wrong_content(tag, "a list of numbers")
    return [element.text for element in content]


def _wrong_content(tag: str, wanted: str) -> ValidationError:
    return ValidationError(f"{tag} takes {wanted}")


_tags: dict[str, tuple[str, Callable[[str, object], Any]]] = {
    "$binary": ("B", _text),
    "$string_set": ("SS", _texts),
    "$number_set": ("NS", _numbers),
    "$binary_set": ("BS", _texts),
}


def _plain_value(value: AttributeValue) -> Any:
    kind = type_of(value)
    content = value[kind]
    match kind:
        case "S" | "BOOL":
            return content
        case "N":
            return number_fragment(content)
        case "NULL":
            return None
        case "L":
            return [_plain_value(element) for element in content]
        case "M":
            members = plain_item(content)
            is_like_a_tag = len(members) == 1 and next(iter(members)).startswith("$")
            return {"$map": members} if is_like_a_tag else members
        case "B":
            return {"$binary": content}
        case "NS":
            return {"$number_set": [number_fragment(element) for element in content]}
        case "SS":
            return {"$string_set": content}
        case _:
            return {"$binary_set": content}
