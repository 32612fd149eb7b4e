"""Results become reply bytes; an item that nobody looked into is spliced in as it is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from services.region.api.dynamodb.parse_batches import RequestedKeys
from services.region.api.dynamodb.table_descriptions import describe
from services.region.commands.batches import BatchGetItem, BatchWriteItem, ItemsFound, ItemsWritten
from services.region.commands.items import (
    DeleteItem,
    GetItem,
    ItemFound,
    ItemWritten,
    PutItem,
    ReturnConsumedCapacity,
    UpdateItem,
)
from services.region.commands.queries import Page, Query, Scan
from services.region.commands.tables import TableDescription, TableNames
from shared.errors import ConditionalCheckFailedError, SerializationError, ServiceError

_no_capacity = ReturnConsumedCapacity.NONE


@dataclass(frozen=True, slots=True)
class Arns:
    """How this endpoint names its tables."""

    region: str
    account: str

    def of_table(self, name: str) -> str:
        return f"arn:aws:dynamodb:{self.region}:{self.account}:table/{name}"


def item_found(result: ItemFound, command: GetItem) -> bytes:
    wish = command.return_consumed_capacity
    if wish is _no_capacity:
        return b"{}" if result.image is None else b'{"Item":' + result.image + b"}"
    capacity = _capacity(command.table, result.capacity_units, wish)
    return _object([(b"Item", result.image), (b"ConsumedCapacity", capacity)])


def item_written(result: ItemWritten, command: PutItem | UpdateItem | DeleteItem) -> bytes:
    wish = command.return_consumed_capacity
    if wish is _no_capacity:
        return b"{}" if result.attributes is None else b'{"Attributes":' + result.attributes + b"}"
    capacity = _capacity(command.table, result.capacity_units, wish)
    return _object([(b"Attributes", result.attributes), (b"ConsumedCapacity", capacity)])


def page(result: Page, command: Query | Scan) -> bytes:
    wish = command.return_consumed_capacity
    return _object(
        [
            (b"Items", None if command.count_only else _array(result.images)),
            (b"Count", b"%d" % result.count),
            (b"ScannedCount", b"%d" % result.scanned_count),
            (b"LastEvaluatedKey", None if result.last_key is None else orjson.dumps(result.last_key)),
            (b"ConsumedCapacity", _wished_capacity(command.table, result.capacity_units, wish)),
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
    capacity = _capacities(result.capacity_units, command.return_consumed_capacity)
    return _object([(b"UnprocessedItems", b"{}"), (b"ConsumedCapacity", capacity)])


def table(result: TableDescription, _command: object, *, arns: Arns) -> bytes:
    """The answer of DescribeTable."""
    return orjson.dumps({"Table": describe(result, arn=arns.of_table(result.definition.name))})


def table_description(result: TableDescription, _command: object, *, arns: Arns) -> bytes:
    """The answer of CreateTable, UpdateTable and DeleteTable."""
    return orjson.dumps({"TableDescription": describe(result, arn=arns.of_table(result.definition.name))})


def table_names(result: TableNames, _command: object) -> bytes:
    members: dict[str, Any] = {"TableNames": list(result.names)}
    if result.last is not None:
        members["LastEvaluatedTableName"] = result.last
    return orjson.dumps(members)


def error(error: ServiceError) -> bytes:
    """The body of an error; the service spells the message of a SerializationException with a capital letter."""
    members = {"__type": f"{error.namespace}#{error.code}"}
    if error.message:
        members["Message" if isinstance(error, SerializationError) else "message"] = error.message
    body = orjson.dumps(members)
    if isinstance(error, ConditionalCheckFailedError) and error.item is not None:
        return body[:-1] + b',"Item":' + error.item + b"}"
    return body


def _requested(command: BatchGetItem, table: str) -> RequestedKeys:
    wanted = command.tables[table]
    assert isinstance(wanted, RequestedKeys), "the command is of this wire's making"
    return wanted


def _object(members: Sequence[tuple[bytes, bytes | None]]) -> bytes:
    """A JSON object of encoded values; None leaves a member out."""
    return b"{" + b",".join(b'"' + name + b'":' + value for name, value in members if value is not None) + b"}"


def _array(elements: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(elements) + b"]"


def _wished_capacity(table: str, units: float, wish: ReturnConsumedCapacity) -> bytes | None:
    return None if wish is _no_capacity else _capacity(table, units, wish)


def _capacity(table: str, units: float, wish: ReturnConsumedCapacity) -> bytes:
    return orjson.dumps(_capacity_members(table, units, wish))


def _capacities(units: Mapping[str, float], wish: ReturnConsumedCapacity) -> bytes | None:
    if wish is _no_capacity:
        return None
    return orjson.dumps([_capacity_members(table, each, wish) for table, each in units.items()])


def _capacity_members(table: str, units: float, wish: ReturnConsumedCapacity) -> dict[str, Any]:
    members: dict[str, Any] = {"TableName": table, "CapacityUnits": float(units)}
    if wish is ReturnConsumedCapacity.INDEXES:
        members["Table"] = {"CapacityUnits": float(units)}
    return members
