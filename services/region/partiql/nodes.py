"""What a statement says before anybody asks what DynamoDB supports of it: the tree that the parser makes."""

from dataclasses import dataclass

from services.region.partiql.problems import Place


@dataclass(frozen=True, slots=True)
class Name:
    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Scalar:
    kind: str  # STRING NUMBER BOOLEAN NULL MISSING
    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Parameter:
    number: int  # from 1
    place: Place


@dataclass(frozen=True, slots=True)
class Wildcard:
    place: Place


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a path behind its root: after a dot, or in brackets."""

    node: "Node"
    in_brackets: bool


@dataclass(frozen=True, slots=True)
class DocumentPath:
    root: "Node"
    steps: tuple[Step, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Sequence:
    kind: str  # LIST BAG
    elements: tuple["Node", ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Struct:
    members: tuple[tuple["Node", "Node"], ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Operation:
    operator: str
    operands: tuple["Node", ...]
    place: Place


@dataclass(frozen=True, slots=True)
class TypeTest:
    operand: "Node"
    type: str
    place: Place


@dataclass(frozen=True, slots=True)
class FunctionCall:
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
