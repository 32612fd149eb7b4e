"""Constraint errors: everything that a request's members violate, collected into one ValidationException.

"2 validation errors detected: Value 'a' at 'limit' failed to satisfy constraint: ...; Value ..." The values are shown
as Java shows them. The service stops after ten errors.
"""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any
from zlib import crc32

import orjson

from services.region.api.dynamodb import table_names
from services.region.api.dynamodb.attribute_values import Attributes, StandaloneValue
from services.region.api.dynamodb.members import (
    ListOf,
    MapOf,
    Members,
    Shape,
    Structure,
    TableName,
    Text,
    Whole,
    java_name,
)
from shared.errors import ValidationError

_errors_max = 10
_not_null = "Member must not be null"
_envelope = re.compile(r"\d+ validation errors? detected: ").match
_map_key = (
    "Map keys must satisfy constraint: [Member must have length less than or equal to 255, "
    "Member must have length greater than or equal to 3, "
    f"Member must satisfy regular expression pattern: {table_names.pattern}]"
)

_wrong_metrics = "ReturnItemCollectionMetrics can only be SIZE or NONE"
_newest_words = {
    "TableName": (
        "Value at 'TableName' failed to satisfy constraint: Member must have length greater than or equal to 1"
    ),
    "ReturnValues": (
        "Failed to satisfy constraint: "
        "Member must satisfy enum value set: [ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]"
    ),
    "ConditionalOperator": "Failed to satisfy constraint: Member must satisfy enum value set: [ALL, OR]",
    "ReturnItemCollectionMetrics": _wrong_metrics,
}


class BareError(ValidationError):
    """Unlike what else is wrong with a write, this is never told in an envelope."""


def check(members: Members, shape: Structure) -> None:
    """Raise one `ValidationError` that names every constraint (up to ten) that the members violate."""
    errors: list[str] = []
    _judge_members(members, shape, "", errors)
    if errors:
        raise errors_detected(errors)


def check_write(members: Members, shape: Structure, *, alone: Sequence[str], bare: Collection[str] = ()) -> None:
    """As `check`, in the words of PutItem, UpdateItem and DeleteItem.

    The first of the members in `alone` that is wrong is told by itself, of some members neither value nor place, and of
    those in `bare` without an envelope. What collection metrics are asked for is told if nothing else is wrong.
    Requests without a key or an item, and ones that nest very deep, are told of in the older words.
    """
    errors: list[str] = []
    _judge_members(members, shape, "", errors)
    if errors:
        if not shape.required <= members.keys() or nests_very_deep(members):
            raise errors_detected(errors)
        first = next((name for name in alone if _errors_of(name, members, shape)), None)
        told = _errors_of_write(members, shape, first)
        raise BareError(told[0]) if first in bare else errors_detected(told)


def nests_very_deep(members: Members) -> bool:
    """Whether the service tells what is wrong with such a write in its older words."""
    values = [*members.values()]
    for name in ("Expected", "AttributeUpdates"):
        values += [part.get("Value") for part in members.get(name, {}).values() if part is not None]
    return any(isinstance(value, Attributes | StandaloneValue) and value.nests_very_deep for value in values)


def check_read(members: Members, shape: Structure, *, bare: str | None = None) -> None:
    """As `check`, but of numbers out of bounds, if nothing else is wrong, the first is told without its value.

    If the member `bare` is wrong, that is told by itself and without an envelope.
    """
    errors: list[str] = []
    _judge_members(members, shape, "", errors)
    if errors:
        if bare is not None and _errors_of(bare, members, shape):
            raise ValidationError(_newest_words[bare])
        numbers = [name for name, member in shape.members.items() if isinstance(member, Whole)]
        wrong = [(name, error) for name in numbers for error in _errors_of(name, members, shape)]
        if len(wrong) == len(errors):
            name, error = wrong[0]
            errors = [f"Value at '{name}' failed{error.partition(' failed')[2]}"]
        raise errors_detected(errors)


def errors_detected(errors: list[str]) -> ValidationError:
    shown = errors[:_errors_max]
    return ValidationError(f"{len(shown)} validation error{'s' if len(shown) > 1 else ''} detected: {'; '.join(shown)}")


def in_envelope(error: ValidationError) -> ValidationError:
    """Any error of a request, told as its constraints are: PutItem, UpdateItem and DeleteItem do so."""
    return error if _envelope(error.message) else errors_detected([error.message])


def _judge_members(members: Members, shape: Structure, path: str, errors: list[str]) -> None:
    for name, java, member in shape.judged:
        value = members.get(name)
        if value is not None:
            judge = _judges.get(type(member))
            if judge is not None:
                judge(value, member, path + java, errors)
        elif name in shape.required:
            if isinstance(member, TableName) and member.of_calls_on_tables:
                raise ValidationError(f"The parameter '{name}' is required but was not present in the request")
            errors.append(_error(None, member, path + java, _not_null))


def _errors_of_write(members: Members, shape: Structure, first: str | None) -> list[str]:
    names = [first] if first else [name for name, _, _ in shape.judged]
    told = [error for name in names for error in _told_by_write(name, members, shape)]
    return [error for error in told if error != _wrong_metrics] or told


def _told_by_write(name: str, members: Members, shape: Structure) -> list[str]:
    errors = _errors_of(name, members, shape)
    if not errors or name not in _newest_words or (name == "TableName" and members[name]):
        return errors
    return [_newest_words[name]]


def _errors_of(name: str, members: Members, shape: Structure) -> list[str]:
    errors: list[str] = []
    member = shape.members[name]
    if name in members and (judge := _judges.get(type(member))) is not None:
        judge(members[name], member, java_name(name), errors)
    return errors


def _judge_element(element: Any, shape: Shape, place: str, errors: list[str]) -> None:
    if element is None:
        errors.append(_error(None, shape, place, _not_null))
    elif (judge := _judges.get(type(shape))) is not None:
        judge(element, shape, place, errors)


def _judge_text(value: str, shape: Text, place: str, errors: list[str]) -> None:
    bounds = (shape.length_min, shape.length_max)
    if shape.tells_length_first:
        _judge_bounds(len(value), bounds, "length", (value, shape, place), errors)
    if shape.enum and value not in shape.enum:
        errors.append(_error(value, shape, place, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"))
    if shape.pattern and re.fullmatch(shape.pattern, value, re.ASCII) is None:
        errors.append(_error(value, shape, place, f"Member must satisfy regular expression pattern: {shape.pattern}"))
    if not shape.tells_length_first:
        _judge_bounds(len(value), bounds, "length", (value, shape, place), errors)


def _judge_whole(value: int, shape: Whole, place: str, errors: list[str]) -> None:
    _judge_bounds(value, (shape.min, shape.max), "value", (value, shape, place), errors)


def _judge_table_name(value: str, shape: TableName, place: str, errors: list[str]) -> None:
    if table_names.table_name_of(value) is not None:
        return
    if value.startswith("arn:"):
        errors.append(_error(value, shape, place, table_names.arn_constraint))
    elif value or shape.of_calls_on_tables:
        first = shape.of_calls_on_tables
        told = Text(pattern=table_names.pattern, length_min=3, length_max=255, tells_length_first=first)
        _judge_text(value, told, place, errors)
    else:
        _judge_text(value, Text(length_min=1), place, errors)


def _judge_list(value: list[Any], shape: ListOf, place: str, errors: list[str]) -> None:
    _judge_bounds(len(value), (shape.length_min, None), "length", (value, shape, place), errors)
    _judge_bounds(len(value), (None, shape.length_max), "length", (value, shape, shape.excess_at or place), errors)
    for number, element in enumerate(value, 1):
        _judge_element(element, shape.element, f"{place}.{number}.member", errors)


def _judge_map(value: dict[str, Any], shape: MapOf, place: str, errors: list[str]) -> None:
    judges_names = shape.table_names and not (errors and shape.wrong_names_give_way)
    if judges_names and any(table_names.table_name_of(key) is None for key in value):
        errors.append(_error(value, shape, place, _map_key))
    bounds = shape.values
    if bounds is not None and not all(element is not None and _fits(element, bounds) for element in value.values()):
        errors.append(
            _error(
                *(value, shape, place),
                "Map value must satisfy constraint: "
                f"[Member must have length less than or equal to {bounds.length_max}, "
                f"Member must have length greater than or equal to {bounds.length_min}]",
            )
        )
    for key, element in value.items():
        _judge_element(element, shape.element, f"{place}.{key}.member", errors)


def _judge_structure(value: Members, shape: Structure, place: str, errors: list[str]) -> None:
    _judge_members(value, shape, f"{place}.", errors)


def _fits(value: list[Any], bounds: ListOf) -> bool:
    return (bounds.length_min or 0) <= len(value) <= (bounds.length_max or len(value))


def _judge_bounds(
    measure: int,
    bounds: tuple[int | None, int | None],
    what: str,
    subject: tuple[Any, Shape, str],
    errors: list[str],
) -> None:
    lowest, highest = bounds
    if lowest is not None and measure < lowest:
        errors.append(_error(*subject, f"Member must have {what} greater than or equal to {lowest}"))
    if highest is not None and measure > highest:
        errors.append(_error(*subject, f"Member must have {what} less than or equal to {highest}"))


def _error(value: Any, shape: Shape, place: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{java_text(value, shape)}'"
    return f"Value {shown} at '{place}' failed to satisfy constraint: {constraint}"


def java_text(value: Any, shape: Shape) -> str:
    """A value as the service's own language prints it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Attributes):
        return f"{{{', '.join(f'{name}={_java_object(content)}' for name, content in value.item.items())}}}"
    if isinstance(value, StandaloneValue):
        return _java_object(value.value)
    if isinstance(shape, ListOf):
        return f"[{', '.join(java_text(element, shape.element) for element in value)}]"
    if isinstance(shape, MapOf) and shape.shown_as_json:
        return orjson.dumps(value, lambda attributes: attributes.item).decode()
    if isinstance(shape, MapOf):
        return f"{{{', '.join(f'{key}={java_text(element, shape.element)}' for key, element in value.items())}}}"
    if isinstance(shape, Structure):
        names = shape.printed or shape.members
        members = (f"{java_name(name)}={java_text(value.get(name), shape.members[name])}" for name in names)
        return f"{shape.name}({', '.join(members)})"
    return str(value) if not isinstance(value, dict) else _java_object(value)


def _java_object(value: Any) -> str:
    return f"com.amazonaws.dynamodb.v20120810.AttributeValue@{crc32(orjson.dumps(value)):08x}"


_judges: dict[type, Callable[..., None]] = {
    Text: _judge_text,
    Whole: _judge_whole,
    TableName: _judge_table_name,
    ListOf: _judge_list,
    MapOf: _judge_map,
    Structure: _judge_structure,
}
