"""ExpressionAttributeNames and ExpressionAttributeValues of one request: checked, looked up, all used in the end."""

import re
from collections.abc import Iterable, Mapping

from services.region.expressions.problems import ExpressionProblem
from shared.errors import ValidationError
from shared.limits import attribute_name_bytes_max, placeholder_bytes_max
from shared.model.values import AttributeValue


class NameSizeError(ValidationError):
    """A name that is too long; `reason` tells so without its placeholder."""

    reason = f"Attribute name is too large, must be less than {attribute_name_bytes_max + 1} bytes"

    def __init__(self, placeholder: str) -> None:
        super().__init__(f"ExpressionAttributeNames contains invalid value: {self.reason} for key {placeholder}")


class Substitutions:
    """What a request's placeholders stand for. One instance serves all expressions of the request.

    Only the placeholders are judged here, not the values; both maps may be None, neither may be empty.
    """

    __slots__ = ("_names", "_used_names", "_used_values", "_values")

    def __init__(self, names: Mapping[str, str] | None, values: Mapping[str, AttributeValue] | None) -> None:
        if names is not None:
            _check_names(names)
        if values is not None:
            _check_values(values)
        self._names: Mapping[str, str] = names or {}
        self._values: Mapping[str, AttributeValue] = values or {}
        self._used_names: set[str] = set()
        self._used_values: set[str] = set()

    def name_of(self, placeholder: str) -> str:
        name = self._names.get(placeholder)
        if name is None:
            raise ExpressionProblem(
                f"An expression attribute name used in the document path is not defined; attribute name: {placeholder}"
            )
        self._used_names.add(placeholder)
        return name

    def value_of(self, placeholder: str) -> AttributeValue:
        value = self._values.get(placeholder)
        if value is None:
            raise ExpressionProblem(
                f"An expression attribute value used in expression is not defined; attribute value: {placeholder}"
            )
        self._used_values.add(placeholder)
        return value

    def check_all_used(self) -> None:
        """To be called when all expressions of the request are bound."""
        _check_used("ExpressionAttributeNames", self._names, self._used_names)
        _check_used("ExpressionAttributeValues", self._values, self._used_values)


def _check_names(names: Mapping[str, str]) -> None:
    if not names:
        raise ValidationError("ExpressionAttributeNames must not be empty")
    for placeholder, name in names.items():
        if not _name_placeholder.fullmatch(placeholder):
            if (size := len(placeholder.encode())) > placeholder_bytes_max:
                raise ValidationError(
                    "ExpressionAttributeNames contains invalid key: The expression attribute map contains a key "
                    f"that is too long; size of key: {size}"
                )
            raise ValidationError(f'ExpressionAttributeNames contains invalid key: Syntax error; key: "{placeholder}"')
        if not name:
            raise ValidationError(
                f"ExpressionAttributeNames contains invalid value: Empty attribute name for key {placeholder}"
            )
        if len(name) * 4 > attribute_name_bytes_max and len(name.encode()) > attribute_name_bytes_max:
            raise NameSizeError(placeholder)


def _check_values(values: Mapping[str, AttributeValue]) -> None:
    if not values:
        raise ValidationError("ExpressionAttributeValues must not be empty")
    for placeholder in values:
        if not _value_placeholder.fullmatch(placeholder):
            if len(placeholder.encode()) > placeholder_bytes_max:
                raise ValidationError(
                    "ExpressionAttributeValues contains invalid key: The expression attribute map contains a key "
                    "that is too long;"
                )
            raise ValidationError(f'ExpressionAttributeValues contains invalid key: Syntax error; key: "{placeholder}"')


def _check_used(parameter: str, placeholders: Iterable[str], used: set[str]) -> None:
    unused = [placeholder for placeholder in placeholders if placeholder not in used]
    if unused:
        raise ValidationError(f"Value provided in {parameter} unused in expressions: keys: {{{', '.join(unused)}}}")


_name_placeholder = re.compile(rf"#[A-Za-z0-9_]{{1,{placeholder_bytes_max - 1}}}", re.ASCII)
_value_placeholder = re.compile(rf":[A-Za-z0-9_]{{1,{placeholder_bytes_max - 1}}}", re.ASCII)
