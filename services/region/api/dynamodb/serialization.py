"""SerializationException: a member that has another JSON type than the service model says, in DynamoDB's words.

The words name Java's types and the JSON token that was found, and differ by where the value stands.
"""

import math
from typing import Any

from shared.errors import SerializationError

integer_max = 2**31 - 1
long_max = 2**63 - 1
_unexpected_structure = "Start of structure or map found where not expected"
_parameterized = "sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl"
_flags = {"TRUE": True, "1": True, "YES": True, "FALSE": False, "0": False, "NO": False}


def request_of(document: object) -> dict[str, Any]:
    """The members of a request, from its decoded JSON body."""
    if type(document) is dict:
        return document
    if type(document) is list:
        raise SerializationError("Unrecognized collection type class java.lang.Object")
    raise SerializationError("Unexpected token received from parser")


def read_text(content: object) -> str:
    if type(content) is str:
        return content
    raise _wrong_scalar(content, "String")


def read_flag(content: object) -> bool:
    """A boolean; the service takes some words for one as well."""
    if type(content) is bool:
        return content
    if type(content) is str:
        if (flag := _flags.get(content.upper())) is None:
            raise SerializationError("Unexpected token received from parser")
        return flag
    raise _wrong_scalar(content, "Boolean")


def read_whole(content: object, *, java: str) -> int:
    """An Integer or Long: fractions are dropped, what is too large is cut to the type's range."""
    limit = integer_max if java == "Integer" else long_max
    if type(content) is float:
        content = math.floor(max(-1e19, min(content, 1e19)))
    if type(content) is int:
        return max(-limit - 1, min(content, limit))
    raise _wrong_scalar(content, java)


def wrong_blob(content: object) -> SerializationError:
    if type(content) is list:
        return SerializationError("Unrecognized collection type class java.nio.ByteBuffer")
    if type(content) is dict:
        return SerializationError(_unexpected_structure)
    return SerializationError("only base-64-encoded strings are convertible to bytes")


def wrong_list(content: object) -> SerializationError:
    """For a member that should be a list."""
    return SerializationError(_unexpected_structure if type(content) is dict else "Unexpected field type")


def wrong_map(content: object, element: str) -> SerializationError:
    """For a member that should be a map to `element`."""
    if type(content) is list:
        return SerializationError(f"Unrecognized collection type java.util.Map<java.lang.String, {element}>")
    return SerializationError("Unexpected field type")


def wrong_structure(content: object, java: str) -> SerializationError:
    """For a member that should be a structure."""
    if type(content) is list:
        return SerializationError(f"Unrecognized collection type class {java}")
    return SerializationError("Unexpected field type")


def wrong_element(content: object, java: str) -> SerializationError:
    """For an element of a list or map that should be a structure."""
    if type(content) is list:
        return SerializationError(f"Unrecognized collection type class {java}")
    return SerializationError("Unexpected value type in payload")


def wrong_inner_list(content: object) -> SerializationError:
    """For an element of a list or map that should be a list."""
    if type(content) is dict:
        return SerializationError(_unexpected_structure)
    return _not_a_class()


def wrong_inner_map(content: object, element: str) -> SerializationError:
    """For an element of a list or map that should be a map."""
    if type(content) is list:
        return SerializationError(f"Unrecognized collection type java.util.Map<java.lang.String, {element}>")
    return _not_a_class()


def _wrong_scalar(content: object, java: str) -> SerializationError:
    if type(content) is dict:
        return SerializationError(_unexpected_structure)
    if type(content) is list:
        return SerializationError(f"Unrecognized collection type class java.lang.{java}")
    return SerializationError(f"{_token_of(content)} cannot be converted to {java}")


def _token_of(content: object) -> str:
    if type(content) is bool:
        return "TRUE_VALUE" if content else "FALSE_VALUE"
    if type(content) is str:
        return "STRING_VALUE"
    return "NUMBER_VALUE" if type(content) is int else "DECIMAL_VALUE"


def _not_a_class() -> SerializationError:
    return SerializationError(
        f"class {_parameterized} cannot be cast to class java.lang.Class ({_parameterized} and java.lang.Class "
        "are in module java.base of loader 'bootstrap')"
    )
