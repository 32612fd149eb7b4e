"""Held writers: between a hold and its release nobody else writes, and nobody is kept out for ever."""

import asyncio
from pathlib import Path

import pytest

from services.region.storage.writer import Group
from shared.errors import ServiceUnavailableError
from tests.unit.storage.folders import Write, image_of, key_named, lane, open_partitions

lanes = [lane._replace(partition=number) for number in range(8)]


async def test_a_holder_writes_before_those_who_wait(tmp_path: Path) -> None:
    order: list[str] = []
    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane)
        hold = await partition.hold()
        waiting = partition.submit(Write("a", "waiting"))
        waiting.add_done_callback(lambda _: order.append("waiting"))
        await hold.submit(Write("a", "holder"))
        await hold.submit(Write("b", "holder"))
        order.append("holder")
        hold.release()
        await waiting
        stored = partition.read(key_named("a"))
        assert stored is not None
        assert stored.image == image_of("waiting")
    assert order == ["holder", "waiting"]


async def test_what_is_committed_is_seen_by_the_next_holder(tmp_path: Path) -> None:
    """A hold is given after the group that was under way, and reads on the event loop see that group."""
    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane)
        writes = [partition.submit(Write("a", str(number))) for number in range(5)]
        hold = await partition.hold()
        committed = sum(write.done() for write in writes)
        stored = partition.read(key_named("a"))
        assert stored is not None
        assert stored.image == image_of(str(committed - 1))
        hold.release()
        await asyncio.gather(*writes)


async def test_holders_and_jobs_take_turns(tmp_path: Path) -> None:
    groups: list[Group] = []
    async with open_partitions(tmp_path, committed=lambda _, group: groups.append(group)) as partitions:
        partition = partitions.of(lane)
        first = await partition.hold()
        second, third = partition.hold(), partition.hold()
        jobs = [partition.submit(Write("a")), partition.submit(Write("b"))]
        first.release()
        await asyncio.gather(*jobs)
        (await second).release()
        (await third).release()
        await partition.drain()
    assert [len(group.jobs) for group in groups] == [2]


async def test_any_number_of_writers_is_held_at_once(tmp_path: Path) -> None:
    """More than there are threads: a hold takes none."""
    async with open_partitions(tmp_path) as partitions:
        holds = [await partitions.of(each).hold() for each in lanes]
        free = partitions.of(lane._replace(partition=len(lanes)))
        await free.submit(Write("a"))
        await asyncio.gather(*(hold.submit(Write("a")) for hold in holds))
        for hold in holds:
            hold.release()


async def test_a_hold_that_is_no_longer_wanted_keeps_nobody_out(tmp_path: Path) -> None:
    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane)
        first = await partition.hold()
        partition.hold().cancel()
        first.release()
        await partition.submit(Write("a"))


async def test_a_release_waits_for_the_holders_own_jobs(tmp_path: Path) -> None:
    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane)
        hold = await partition.hold()
        own = hold.submit(Write("a", "own"))
        other = partition.submit(Write("a", "other"))
        hold.release()
        await asyncio.gather(own, other)
        stored = partition.read(key_named("a"))
        assert stored is not None
        assert stored.image == image_of("other")


async def test_a_holder_that_can_not_let_go_refuses_those_who_wait(tmp_path: Path) -> None:
    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane)
        hold = await partition.hold()
        waiting = partition.submit(Write("a"))
        hold.refuse_waiting(ServiceUnavailableError("for a while"))
        with pytest.raises(ServiceUnavailableError):
            await waiting
        hold.release()
        await partition.submit(Write("a"))


async def test_an_abandoned_writer_writes_no_more_and_can_be_closed(tmp_path: Path) -> None:
    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane)
        hold = await partition.hold()
        own, waiting, next_hold = hold.submit(Write("a", "own")), partition.submit(Write("a")), partition.hold()
        hold.abandon(ServiceUnavailableError("the end"))
        for refused in (waiting, next_hold, partition.submit(Write("a")), partition.hold()):
            with pytest.raises(ServiceUnavailableError):
                await refused
        await partition.drain()
        assert own.done()
