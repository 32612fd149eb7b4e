"""Results become reply bytes; an item that nobody looked into is spliced in as it is stored."""

from collections.abc import Sequence
from typing import Any

import orjson

from services.region.api.dynamodb.consumption import (
    consumed,
    consumed_by_tables,
    consumed_by_transaction,
    item_collection,
    item_collections,
    no_capacity,
)
from services.region.api.dynamodb.parse_batches import RequestedKeys
from services.region.api.dynamodb.table_descriptions import describe
from services.region.commands.batches import BatchGetItem, BatchWriteItem, ItemsFound, ItemsWritten
from services.region.commands.items import (
    GetItem,
    ItemFound,
    ItemWrite,
    ItemWritten,
    PutItem,
)
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


def item_found(result: ItemFound, command: GetItem) -> bytes:
    wish = command.return_consumed_capacity
    if wish is no_capacity:
        return b"{}" if result.image is None else b'{"Item":' + result.image + b"}"
    capacity = consumed(command.table, result.capacity_units, wish)
    return _object([(b"Item", result.image), (b"ConsumedCapacity", capacity)])


def item_written(result: ItemWritten, command: ItemWrite) -> bytes:
    wish, collection = command.return_consumed_capacity, result.collection
    if wish is no_capacity and collection is None:
        return b"{}" if result.attributes is None else b'{"Attributes":' + result.attributes + b"}"
    return _object(
        [
            (b"Attributes", result.attributes),
            (b"ConsumedCapacity", consumed(command.table, result.capacity_units, wish, result.index_units)),
            (b"ItemCollectionMetrics", None if collection is None else item_collection(collection)),
        ]
    )


def kept_for_item_written(command: ItemWrite) -> ItemWrite:
    """Mostly nothing of the command, so that its tree of attributes is freed where it was made and still warm."""
    return _unmeasured_write if command.return_consumed_capacity is no_capacity else command


def page(result: Page, command: Query | Scan) -> bytes:
    wish = command.return_consumed_capacity
    return _object(
        [
            (b"Items", None if command.count_only else _array(result.images)),
            (b"Count", b"%d" % result.count),
            (b"ScannedCount", b"%d" % result.scanned_count),
            (b"LastEvaluatedKey", None if result.last_key is None else orjson.dumps(result.last_key)),
            (b"ConsumedCapacity", consumed(command.table, result.capacity_units, wish, result.index_units)),
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
            (b"ConsumedCapacity", consumed_by_tables(result.capacity_units, command.return_consumed_capacity)),
        ]
    )


def items_written(result: ItemsWritten, command: BatchWriteItem) -> bytes:
    capacity = consumed_by_tables(result.capacity_units, command.return_consumed_capacity, result.index_units)
    return _object(
        [
            (b"UnprocessedItems", b"{}"),
            (b"ItemCollectionMetrics", item_collections(result.collections)),
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
                consumed_by_transaction(result.capacity_units, wish, result.index_units, side=side),
            ),
            (b"ItemCollectionMetrics", item_collections(result.collections)),
        ]
    )


def transaction_read(result: TransactionRead, command: TransactGet) -> bytes:
    """Unlike GetItem, it answers an item of which nothing was projected as one that is not there."""
    wish = command.return_consumed_capacity
    responses = [b'{"Item":' + image + b"}" if image not in (None, b"{}") else b"{}" for image in result.images]
    return _object(
        [
            (b"ConsumedCapacity", consumed_by_transaction(result.capacity_units, wish, {}, side="ReadCapacityUnits")),
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
            (b"ConsumedCapacity", consumed(table, result.capacity_units, wish, result.index_units)),
        ]
    )


def batch_done(result: BatchDone, command: BatchExecuteStatement) -> bytes:
    """What failed statements consumed counts in a table's total, not in what the table itself or an index consumed."""
    capacity = None
    if result.capacity_units:
        wish = command.return_consumed_capacity
        capacity = consumed_by_tables(result.capacity_units, wish, result.index_units, result.failed_units)
    return _object([(b"Responses", _array(list(map(_batched, result.statements)))), (b"ConsumedCapacity", capacity)])


def transaction_done(result: TransactionDone, command: ExecuteTransaction) -> bytes:
    side = "ReadCapacityUnits" if result.is_read else "WriteCapacityUnits"
    wish = command.return_consumed_capacity
    return _object(
        [
            (b"Responses", _array([_object([(b"Item", image)]) for image in result.images])),
            (b"ConsumedCapacity", consumed_by_transaction(result.capacity_units, wish, result.index_units, side=side)),
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
