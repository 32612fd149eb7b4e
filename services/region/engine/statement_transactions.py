"""ExecuteTransaction: statements become the reads or the writes of one transaction.

What is wrong with the key or the table of one statement is a reason of the whole; anything else refuses the request.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import NoReturn, TypeVar

from services.region.commands.items import GetItem, PutItem, ReturnValues
from services.region.commands.statements import (
    Delete,
    ExecuteTransaction,
    Exists,
    Insert,
    RequestedStatement,
    Select,
    TransactionDone,
    Update,
)
from services.region.commands.transactions import Action, TransactGet, TransactWrite
from services.region.engine.registry import Registry
from services.region.engine.slices import Slices
from services.region.engine.transactions import Transactions
from services.region.partiql.actions import check_of, check_write, delete_of, put_of, update_of
from services.region.partiql.columns import selector
from services.region.partiql.planner import plan_point_read
from services.region.partiql.problems import NoKeyError, UnfitItemError, UnfitKeyError, names_no_item
from services.region.rules.keys import key_of_item
from services.region.rules.transactions import too_large
from shared.clock import Clock
from shared.errors import (
    CancellationReason,
    DuplicateItemError,
    ResourceNotFoundError,
    TransactionCanceledError,
    ValidationError,
)
from shared.limits import transaction_bytes_max
from shared.model.keys import KeySchema
from shared.model.sizes import item_size_bytes
from shared.model.values import Item

T = TypeVar("T")

_mismatch = "The provided key element does not match the schema"


class StatementTransactions:
    def __init__(self, registry: Registry, transactions: Transactions, slices: Slices, *, clock: Clock) -> None:
        self._registry = registry
        self._transactions = transactions
        self._slices = slices
        self._clock = clock

    async def execute(self, command: ExecuteTransaction) -> TransactionDone:
        statements = [each async for each in self._in_slices(command.statements)]
        reads = [isinstance(each.statement, Select) for each in statements]
        if any(reads) and not all(reads):
            raise ValidationError(
                "ExecuteTransaction API does not support both read and write operations in the same request."
            )
        return await (self._read(statements, command) if all(reads) else self._write(statements, command))

    def _in_slices(self, works: Iterable[T]) -> AsyncIterator[T]:
        return self._slices.of(works, self._clock)

    async def _read(self, statements: Sequence[RequestedStatement], command: ExecuteTransaction) -> TransactionDone:
        gets, selectors = [], []
        reasons = _Reasons(len(statements))
        async for position, requested in self._in_slices(enumerate(statements)):
            assert isinstance(requested.statement, Select), "this is a transaction of reads"
            select = requested.statement
            key = reasons.of(position, lambda each=requested: self._key_to_read(each))  # type: ignore[misc]
            if key is not None:
                gets.append(GetItem(requested.table, key, consistent=True))
                selectors.append(selector(select.columns))
        reasons.raise_any()
        read = await self._transactions.read(TransactGet(gets, command.return_consumed_capacity))
        images = [
            None if image is None else chosen(image)
            async for image, chosen in self._in_slices(zip(read.images, selectors, strict=True))
        ]
        return TransactionDone(images, read.capacity_units, {}, is_read=True)

    async def _write(self, statements: Sequence[RequestedStatement], command: ExecuteTransaction) -> TransactionDone:
        actions: list[Action] = []
        reasons = _Reasons(len(statements))
        size_bytes = 0
        async for position, requested in self._in_slices(enumerate(statements)):
            action = reasons.of(position, lambda each=requested: self._action(each))  # type: ignore[misc]
            if action is not None:
                actions.append(action)
                size_bytes += item_size_bytes(action.item) if isinstance(action, PutItem) else 0
        reasons.raise_any()
        if size_bytes > transaction_bytes_max:
            raise ValidationError(too_large(size_bytes))
        try:
            written = await self._transactions.write(
                TransactWrite(actions, command.client_token, command.return_consumed_capacity)
            )
        except TransactionCanceledError as error:
            _raise_with_duplicates(error, statements)
        return TransactionDone([], written.capacity_units, written.index_units, is_read=written.was_done)

    def _key_to_read(self, requested: RequestedStatement) -> Item:
        select = requested.statement
        assert isinstance(select, Select), "this is a transaction of reads"
        schema = self._registry.serving(requested.table).schema
        if select.source.index is not None:
            raise ValidationError("Reads on indices are not supported within transactions.")
        try:
            key = plan_point_read(select.where, schema, requested.values)
        except NoKeyError as error:
            raise UnfitKeyError(error.message) from error
        if key is None or select.order:
            raise names_no_item("ExecuteTransaction")
        return key

    def _action(self, requested: RequestedStatement) -> Action:
        statement = requested.statement
        if isinstance(statement, Update | Delete):
            check_write(statement, requested.values)
        schema = self._registry.serving(requested.table).schema
        if isinstance(statement, Update | Delete) and statement.returning is not ReturnValues.NONE:
            raise ValidationError("RETURNING clause is not supported in ExecuteTransaction.")
        match statement:
            case Insert():
                put = put_of(statement, requested)
                _check_item_key(schema, put.item)
                return put
            case Update():
                return update_of(statement, requested, schema)
            case Delete():
                return delete_of(statement, requested, schema)
            case Exists():
                return check_of(statement, requested, schema)
            case Select():
                raise AssertionError("this is a transaction of writes")


class _Reasons:
    """Why a transaction can't begin: a table or a key of some statement, told when nothing worse is wrong with any."""

    def __init__(self, statements: int) -> None:
        self._reasons = [CancellationReason("None")] * statements

    def of(self, position: int, work: Callable[[], T]) -> T | None:
        """What the work on a statement gives; None where there is a reason against it."""
        try:
            return work()
        except ResourceNotFoundError as error:
            self._reasons[position] = CancellationReason("ResourceNotFound", error.message)
        except UnfitItemError as error:
            self._reasons[position] = CancellationReason("ValidationError", error.message)
        except NoKeyError as error:
            raise _refused(position, error.message) from error
        except UnfitKeyError:
            self._reasons[position] = CancellationReason("ValidationError", _mismatch)
        except ValidationError as error:
            raise _refused(position, error.message) from error
        return None

    def raise_any(self) -> None:
        if any(reason.code != "None" for reason in self._reasons):
            raise TransactionCanceledError(self._reasons)


def _check_item_key(schema: KeySchema, item: Item) -> None:
    try:
        key_of_item(schema, item)
    except ValidationError as error:
        raise UnfitItemError(error.message) from error


def _raise_with_duplicates(error: TransactionCanceledError, statements: Sequence[RequestedStatement]) -> NoReturn:
    """An INSERT whose key is taken has a reason of its own."""
    duplicate = CancellationReason("DuplicateItem", DuplicateItemError().message)
    reasons = [
        duplicate if isinstance(each.statement, Insert) and reason.code == "ConditionalCheckFailed" else reason
        for each, reason in zip(statements, error.reasons, strict=True)
    ]
    raise TransactionCanceledError(reasons) from error


def _refused(position: int, message: str) -> ValidationError:
    return ValidationError(f"Validation failed in TransactStatements[{position}]: {message}")
