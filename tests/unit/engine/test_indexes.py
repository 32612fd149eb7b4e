"""Indexes that come to tables with items: built in every region for itself, in slices, and whatever comes between."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.unit.engine.regions import InProcessRegion, WireError, add_replica, carry, opened

index = {
    "IndexName": "by-text",
    "KeySchema": [{"AttributeName": "text", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
defined = [{"AttributeName": "text", "AttributeType": "S"}]
poll_s = 0.001


async def add_index(region: InProcessRegion, added: dict[str, Any] = index) -> dict[str, Any]:
    return await region.call(
        "UpdateTable",
        TableName="orders",
        AttributeDefinitions=defined,
        GlobalSecondaryIndexUpdates=[{"Create": added}],
    )


def changed(throughput: dict[str, Any]) -> dict[str, Any]:
    return {"GlobalSecondaryIndexUpdates": [{"Update": {"IndexName": "by-text", **throughput}}]}


async def found(region: InProcessRegion, text: str) -> list[str]:
    page = await region.call(
        "Query",
        TableName="orders",
        IndexName="by-text",
        KeyConditionExpression="#text = :text",
        ExpressionAttributeNames={"#text": "text"},
        ExpressionAttributeValues={":text": {"S": text}},
    )
    return sorted(item["pk"]["S"] for item in page["Items"])


async def described(region: InProcessRegion) -> dict[str, Any]:
    document: dict[str, Any] = (await region.call("DescribeTable", TableName="orders"))["Table"]
    return document


async def settled(region: InProcessRegion) -> dict[str, Any]:
    def is_settled(table: dict[str, Any]) -> bool:
        statuses = [each["IndexStatus"] for each in table.get("GlobalSecondaryIndexes", [])]
        return table["TableStatus"] == "ACTIVE" and set(statuses) <= {"ACTIVE"}

    return await described_until(region, is_settled)


async def described_until(region: InProcessRegion, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    while True:
        table = await described(region)
        if holds(table):
            return table
        await asyncio.sleep(poll_s)  # in a loop that never rests, writers' threads would hardly get their turn


async def refusal(region: InProcessRegion, operation: str, **members: Any) -> str:
    with pytest.raises(WireError) as refused:
        await region.call(operation, TableName="orders", **members)
    error = orjson.loads(str(refused.value).partition(" ")[2])
    return f"{error['__type'].rpartition('#')[2]}: {error['message']}"


async def test_an_index_is_not_read_before_it_is_built(tmp_path: Path) -> None:
    async with opened(tmp_path) as here:
        await here.create_table("orders")
        await here.put("orders", "a", "x")
        await add_index(here)
        with pytest.raises(WireError, match="Cannot read from backfilling global secondary index: by-text"):
            await found(here, "x")
        await settled(here)
        assert await found(here, "x") == ["a"]


async def test_while_an_index_is_made_ready_others_wait(tmp_path: Path) -> None:
    async with opened(tmp_path) as here:
        await here.create_table("orders")
        await add_index(here)
        [shown] = (await described(here))["GlobalSecondaryIndexes"]
        assert (shown["IndexStatus"], shown["Backfilling"]) == ("CREATING", False)
        assert await refusal(here, "DeleteTable") == (
            "ResourceInUseException: Attempt to change a resource which is still in use: Cannot delete table while"
            " indexes are being created, updated, or deleted."
        )
        other = [{"Create": {**index, "IndexName": "other"}}]
        assert await refusal(here, "UpdateTable", AttributeDefinitions=defined, GlobalSecondaryIndexUpdates=other) == (
            "LimitExceededException: Subscriber limit exceeded: Only 1 online index can be created or deleted"
            " simultaneously per table"
        )
        removal = [{"Delete": {"IndexName": "by-text"}}]
        assert (await refusal(here, "UpdateTable", GlobalSecondaryIndexUpdates=removal)).startswith(
            "ResourceInUseException: Attempt to change a resource which is still in use: Index creation is in resource"
            " allocation phase."
        )
        limits = {"OnDemandThroughput": {"MaxReadRequestUnits": 100}}
        capacity = {"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}
        provisioned = {"BillingMode": "PROVISIONED", **capacity}
        for members, words in (
            (changed(limits), "Index is being created but is not backfilling yet. Table: orders Index: by-text"),
            (provisioned, "Can't change table IOPS when an index is being created. Table: orders Indexes: [by-text]"),
            (limits, "OnDemandThroughput cannot be updated while index creation is in progress for indexes: [by-text]"),
        ):
            assert (await refusal(here, "UpdateTable", **members)).endswith(f": {words}")
        await settled(here)
        await here.call("UpdateTable", TableName="orders", GlobalSecondaryIndexUpdates=removal)
        for members, words in (
            (provisioned, "Can't change table IOPS when an index is being deleted. Table: orders Indexes: [by-text]"),
            (provisioned | changed(capacity), "Index is being deleted. Table: orders Index: by-text"),
            (limits, "OnDemandThroughput cannot be updated while index deletion is in progress for indexes: [by-text]"),
        ):
            assert (await refusal(here, "UpdateTable", **members)).endswith(f": {words}")
        await here.call("UpdateTable", TableName="orders", BillingMode="PAY_PER_REQUEST")
        assert "GlobalSecondaryIndexes" not in await settled(here)
        await here.call("DeleteTable", TableName="orders")


async def test_building_goes_on_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as here:
        await here.create_table("orders")
        for number in range(20):
            await here.put("orders", f"item {number:02}", "x")
        await add_index(here)
    async with opened(tmp_path) as here:
        assert [each["IndexStatus"] for each in (await settled(here))["GlobalSecondaryIndexes"]] == ["ACTIVE"]
        assert await found(here, "x") == [f"item {number:02}" for number in range(20)]


async def test_an_index_spreads_and_every_region_fills_its_own(tmp_path: Path) -> None:
    async with opened(tmp_path, "here") as here, opened(tmp_path, "there") as there:
        await here.create_table("orders")
        await here.put("orders", "a", "x")
        await add_replica("orders", here, there)
        await there.put("orders", "b", "x")
        await add_index(here)
        await carry(here, there)
        await settled(here)
        assert await found(here, "x") == ["a"]
        await described_until(there, lambda table: "GlobalSecondaryIndexes" in table)
        await settled(there)
        assert await found(there, "x") == ["a", "b"]
        await there.put("orders", "a", "y")
        await carry(there, here)
        assert (await found(here, "x"), await found(here, "y")) == (["b"], ["a"])


async def test_an_index_that_loses_to_another_region_goes(tmp_path: Path) -> None:
    """Both regions change the table without having heard of the other; the later definition stands for both."""
    async with opened(tmp_path, "here") as here, opened(tmp_path, "there") as there:
        await here.create_table("orders")
        await here.put("orders", "a", "x")
        await add_replica("orders", here, there)
        await add_index(here)
        await settled(here)
        await there.call("UpdateTable", TableName="orders", TableClass="STANDARD_INFREQUENT_ACCESS")
        await carry(there, here)
        await described_until(here, lambda table: "GlobalSecondaryIndexes" not in table)
        await carry(here, there)
        assert "GlobalSecondaryIndexes" not in await settled(there)


async def test_a_new_replica_comes_with_the_indexes(tmp_path: Path) -> None:
    async with opened(tmp_path, "here") as here, opened(tmp_path, "there") as there:
        await here.create_table("orders")
        await here.put("orders", "a", "x")
        await add_index(here)
        await settled(here)
        await add_replica("orders", here, there)
        assert await found(there, "x") == ["a"]
