"""Makes a table with a replica in every region, step by step as the DynamoDB API wants it, and waits until it serves."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from services.lab.client import RefusedError, TableClient
from services.lab.connection import UnreachableError
from shared.errors import OperatorError

active_patience_s = 60.0
active_poll_s = 0.05


async def ensure_replicated_table(clients: Sequence[TableClient], table: str) -> None:
    """Raises `OperatorError` when the table doesn't become ACTIVE everywhere in time."""
    try:
        described = await asyncio.gather(*(_describe(client, table) for client in clients))
        home = next((client for client, found in zip(clients, described, strict=True) if found), clients[0])
        if not any(described):
            await _create(home, table)
        for client in clients:
            if client is not home:
                await _until(lambda: _is_active(home, table), f"{table} in {home.region}")
                await _add_replica(home, table, client.region)
        for client in clients:
            await _until(lambda client=client: _is_whole(client, table, len(clients)), f"{table} in {client.region}")  # type: ignore[misc]
    except (RefusedError, UnreachableError) as error:
        raise OperatorError(
            f"the table {table} can't be made in every region",
            why=str(error),
            next_step="Look at meridian lab status; start what is down with: meridian lab start REGION",
        ) from error


async def _create(client: TableClient, table: str) -> None:
    await client.call(
        "CreateTable",
        {
            "TableName": table,
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        },
    )
