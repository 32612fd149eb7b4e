"""Makes a table with a replica in every region, as an application would, and waits until it serves everywhere."""

import asyncio
from collections.abc import Sequence
from typing import Any

from services.lab.client import RefusedError, TableClient
from shared.connection import NoAnswerError
from shared.errors import OperatorError

active_patience_s = 60.0
active_poll_s = 0.05


async def ensure_replicated_table(clients: Sequence[TableClient], table: str) -> None:
    """Raises `OperatorError` when the table doesn't become ACTIVE everywhere in time."""
    try:
        async with asyncio.timeout(active_patience_s):
            await _ensure(clients, table)
    except TimeoutError as error:
        why = f"a replica isn't ACTIVE after {active_patience_s:g} s"
        raise _unmakeable(table, why) from error
    except (RefusedError, NoAnswerError) as error:
        raise _unmakeable(table, str(error)) from error


async def _ensure(clients: Sequence[TableClient], table: str) -> None:
    described = await asyncio.gather(*(_describe(client, table) for client in clients))
    home = next((client for client, found in zip(clients, described, strict=True) if found), None)
    if home is None:
        home = clients[0]
        await _create(home, table)
    for client in clients:
        description = await _until_active(home, table, replicas=())
        if client is not home and client.region not in _replicas(description):
            await home.call(
                "UpdateTable", {"TableName": table, "ReplicaUpdates": [{"Create": {"RegionName": client.region}}]}
            )
    names = [client.region for client in clients]
    for client in clients:
        await _until_active(client, table, replicas=[name for name in names if name != client.region])


async def _describe(client: TableClient, table: str) -> dict[str, Any] | None:
    try:
        description: dict[str, Any] = (await client.call("DescribeTable", {"TableName": table}))["Table"]
    except RefusedError as error:
        if error.code != "ResourceNotFoundException":
            raise
        return None
    return description


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


async def _until_active(client: TableClient, table: str, *, replicas: Sequence[str]) -> dict[str, Any]:
    while True:
        description = await _describe(client, table)
        if description is not None and description["TableStatus"] == "ACTIVE":
            states = _replicas(description)
            if all(states.get(name) == "ACTIVE" for name in replicas):
                return description
        await asyncio.sleep(active_poll_s)


def _replicas(description: dict[str, Any]) -> dict[str, str]:
    return {each["RegionName"]: each["ReplicaStatus"] for each in description.get("Replicas", ())}


def _unmakeable(table: str, why: str) -> OperatorError:
    return OperatorError(
        f"the table {table} can't be made in every region",
        why=why,
        next_step="Look at meridian lab status; start what is down with: meridian lab start REGION",
    )
