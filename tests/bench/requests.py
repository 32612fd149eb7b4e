"""The requests that clients send, as whole HTTP messages with the headers of an AWS SDK.

Every function gives one message per visited item, in visiting order. The signature has the right shape and is not
computed: no server measured here verifies it.
"""

from collections.abc import Mapping, Sequence

import orjson

from services.lab.ports import loopback
from tests.bench.items import (
    collection_count,
    collection_items,
    collection_key,
    item_count,
    order,
    order_key,
    visiting_order,
)

orders_table = "bench-orders"
collections_table = "bench-collections"
scan_segments = 4
transaction_items = 4

_authorization = (
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLEBENCHMARK/20250517/us-east-1/dynamodb/aws4_request, "
    "SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=" + "5d672d79c15b13162d9279b0855cfba6" * 2
)


def bare_requests(port: int) -> Sequence[bytes]:
    """The lightest request there is, so that the bare server sets a high mark."""
    return [f"GET / HTTP/1.1\r\nHost: {loopback}:{port}\r\n\r\n".encode()]


def get_requests(port: int) -> Sequence[bytes]:
    return [
        _message(port, "GetItem", {"TableName": orders_table, "Key": order_key(number)}) for number in visiting_order()
    ]


def put_requests(port: int, *, revision: int) -> Sequence[bytes]:
    return [
        _message(port, "PutItem", {"TableName": orders_table, "Item": order(number, revision=revision)})
        for number in visiting_order()
    ]


def update_requests(port: int) -> Sequence[bytes]:
    """An update that counts, with a condition that holds."""
    expressions = {
        "UpdateExpression": "SET visits = visits + :one",
        "ConditionExpression": "attribute_exists(id)",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    return [
        _message(port, "UpdateItem", {"TableName": orders_table, "Key": order_key(number)} | expressions)
        for number in visiting_order()
    ]


def transaction_requests(port: int, *, revision: int) -> Sequence[bytes]:
    """Puts of items that follow each other in visiting order, all of them or none."""
    visited = visiting_order()
    groups = (visited[first : first + transaction_items] for first in range(0, item_count, transaction_items))
    return [
        _message(
            port,
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": orders_table, "Item": order(number, revision=revision)}} for number in group
                ]
            },
        )
        for group in groups
    ]


def query_requests(port: int) -> Sequence[bytes]:
    """One whole collection each."""
    wanted: list[Mapping[str, object]] = [
        {
            "TableName": collections_table,
            "KeyConditionExpression": "id = :id",
            "ExpressionAttributeValues": {":id": collection_key(number % collection_count)["id"]},
            "Limit": collection_items,
        }
        for number in visiting_order()[: item_count // collection_items]
    ]
    return [_message(port, "Query", body) for body in wanted]


def scan_requests(port: int) -> Sequence[bytes]:
    """A quarter of the table each."""
    return [
        _message(port, "Scan", {"TableName": orders_table, "TotalSegments": scan_segments, "Segment": segment})
        for segment in range(scan_segments)
    ]


def _message(port: int, operation: str, body: Mapping[str, object]) -> bytes:
    encoded = orjson.dumps(body)
    head = (
        "POST / HTTP/1.1\r\n"
        f"Host: {loopback}:{port}\r\n"
        f"X-Amz-Target: DynamoDB_20120810.{operation}\r\n"
        "Content-Type: application/x-amz-json-1.0\r\n"
        "X-Amz-Date: 20250517T093000Z\r\n"
        f"Authorization: {_authorization}\r\n"
        f"Content-Length: {len(encoded)}\r\n"
        "\r\n"
    )
    return head.encode() + encoded
