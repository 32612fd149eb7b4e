"""The target's side: other regions' changes enter in order, once, and whatever is wrong with one stops no other."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.region.engine.remote_changes import ApplyChanges
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partition_state import PartitionState
from shared.changes.batches import Delivery
from shared.changes.records import Kind, Lane, catalog_lane, encode_change
from shared.clock import SystemClock
from shared.feed.port import Position
from shared.limits import clock_drift_max_ms, clock_drift_refuse_ms
from shared.model.keys import ItemKey, partition_of, slot_of
from shared.model.tables import Generation, catalog_generation
from shared.versions.versions import Version, encode_seen, timestamp_at
from tests.unit.engine.regions import InProcessRegion, RefusedError, add_replica, carry, make_global, opened

there = 2
now_us = SystemClock().wall_us()


def keys_of(partition: int) -> list[str]:
    """Some keys that belong to a partition."""
    names = (f"item {number}" for number in range(200))
    return [name for name in names if partition_of(slot_of(name.encode()), 4) == partition]


def delivery(
    lane: Lane,
    sequence: int,
    key: str,
    text: str = "",
    *,
    origin: int = there,
    wall_us: int = now_us,
    named: int | None = None,
    lane_named: Lane | None = None,
    image: bytes | None = None,
    seen: dict[int, int] | None = None,
) -> Delivery:
    """A change made in another region, as it arrives; `named`: the sequence that the record itself says."""
    version = Version(timestamp_at(wall_us) + sequence, origin)
    record = encode_change(
        Kind.PUT,
        lane_named or lane,
        version=version,
        origin_sequence=sequence if named is None else named,
        seen=encode_seen({origin: version.timestamp} if seen is None else seen),
        commit_us=wall_us,
        partition_key=key.encode(),
        sort_key=b"",
        image=image or b'{"pk":{"S":"%b"},"text":{"S":"%b"}}' % (key.encode(), text.encode()),
    )
    return Delivery(lane, sequence, record)


async def some_lane(region: InProcessRegion) -> tuple[Lane, list[str]]:
    lane = (await region.lanes_of("shared"))[1]
    return lane, keys_of(lane.partition)


async def position_of(region: InProcessRegion, lane: Lane) -> list[int]:
    sequence, offset, _ = (await region.lanes())[lane]["sources"]["there"]
    return [sequence, offset]


async def test_what_was_applied_before_is_skipped(here: InProcessRegion) -> None:
    lane, keys = await some_lane(here)
    changes = [delivery(lane, number + 1, keys[number]) for number in range(5)]
    assert (await here.apply("there", changes[:3]))[lane]["applied"] == 3
    outcome = (await here.apply("there", changes))[lane]
    assert (outcome["position"][:2], outcome["applied"], outcome["duplicate"]) == ([5, -1], 2, 0)
    outcome = (await here.apply("there", changes))[lane]
    assert (outcome["position"][:2], outcome["applied"], outcome["gap"]) == ([5, -1], 0, False)


async def test_a_gap_is_never_jumped_over(here: InProcessRegion) -> None:
    lane, keys = await some_lane(here)
    await here.apply("there", [delivery(lane, 1, keys[0])])
    outcome = (await here.apply("there", [delivery(lane, 2, keys[1]), delivery(lane, 4, keys[2])]))[lane]
    assert (outcome["gap"], outcome["position"][:2], outcome["applied"]) == (True, [2, -1], 1)
    assert await here.get("shared", keys[2]) is None
    outcome = (await here.apply("there", [delivery(lane, 3, keys[2], "in between"), delivery(lane, 4, keys[2])]))[lane]
    assert (outcome["gap"], outcome["position"][:2]) == (False, [4, -1])


async def test_the_first_change_of_a_lane_has_sequence_one(here: InProcessRegion) -> None:
    lane, keys = await some_lane(here)
    outcome = (await here.apply("there", [delivery(lane, 2, keys[0])]))[lane]
    assert (outcome["gap"], outcome["position"][:2], outcome["applied"]) == (True, [0, -1], 0)


async def test_the_kafka_offset_is_part_of_the_position(here: InProcessRegion) -> None:
    """A change that came out of the source's own log has no offset; the one before it stays."""
    lane, keys = await some_lane(here)
    changes = [delivery(lane, 1, keys[0])._replace(offset=700), delivery(lane, 2, keys[1])]
    assert (await here.apply("there", changes))[lane]["position"][:2] == [2, 700]


async def test_positions_survive_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as here:
        await make_global(here)
        lane, keys = await some_lane(here)
        await here.apply("there", [delivery(lane, number + 1, keys[number]) for number in range(3)])
    async with opened(tmp_path) as here:
        assert await position_of(here, lane) == [3, -1]


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_position_and_items_are_of_one_transaction(tmp_path: Path, end: str) -> None:
    lane = Lane(Generation(b"g" * 16), 0)
    file = PartitionFile(tmp_path / "0.db", bytes(32), lane=lane, region=1, first_state=PartitionState())
    file.begin()
    ApplyChanges(there, [delivery(lane, 1, "a")], 1).run(file, now_us)
    getattr(file, end)()
    file.close()
    file = PartitionFile(tmp_path / "0.db", bytes(32), lane=lane, region=1, first_state=PartitionState())
    applied = end == "commit"
    assert (file.read(ItemKey(slot_of(b"a"), b"a", b"")) is not None) == applied
    assert file.state.positions == ({there: Position(1, commit_us=now_us)} if applied else {})
    file.close()


def undecodable(lane: Lane, sequence: int, key: str) -> Delivery:
    return Delivery(lane, sequence, b"\xffno record")


def cut_short(lane: Lane, sequence: int, key: str) -> Delivery:
    whole = delivery(lane, sequence, key)
    return whole._replace(record=whole.record[:-1])


def of_a_third_region(lane: Lane, sequence: int, key: str) -> Delivery:
    return delivery(lane, sequence, key, origin=3)


def of_this_region(lane: Lane, sequence: int, key: str) -> Delivery:
    return delivery(lane, sequence, key, origin=1)


def of_another_partition(lane: Lane, sequence: int, key: str) -> Delivery:
    return delivery(lane, sequence, key, lane_named=lane._replace(partition=lane.partition + 1))


def of_another_table(lane: Lane, sequence: int, key: str) -> Delivery:
    return delivery(lane, sequence, key, lane_named=lane._replace(generation=Generation(b"?" * 16)))


def of_another_sequence(lane: Lane, sequence: int, key: str) -> Delivery:
    return delivery(lane, sequence, key, named=sequence + 1)


def with_a_foreign_key(lane: Lane, sequence: int, key: str) -> Delivery:
    return delivery(lane, sequence, keys_of((lane.partition + 1) % 4)[0])


def from_the_far_future(lane: Lane, sequence: int, key: str) -> Delivery:
    return delivery(lane, sequence, key, wall_us=SystemClock().wall_us() + clock_drift_refuse_ms * 1000 + 60_000_000)


def without_an_item(lane: Lane, sequence: int, key: str) -> Delivery:
    return delivery(lane, sequence, key, image=b"no item")


def with_an_image_of_no_item(lane: Lane, sequence: int, key: str) -> Delivery:
    return delivery(lane, sequence, key, image=b'{"pk":["no","value"]}')


def that_claims_to_have_seen_the_future(lane: Lane, sequence: int, key: str) -> Delivery:
    """Such a vector would silence every later write of region 3 to the item."""
    return delivery(lane, sequence, key, seen={there: timestamp_at(now_us) + sequence, 3: 2**63 - 1})


def that_has_not_seen_itself(lane: Lane, sequence: int, key: str) -> Delivery:
    return delivery(lane, sequence, key, seen={3: 1})


@pytest.mark.parametrize(
    "make",
    [
        undecodable,
        cut_short,
        of_a_third_region,
        of_this_region,
        of_another_partition,
        of_another_table,
        of_another_sequence,
        with_a_foreign_key,
        from_the_far_future,
        without_an_item,
        with_an_image_of_no_item,
        that_claims_to_have_seen_the_future,
        that_has_not_seen_itself,
    ],
)
async def test_a_record_that_cannot_be_applied_is_a_dead_letter_and_the_lane_goes_on(
    here: InProcessRegion, make: Callable[[Lane, int, str], Delivery]
) -> None:
    """Also where a version of the item is stored that the record would be compared with."""
    lane, keys = await some_lane(here)
    await here.put("shared", keys[1], "stored")
    changes = [delivery(lane, 1, keys[0]), make(lane, 2, keys[1]), delivery(lane, 3, keys[2])]
    outcome = (await here.apply("there", changes))[lane]
    assert (outcome["dead_letters"], outcome["applied"], outcome["position"][:2]) == (1, 2, [3, -1])
    assert await here.get("shared", keys[1]) == "stored"
    assert await here.get("shared", keys[2]) is not None


async def test_dead_letters_are_told_after_a_restart_as_well(tmp_path: Path) -> None:
    """Whoever looks at a region after the fact must see that something lies there."""
    nowhere, somewhere = ("meridian_dead_letters", "there", "(catalog)"), ("meridian_dead_letters", "there", "shared")
    async with opened(tmp_path) as here:
        await make_global(here)
        lane, keys = await some_lane(here)
        metrics = await here.metrics()
        assert metrics[nowhere] == metrics["meridian_dead_letters", "elsewhere", "(catalog)"] == 0
        assert somewhere not in metrics
        await here.apply("there", [undecodable(lane, 1, keys[0]), delivery(lane, 2, keys[1])])
        await here.apply("there", [undecodable(lane, number, keys[0]) for number in range(1, 4)])
        metrics = await here.metrics()
        assert (metrics[nowhere], metrics[somewhere]) == (0, 2)
    async with opened(tmp_path) as here:
        assert somewhere not in await here.metrics(), "a scrape opens no file"
        await here.lanes()
        assert (await here.metrics())[somewhere] == 2


async def test_a_clock_that_runs_ahead_is_counted_and_its_change_applied(here: InProcessRegion) -> None:
    lane, keys = await some_lane(here)
    ahead_us = SystemClock().wall_us() + clock_drift_max_ms * 1000 + 60_000_000
    outcome = (await here.apply("there", [delivery(lane, 1, keys[0], "ahead", wall_us=ahead_us)]))[lane]
    assert (outcome["drifted"], outcome["applied"]) == (1, 1)
    await here.put("shared", keys[0], "later")
    assert await here.get("shared", keys[0]) == "later", "a write that saw a value beats it, however slow its clock"


async def test_a_lane_that_is_not_here_is_refused_and_the_others_are_applied(here: InProcessRegion) -> None:
    lane, keys = await some_lane(here)
    unknown = Lane(Generation(b"?" * 16), 0)
    outcomes = await here.apply("there", [delivery(unknown, 1, "x"), delivery(lane, 1, keys[0])])
    assert outcomes[unknown]["refused"] == "no_lane"
    assert outcomes[lane]["applied"] == 1


@pytest.mark.parametrize("source", ["here", "nowhere", 7, None])
async def test_only_other_regions_of_the_topology_can_send(here: InProcessRegion, source: Any) -> None:
    with pytest.raises(RefusedError) as refusal:
        await here.apply(source, [])
    assert refusal.value.status == 400


async def test_an_undecodable_table_definition_does_not_stop_the_catalog_lane(here: InProcessRegion) -> None:
    """A region that is upgraded later may get what it can't read yet; it must go on, and start again."""
    strange = delivery(catalog_lane, 1, "g" * 16, image=b'{"format":99}')
    assert (await here.apply("there", [strange]))[catalog_lane]["position"][:2] == [1, -1]
    await here.create_table("another")
    assert (await here.apply("there", [strange]))[catalog_lane]["position"][:2] == [1, -1]
    assert catalog_lane.generation == catalog_generation


async def test_snapshot_rows_of_another_lane_are_refused(here: InProcessRegion) -> None:
    lane, keys = await some_lane(here)
    with pytest.raises(RefusedError):
        await here.apply("there", [of_another_table(lane, 0, keys[0])], mode="snapshot")
    assert await here.get("shared", keys[0]) is None


async def test_a_conflict_is_resolved_alike_in_both_regions(tmp_path: Path) -> None:
    async with opened(tmp_path) as here, opened(tmp_path, "there") as there:
        await here.create_table("shared")
        await here.put("shared", "old", "from before the replica")
        await add_replica("shared", here, there)
        assert await there.get("shared", "old") == "from before the replica"
        for region in (here, there):
            for number in range(10):
                await region.put("shared", f"item {number}", region.name)
            await region.delete("shared", "item 9" if region is here else "item 8")
        for _ in range(2):
            await carry(here, there)
            await carry(there, here)
        assert await here.scanned("shared") == await there.scanned("shared")
        digests = [await region.ask("GET", "digests") for region in (here, there)]
        assert digests[0] == digests[1]


async def test_lanes_of_another_life_have_another_revision(tmp_path: Path) -> None:
    """Replicator workers ask for the lanes again when it differs, and a region may end with any and begin anew."""
    seen = set()
    for _ in range(2):
        async with opened(tmp_path) as region:
            for table in ("a", "b"):
                seen.add(orjson.loads(await region.ask("GET", "lanes"))["revision"])
                await region.create_table(f"{table}-{len(seen)}")
            seen.add(orjson.loads(await region.ask("GET", "lanes"))["revision"])
    assert len(seen) == 6
