"""Results become reply bytes; an item that nobody looked into is spliced in as it is stored."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from services.region.api.dynamodb.parse_batches import RequestedKeys
from services.region.api.dynamodb.table_descriptions import describe
from services.region.commands.batches import BatchGetItem, BatchWriteItem, ItemsFound, ItemsWritten
from services.region.commands.items import (
    GetItem,
    IndexUnits,
    ItemCollection,
    ItemFound,
    ItemWrite,
    ItemWritten,
    PutItem,
    ReturnConsumedCapacity,
    no_index_units,
)
from services.region.commands.names import as_given
from services.region.commands.queries import Page, Query, Scan
from services.region.commands.statements import (
    BatchDone,
    BatchedStatement,
    BatchExecuteStatement,
    ExecuteStatement,
    ExecuteTransaction,
    StatementDone,
    TransactionDone,
)
from services.region.commands.tables import TableDescription, TableNames
from services.region.commands.time_to_live import TimeToLiveDescription, UpdateTimeToLive
from services.region.commands.transactions import TransactGet, TransactionRead, TransactionWritten, TransactWrite
from services.region.rules.arns import Arns
from services.region.rules.index_capacity import total_units
from shared.errors import (
    CancellationReason,
    ConditionalCheckFailedError,
    IdempotentParameterMismatchError,
    SerializationError,
    ServiceError,
    TransactionCanceledError,
    TransactionInProgressError,
)

_unmeasured_write = PutItem("", {})
_capital_message = (
    SerializationError,
    TransactionCanceledError,
    TransactionInProgressError,
    IdempotentParameterMismatchError,
)
_batch_error_codes = {
    "AccessDeniedException": "AccessDenied",
    "ConditionalCheckFailedException": "ConditionalCheckFailed",
    "DuplicateItemException": "DuplicateItem",
    "ItemCollectionSizeLimitExceededException": "ItemCollectionSizeLimitExceeded",
    "ResourceNotFoundException": "ResourceNotFound",
    "ThrottlingException": "ThrottlingError",
    "ValidationException": "ValidationError",
}
_no_capacity = ReturnConsumedCapacity.NONE
_of_no_indexes: Mapping[str, IndexUnits] = {}
_of_no_failures: Mapping[str, float] = {}


def item_found(result: ItemFound, command: GetItem) -> bytes:
    wish = command.return_consumed_capacity
    if wish is _no_capacity:
        return b"{}" if result.image is None else b'{"Item":' + result.image + b"}"
    capacity = _capacity(command.table, result.capacity_units, wish)
    return _object([(b"Item", result.image), (b"ConsumedCapacity", capacity)])


def item_written(result: ItemWritten, command: ItemWrite) -> bytes:
    wish, collection = command.return_consumed_capacity, result.collection
    if wish is _no_capacity and collection is None:
        return b"{}" if result.attributes is None else b'{"Attributes":' + result.attributes + b"}"
    return _object(
        [
            (b"Attributes", result.attributes),
            (b"ConsumedCapacity", _wished_capacity(command.table, result.capacity_units, wish, result.index_units)),
            (b"ItemCollectionMetrics", None if collection is None else orjson.dumps(_collection_members(collection))),
        ]
    )


def kept_for_item_written(command: ItemWrite) -> ItemWrite:
    """Mostly nothing of the command, so that its tree of attributes is freed where it was made and still warm."""
    return _unmeasured_write if command.return_consumed_capacity is _no_capacity else command


def page(result: Page, command: Query | Scan) -> bytes:
    wish = command.return_consumed_capacity
    return _object(
        [
            (b"Items", None if command.count_only else _array(result.images)),
            (b"Count", b"%d" % result.count),
            (b"ScannedCount", b"%d" % result.scanned_count),
            (b"LastEvaluatedKey", None if result.last_key is None else orjson.dumps(result.last_key)),
            (b"ConsumedCapacity", _wished_capacity(command.table, result.capacity_units, wish, result.index_units)),
        ]
    )


def items_found(result: ItemsFound, command: BatchGetItem) -> bytes:
    """Tables appear as the request named them, and what was not processed as it was requested."""
    responses = [
        orjson.dumps(_requested(command, table).named) + b":" + _array(images)
        for table, images in result.images.items()
    ]
    unprocessed = {}
    for table, keys in result.unprocessed.items():
        if keys:
            requested = _requested(command, table)
            unprocessed[requested.named] = {"Keys": keys, **requested.parameters}
    return _object(
        [
            (b"Responses", b"{" + b",".join(responses) + b"}"),
            (b"UnprocessedKeys", orjson.dumps(unprocessed)),
            (b"ConsumedCapacity", _capacities(result.capacity_units, command.return_consumed_capacity)),
        ]
    )


def items_written(result: ItemsWritten, command: BatchWriteItem) -> bytes:
    capacity = _capacities(result.capacity_units, command.return_consumed_capacity, result.index_units)
    return _object(
        [
            (b"UnprocessedItems", b"{}"),
            (b"ItemCollectionMetrics", _collections(result.collections)),
            (b"ConsumedCapacity", capacity),
        ]
    )


def transaction_written(result: TransactionWritten, command: TransactWrite) -> bytes:
    side = "ReadCapacityUnits" if result.was_done else "WriteCapacityUnits"
    wish = command.return_consumed_capacity
    return _object(
        [
            (
                b"ConsumedCapacity",
                _transaction_capacities(result.capacity_units, wish, result.index_units, side=side),
            ),
            (b"ItemCollectionMetrics", _collections(result.collections)),
        ]
    )


def transaction_read(result: TransactionRead, command: TransactGet) -> bytes:
    """Unlike GetItem, it answers an item of which nothing was projected as one that is not there."""
    wish = command.return_consumed_capacity
    responses = [b'{"Item":' + image + b"}" if image not in (None, b"{}") else b"{}" for image in result.images]
    return _object(
        [
            (b"ConsumedCapacity", _transaction_capacities(result.capacity_units, wish, {}, side="ReadCapacityUnits")),
            (b"Responses", _array(responses)),
        ]
    )


def statement_done(result: StatementDone, command: ExecuteStatement) -> bytes:
    wish, table = command.return_consumed_capacity, command.requested.table
    return _object(
        [
            (b"Items", _array(result.images)),
            (b"NextToken", None if result.next_token is None else orjson.dumps(result.next_token)),
            (b"LastEvaluatedKey", None if result.last_key is None else orjson.dumps(result.last_key)),
            (b"ConsumedCapacity", _wished_capacity(table, result.capacity_units, wish, result.index_units)),
        ]
    )


def batch_done(result: BatchDone, command: BatchExecuteStatement) -> bytes:
    """What failed statements consumed counts in a table's total, not in what the table itself or an index consumed."""
    capacity = None
    if result.capacity_units:
        wish = command.return_consumed_capacity
        capacity = _capacities(result.capacity_units, wish, result.index_units, result.failed_units)
    return _object([(b"Responses", _array(list(map(_batched, result.statements)))), (b"ConsumedCapacity", capacity)])


def transaction_done(result: TransactionDone, command: ExecuteTransaction) -> bytes:
    side = "ReadCapacityUnits" if result.is_read else "WriteCapacityUnits"
    wish = command.return_consumed_capacity
    return _object(
        [
            (b"Responses", _array([_object([(b"Item", image)]) for image in result.images])),
            (b"ConsumedCapacity", _transaction_capacities(result.capacity_units, wish, result.index_units, side=side)),
        ]
    )


def table(result: TableDescription, _command: object, *, arns: Arns) -> bytes:
    """The answer of DescribeTable."""
    return orjson.dumps({"Table": describe(result, arns=arns)})


def table_description(result: TableDescription, _command: object, *, arns: Arns) -> bytes:
    """The answer of CreateTable, UpdateTable and DeleteTable."""
    return orjson.dumps({"TableDescription": describe(result, arns=arns)})


def table_names(result: TableNames, _command: object) -> bytes:
    members: dict[str, Any] = {"TableNames": list(result.names)}
    if result.last is not None:
        members["LastEvaluatedTableName"] = result.last
    return orjson.dumps(members)


def time_to_live_updated(_result: None, command: UpdateTimeToLive) -> bytes:
    return orjson.dumps({"TimeToLiveSpecification": {"Enabled": command.enabled, "AttributeName": command.attribute}})


def time_to_live(result: TimeToLiveDescription, _command: object) -> bytes:
    members = {"TimeToLiveStatus": "DISABLED"}
    if result.attribute is not None:
        members = {"TimeToLiveStatus": "ENABLED", "AttributeName": result.attribute}
    return orjson.dumps({"TimeToLiveDescription": members})


def error(error: ServiceError) -> bytes:
    """The body of an error; the service spells the message of some with a capital letter."""
    members = {"__type": f"{error.namespace}#{error.code}"}
    if error.message:
        members["Message" if isinstance(error, _capital_message) else "message"] = error.message
    body = orjson.dumps(members)
    if isinstance(error, TransactionCanceledError):
        return body[:-1] + b',"CancellationReasons":' + _array([_reason(each) for each in error.reasons]) + b"}"
    if isinstance(error, ConditionalCheckFailedError) and error.item is not None:
        return body[:-1] + b',"Item":' + error.item + b"}"
    return body


def _batched(statement: BatchedStatement) -> bytes:
    error = statement.error
    if error is None:
        return _object([(b"TableName", orjson.dumps(statement.table)), (b"Item", statement.image)])
    members = [
        (b"Code", orjson.dumps(_batch_error_codes.get(error.code, "InternalServerError"))),
        (b"Message", orjson.dumps(error.message)),
        (b"Item", statement.image),
    ]
    table = orjson.dumps(statement.table) if statement.table else None
    return _object([(b"Error", _object(members)), (b"TableName", table)])


def _reason(reason: CancellationReason) -> bytes:
    return _object(
        [
            (b"Code", orjson.dumps(reason.code)),
            (b"Item", reason.item),
            (b"Message", orjson.dumps(reason.message) if reason.message else None),
        ]
    )


def _requested(command: BatchGetItem, table: str) -> RequestedKeys:
    wanted = command.tables[table]
    assert isinstance(wanted, RequestedKeys), "the command is of this wire's making"
    return wanted


def _object(members: Sequence[tuple[bytes, bytes | None]]) -> bytes:
    """A JSON object of encoded values; None leaves a member out."""
    return b"{" + b",".join(b'"' + name + b'":' + value for name, value in members if value is not None) + b"}"


def _array(elements: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(elements) + b"]"


def _wished_capacity(
    table: str, units: float, wish: ReturnConsumedCapacity, index_units: IndexUnits = no_index_units
) -> bytes | None:
    return None if wish is _no_capacity else _capacity(table, units, wish, index_units)


def _capacity(
    table: str, units: float, wish: ReturnConsumedCapacity, index_units: IndexUnits = no_index_units
) -> bytes:
    return orjson.dumps(_capacity_members(table, units, wish, index_units))


def _capacities(
    units: Mapping[str, float],
    wish: ReturnConsumedCapacity,
    index_units: Mapping[str, IndexUnits] = _of_no_indexes,
    failed_units: Mapping[str, float] = _of_no_failures,
) -> bytes | None:
    if wish is _no_capacity:
        return None
    return orjson.dumps(
        [
            _capacity_members(table, each, wish, index_units.get(table, no_index_units), failed_units.get(table, 0.0))
            for table, each in units.items()
        ]
    )


def _capacity_members(
    table: str, units: float, wish: ReturnConsumedCapacity, index_units: IndexUnits, failed_units: float = 0.0
) -> dict[str, Any]:
    members: dict[str, Any] = {"TableName": as_given(table), "CapacityUnits": float(units)}
    if wish is ReturnConsumedCapacity.INDEXES:
        members["Table"] = {"CapacityUnits": float(units - total_units(index_units) - failed_units)}
        for name, consumed in (
            ("LocalSecondaryIndexes", index_units.local_indexes),
            ("GlobalSecondaryIndexes", index_units.global_indexes),
        ):
            if consumed:
                members[name] = {index: {"CapacityUnits": each} for index, each in consumed.items()}
    return members


def _collections(collections: Mapping[str, Sequence[ItemCollection]]) -> bytes | None:
    """By tables, as the request named them."""
    members = {as_given(table): list(map(_collection_members, each)) for table, each in collections.items()}
    return orjson.dumps(members) if members else None


def _collection_members(collection: ItemCollection) -> dict[str, Any]:
    """Sizes are told as ranges of a gigabyte."""
    begun = collection.size_bytes // 1024**3
    return {"ItemCollectionKey": collection.key, "SizeEstimateRangeGB": [float(begun), float(begun + 1)]}


def _transaction_capacities(
    units: Mapping[str, float], wish: ReturnConsumedCapacity, index_units: Mapping[str, IndexUnits], *, side: str
) -> bytes | None:
    """Transactions tell on which side the units were consumed."""
    if wish is _no_capacity:
        return None
    capacities = []
    for table, each in units.items():
        members = _capacity_members(table, each, wish, index_units.get(table, no_index_units))
        members[side] = members["CapacityUnits"]
        for consumed in _consumed_of(members):
            consumed[side] = consumed["CapacityUnits"]
        capacities.append(members)
    return orjson.dumps(capacities)


def _consumed_of(capacity: Mapping[str, Any]) -> Iterator[dict[str, float]]:
    """What a table and each of its indexes have consumed, where that is told."""
    if "Table" in capacity:
        yield capacity["Table"]
    for name in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        yield from capacity.get(name, {}).values()
