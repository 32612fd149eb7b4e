"""The donor's side of a copy: nothing is left out, and positions are never younger than rows."""

from pathlib import Path

import pytest

from shared.changes.records import decode_change
from shared.model.keys import slot_of
from tests.unit.engine.regions import InProcessRegion, RefusedError, add_replica, carry, make_global, opened, put_many


async def test_a_snapshot_holds_every_row_with_its_version_and_the_tombstones(here: InProcessRegion) -> None:
    await put_many(here)
    for number in range(0, 40, 4):
        await here.delete("shared", f"item {number}")
    seen = {}
    for lane in await here.lanes_of("shared"):
        logged = {}
        for delivery in (await here.lane("there", lane)).deliveries:
            change = decode_change(delivery.record)
            logged[change.partition_key] = change
        page = await here.snapshot("there", lane)
        while page.head["cursor"] is not None:
            for delivery in page.deliveries:
                row = decode_change(delivery.record)
                assert delivery.sequence == row.origin_sequence == 0
                assert slot_of(row.partition_key) * 4 // 65_536 == lane.partition
                newest = logged[row.partition_key]
                assert (row.version, row.seen, row.image) == (newest.version, newest.seen, newest.image)
                seen[row.partition_key] = row.image
            page = await here.snapshot("there", lane, cursor=page.head["cursor"])
    assert len(seen) == 40
    assert sum(image is None for image in seen.values()) == 10


async def test_a_large_snapshot_comes_in_pages_that_overlap_nowhere(here: InProcessRegion) -> None:
    for number in range(30):
        await here.put("shared", f"item {number}", "x" * 300_000)
    pages = 0
    keys: list[bytes] = []
    for lane in await here.lanes_of("shared"):
        page = await here.snapshot("there", lane)
        while page.head["cursor"] is not None:
            pages += 1
            keys += [decode_change(delivery.record).partition_key for delivery in page.deliveries]
            page = await here.snapshot("there", lane, cursor=page.head["cursor"])
    assert pages > 4
    assert sorted(keys) == sorted(f"item {number}".encode() for number in range(30))


async def test_a_snapshots_positions_are_not_younger_than_its_rows(here: InProcessRegion) -> None:
    """A change between the first page and the last must be fetched again from the feed, never be taken as copied."""
    await put_many(here)
    lane = (await here.lanes_of("shared"))[0]
    head = (await here.lane("there", lane)).head["head"]
    first = await here.snapshot("there", lane)
    assert first.head["positions"]["here"][:2] == [head, -1]
    await put_many(here)
    end = await here.snapshot("there", lane, cursor="end")
    assert end.head["cursor"] is None
    assert not end.deliveries
    assert end.head["positions"]["here"][0] > head


async def test_a_donor_whose_own_copy_is_not_there_yet_refuses(tmp_path: Path) -> None:
    async with opened(tmp_path) as here, opened(tmp_path, "there") as there:
        await make_global(here)
        await carry(here, there)
        with pytest.raises(RefusedError) as refusal:
            await there.snapshot("here", (await there.lanes_of("shared"))[0])
        assert refusal.value.reason == "not_ready"


async def test_a_donor_is_whole_for_whom_it_waits_for_alone(tmp_path: Path) -> None:
    """It lacks nothing but what the other has, so each can give the other what it lacks."""
    async with opened(tmp_path) as here, opened(tmp_path, "there") as there:
        await here.create_table("shared")
        await add_replica("shared", here, there)
        create = [{"Create": {"RegionName": "elsewhere"}}]
        await here.call("UpdateTable", TableName="shared", ReplicaUpdates=create)
        await carry(here, there)
        lane = (await there.lanes_of("shared"))[0]
        assert (await there.snapshot("here", lane)).head["whole"]
        damaged = {"generation": lane.generation.hex(), "partition": lane.partition, "source": "here"}
        await there.ask("POST", "lanes/needs_resync", json=damaged)
        assert (await there.lanes())[lane]["lost"] == ["here"]
        assert (await there.snapshot("here", lane)).head["whole"]
        assert not (await there.snapshot("elsewhere", lane)).head["whole"]
