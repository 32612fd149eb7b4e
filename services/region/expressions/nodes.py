"""What an expression says, as a tree: made by the parsers, or by a translator of DynamoDB's older parameters.

A tree from a parser holds placeholders (`#name`, `:value`), which are looked up when it is bound to a request; a
translator writes attribute names as text and values as `Literal`.
"""

from dataclasses import dataclass

from shared.model.values import AttributeValue


@dataclass(frozen=True, slots=True)
class NamePlaceholder:
    text: str  # with its "#"


Step = str | int | NamePlaceholder


@dataclass(frozen=True, slots=True)
class Path:
    """A document path: an attribute name, then names of map entries (text) and positions in lists (numbers)."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class ValuePlaceholder:
    text: str  # with its ":"


@dataclass(frozen=True, slots=True)
class Literal:
    value: AttributeValue


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its operands; `attribute_exists` and its like are conditions, `size` and others are operands."""

    function: str
    operands: tuple["Operand", ...]


Operand = Path | ValuePlaceholder | Literal | Call


@dataclass(frozen=True, slots=True)
class Comparison:
    operator: str  # = <> < <= > >=
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Between:
    operand: Operand
    low: Operand
    high: Operand


@dataclass(frozen=True, slots=True)
class Membership:
    operand: Operand
    candidates: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Conjunction:
    terms: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Disjunction:
    terms: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Negation:
    term: "Predicate"


Predicate = Comparison | Between | Membership | Conjunction | Disjunction | Negation | Call


@dataclass(frozen=True, slots=True)
class Arithmetic:
    operator: str  # + -
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class SetAction:
    path: Path
    value: Operand | Arithmetic


@dataclass(frozen=True, slots=True)
class RemoveAction:
    path: Path


@dataclass(frozen=True, slots=True)
class AddAction:
    path: Path
    value: ValuePlaceholder | Literal


@dataclass(frozen=True, slots=True)
class DeleteAction:
    path: Path
    value: ValuePlaceholder | Literal


Action = SetAction | RemoveAction | AddAction | DeleteAction


@dataclass(frozen=True, slots=True)
class Section:
    keyword: str  # SET REMOVE ADD DELETE
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class UpdateTree:
    sections: tuple[Section, ...]  # in the order in which they were written
