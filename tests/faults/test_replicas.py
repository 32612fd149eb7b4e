"""Replicas that come and go under load: who joins gets everything, who leaves takes nothing along."""

import asyncio
from uuid import uuid4

from services.lab.client import TableClient
from services.lab.tables import ensure_replicated_table
from tests.faults.judgement import assert_recovers, heal_patience_s
from tests.faults.lab import Lab, eventually, regions
from tests.faults.oracle import Oracle

us, eu, ap = regions


async def test_a_replica_added_under_load_gets_every_item(running_lab: Lab, clients: dict[str, TableClient]) -> None:
    table = f"t-{uuid4().hex}"
    await ensure_replicated_table([clients[us], clients[eu]], table)
    oracle = Oracle(running_lab, table, regions=(us, eu))
    async with oracle.load():
        await oracle.more(100)
        await ensure_replicated_table(list(clients.values()), table)
        await oracle.more(50)
    await assert_recovers(running_lab, oracle, table, regions=regions)


async def test_a_replica_removed_behind_a_cut_still_hands_over_its_writes(
    running_lab: Lab, clients: dict[str, TableClient], table: str
) -> None:
    """It learns of its removal only after the cut, and has acknowledged writes until then."""
    # What overwrote what is in the change log of the writing region, and that of the removed one is gone at the end.
    oracle = Oracle(running_lab, table, regions=regions, hot=(us, eu))
    removal = {"TableName": table, "ReplicaUpdates": [{"Delete": {"RegionName": ap}}]}

    async def is_gone() -> bool:
        described = await clients[us].call("DescribeTable", {"TableName": table})
        return ap not in [each["RegionName"] for each in described["Table"]["Replicas"]]

    async with oracle.load():
        await oracle.more(50)
        for other in (us, eu):
            await asyncio.to_thread(running_lab.run_well, "cut", ap, other)
        await oracle.more(50)
        await clients[us].call("UpdateTable", removal)
        await oracle.more(50)
        await asyncio.to_thread(running_lab.run_well, "heal")
        assert await eventually(is_gone, patience_s=heal_patience_s)
        await oracle.more(50, regions=(us, eu))
    assert all(tally.failed == 0 for tally in oracle.tallies.values())
    await assert_recovers(running_lab, oracle, table, regions=(us, eu))


async def test_a_link_between_regions_without_a_replica_is_nobodys_lag(
    running_lab: Lab, clients: dict[str, TableClient]
) -> None:
    """A region that has no replica has nothing to send: it must not show as a source that is stuck."""
    table = f"t-{uuid4().hex}"
    await ensure_replicated_table([clients[us], clients[eu]], table)
    oracle = Oracle(running_lab, table, regions=(us, eu))
    async with oracle.load():
        await oracle.more(10)
    await assert_recovers(running_lab, oracle, table, regions=(us, eu))


async def test_a_table_made_anew_while_a_region_was_away_takes_the_place_of_the_old_one(
    running_lab: Lab, clients: dict[str, TableClient]
) -> None:
    """The region learns at once that one table goes and another of the same name comes; the order must not matter."""
    table = f"t-{uuid4().hex}"
    await ensure_replicated_table([clients[us], clients[eu]], table)
    await clients[us].call("PutItem", {"TableName": table, "Item": {"id": {"S": "old"}}})
    await asyncio.to_thread(running_lab.run_well, "kill", eu)
    removal = {"TableName": table, "ReplicaUpdates": [{"Delete": {"RegionName": eu}}]}
    await clients[us].call("UpdateTable", removal)
    await clients[us].call("DeleteTable", {"TableName": table})
    await ensure_replicated_table([clients[us]], table)
    addition = {"TableName": table, "ReplicaUpdates": [{"Create": {"RegionName": eu}}]}
    await clients[us].call("UpdateTable", addition)
    await clients[us].call("PutItem", {"TableName": table, "Item": {"id": {"S": "new"}}})
    await asyncio.to_thread(running_lab.run_well, "start", eu)
    await ensure_replicated_table([clients[us], clients[eu]], table)
    assert running_lab.differences(table, patience_s=heal_patience_s) == ""
    found = await clients[eu].call("Scan", {"TableName": table})
    assert found["Items"] == [{"id": {"S": "new"}}]
