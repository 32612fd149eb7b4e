"""Sets of strings, numbers or binaries, in the order in which DynamoDB returns their members: bytes, or value."""

from base64 import b64decode
from collections.abc import Callable, Iterable
from typing import Any

from shared.model.numbers import decimal_of


def joined(kind: str, members: Iterable[str], more: Iterable[str]) -> list[str]:
    """All members of two sets of type `kind` ("SS", "NS" or "BS")."""
    return sorted({*members, *more}, key=_order[kind])


def without(members: Iterable[str], fewer: Iterable[str]) -> list[str]:
    """The members that the other set does not have, in their order."""
    gone = set(fewer)
    return [member for member in members if member not in gone]


_order: dict[str, Callable[[str], Any] | None] = {"SS": None, "NS": decimal_of, "BS": b64decode}
