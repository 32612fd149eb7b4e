"""What is wrong with a statement, in DynamoDB's words; and the places in a text that they name."""

from typing import NamedTuple

from shared.errors import ValidationError


class Place(NamedTuple):
    """Where a token stands, counted from 1, and how long it is."""

    line: int
    column: int
    length: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}:{self.length}"


def malformed(detail: str = "") -> ValidationError:
    """The text is no statement; a character that belongs nowhere is told without any detail."""
    return ValidationError(f"Statement wasn't well formed, can't be processed: {detail}")


def unexpected_component(place: Place) -> ValidationError:
    return ValidationError(f"Unexpected path component at {place}")


def unsupported_operator(operator: str) -> ValidationError:
    return ValidationError(f"Unsupported operator in Condition Expression. Operator: {operator}")


def unrecognized_function(name: str, place: Place) -> ValidationError:
    return ValidationError(f"Unrecognized function: {name} at {place}")


class UnfitKeyError(ValidationError):
    """A statement does not name an item by the key of its table."""


class UnfitItemError(ValidationError):
    """An item to be inserted has no key that suits its table, or nests too deep."""


class NoKeyError(UnfitKeyError):
    """A value that no key can have stands for one."""


def wrong_key_type(name: str, kind: str) -> UnfitKeyError:
    if kind not in ("S", "N", "B"):
        return NoKeyError(f"Key value must be of type S, N, or B. Key name: {name}, Key type: {kind}")
    return UnfitKeyError(f"Key attribute's data type should match its data type in table's schema: Key {name}")


def names_no_item(operation: str) -> ValidationError:
    """A SELECT in an operation that reads single items."""
    return ValidationError(f"Select statements within {operation} must specify the primary key in the where clause.")


misplaced_exists = "EXISTS can only be used in ExecuteTransaction write requests."
incomplete_key = "Where clause does not contain a mandatory equality on all key attributes"
