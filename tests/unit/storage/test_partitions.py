"""Partitions on demand: nothing before the first write, closed when unused, gone when deleted."""

import asyncio
from pathlib import Path

import pytest

from services.region.storage import partitions as partitions_module
from services.region.storage.connections import open_writer
from services.region.storage.partition_state import CopyState, PartitionState
from services.region.storage.partitions import Partitions
from services.region.storage.reader import ItemRow, before_all
from shared.limits import slots
from tests.unit.storage.folders import Write, check_account, image_of, key_named, lane, open_partitions, storage_key


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def open_count(partitions: Partitions) -> int:
    return sum(partition.is_open for partition in partitions.all())


async def test_a_partition_that_is_only_read_has_no_file(tmp_path: Path) -> None:
    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane)
        assert partition.read(key_named("a")) is None
        assert partition.reader is None
        assert partition.state == PartitionState()
        assert not partition.is_open
        assert files(tmp_path) == []


async def test_a_write_is_read_at_once_and_after_reopening(tmp_path: Path) -> None:
    async with open_partitions(tmp_path) as partitions:
        version = await partitions.of(lane).submit(Write("a", "x"))
        stored = partitions.of(lane).read(key_named("a"))
    async with open_partitions(tmp_path) as partitions:
        assert partitions.of(lane).read(key_named("a")) == stored
        assert stored is not None
        assert (stored.version, stored.image) == (version, image_of("x"))
        assert partitions.of(lane).state.origin_sequence == 1


async def test_a_partition_begins_with_the_state_that_it_is_given(tmp_path: Path) -> None:
    """A replica that is made again goes on counting where its earlier life stopped."""
    first_state = PartitionState(origin_sequence=7, completeness=CopyState.COPYING)
    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane, first_state=first_state)
        assert partition.state.origin_sequence == 7
        await partition.submit(Write("a"))
        assert partition.state.origin_sequence == 8
        assert partition.state.completeness is CopyState.COPYING


async def test_unused_partitions_are_closed_and_open_again_at_the_next_use(tmp_path: Path) -> None:
    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane)
        await partition.submit(Write("a"))
        assert partition.read(key_named("a")) is not None
        for _ in range(2):
            partitions.close_unused()
        assert open_count(partitions) == 1, "it may be used again soon"
        partitions.close_unused()
        assert open_count(partitions) == 0
        assert partition.read(key_named("a")) is not None
        await partition.submit(Write("b"))
        assert partition.reader is not None
        check_account(partition.reader)


async def test_partitions_in_use_stay_open(tmp_path: Path) -> None:
    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane)
        await partition.submit(Write("a"))
        for _ in range(10):
            partitions.close_unused()
            partition.read(key_named("a"))
        assert partition.is_open


async def test_a_partition_may_be_closed_in_the_turn_in_which_it_was_read(tmp_path: Path) -> None:
    """Opening another partition may close this one to make room, while its read transaction still awaits its end."""
    problems: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: problems.append(context))
    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane)
        await partition.submit(Write("a"))
        assert partition.read(key_named("a")) is not None
        partition.close()
        await asyncio.sleep(0)
        assert partition.read(key_named("a")) is not None
    await asyncio.sleep(0)
    assert not problems


async def test_reads_of_one_turn_see_what_is_acknowledged_in_it(tmp_path: Path) -> None:
    """They share a transaction, which must not hide a commit that a writer is told of in that very turn."""
    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane)
        await partition.submit(Write("a", "0"))
        for number in range(1, 20):
            write = partition.submit(Write("a", str(number)))
            while not write.done():
                partition.read(key_named("a"))
                await asyncio.sleep(0)
            stored = partition.read(key_named("a"))
            assert stored is not None
            assert stored.image == image_of(str(number))


@pytest.mark.parametrize("uses", ["reads", "writes"])
async def test_the_number_of_open_partitions_is_bounded(
    tmp_path: Path, uses: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each open file costs descriptors and a page cache; a burst over thousands of tables must not open them all."""
    monkeypatch.setattr(partitions_module, "open_partitions_max", 8)
    async with open_partitions(tmp_path) as partitions:
        for number in range(30):
            partition = partitions.of(lane._replace(partition=number))
            await partition.submit(Write("a"))
            if uses == "reads":
                assert partition.read(key_named("a")) is not None
            assert open_count(partitions) <= 8 + 2


async def test_forgetting_a_partition_removes_its_files(tmp_path: Path) -> None:
    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane)
        await partition.submit(Write("a"))
        assert partition.read(key_named("a")) is not None
        await partitions.forget(lane)
        assert files(tmp_path) == []
        assert partitions.of(lane) is not partition
        assert partitions.of(lane).read(key_named("a")) is None


async def test_who_still_reads_a_forgotten_partition_finds_nothing(tmp_path: Path) -> None:
    """A scan that gives way between two slices may go on after its table is gone."""
    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane)
        await partition.submit(Write("a"))
        await partitions.forget(lane)
        assert partition.reader is None
        assert partition.read(key_named("a")) is None


@pytest.mark.parametrize("left_behind", ["an empty file", "a file without tables"])
async def test_a_file_whose_making_was_cut_short_is_as_good_as_none(tmp_path: Path, left_behind: str) -> None:
    """A crash may come between the file's first byte and the transaction that makes its tables."""
    path = tmp_path / lane.generation.hex() / "0.db"
    path.parent.mkdir()
    if left_behind == "an empty file":
        path.touch()
    else:
        open_writer(path, storage_key).close()
    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane, first_state=PartitionState(origin_sequence=3))
        assert partition.read(key_named("a")) is None
        assert partition.state.origin_sequence == 3
        await partition.submit(Write("a"))
        assert partition.read(key_named("a")) is not None
        assert partition.state.origin_sequence == 4


async def test_slices_follow_each_other_without_gap_or_overlap(tmp_path: Path) -> None:
    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane)
        for number in range(20):
            await partition.submit(Write(f"item {number}"))
        for number in range(0, 20, 3):
            await partition.submit(Write(f"item {number}", None))
        reader = partition.reader
        assert reader is not None
        whole = reader.items_after(before_all, end_slot=slots, rows_max=1000)
        place = before_all
        found: list[ItemRow] = []
        while rows := reader.items_after(place, end_slot=slots, rows_max=3):
            found += rows
            place = (rows[-1].key.slot, rows[-1].key.partition, rows[-1].key.sort)
        assert found == list(whole)
        assert len(found) == 13
