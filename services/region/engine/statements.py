"""ExecuteStatement, BatchExecuteStatement and ExecuteTransaction: statements become the commands that they mean.

What other operations promise of a command holds for a statement as well, because it is that command. Reading,
planning and binding a long statement takes milliseconds each, so a request with many gives way between them.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import NoReturn, TypeVar

import orjson

from services.region.commands.items import (
    GetItem,
    IndexUnits,
    ItemWritten,
    PutItem,
    ReturnConsumedCapacity,
    ReturnValues,
    no_index_units,
)
from services.region.commands.statements import (
    BatchDone,
    BatchedStatement,
    BatchExecuteStatement,
    Delete,
    ExecuteStatement,
    ExecuteTransaction,
    Exists,
    Insert,
    RequestedStatement,
    Select,
    StatementDone,
    TransactionDone,
    Update,
)
from services.region.commands.transactions import Action, TransactGet, TransactWrite
from services.region.engine.items import Items
from services.region.engine.registry import Registry
from services.region.engine.selects import Selects, index_of
from services.region.engine.slices import Slices
from services.region.engine.transactions import Transactions
from services.region.partiql.actions import check_condition, check_of, delete_of, put_of, update_of
from services.region.partiql.columns import selector
from services.region.partiql.planner import plan_point_read, plan_write
from services.region.partiql.problems import UnfitKeyError
from services.region.partiql.sources import index_key
from services.region.rules.index_capacity import added_units
from services.region.rules.keys import key_of_item
from services.region.rules.transactions import too_large
from shared.clock import Clock
from shared.errors import (
    CancellationReason,
    ConditionalCheckFailedError,
    DuplicateItemError,
    ResourceNotFoundError,
    ServiceError,
    TransactionCanceledError,
    ValidationError,
)
from shared.limits import transaction_bytes_max
from shared.model.keys import KeySchema
from shared.model.sizes import item_size_bytes
from shared.model.values import Item

T = TypeVar("T")

_misplaced_exists = "EXISTS can only be used in ExecuteTransaction write requests."
_mismatch = "The provided key element does not match the schema"
_needs_key = "Select statements within {} must specify the primary key in the where clause."


class Statements:
    def __init__(
        self, registry: Registry, items: Items, selects: Selects, transactions: Transactions, *, clock: Clock
    ) -> None:
        self._registry = registry
        self._items = items
        self._selects = selects
        self._transactions = transactions
        self._clock = clock
        self._slices = Slices()

    async def execute(self, command: ExecuteStatement) -> StatementDone:
        requested = command.requested
        if isinstance(requested.statement, Select):
            return await self._selects.run(requested.statement, command)
        written = await self._write(requested, command.return_consumed_capacity)
        images = [] if written.attributes is None else [written.attributes]
        return StatementDone(images, written.capacity_units, written.index_units)

    async def execute_batch(self, command: BatchExecuteStatement) -> BatchDone:
        """Each statement is on its own; only what they are together is refused as a whole."""
        statements = [each async for each in self._in_slices(command.statements)]
        readable = [each for each in statements if isinstance(each, RequestedStatement)]
        if len({isinstance(each.statement, Select) for each in readable}) > 1:
            raise ValidationError("Read and write requests together in the same batch is not supported.")
        targets = [target async for each in self._in_slices(readable) if (target := self._target_of(each)) is not None]
        if len(set(targets)) < len(targets):
            raise ValidationError("Provided list of item keys contains duplicates")
        wish = command.return_consumed_capacity
        begun = [self._batched(each, wish) async for each in self._in_slices(statements)]
        done = [each if isinstance(each, BatchedStatement) else await each for each in begun]
        units: dict[str, float] = defaultdict(float)
        index_units: dict[str, IndexUnits] = {}
        for each in done:
            if each.error is None:
                units[each.table] += each.capacity_units
                index_units[each.table] = added_units(index_units.get(each.table, no_index_units), each.index_units)
        return BatchDone(done, units, index_units)

    async def execute_transaction(self, command: ExecuteTransaction) -> TransactionDone:
        statements = [each async for each in self._in_slices(command.statements)]
        reads = [isinstance(each.statement, Select) for each in statements]
        if any(reads) and not all(reads):
            raise ValidationError(
                "ExecuteTransaction API does not support both read and write operations in the same request."
            )
        return await (
            self._transact_reads(statements, command) if all(reads) else self._transact_writes(statements, command)
        )

    def _in_slices(self, works: Iterable[T]) -> AsyncIterator[T]:
        return self._slices.of(works, self._clock)

    def _write(self, requested: RequestedStatement, wish: ReturnConsumedCapacity) -> Awaitable[ItemWritten]:
        statement = requested.statement
        if isinstance(statement, Update | Delete):
            check_condition(statement.where, requested.values)
        match statement:
            case Insert() as insert:
                self._registry.serving(requested.table)
                return _unless_duplicate(self._items.put(put_of(insert, requested, wish)))
            case Update() as update:
                schema = self._registry.serving(requested.table).schema
                return self._items.update(update_of(update, requested, schema, wish=wish))
            case Delete() as delete:
                schema = self._registry.serving(requested.table).schema
                return self._items.delete(delete_of(delete, requested, schema, wish=wish))
            case _:
                raise ValidationError(_misplaced_exists)

    def _batched(
        self, requested: RequestedStatement | ServiceError, wish: ReturnConsumedCapacity
    ) -> BatchedStatement | Awaitable[BatchedStatement]:
        """A read is done when this returns, a write is on its way."""
        if isinstance(requested, ServiceError):
            return BatchedStatement("", error=requested)
        try:
            if isinstance(requested.statement, Select):
                return self._batched_read(requested.statement, requested, wish)
            return _batched_write(requested, self._write(requested, wish))
        except ServiceError as error:
            return BatchedStatement("", error=error)

    def _batched_read(
        self, select: Select, requested: RequestedStatement, wish: ReturnConsumedCapacity
    ) -> BatchedStatement:
        table = self._registry.serving(requested.table)
        key: Item | None = None
        if select.source.index is None:
            key = plan_point_read(select.where, table.schema, requested.values)
        else:
            index_key(index_of(table, select.source.index))
        if key is None or select.order:
            raise ValidationError(_needs_key.format("BatchExecuteStatement"))
        get = GetItem(requested.table, key, consistent=requested.consistent, return_consumed_capacity=wish)
        found = self._items.get(get)
        image = None if found.image is None else selector(select.columns)(found.image)
        return BatchedStatement(requested.table, image, capacity_units=found.capacity_units)

    def _target_of(self, requested: RequestedStatement) -> tuple[str, bytes] | None:
        """The item that a statement names, or None when that can't be told: then it fails by itself."""
        try:
            key = self._key_of(requested)
        except (ServiceError, KeyError):
            return None
        return None if key is None else (requested.table, orjson.dumps(key))

    def _key_of(self, requested: RequestedStatement) -> Item | None:
        schema = self._registry.serving(requested.table).schema
        match requested.statement:
            case Insert() as insert:
                return schema.key_of(put_of(insert, requested).item)
            case Select() as select:
                return plan_point_read(select.where, schema, requested.values)
            case Update(_, _, where) | Delete(_, where):
                return plan_write(where, schema, requested.values)[0]
            case _:
                return None

    async def _transact_reads(
        self, statements: Sequence[RequestedStatement], command: ExecuteTransaction
    ) -> TransactionDone:
        gets, selectors = [], []
        reasons = _Reasons(len(statements))
        async for position, requested in self._in_slices(enumerate(statements)):
            assert isinstance(requested.statement, Select), "this is a transaction of reads"
            select = requested.statement
            key = reasons.of(position, lambda each=requested: self._transacted_key(each))  # type: ignore[misc]
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

    async def _transact_writes(
        self, statements: Sequence[RequestedStatement], command: ExecuteTransaction
    ) -> TransactionDone:
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

    def _transacted_key(self, requested: RequestedStatement) -> Item:
        select = requested.statement
        assert isinstance(select, Select), "this is a transaction of reads"
        schema = self._registry.serving(requested.table).schema
        if select.source.index is not None:
            raise ValidationError("Reads on indices are not supported within transactions.")
        key = plan_point_read(select.where, schema, requested.values)
        if key is None or select.order:
            raise ValidationError(_needs_key.format("ExecuteTransaction"))
        return key

    def _action(self, requested: RequestedStatement) -> Action:
        statement = requested.statement
        if isinstance(statement, Update | Delete):
            check_condition(statement.where, requested.values)
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
        except _UnfitItemError as error:
            self._reasons[position] = CancellationReason("ValidationError", error.message)
        except UnfitKeyError:
            self._reasons[position] = CancellationReason("ValidationError", _mismatch)
        except ValidationError as error:
            raise _refused(position, error.message) from error
        return None

    def raise_any(self) -> None:
        if any(reason.code != "None" for reason in self._reasons):
            raise TransactionCanceledError(self._reasons)


class _UnfitItemError(ValidationError):
    """An item to be inserted has no key that suits its table."""


def _check_item_key(schema: KeySchema, item: Item) -> None:
    try:
        key_of_item(schema, item)
    except ValidationError as error:
        raise _UnfitItemError(error.message) from error


async def _batched_write(requested: RequestedStatement, pending: Awaitable[ItemWritten]) -> BatchedStatement:
    """What is wrong with an update is seen by its item."""
    table = requested.table
    try:
        written = await pending
    except ServiceError as error:
        has_reached_table = isinstance(requested.statement, Update) or not isinstance(error, ValidationError)
        return BatchedStatement(table if has_reached_table else "", error=error)
    return BatchedStatement(
        table, written.attributes, capacity_units=written.capacity_units, index_units=written.index_units
    )


async def _unless_duplicate(written: Awaitable[ItemWritten]) -> ItemWritten:
    try:
        return await written
    except ConditionalCheckFailedError as error:
        raise DuplicateItemError from error


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
