"""What is wrong with an answer, whatever was asked: nothing, if it came in time and in the service's form."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from tests.fuzz.service_model import Operation

answer_s_max = 5.0
common_errors = frozenset(
    [
        *("ValidationException", "SerializationException", "UnknownOperationException", "AccessDeniedException"),
        *("ThrottlingException", "ResourceNotFoundException"),
    ]
)
"""Errors that every operation may end with; the model lists the others."""
unlisted_members = frozenset(["TableThroughputModeSummary"])
"""What DynamoDB says of a table beyond its model, and clients pass over."""


class Answer(NamedTuple):
    status: int
    body: bytes
    seconds: float


def fault_of(answer: Answer, operation: Operation) -> str | None:
    if answer.seconds > answer_s_max:
        return f"answered after {answer.seconds:.1f} s"
    if answer.status >= 500:
        return f"status {answer.status}"
    if answer.status == 200 and operation.answered is None:
        return "says something" if answer.body else None
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return "no JSON"
    if answer.status == 200:
        try:
            return _misshapen(operation.answered, document, "the reply")
        except RecursionError:
            return "the reply is nested deeper than any item may be"
    return _fault_of_refusal(answer.status, document, operation)


def _fault_of_refusal(status: int, document: Any, operation: Operation) -> str | None:
    if status not in (400, 413):
        return f"status {status}"
    if not isinstance(document, dict) or not isinstance(document.get("__type"), str):
        return "a refusal without a type"
    error = document["__type"].rpartition("#")[2]
    if error not in common_errors | operation.errors:
        return f"refused with {error}, which the model doesn't have for {operation.name}"
    return None


def _misshapen(shape: Any, document: Any, where: str) -> str | None:
    """What a client that was made from the model could not read."""
    if not _fits[shape.type_name](document):
        return f"{where} is no {shape.type_name}"
    if shape.type_name == "structure":
        return _misshapen_structure(shape, document, where)
    if shape.type_name == "list":
        return _first(_misshapen(shape.member, element, f"{where}[{n}]") for n, element in enumerate(document))
    if shape.type_name == "map":
        return _first(_misshapen(shape.value, value, f"{where}[{name!r}]") for name, value in document.items())
    if shape.type_name == "string" and shape.enum and document not in shape.enum:
        return f"{where} is {document!r}"
    return None


def _misshapen_structure(shape: Any, document: dict[str, Any], where: str) -> str | None:
    members = {name: value for name, value in document.items() if name not in unlisted_members}
    missing, unknown = sorted({*shape.required_members} - {*members}), sorted({*members} - {*shape.members})
    if missing or unknown:
        return f"{where} lacks {missing} and has {unknown}"
    if shape.name == "AttributeValue" and len(members) != 1:
        return f"{where} is {document}"
    return _first(_misshapen(shape.members[name], value, f"{where}.{name}") for name, value in members.items())


def _first(faults: Iterable[str | None]) -> str | None:
    return next((fault for fault in faults if fault is not None), None)


def _is_number(document: Any) -> bool:
    return isinstance(document, int | float) and not isinstance(document, bool)


def _is_integer(document: Any) -> bool:
    return isinstance(document, int) and not isinstance(document, bool)


_fits: Mapping[str, Callable[[Any], bool]] = {
    "structure": lambda document: isinstance(document, dict),
    "map": lambda document: isinstance(document, dict),
    "list": lambda document: isinstance(document, list),
    "string": lambda document: isinstance(document, str),
    "blob": lambda document: isinstance(document, str),
    "boolean": lambda document: isinstance(document, bool),
    "integer": _is_integer,
    "long": _is_integer,
    "float": _is_number,
    "double": _is_number,
    "timestamp": _is_number,
}
