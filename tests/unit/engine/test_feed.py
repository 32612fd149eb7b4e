"""The source's side of replication: what a follower is given, and what it is told when something is missing."""

from pathlib import Path

import pytest

from services.region.storage.partition_file import PartitionFile
from services.region.storage.partition_state import PartitionState
from services.region.vault.storage_key import storage_key
from shared.changes.records import Lane, catalog_lane
from shared.model.tables import Generation
from tests.unit.engine.regions import InProcessRegion, RefusedError, make_global, opened, put_many


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
