"""A region whose data directory was put back from an older copy: noticed, never skipped, and mended where it can be."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from shared.changes.batches import decode_batch
from shared.changes.records import Lane
from tests.unit.engine.regions import InProcessRegion, acknowledge, add_replica, carry, copy_partition, opened


async def states(region: InProcessRegion) -> Mapping[Lane, tuple[str, ...]]:
    reports = (await region.lanes()).items()
    return {lane: (report["state"], *report["lost"]) for lane, report in reports if report["table"]}


async def lose(region: InProcessRegion, lane: Lane, source: InProcessRegion) -> None:
    lost = {"generation": lane.generation.hex(), "partition": lane.partition, "source": source.name}
    await region.ask("POST", "lanes/needs_resync", json=lost)


@pytest.mark.parametrize("written_since", [2, 60], ids=["less than was lost", "more than was lost"])
async def test_both_sides_get_back_what_the_other_has(tmp_path: Path, written_since: int) -> None:
    """Sequences that were used twice would otherwise be taken for repeats: silent loss in one region, or in both."""
    async with opened(tmp_path, "there") as there:
        async with opened(tmp_path) as here:
            await here.create_table("shared")
            await add_replica("shared", here, there)
            for number in range(10):
                await here.put("shared", f"early {number}", "x")
            await carry(here, there)
        shutil.copytree(tmp_path / "here", tmp_path / "older")
        async with opened(tmp_path) as here:
            for number in range(20):
                await here.put("shared", f"lost {number}", "x")
            await carry(here, there)
        shutil.rmtree(tmp_path / "here")
        (tmp_path / "older").rename(tmp_path / "here")
        async with opened(tmp_path) as here:
            for number in range(written_since):
                await here.put("shared", f"late {number}", "x")
            await acknowledge(here, there)
            told = await states(here)
            assert told
            assert set(told.values()) == {("NEEDS_RESYNC", "there")}
            for lane in told:
                await lose(there, lane, here)
                await copy_partition(lane, there, here)
                await copy_partition(lane, here, there)
            assert set((await states(here)).values()) == set((await states(there)).values()) == {("FOLLOWING",)}
            await here.put("shared", "at last", "x")
            await carry(here, there)
            numbered = {"early": 10, "lost": 20, "late": written_since}
            names = [f"{name} {number}" for name, count in numbered.items() for number in range(count)]
            assert await here.scanned("shared") == dict.fromkeys(["at last", *names], "x")
            assert await there.scanned("shared") == await here.scanned("shared")
            await acknowledge(here, there)
            assert set((await states(here)).values()) == {("FOLLOWING",)}


async def test_a_restart_without_a_loss_is_none(tmp_path: Path) -> None:
    """Negative control."""
    async with opened(tmp_path, "there") as there:
        async with opened(tmp_path) as here:
            await here.create_table("shared")
            await add_replica("shared", here, there)
            for number in range(10):
                await here.put("shared", f"early {number}", "x")
            await carry(here, there)
        async with opened(tmp_path) as here:
            await here.put("shared", "late", "x")
            await acknowledge(here, there)
            assert set((await states(here)).values()) == {("FOLLOWING",)}


async def test_the_source_tells_which_change_a_sequence_is(tmp_path: Path) -> None:
    """By its commit time, in the log and in the heads that an interrupted follower is told."""
    async with opened(tmp_path) as here:
        await here.create_table("shared")
        create: list[dict[str, Any]] = [{"Create": {"RegionName": "there"}}]
        await here.call("UpdateTable", TableName="shared", ReplicaUpdates=create)
        for number in range(20):
            await here.put("shared", f"item {number}", "x")
        lane = (await here.lanes_of("shared"))[0]
        batch = await here.lane("there", lane, after=1)
        head = batch.head["head"]
        asked = {"target": "there", "cursor": None, "wait_s": 0, "share": [0, 1]}
        tail = decode_batch(await here.ask("POST", "feed/tail", json=asked))
        times = {(generation, partition): time_us for generation, partition, time_us in tail.head["head_times"]}
        last = (await here.lane("there", lane, after=head)).head["commit_us"]
        assert 0 < batch.head["commit_us"] < last
        assert times[lane.generation.hex(), lane.partition] == last
        assert (await here.lane("there", lane, after=head + 1)).head["commit_us"] == 0
