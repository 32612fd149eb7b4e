"""Streams of regions: what a day, a restart and other regions do to them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from services.region.jobs import housekeeping
from shared.clock import SystemClock
from shared.limits import shard_iterator_age_max_s, stream_age_max_s
from tests.unit.engine.regions import InProcessRegion, WireError, add_replica, carry, opened

both_images = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
hour_s = 3600


class AheadClock(SystemClock):
    """Shows the time plus what a test lets pass."""

    passed_us = 0

    def wall_us(self) -> int:
        return super().wall_us() + self.passed_us

    def let_pass(self, seconds: float) -> None:
        self.passed_us += int(seconds * 1_000_000)


async def ask(region: InProcessRegion, operation: str, **members: Any) -> dict[str, Any]:
    return await region.call(f"DynamoDBStreams_20120810.{operation}", **members)


async def enable(region: InProcessRegion, table: str = "orders") -> str:
    await region.call("UpdateTable", TableName=table, StreamSpecification=both_images)
    return await arn_of(region, table)


async def disable(region: InProcessRegion) -> None:
    await region.call("UpdateTable", TableName="orders", StreamSpecification={"StreamEnabled": False})


async def arn_of(region: InProcessRegion, table: str = "orders") -> str:
    arn: str = (await region.call("DescribeTable", TableName=table))["Table"]["LatestStreamArn"]
    return arn


async def shards_of(region: InProcessRegion, arn: str) -> list[dict[str, Any]]:
    shards: list[dict[str, Any]] = (await ask(region, "DescribeStream", StreamArn=arn))["StreamDescription"]["Shards"]
    return shards


async def iterator(region: InProcessRegion, arn: str, shard: dict[str, Any], **options: str) -> str:
    wanted = {"ShardIteratorType": "TRIM_HORIZON", **options}
    given = await ask(region, "GetShardIterator", StreamArn=arn, ShardId=shard["ShardId"], **wanted)
    token: str = given["ShardIterator"]
    return token


async def records(region: InProcessRegion, arn: str) -> list[dict[str, Any]]:
    found = []
    for shard in await shards_of(region, arn):
        page = await ask(region, "GetRecords", ShardIterator=await iterator(region, arn, shard))
        found += page["Records"]
    return found


def changes(found: Sequence[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(record["eventName"], record["dynamodb"].get("NewImage", {}).get("text", {}).get("S")) for record in found]


def has_files(folder: Path) -> bool:
    return any(folder.iterdir())


async def until_empty(folder: Path) -> None:
    while True:
        if not has_files(folder):
            return
        await asyncio.sleep(0.001)


async def test_records_are_gone_after_a_day(tmp_path: Path) -> None:
    clock = AheadClock()
    async with opened(tmp_path, clock=clock) as region:
        await region.create_table("orders")
        arn = await enable(region)
        await region.put("orders", "a", "old")
        [shard] = [each for each in await shards_of(region, arn) if await _is_written(region, arn, each)]
        [record] = await records(region, arn)
        number = record["dynamodb"]["SequenceNumber"]
        clock.let_pass(stream_age_max_s - hour_s)
        await region.put("orders", "a", "new")
        assert changes(await records(region, arn)) == [("INSERT", "old"), ("MODIFY", "new")]
        clock.let_pass(hour_s - 60)
        begun = await iterator(region, arn, shard)
        clock.let_pass(120)
        assert changes(await records(region, arn)) == [("MODIFY", "new")]
        with pytest.raises(WireError, match="TrimmedDataAccessException"):
            await ask(region, "GetRecords", ShardIterator=begun)
        with pytest.raises(WireError, match="TrimmedDataAccessException"):
            await iterator(region, arn, shard, ShardIteratorType="AT_SEQUENCE_NUMBER", SequenceNumber=number)
        after = await iterator(region, arn, shard, ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=number)
        assert changes((await ask(region, "GetRecords", ShardIterator=after))["Records"]) == [("MODIFY", "new")]
        [current] = [each for each in await shards_of(region, arn) if each["ShardId"] == shard["ShardId"]]
        assert current["SequenceNumberRange"]["StartingSequenceNumber"] > number


async def test_an_iterator_is_good_for_15_minutes(tmp_path: Path) -> None:
    clock = AheadClock()
    async with opened(tmp_path, clock=clock) as region:
        await region.create_table("orders")
        arn = await enable(region)
        begun = await iterator(region, arn, (await shards_of(region, arn))[0])
        clock.let_pass(shard_iterator_age_max_s - 60)
        page = await ask(region, "GetRecords", ShardIterator=begun)
        clock.let_pass(120)
        with pytest.raises(WireError, match=r"ExpiredIteratorException.*tolerated delay of 900000 milliseconds"):
            await ask(region, "GetRecords", ShardIterator=begun)
        assert (await ask(region, "GetRecords", ShardIterator=page["NextShardIterator"]))["Records"] == []


async def test_a_disabled_stream_is_gone_after_a_day(tmp_path: Path) -> None:
    clock = AheadClock()
    async with opened(tmp_path, clock=clock) as region:
        await region.create_table("orders")
        arn = await enable(region)
        await disable(region)
        clock.let_pass(stream_age_max_s - 60)
        assert await records(region, arn) == []
        clock.let_pass(120)
        with pytest.raises(WireError, match=f"Requested resource not found: Stream: {arn} not found"):
            await shards_of(region, arn)
        assert await ask(region, "ListStreams") == {"Streams": []}
    async with opened(tmp_path, clock=clock) as region:
        assert await ask(region, "ListStreams") == {"Streams": []}


async def test_streams_and_iterators_outlive_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as region:
        await region.create_table("orders")
        await region.put("orders", "a", "before")
        first = await enable(region)
        await region.put("orders", "a", "first")
        await disable(region)
        await region.put("orders", "a", "between")
        second = await enable(region)
        begun = [await iterator(region, first, shard) for shard in await shards_of(region, first)]
        described = await shards_of(region, first)
    async with opened(tmp_path) as region:
        await region.put("orders", "a", "second")
        assert await shards_of(region, first) == described
        pages = [await ask(region, "GetRecords", ShardIterator=token) for token in begun]
        assert changes([record for page in pages for record in page["Records"]]) == [("MODIFY", "first")]
        assert not any("NextShardIterator" in page for page in pages)
        assert changes(await records(region, second)) == [("MODIFY", "second")]


async def test_the_streams_of_a_deleted_table_are_kept_for_a_day_and_its_files_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_removal_interval_s", 0.001)
    clock = AheadClock()
    async with opened(tmp_path, clock=clock) as region:
        await region.create_table("orders")
        gone = await enable(region)
        await region.put("orders", "a", "old")
        begun = [await iterator(region, gone, shard) for shard in await shards_of(region, gone)]
        await region.call("DeleteTable", TableName="orders")
        await region.create_table("orders")
        assert await region.scanned("orders") == {}
        current = await enable(region)
        pages = [await ask(region, "GetRecords", ShardIterator=token) for token in begun]
        assert changes([record for page in pages for record in page["Records"]]) == [("INSERT", "old")]
        assert not any("NextShardIterator" in page for page in pages)
    async with opened(tmp_path, clock=clock) as region:
        assert changes(await records(region, gone)) == [("INSERT", "old")]
        assert await records(region, current) == []
        listed = (await ask(region, "ListStreams", TableName="orders"))["Streams"]
        assert [each["StreamArn"] for each in listed] == [current, gone]
        [folder] = (each for each in (tmp_path / "here" / "tables").iterdir() if has_files(each))
        clock.let_pass(stream_age_max_s + 60)
        with pytest.raises(WireError, match="ResourceNotFoundException"):
            await shards_of(region, gone)
        async with asyncio.timeout(10):
            await until_empty(folder)
    async with opened(tmp_path, clock=clock) as region:
        assert [each["StreamArn"] for each in (await ask(region, "ListStreams"))["Streams"]] == [current]
        assert await region.scanned("orders") == {}


async def test_a_table_without_streams_leaves_no_files(tmp_path: Path) -> None:
    async with opened(tmp_path) as region:
        await region.create_table("orders")
        await region.put("orders", "a", "old")
        await region.call("DeleteTable", TableName="orders")
        assert not any(map(has_files, (tmp_path / "here" / "tables").iterdir()))


async def test_a_replica_that_comes_back_has_no_stream_of_its_earlier_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_removal_interval_s", 0.001)

    async def until_gone() -> None:
        while "Replicas" in (await here.call("DescribeTable", TableName="orders"))["Table"]:
            await carry(there, here)
            await asyncio.sleep(0.001)

    async with opened(tmp_path) as here, opened(tmp_path, "there") as there:
        await here.create_table("orders")
        await add_replica("orders", here, there)
        await here.put("orders", "a", "one")
        await carry(here, there)
        earlier = await arn_of(there)
        await here.call("UpdateTable", TableName="orders", ReplicaUpdates=[{"Delete": {"RegionName": "there"}}])
        await carry(here, there)
        await until_gone()
        assert changes(await records(there, earlier)) == [("INSERT", "one")]
        await add_replica("orders", here, there)
        assert await there.get("orders", "a") == "one"
        await here.put("orders", "a", "two")
        await carry(here, there)
        assert changes(await records(there, await arn_of(there))) == [("MODIFY", "two")]


async def test_every_region_shows_the_changes_of_all(tmp_path: Path) -> None:
    """What was applied is in the target's stream too; each region has a stream of its own."""
    async with opened(tmp_path) as here, opened(tmp_path, "there") as there:
        await here.create_table("orders")
        await here.put("orders", "old", "old")
        await add_replica("orders", here, there)
        await here.put("orders", "a", "one")
        await carry(here, there)
        await there.put("orders", "a", "two")
        await there.delete("orders", "a")
        await carry(there, here)
        expected = [("INSERT", "one"), ("MODIFY", "two"), ("REMOVE", None)]
        for region in (here, there):
            arn = await arn_of(region)
            assert f":{region.name}:" in arn
            found = await records(region, arn)
            assert changes(found) == expected
            assert {record["awsRegion"] for record in found} == {region.name}
            with pytest.raises(WireError, match="Disabling Stream is not allowed for a Global Table replica"):
                await disable(region)
        with pytest.raises(WireError, match="ResourceNotFoundException"):
            await shards_of(here, await arn_of(there))


async def test_a_replica_has_the_stream_of_its_table(tmp_path: Path) -> None:
    """A table that becomes global keeps the stream that it has, with what it shows."""
    keys_only = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    async with opened(tmp_path) as here, opened(tmp_path, "there") as there:
        await here.create_table("orders")
        await here.call("UpdateTable", TableName="orders", StreamSpecification=keys_only)
        before = await arn_of(here)
        await here.put("orders", "a", "one")
        await add_replica("orders", here, there)
        await here.put("orders", "a", "two")
        await carry(here, there)
        assert await arn_of(here) == before
        assert [record["eventName"] for record in await records(here, before)] == ["INSERT", "MODIFY"]
        found = await records(there, await arn_of(there))
        assert [(each["eventName"], each["dynamodb"]["StreamViewType"]) for each in found] == [("MODIFY", "KEYS_ONLY")]


async def _is_written(region: InProcessRegion, arn: str, shard: dict[str, Any]) -> bool:
    page = await ask(region, "GetRecords", ShardIterator=await iterator(region, arn, shard))
    return bool(page["Records"])
