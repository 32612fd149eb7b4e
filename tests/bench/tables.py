"""The tables of one server, made, filled and read back with boto3 as an application would."""

from collections.abc import Callable, Sequence
from typing import Any

import boto3
from botocore.config import Config

from shared.errors import OperatorError
from shared.model.values import Item
from tests.bench.items import collection_item, item_count, order, order_key, visiting_order
from tests.bench.requests import collections_table, orders_table, transaction_items
from tests.bench.servers import Server

_batch_items = 25
_sample = 100  # what one BatchGetItem may ask for


class Tables:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._client: Any = boto3.client(
            "dynamodb",
            endpoint_url=server.endpoint,
            region_name="us-east-1",
            aws_access_key_id="benchmark",
            aws_secret_access_key="benchmark",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
        )

    def make_orders(self) -> None:
        """The table of GetItem, PutItem, UpdateItem and Scan."""
        self._make(orders_table, [("id", "S", "HASH")])
        self._fill(orders_table, lambda number: order(number, revision=0))

    def make_collections(self) -> None:
        """The table of Query."""
        self._make(collections_table, [("id", "S", "HASH"), ("position", "N", "RANGE")])
        self._fill(collections_table, collection_item)

    def check_put(self, requests: int, *, revision: int) -> None:
        """That items which a round of `requests` PutItems wrote are there as written."""
        for number, item in self._read_back(requests).items():
            if item != order(number, revision=revision):
                raise self._lost("PutItem", number, item)

    def check_transacted(self, requests: int, *, revision: int) -> None:
        """That items which a round of `requests` TransactWriteItems wrote are there as written."""
        for number, item in self._read_back(requests, items_each=transaction_items).items():
            if item != order(number, revision=revision):
                raise self._lost("TransactWriteItems", number, item)

    def check_updated(self, requests: int) -> None:
        """That items which a round of `requests` UpdateItems changed have been counted up."""
        for number, item in self._read_back(requests).items():
            if item.get("visits", {"N": "0"}) == {"N": "0"}:
                raise self._lost("UpdateItem", number, item)

    def _read_back(self, requests: int, *, items_each: int = 1) -> dict[int, Item]:
        """Items by number, from the earlier half of what was asked for: the newest may still have been under way."""
        # wrk takes the first message for its own look at it and does not send it.
        asked_for = max(2, requests // 2) * items_each
        visited = visiting_order()[items_each : min(asked_for, item_count)]
        numbers = visited[:: max(1, len(visited) // _sample)][:_sample]
        keys = [order_key(number) for number in numbers]
        reply = self._client.batch_get_item(RequestItems={orders_table: {"Keys": keys}})
        found = {item["id"]["S"]: item for item in reply["Responses"][orders_table]}
        return {number: found.get(order_key(number)["id"]["S"], {}) for number in numbers}

    def _make(self, table: str, keys: Sequence[tuple[str, str, str]]) -> None:
        self._client.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind, _ in keys],
            KeySchema=[{"AttributeName": name, "KeyType": role} for name, _, role in keys],
        )
        waiter = self._client.get_waiter("table_exists")
        waiter.wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 30})

    def _fill(self, table: str, item: Callable[[int], Item]) -> None:
        for first in range(0, item_count, _batch_items):
            puts = [{"PutRequest": {"Item": item(number)}} for number in range(first, first + _batch_items)]
            reply = self._client.batch_write_item(RequestItems={table: puts})
            if reply["UnprocessedItems"]:
                raise OperatorError(
                    f"{self._server.name} did not take all items",
                    why="it answered with UnprocessedItems although nothing else asks it",
                    next_step=f"Look at its log, {self._server.log}",
                )

    def _lost(self, operation: str, number: int, item: Item) -> OperatorError:
        return OperatorError(
            f"{self._server.name} lost a write",
            why=f"{operation} of order {number} was acknowledged, and a read afterwards gives {item or 'nothing'}",
            next_step=f"Look at its log, {self._server.log}",
        )
