"""ExecuteStatement, BatchExecuteStatement and ExecuteTransaction: what a PartiQL statement says, and what it answers.

A statement is made of the trees that expressions are made of. Its parameters are placeholders in them, so that one
statement serves every request with the same text. Reading the worst text takes milliseconds: where a request has many,
each is read when it is taken.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.region.commands.items import IndexUnits, ReturnConsumedCapacity, ReturnValues, no_index_units
from services.region.commands.transactions import ClientToken
from services.region.expressions.nodes import Literal, Path, Predicate, UpdateTree, ValuePlaceholder
from services.region.expressions.substitutions import Substitutions
from shared.errors import ServiceError
from shared.model.values import Item


@dataclass(frozen=True, slots=True)
class Source:
    table: str
    index: str | None = None


class Column(NamedTuple):
    name: str  # under which the value is answered
    path: Path


class OrderTerm(NamedTuple):
    name: str
    descending: bool
    refusal: str = ""  # of what is no name, told once the table is known


@dataclass(frozen=True, slots=True)
class Select:
    source: Source
    columns: tuple[Column, ...]  # none: all attributes
    where: Predicate | None
    order: tuple[OrderTerm, ...]
    refusal: str = ""  # of what is selected from an index, told once that is known


@dataclass(frozen=True, slots=True)
class Insert:
    table: str
    attributes: tuple[tuple[str, Literal | ValuePlaceholder], ...]


@dataclass(frozen=True, slots=True)
class Update:
    source: Source
    edits: UpdateTree
    where: Predicate | None
    returning: ReturnValues


@dataclass(frozen=True, slots=True)
class Delete:
    source: Source
    where: Predicate | None
    returning: ReturnValues


@dataclass(frozen=True, slots=True)
class Exists:
    """A condition of a transaction: what is selected is there."""

    select: Select


Statement = Select | Insert | Update | Delete | Exists


@dataclass(frozen=True, slots=True)
class RequestedStatement:
    """A statement with what its request gives it; `table` is as the statement names it."""

    statement: Statement
    table: str
    values: Substitutions
    consistent: bool = False
    return_item_on_failure: bool = False


@dataclass(frozen=True, slots=True)
class ExecuteStatement:
    requested: RequestedStatement
    digest: bytes  # of the text and its parameters: a page is continued by the same statement only
    limit: int | None = None
    next_token: str | None = None
    return_consumed_capacity: ReturnConsumedCapacity = ReturnConsumedCapacity.NONE


@dataclass(frozen=True, slots=True)
class BatchExecuteStatement:
    """A statement that could not be read is there as what is wrong with it."""

    statements: Iterable[RequestedStatement | ServiceError]  # to be taken once
    return_consumed_capacity: ReturnConsumedCapacity = ReturnConsumedCapacity.NONE


@dataclass(frozen=True, slots=True)
class ExecuteTransaction:
    """Taking a statement that can't be read raises what is wrong with it."""

    statements: Iterable[RequestedStatement]  # to be taken once
    client_token: ClientToken | None = None
    return_consumed_capacity: ReturnConsumedCapacity = ReturnConsumedCapacity.NONE


@dataclass(frozen=True, slots=True)
class StatementDone:
    images: Sequence[bytes]
    capacity_units: float
    index_units: IndexUnits = no_index_units
    next_token: str | None = None
    last_key: Item | None = None


@dataclass(frozen=True, slots=True)
class BatchedStatement:
    """What became of one statement of a batch: an item or none, or an error, perhaps with the item that stopped it."""

    table: str
    image: bytes | None = None
    error: ServiceError | None = None
    capacity_units: float = 0.0
    index_units: IndexUnits = no_index_units


@dataclass(frozen=True, slots=True)
class BatchDone:
    """What was consumed is told by table, unless all statements of a table failed."""

    statements: Sequence[BatchedStatement]
    capacity_units: Mapping[str, float]
    index_units: Mapping[str, IndexUnits]
    failed_units: Mapping[str, float]  # of the capacity units: those of statements that failed


@dataclass(frozen=True, slots=True)
class TransactionDone:
    """By table what was consumed; by reading, when nothing had to be written."""

    images: Sequence[bytes | None]  # of reads; writes answer none
    capacity_units: Mapping[str, float]
    index_units: Mapping[str, IndexUnits]
    is_read: bool
