"""Attribute values as a client wrote them: one pass checks them, makes them canonical in place and adds up their size.

A wrong JSON type raises `SerializationError` at once, because DynamoDB reports those before everything else. Any other
fault is only *found*: the first one is handed back, for the parser to raise when its turn in DynamoDB's order comes.
"""

import re
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Callable
from typing import Any, NamedTuple

from services.region.api.dynamodb.serialization import (
    read_flag,
    read_text,
    wrong_blob,
    wrong_element,
    wrong_list,
    wrong_map,
)
from shared import limits
from shared.errors import SerializationError
from shared.model.numbers import NumberError, canonical_number
from shared.model.sizes import item_size_bytes
from shared.model.values import AttributeValue, Item, ordered_members

_invalid = "One or more parameter values were invalid: "
_empty_value = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
_several_types = (
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
)
_null_in_text_set = f"{_invalid}An string set may not have a null string as a member"
_too_deep = (
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
)
_too_large_name = f"Attribute name is too large, must be less than {limits.attribute_name_bytes_max + 1} bytes"
_value_class = "com.amazonaws.dynamodb.v20120810.AttributeValue"
_plain_number = re.compile(r"-?[1-9][0-9]{0,17}|-?(?:0|[1-9][0-9]{0,17})\.[0-9]{0,17}[1-9]|0", re.ASCII).fullmatch
_value_overhead_bytes = 8  # more than any value adds to the bytes of its name and content


class Problem(NamedTuple):
    """The first thing wrong with a set of attributes that are well-formed JSON."""

    attribute: str
    message: str


class Attributes(NamedTuple):
    """What one pass over a map of attributes found."""

    item: Item  # canonical, unless there is a problem
    size_max_bytes: int  # at least as large as the item's size, and cheap
    problem: Problem | None
    nests_very_deep: bool = False


class StandaloneValue(NamedTuple):
    """An attribute value outside of a map of attributes, and the first thing wrong with it."""

    value: AttributeValue
    problem: str | None
    nests_very_deep: bool = False


def read_attributes(
    attributes: dict[str, Any], levels_max: int = limits.nesting_levels_max, *, older_words: bool = False
) -> Attributes:
    """Check an item, a key or a map of expression values, and make it canonical in place.

    `older_words`: BatchWriteItem and Scan tell of wrong numbers and of duplicates as all operations once did.
    """
    characters = 0
    findings: _Findings | None = None
    for name, value in attributes.items():
        if type(value) is dict and len(value) == 1:
            [(kind, content)] = value.items()
            if type(content) is str and (kind == "S" or (kind == "N" and _plain_number(content))):
                characters += len(name) + len(content)
                continue
        if findings is None:
            findings = _Findings(levels_max, older_words=older_words)
        findings.attribute = name
        characters += len(name)
        attributes[name] = _read_value(value, 1, findings)
    size_max_bytes = 4 * characters + _value_overhead_bytes * len(attributes)
    if findings is None:
        problem = None
    else:
        problem = findings.problem
        size_max_bytes += findings.size_max_bytes
    if "" in attributes or (size_max_bytes > limits.attribute_name_bytes_max and problem is None):
        problem = _name_problem(attributes) or problem
    return Attributes(attributes, size_max_bytes, problem, findings is not None and findings.nests_very_deep)


def read_value(
    value: object, levels_max: int = limits.nesting_levels_max, *, older_words: bool = False
) -> StandaloneValue:
    """Check one attribute value, and make it canonical."""
    findings = _Findings(levels_max, older_words=older_words)
    canonical = _read_value(value, 1, findings)
    problem = None if findings.problem is None else findings.problem.message
    return StandaloneValue(canonical, problem, findings.nests_very_deep)


def wrong_name(name: str) -> str | None:
    """What is wrong with the name of an attribute."""
    if not name:
        return "Empty attribute name"
    return _too_large_name if _is_too_large_name(name) else None


def is_too_large(attributes: Attributes) -> bool:
    """Whether an item is larger than DynamoDB stores; its exact size is added up only where the bound is not enough."""
    if attributes.size_max_bytes <= limits.item_bytes_max:
        return False
    return item_size_bytes(attributes.item) > limits.item_bytes_max


class _Findings:
    __slots__ = ("attribute", "levels_max", "nests_very_deep", "older_words", "problem", "size_max_bytes")

    def __init__(self, levels_max: int, *, older_words: bool) -> None:
        self.levels_max = levels_max
        self.older_words = older_words
        self.attribute = ""
        self.nests_very_deep = False
        self.problem: Problem | None = None
        self.size_max_bytes = 0

    def add(self, message: str, older: str | None = None) -> None:
        if self.problem is None:
            self.problem = Problem(self.attribute, older if older is not None and self.older_words else message)


def _read_value(value: object, depth: int, findings: _Findings) -> AttributeValue:
    if type(value) is not dict:
        if value is not None:
            raise wrong_element(value, _value_class)
        findings.add(_empty_value)
        return {}
    findings.size_max_bytes += _value_overhead_bytes
    canonical = {
        kind: reader(content, depth, findings)
        for kind, content in value.items()
        if content is not None and (reader := _readers.get(kind)) is not None
    }
    if len(canonical) != 1:
        findings.add(_several_types if canonical else _empty_value)
    return canonical


def _read_text(content: object, _depth: int, findings: _Findings) -> str:
    text = read_text(content)
    findings.size_max_bytes += 4 * len(text)
    return text


def _read_number(content: object, _depth: int, findings: _Findings) -> str:
    text = read_text(content)
    findings.size_max_bytes += limits.number_digits_max
    try:
        return canonical_number(text)
    except NumberError as error:
        findings.add(error.message, error.older)
        return text


def _read_binary(content: object, _depth: int, findings: _Findings) -> str:
    if type(content) is not str:
        raise wrong_blob(content)
    findings.size_max_bytes += len(content)
    try:
        canonical = b64encode(a2b_base64(content, strict_mode=True)).decode()
    except ValueError as error:
        raise _wrong_base64(content) from error
    if canonical != content:
        raise _wrong_base64(content)
    return content


def _wrong_base64(text: str) -> SerializationError:
    """The words of the Base64 codec in the AWS SDK for Java, which the service shares."""
    if len(text) % 4:
        return SerializationError(f"Base64 encoded length is expected a multiple of 4 bytes but found: {len(text)}")
    strange = re.search(r"[^A-Za-z0-9+/=]", text)
    if strange is not None:
        return SerializationError(f"Invalid base 64 character: '{strange[0]}'")
    return SerializationError("Invalid last non-pad Base64 character dectected")


def _read_boolean(content: object, _depth: int, _findings: _Findings) -> bool:
    return read_flag(content)


def _read_null(content: object, _depth: int, findings: _Findings) -> bool:
    if not read_flag(content):
        findings.add(f"{_invalid}Null attribute value types must have the value of true")
    return True


def _read_text_set(content: object, depth: int, findings: _Findings) -> list[str]:
    texts = _read_elements(content, _read_text, depth, findings, of_null=_null_in_text_set)
    members = ordered_members("SS", texts)
    if not texts:
        findings.add(f"{_invalid}An string set  may not be empty")
    elif len(members) < len(texts):
        told = (", ".join(f'"{text}"' for text in _ordered_up_to_repeat("SS", texts)), ", ".join(texts))
        findings.add(*(f"{_invalid}Input collection [{shown}] contains duplicates." for shown in told))
    return members


def _read_number_set(content: object, depth: int, findings: _Findings) -> list[str]:
    numbers = _read_elements(content, _read_number, depth, findings)
    if not numbers:
        findings.add(f"{_invalid}An number set  may not be empty")
    elif len(set(numbers)) < len(numbers):
        findings.add(f"{_invalid}Input collection contains duplicates.", "Input collection contains duplicates")
    return ordered_members("NS", numbers) if findings.problem is None else numbers


def _read_binary_set(content: object, depth: int, findings: _Findings) -> list[str]:
    binaries = _read_elements(content, _read_binary, depth, findings)
    members = ordered_members("BS", binaries)
    if not binaries:
        findings.add(f"{_invalid}Binary sets should not be empty")
    elif len(members) < len(binaries):
        told = (",".join(f'"{binary}"' for binary in _ordered_up_to_repeat("BS", binaries)), ", ".join(binaries))
        findings.add(*(f"{_invalid}Input collection [{shown}]of type BS contains duplicates." for shown in told))
    return members


def _ordered_up_to_repeat(kind: str, members: list[str]) -> list[str]:
    """As the service shows duplicates: what comes before the first repeat in order, then the rest as it was sent."""
    first: set[str] = set()
    for place, member in enumerate(members):
        if member in first:
            return ordered_members(kind, first) + members[place:]
        first.add(member)
    raise AssertionError("there is a repeat")


def _read_elements(
    content: object,
    reader: Callable[[object, int, _Findings], str],
    depth: int,
    findings: _Findings,
    *,
    of_null: str = _empty_value,
) -> list[str]:
    """`of_null` is what the service says of null among the members."""
    if type(content) is not list:
        raise wrong_list(content)
    if None in content:
        findings.add(of_null)
    return [reader(element, depth, findings) for element in content if element is not None]


def _read_list(content: object, depth: int, findings: _Findings) -> list[AttributeValue]:
    if type(content) is not list:
        raise wrong_list(content)
    if not _may_hold(content, depth, findings):
        return []
    return [_read_value(element, depth + 1, findings) for element in content]


def _read_map(content: object, depth: int, findings: _Findings) -> Item:
    if type(content) is not dict:
        raise wrong_map(content, _value_class)
    if not _may_hold(content, depth, findings):
        return {}
    names_size_max_bytes = 4 * sum(map(len, content))
    findings.size_max_bytes += names_size_max_bytes
    if names_size_max_bytes > limits.attribute_name_bytes_max and any(map(_is_too_large_name, content)):
        findings.add(_too_large_name)
    return {name: _read_value(element, depth + 1, findings) for name, element in content.items()}


def _may_hold(content: list[Any] | dict[str, Any], depth: int, findings: _Findings) -> bool:
    """What lies deeper than the limit is not looked at, so that hostile nesting costs nothing."""
    if not content or depth < findings.levels_max:
        return True
    findings.add(_too_deep)
    findings.nests_very_deep |= _nests_deeper(content, limits.newer_words_levels_max - depth)
    return False


def _nests_deeper(content: Any, levels: int) -> bool:
    """Whether there are more than so many levels of documents inside of this one."""
    layer = [content]
    for _ in range(levels + 1):
        layer = [
            inner
            for each in layer
            for value in (each.values() if isinstance(each, dict) else each if isinstance(each, list) else ())
            if isinstance(value, dict)
            for inner in (value.get("M"), value.get("L"))
            if inner
        ]
    return bool(layer)


def _is_too_large_name(name: str) -> bool:
    return len(name) * 4 > limits.attribute_name_bytes_max and len(name.encode()) > limits.attribute_name_bytes_max


def _name_problem(attributes: dict[str, Any]) -> Problem | None:
    for name in attributes:
        if (message := wrong_name(name)) is not None:
            return Problem(name, message)
    return None


_readers: dict[str, Callable[[object, int, _Findings], Any]] = {
    "S": _read_text,
    "N": _read_number,
    "B": _read_binary,
    "BOOL": _read_boolean,
    "NULL": _read_null,
    "SS": _read_text_set,
    "NS": _read_number_set,
    "BS": _read_binary_set,
    "L": _read_list,
    "M": _read_map,
}
