"""The source's side of replication: what a follower is given, and what it is told when something is missing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.region.storage.partition_file import PartitionFile
from services.region.storage.partition_state import PartitionState
from services.region.vault.storage_key import storage_key
from shared.changes.records import Lane, decode_change
from shared.model.keys import slot_of
from shared.model.tables import Generation
from tests.unit.engine.regions import InProcessRegion, RefusedError, add_replica, carry, catalog_lane, opened


@pytest.fixture(name="here")
async def region_with_a_global_table(tmp_path: Path) -> AsyncIterator[InProcessRegion]:
    async with opened(tmp_path) as here:
        await make_global(here)
        yield here


async def make_global(region: InProcessRegion, table: str = "shared") -> None:
    await region.create_table(table)
    create = [{"Create": {"RegionName": "there"}}]
    await region.call("UpdateTable", TableName=table, ReplicaUpdates=create)


async def put_many(region: InProcessRegion, table: str = "shared", *, count: int = 40) -> None:
    for number in range(count):
        await region.put(table, f"item {number}", "x")


async def reason_of(refused: InProcessRegion, target: str, lane: Lane, *, after: int = 0) -> str:
    with pytest.raises(RefusedError) as refusal:
        await refused.lane(target, lane, after=after)
    return str(refusal.value.reason)


async def test_a_follower_without_a_place_gets_the_heads_of_all_its_lanes(here: InProcessRegion) -> None:
    await put_many(here)
    tail = await here.tail("there", None)
    assert tail.interrupted
    assert not tail.deliveries
    assert sum(head for lane, head in tail.heads.items() if lane != catalog_lane) == 40
    assert catalog_lane in tail.heads


async def test_a_follower_gets_every_change_after_its_cursor_once(here: InProcessRegion) -> None:
    first = await here.tail("there", None)
    await put_many(here)
    tail = await here.tail("there", first.cursor)
    assert not tail.interrupted
    assert len(tail.deliveries) == 40
    assert not (await here.tail("there", tail.cursor)).deliveries
    for lane in {delivery.lane for delivery in tail.deliveries}:
        sequences = [delivery.sequence for delivery in tail.deliveries if delivery.lane == lane]
        assert sequences == list(range(first.heads.get(lane, 0) + 1, first.heads.get(lane, 0) + 1 + len(sequences)))


async def test_a_cursor_from_before_a_restart_is_interrupted(tmp_path: Path) -> None:
    async with opened(tmp_path) as here:
        await make_global(here)
        cursor = (await here.tail("there", None)).cursor
        await put_many(here, count=3)
    async with opened(tmp_path) as here:
        tail = await here.tail("there", cursor)
        assert tail.interrupted
        assert sum(head for lane, head in tail.heads.items() if lane != catalog_lane) == 3


async def test_workers_share_the_lanes_without_overlap(here: InProcessRegion) -> None:
    cursor = (await here.tail("there", None)).cursor
    await put_many(here)
    whole = (await here.tail("there", cursor)).deliveries
    parts = [(await here.tail("there", cursor, share=(rank, 3))).deliveries for rank in range(3)]
    assert sorted(delivery for part in parts for delivery in part) == sorted(whole)
    assert all(delivery.lane.partition % 3 == rank for rank, part in enumerate(parts) for delivery in part)
    heads = [(await here.tail("there", None, share=(rank, 3))).heads for rank in range(3)]
    assert sum(map(len, heads)) == len((await here.tail("there", None)).heads)


async def test_changes_of_tables_without_a_replica_there_are_not_fed(here: InProcessRegion) -> None:
    await here.create_table("local")
    to_there, to_elsewhere = [(await here.tail(target, None)).cursor for target in ("there", "elsewhere")]
    await put_many(here, "local", count=5)
    await put_many(here, "shared", count=1)
    assert len((await here.tail("there", to_there)).deliveries) == 1
    assert not (await here.tail("elsewhere", to_elsewhere)).deliveries


async def test_a_lane_is_read_from_any_place(here: InProcessRegion) -> None:
    await put_many(here)
    heads = (await here.tail("there", None)).heads
    for lane, head in heads.items():
        batch = await here.lane("there", lane, after=1)
        assert batch.head["head"] == head
        assert [delivery.sequence for delivery in batch.deliveries] == list(range(2, head + 1))
        assert not (await here.lane("there", lane, after=head)).deliveries
        assert not (await here.lane("there", lane, after=head + 5)).deliveries


async def test_a_place_that_the_log_no_longer_holds_is_too_old(tmp_path: Path) -> None:
    """What was trimmed must never be jumped over: the follower has to resync."""
    async with opened(tmp_path) as here:
        await make_global(here)
        await put_many(here)
        heads = (await here.tail("there", None)).heads
    lane = next(lane for lane in heads if lane != catalog_lane)
    path = tmp_path / "here" / "tables" / lane.generation.hex() / f"{lane.partition}.db"
    file = PartitionFile(path, storage_key(tmp_path / "here"), lane=lane, region=1, first_state=PartitionState())
    file.begin()
    file.trim_changes(3)
    file.commit()
    file.close()
    async with opened(tmp_path) as here:
        assert await reason_of(here, "there", lane, after=0) == "too_old"
        assert await reason_of(here, "there", lane, after=2) == "too_old"
        assert (await here.lane("there", lane, after=3)).deliveries[0].sequence == 4


async def test_only_replicas_of_a_table_are_given_its_lanes(here: InProcessRegion) -> None:
    lane = (await here.lanes_of("shared"))[0]
    assert await reason_of(here, "elsewhere", lane) == "not_registered"
    assert await reason_of(here, "there", Lane(Generation(b"?" * 16), 0)) == "no_lane"
    assert await reason_of(here, "there", lane._replace(partition=99)) == "no_lane"
    assert await reason_of(here, "there", lane._replace(partition=-1)) in ("no_lane", "bad_request")


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


async def test_acknowledgements_never_go_back_and_survive(tmp_path: Path) -> None:
    async with opened(tmp_path) as here:
        await make_global(here)
        await put_many(here)
        lane = (await here.lanes_of("shared"))[0]
        for sequence in (5, 3):
            acked = {"target": "there", "lanes": [[lane.generation.hex(), lane.partition, sequence, 0]], "horizons": []}
            await here.ask("POST", "acks", json=acked)
    path = tmp_path / "here" / "tables" / lane.generation.hex() / f"{lane.partition}.db"
    file = PartitionFile(path, storage_key(tmp_path / "here"), lane=lane, region=1, first_state=PartitionState())
    assert file.state.followers == {2: 5}
    file.close()
