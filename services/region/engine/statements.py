"""ExecuteStatement and BatchExecuteStatement: statements become the commands that they mean.

What other operations promise of a command holds for a statement as well, because it is that command. Reading,
planning and binding a long statement takes milliseconds each, so a request with many gives way between them.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Iterable
from dataclasses import replace
from typing import TypeVar

import orjson

from services.region.commands.items import (
    GetItem,
    IndexUnits,
    ItemWritten,
    ReturnConsumedCapacity,
    no_index_units,
)
from services.region.commands.statements import (
    BatchDone,
    BatchedStatement,
    BatchExecuteStatement,
    Delete,
    ExecuteStatement,
    Insert,
    RequestedStatement,
    Select,
    StatementDone,
    Update,
)
from services.region.engine.items import Items
from services.region.engine.registry import Registry
from services.region.engine.selects import Selects, index_of
from services.region.engine.slices import Slices
from services.region.partiql.actions import check_write, delete_of, put_of, update_of
from services.region.partiql.columns import selector
from services.region.partiql.planner import plan_point_read, plan_write
from services.region.partiql.problems import misplaced_exists, names_no_item, wrong_key_type
from services.region.partiql.sources import index_key
from services.region.rules.capacity import write_units
from services.region.rules.index_capacity import added_units
from services.region.rules.keys import KeySizeError, KeyUpdateError
from shared.clock import Clock
from shared.errors import (
    ConditionalCheckFailedError,
    DuplicateItemError,
    ResourceNotFoundError,
    ServiceError,
    ValidationError,
)
from shared.model.keys import KeySchema
from shared.model.values import Item, encode_item, type_of

T = TypeVar("T")


class Statements:
    def __init__(self, registry: Registry, items: Items, selects: Selects, slices: Slices, *, clock: Clock) -> None:
        self._registry = registry
        self._items = items
        self._selects = selects
        self._clock = clock
        self._slices = slices

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
        failed_units: dict[str, float] = defaultdict(float)
        served = {each.table for each in done if each.error is None}
        for each in done:
            if each.table in served:
                units[each.table] += each.capacity_units
                failed_units[each.table] += 0.0 if each.error is None else each.capacity_units
                index_units[each.table] = added_units(index_units.get(each.table, no_index_units), each.index_units)
        return BatchDone(done, units, index_units, failed_units)

    def _in_slices(self, works: Iterable[T]) -> AsyncIterator[T]:
        return self._slices.of(works, self._clock)

    def _write(self, requested: RequestedStatement, wish: ReturnConsumedCapacity) -> Awaitable[ItemWritten]:
        statement = requested.statement
        if isinstance(statement, Update | Delete):
            check_write(statement, requested.values)
        match statement:
            case Insert() as insert:
                put = put_of(insert, requested, wish)
                _check_key_types(self._registry.serving(requested.table).schema, put.item)
                return _unless_duplicate(self._items.put(put))
            case Update() as update:
                schema = self._registry.serving(requested.table).schema
                return self._items.update(update_of(update, requested, schema, wish=wish))
            case Delete() as delete:
                schema = self._registry.serving(requested.table).schema
                return self._items.delete(delete_of(delete, requested, schema, wish=wish))
            case _:
                raise ValidationError(misplaced_exists)

    def _batched(
        self, requested: RequestedStatement | ServiceError, wish: ReturnConsumedCapacity
    ) -> BatchedStatement | Awaitable[BatchedStatement]:
        """A read is done when this returns, a write is on its way."""
        if isinstance(requested, ServiceError):
            return BatchedStatement("", error=requested)
        try:
            if isinstance(requested.statement, Select):
                return self._batched_read(requested.statement, requested, wish)
            is_measured = wish is not ReturnConsumedCapacity.NONE
            asked = replace(requested, return_item_on_failure=is_measured or requested.return_item_on_failure)
            return _batched_write(requested, self._write(asked, wish), is_measured=is_measured)
        except (ResourceNotFoundError, KeySizeError, KeyUpdateError) as error:
            return BatchedStatement(requested.table, error=error)
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
            raise names_no_item("BatchExecuteStatement")
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


def _check_key_types(schema: KeySchema, item: Item) -> None:
    for attribute in (schema.partition, schema.sort):
        if attribute is not None and (value := item.get(attribute.name)) and type_of(value) != attribute.type:
            raise wrong_key_type(attribute.name, attribute.type)


async def _batched_write(
    requested: RequestedStatement, pending: Awaitable[ItemWritten], *, is_measured: bool
) -> BatchedStatement:
    """What is wrong with an update is seen by its item."""
    table = requested.table
    try:
        written = await pending
    except ServiceError as error:
        has_reached_table = isinstance(requested.statement, Update) or not isinstance(error, ValidationError)
        table = table if has_reached_table else ""
        if not isinstance(error, ConditionalCheckFailedError | DuplicateItemError):
            return BatchedStatement(table, error=error)
        shown = error.item if requested.return_item_on_failure and not isinstance(error, DuplicateItemError) else None
        units = _units_of_failure(requested, error.item) if is_measured else 0.0
        return BatchedStatement(table, shown, error, units)
    return BatchedStatement(
        table, written.attributes, capacity_units=written.capacity_units, index_units=written.index_units
    )


def _units_of_failure(requested: RequestedStatement, stored: bytes | None) -> float:
    """A write that was not to be is sized on the larger of what is there and what it would have put there."""
    statement = requested.statement
    brought = encode_item(put_of(statement, requested).item) if isinstance(statement, Insert) else None
    return write_units(stored, brought)


async def _unless_duplicate(written: Awaitable[ItemWritten]) -> ItemWritten:
    try:
        return await written
    except ConditionalCheckFailedError as error:
        raise DuplicateItemError(item=error.item) from error
