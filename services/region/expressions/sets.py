"""Sets of strings, numbers or binaries."""

from collections.abc import Iterable

from shared.model.values import ordered_members


def joined(kind: str, members: Iterable[str], more: Iterable[str]) -> list[str]:
    """All members of two sets of type `kind` ("SS", "NS" or "BS")."""
    return ordered_members(kind, (*members, *more))


def without(members: Iterable[str], fewer: Iterable[str]) -> list[str]:
    """The members that the other set does not have, in their order."""
    gone = set(fewer)
    return [member for member in members if member not in gone]
