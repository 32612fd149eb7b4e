"""Replicas that come: when they serve, when others hear of it, and what becomes of one that fails in between."""

import asyncio
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.region.jobs import housekeeping
from services.region.storage.catalog import Catalog, Stage
from shared.changes.records import Lane
from shared.model.tables import Generation
from tests.unit.engine.regions import (
    InProcessRegion,
    acknowledge,
    add_replica,
    carry,
    copy_partition,
    make_global,
    opened,
    put_many,
)

definitions = Lane(Generation(bytes(16)), 0)


async def copy(here: InProcessRegion, there: InProcessRegion) -> dict[str, str]:
    """All of a new replica but its going into service; answers what says that it may."""
    await make_global(here)
    await carry(here, there)
    lanes = await there.lanes_of("shared")
    for lane in lanes:
        await copy_partition(lane, here, there)
    await carry(there, here)
    return {"generation": lanes[0].generation.hex()}


async def status_of_there(region: InProcessRegion) -> str:
    table: dict[str, Any] = (await region.call("DescribeTable", TableName="shared"))["Table"]
    status: str = next(each["ReplicaStatus"] for each in table["Replicas"] if each["RegionName"] == "there")
    return status


async def test_a_replica_serves_before_others_hear_that_it_does(tmp_path: Path) -> None:
    """Who waits for a replica in one region uses it in the other at once, as Terraform does."""

    async def until_said() -> None:
        while True:
            if (await there.lane("here", definitions, after=known)).deliveries:
                return
            await asyncio.sleep(0)

    async with opened(tmp_path) as here, opened(tmp_path, "there") as there:
        copied = await copy(here, there)
        known = (await there.lane("here", definitions)).head["head"]
        async with asyncio.TaskGroup() as group:
            group.create_task(there.ask("POST", "copies/caught_up", json=copied))
            await until_said()
            await there.call("UpdateTable", TableName="shared", DeletionProtectionEnabled=True)
            await there.call("UpdateTable", TableName="shared", OnDemandThroughput={"MaxReadRequestUnits": 7})
        await carry(there, here)
        assert await status_of_there(here) == "ACTIVE"
    async with opened(tmp_path, "there") as there:
        table = (await there.call("DescribeTable", TableName="shared"))["Table"]
        assert table["OnDemandThroughput"] == {"MaxReadRequestUnits": 7}


async def test_a_replica_that_fails_before_it_is_kept_that_it_serves_is_asked_once_more(tmp_path: Path) -> None:
    async with opened(tmp_path) as here:
        async with opened(tmp_path, "there") as there:
            copied = await copy(here, there)
            await there.ask("POST", "copies/caught_up", json=copied)
            await there.put("shared", "a", "x")
        with closing(Catalog(tmp_path / "there" / "catalog.db", region="there", number=2)) as catalog:
            (table,) = catalog.tables()
            catalog.write_table(replace(table, stage=Stage.CREATING))
        async with opened(tmp_path, "there") as there:
            await there.ask("POST", "copies/caught_up", json=copied)
            assert await there.get("shared", "a") is not None
            await carry(there, here)
            assert await status_of_there(here) == "ACTIVE"


async def test_a_replica_that_has_come_back_goes_again_though_nobody_acknowledges_what_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its earlier changes had all arrived when it left, and who has told that once does not tell it again."""
    monkeypatch.setattr(housekeeping, "_removal_interval_s", 0.001)

    async def leave() -> None:
        await here.call("UpdateTable", TableName="shared", ReplicaUpdates=[{"Delete": {"RegionName": "there"}}])
        await carry(here, there)

    async def until_gone() -> None:
        while True:
            await carry(there, here)
            if "Replicas" not in (await here.call("DescribeTable", TableName="shared"))["Table"]:
                return
            await asyncio.sleep(0.001)

    async with opened(tmp_path) as here, opened(tmp_path, "there") as there:
        await here.create_table("shared")
        await add_replica("shared", here, there)
        await put_many(there)
        await carry(there, here)
        await acknowledge(there, here)
        await leave()
        await until_gone()
        await add_replica("shared", here, there)
        await leave()
        await until_gone()
