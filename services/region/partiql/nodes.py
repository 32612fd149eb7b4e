"""What a statement says before anybody asks what DynamoDB supports of it: the tree that the parser makes."""

from dataclasses import dataclass
from typing import NamedTuple

from services.region.partiql.problems import Place


class Name(NamedTuple):
    text: str
    place: Place


class Scalar(NamedTuple):
    kind: str  # STRING NUMBER BOOLEAN NULL MISSING
    text: str
    place: Place


class Parameter(NamedTuple):
    number: int  # from 1
    place: Place


class Wildcard(NamedTuple):
    place: Place


class Step(NamedTuple):
    """A part of a path behind its root: after a dot, or in brackets."""

    node: "Node"
    in_brackets: bool


class DocumentPath(NamedTuple):
    root: "Node"
    steps: tuple[Step, ...]
    place: Place


class Sequence(NamedTuple):
    kind: str  # LIST BAG
    elements: tuple["Node", ...]
    place: Place


class Struct(NamedTuple):
    members: tuple[tuple["Node", "Node"], ...]
    place: Place


class Operation(NamedTuple):
    operator: str
    operands: tuple["Node", ...]
    place: Place


class TypeTest(NamedTuple):
    operand: "Node"
    type: str
    place: Place


class FunctionCall(NamedTuple):
    name: str  # in small letters
    arguments: tuple["Node", ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Ordering:
    key: "Node"
    descending: bool


@dataclass(frozen=True, slots=True)
class Selection:
    columns: tuple["Node", ...]
    source: "Node"
    where: "Node | None"
    order: tuple[Ordering, ...]
    has_alias: bool
    is_joined: bool
    clauses: tuple[str, ...]  # those that nothing here stands for, by their names
    place: Place


@dataclass(frozen=True, slots=True)
class Returned:
    what: str  # all_old all_new modified_old modified_new
    column: "Node"


@dataclass(frozen=True, slots=True)
class Insertion:
    target: "Node"
    value: "Node"
    is_single: bool  # VALUE rather than VALUES
    clauses: tuple[str, ...]
    returning: tuple[Returned, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Assignment:
    target: "Node"
    value: "Node"


@dataclass(frozen=True, slots=True)
class Removal:
    target: "Node"


@dataclass(frozen=True, slots=True)
class Modification:
    """UPDATE, or DELETE where there are no edits."""

    target: "Node"
    edits: tuple[Assignment | Removal, ...]
    where: "Node | None"
    returning: tuple[Returned, ...]
    has_alias: bool
    place: Place


Node = (
    Name
    | Scalar
    | Parameter
    | Wildcard
    | DocumentPath
    | Sequence
    | Struct
    | Operation
    | TypeTest
    | FunctionCall
    | Selection
    | Insertion
    | Modification
)
