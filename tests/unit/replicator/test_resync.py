"""Copies: rows of a donor, then its positions, and `ACTIVE` only when the feeds have passed the end of the copy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.replicator.io.port import CopyStage
from services.replicator.work import resync
from services.replicator.work.resync import CatchUp, Copier
from shared.changes.records import Lane
from shared.errors import RequestRefusedError
from shared.feed.port import Position
from tests.unit.replicator.simulated import (
    FakeClock,
    SimulatedOwn,
    SimulatedSource,
    change,
    east,
    orders,
    south,
    west,
)

first, second = Lane(orders, 0), Lane(orders, 1)
rows = [change(first, 0)._replace(record=bytes([n])) for n in range(5)]


@asynccontextmanager
async def copying(own: SimulatedOwn, donors: dict[str, SimulatedSource]) -> AsyncIterator[Copier]:
    copier = Copier(
        own,
        region=west,
        donor=donors.get,
        clock=FakeClock(),
        chance=lambda: 0.0,
        changed=lambda: None,
    )
    async with asyncio.TaskGroup() as tasks:
        copier.assign(list(own.owned.values()), tasks)
        yield copier
        copier.assign([], tasks)


def donor(**positions: int) -> SimulatedSource:
    return SimulatedSource(
        pages=[rows[:2], rows[2:4], rows[4:]],
        positions={{"east": east, "south": south}[name]: Position(at) for name, at in positions.items()},
    )


async def test_a_copy_takes_all_pages_and_the_positions_of_the_first() -> None:
    """Later positions would skip what was committed while the rows were read."""
    own = SimulatedOwn()
    own.own(first, {east: 0, south: 0}, stage=CopyStage.COPYING, donors=[east])
    source = donor(east=40, south=7)
    source.end = {east: Position(44), south: Position(9)}
    async with copying(own, {east: source}):
        await own.until(lambda: own.finished)
    assert [row.record for row in own.snapshot_rows] == [row.record for row in rows]
    assert own.finished[first] == (east, {east: Position(40), south: Position(7)})


async def test_a_lane_that_needs_resync_is_copied_again() -> None:
    own = SimulatedOwn()
    own.own(first, {east: 3}, stage=CopyStage.NEEDS_RESYNC, donors=[east])
    own.own(second, {east: 3})
    async with copying(own, {east: donor(east=40)}):
        await own.until(lambda: own.finished)
    assert set(own.finished) == {first}


async def test_another_donor_takes_over_from_a_dead_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy must not wait for a region that may be gone for good while another has everything."""
    own = SimulatedOwn()
    own.own(first, {east: 0, south: 0}, stage=CopyStage.COPYING, donors=[east, south])
    dead = donor(east=40)
    dead.away = True
    async with copying(own, {east: dead, south: donor(east=38, south=7)}):
        await own.until(lambda: own.finished)
    assert own.finished[first][0] == south


async def test_the_real_reason_of_a_failure_is_reported_and_the_copy_goes_on() -> None:
    """What people read in ReplicaStatusDescription must be the error, not that there is one."""
    own = SimulatedOwn()
    own.own(first, {east: 0}, stage=CopyStage.COPYING, donors=[east])
    source = donor(east=40)
    source.refusal = RequestRefusedError("not_ready", "this region's own copy is not complete")
    async with copying(own, {east: source}):
        await own.until(lambda: own.failures)
        source.refusal = None
        await own.until(lambda: own.finished)
    assert own.failures[0][1] == "copying from east: not_ready: this region's own copy is not complete"


async def test_a_donor_that_does_not_know_of_the_replica_yet_is_no_failure() -> None:
    """The definition travels over the catalog lanes and needs a moment; nobody should be alarmed."""
    own = SimulatedOwn()
    own.own(first, {east: 0}, stage=CopyStage.COPYING, donors=[east])
    source = donor(east=40)
    source.refusal = RequestRefusedError("not_registered", "west is not known here")
    async with copying(own, {east: source}):
        await source.until(source.changed.is_set)
        source.refusal = None
        await own.until(lambda: own.finished)
    assert own.failures == []


async def test_a_table_that_nobody_has_says_so() -> None:
    own = SimulatedOwn()
    own.own(first, {east: 0}, stage=CopyStage.COPYING)
    async with copying(own, {}):
        await own.until(lambda: own.failures)
    assert own.failures[0] == (first, "no other region has a complete copy of the table")


async def test_changes_of_a_departed_region_are_copied_again() -> None:
    """Nobody feeds them any more: what reached the donor after its positions were read must come with the rows."""
    own = SimulatedOwn()
    own.own(first, {east: 0}, stage=CopyStage.COPYING, donors=[east])
    source = donor(east=40, south=7)
    source.end = {east: Position(44), south: Position(8)}
    async with copying(own, {east: source}):
        await own.until(lambda: own.failures)
        assert not own.finished
        source.positions = source.end
        await own.until(lambda: own.finished)
    assert own.finished[first][1][south] == Position(8)


async def test_a_copy_that_is_no_longer_wanted_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table was deleted, or another worker has the lane now."""
    own = SimulatedOwn()
    own.own(first, {east: 0}, stage=CopyStage.COPYING, donors=[east])
    source = donor(east=40)
    source.away = True
    async with copying(own, {east: source}):
        await source.until(source.changed.is_set)
    assert own.finished == {}


async def test_a_table_is_complete_when_every_lane_has_passed_the_end() -> None:
    """One partition that lacks the last changes would serve old items as current."""
    own = SimulatedOwn()
    source = donor(east=40, south=9)
    for lane in (first, second):
        own.own(lane, {east: 40, south: 9}, active=False)
    catch_up = CatchUp(own, donor={east: source}.get)
    own.own(first, {east: 39, south: 9}, active=False, donors=[east])
    own.own(second, {east: 40, south: 9}, active=False, donors=[east])
    assert await catch_up.check(list(own.owned.values()))
    assert own.complete == []
    own.own(first, {east: 40, south: 9}, active=False, donors=[east])
    await catch_up.check(list(own.owned.values()))
    assert own.complete == [orders]
    assert not await catch_up.check(list(own.owned.values()))


async def test_the_end_to_be_passed_does_not_move() -> None:
    """Under sustained writes a moving end would never be reached."""
    own = SimulatedOwn()
    source = donor(east=40)
    catch_up = CatchUp(own, donor={east: source}.get)
    own.own(first, {east: 39}, active=False, donors=[east])
    await catch_up.check(list(own.owned.values()))
    source.positions = {east: Position(1000)}
    own.own(first, {east: 41}, active=False, donors=[east])
    await catch_up.check(list(own.owned.values()))
    assert own.complete == [orders]


async def test_a_table_of_which_a_partition_is_still_copied_is_not_complete() -> None:
    own = SimulatedOwn()
    own.own(first, {east: 40}, active=False, donors=[east])
    own.own(second, {east: 0}, active=False, donors=[east], stage=CopyStage.COPYING)
    catch_up = CatchUp(own, donor={east: donor(east=40)}.get)
    assert not await catch_up.check(list(own.owned.values()))
    assert own.complete == []


async def test_an_unreachable_donor_postpones_completion() -> None:
    own = SimulatedOwn()
    source = donor(east=40)
    source.away = True
    own.own(first, {east: 40}, active=False, donors=[east])
    catch_up = CatchUp(own, donor={east: source}.get)
    assert await catch_up.check(list(own.owned.values()))
    source.away = False
    await catch_up.check(list(own.owned.values()))
    assert own.complete == [orders]


async def test_few_partitions_are_copied_at_once() -> None:
    """A new replica of many tables must not take the donor's whole attention."""
    own = SimulatedOwn()
    lanes = [Lane(orders, n) for n in range(10)]
    for lane in lanes:
        own.own(lane, {east: 0}, stage=CopyStage.COPYING, donors=[east])
    source = donor(east=1)
    async with copying(own, {east: source}) as copier:
        assert copier._places._value <= resync.copies_at_once
        await own.until(lambda: len(own.finished) == len(lanes))


async def test_a_donor_that_waits_itself_is_taken_for_what_it_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two regions that lost each other's changes would otherwise wait for each other for ever."""
    own = SimulatedOwn()
    own.own(first, {east: 3, south: 5}, stage=CopyStage.NEEDS_RESYNC, donors=[south, east], lost=[east])
    source = donor(east=40, south=4)
    source.whole = False
    async with copying(own, {east: source, south: donor(east=2, south=9)}):
        await own.until(lambda: own.finished)
    assert own.finished[first][0] == east


async def test_a_copy_of_a_donor_that_waits_itself_is_not_taken_for_whole() -> None:
    """A new replica would serve without what the donor still has to get."""
    own = SimulatedOwn()
    own.own(first, {east: 0}, stage=CopyStage.COPYING, donors=[east])
    source = donor(east=40)
    source.whole = False
    async with copying(own, {east: source}):
        await own.until(lambda: own.failures)
        assert not own.snapshot_rows
        source.whole = True
        await own.until(lambda: own.finished)
    assert own.failures[0][1] == "copying from east: its own copy waits for changes of other regions"


async def test_a_lane_that_lost_two_sources_copies_from_both() -> None:
    own = SimulatedOwn()
    own.own(first, {east: 3, south: 3}, stage=CopyStage.NEEDS_RESYNC, donors=[south, east], lost=[east, south])
    donors: dict[str, SimulatedSource] = {east: donor(east=40, south=1), south: donor(east=1, south=7)}
    for source in donors.values():
        source.whole = False
    async with copying(own, donors) as copier:
        await own.until(lambda: own.owned[first].lost == [south])
        async with asyncio.TaskGroup() as tasks:
            while not own.finished:
                await asyncio.sleep(0)
                copier.assign(list(own.owned.values()), tasks)
    assert own.owned[first].stage is CopyStage.FOLLOWING


async def test_what_a_donor_has_forgotten_is_forgotten_page_by_page() -> None:
    """Items whose tombstones it has collected are not in its rows, and would stay here for ever."""
    own = SimulatedOwn()
    own.own(first, {east: 3}, stage=CopyStage.NEEDS_RESYNC, donors=[east])
    source = donor(east=40)
    source.pages = [[change(first, n) for n in page] for page in ((1, 2), (3, 4), (5,))]
    source.collected = 99
    async with copying(own, {east: source}):
        await own.until(lambda: own.finished)
    assert own.forgotten == [
        (first, None, "1", 99, 2),
        (first, "1", "2", 99, 2),
        (first, "2", None, 99, 1),
    ]


async def test_a_new_replica_has_nothing_to_forget() -> None:
    own = SimulatedOwn()
    own.own(first, {east: 3}, stage=CopyStage.COPYING, donors=[east])
    source = donor(east=40)
    source.collected = 99
    async with copying(own, {east: source}):
        await own.until(lambda: own.finished)
    assert own.forgotten == []
