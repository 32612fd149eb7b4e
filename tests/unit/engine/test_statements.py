"""Requests with many statements let others have their turns while the statements are read, planned and bound."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.region.engine.slices import slice_s
from shared.clock import SystemClock
from shared.limits import batch_statements_max, transaction_actions_max
from tests.unit.engine.regions import WireError, opened

table = "letters"


class CostlyClock(SystemClock):
    """As if every statement took two slices."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def monotonic_s(self) -> float:
        self._now_s += 2 * slice_s
        return self._now_s


async def turns_during(request: Awaitable[Any]) -> int:
    turns = 0
    running = asyncio.ensure_future(request)
    while not running.done():
        await asyncio.sleep(0)
        turns += 1
    await running
    return turns


def inserts(count: int) -> list[dict[str, str]]:
    return [{"Statement": f"INSERT INTO {table} VALUE {{'pk': '{number}'}}"} for number in range(count)]


def reads(count: int) -> list[dict[str, str]]:
    return [{"Statement": f"SELECT * FROM {table} WHERE pk = '{number}'"} for number in range(count)]


async def test_a_transaction_gives_way_between_its_statements(tmp_path: Path) -> None:
    """At least when they are read and when they are bound: a hundred of the longest take seconds together."""
    count = transaction_actions_max
    async with opened(tmp_path, clock=CostlyClock()) as region:
        await region.create_table(table)
        for statements in (inserts(count), reads(count)):
            assert await turns_during(region.call("ExecuteTransaction", TransactStatements=statements)) >= 2 * count


async def test_a_batch_gives_way_between_its_statements(tmp_path: Path) -> None:
    count = batch_statements_max
    async with opened(tmp_path, clock=CostlyClock()) as region:
        await region.create_table(table)
        for statements in (inserts(count), reads(count)):
            assert await turns_during(region.call("BatchExecuteStatement", Statements=statements)) >= 3 * count


async def test_the_first_statement_that_cannot_be_read_is_told_before_any_table_is_missed(tmp_path: Path) -> None:
    """Statements are read one after the other, but still all of them before anything else is looked at."""
    async with opened(tmp_path) as region:
        with pytest.raises(WireError) as refusal:
            await region.call("ExecuteTransaction", TransactStatements=[*reads(2), {"Statement": "SELECT"}])
    document = orjson.loads(str(refusal.value).partition(" ")[2])
    assert document["message"].startswith("Validation failed in TransactStatements[2]: Statement wasn't well formed")


async def test_a_batch_tells_of_each_statement_what_became_of_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as region:
        await region.create_table(table)
        await region.put(table, "1", "there")
        broken = {"Statement": "INSERT"}
        done = await region.call("BatchExecuteStatement", Statements=[broken, *inserts(2), broken])
        codes = [response.get("Error", {}).get("Code") for response in done["Responses"]]
        assert codes == ["ValidationError", None, "DuplicateItem", "ValidationError"]
        assert sorted(await _keys(region)) == ["0", "1"]


async def _keys(region: Any) -> list[str]:
    page = await region.call("Scan", TableName=table)
    return [item["pk"]["S"] for item in page["Items"]]
