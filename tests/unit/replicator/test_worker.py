"""Workers of one region: they share its lanes, take over from each other, and finish what they have in hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from services.replicator.io.port import CopyStage, Membership
from services.replicator.work import run
from services.replicator.work.run import Worker
from shared.changes.records import Lane
from shared.topology import Region
from tests.unit.replicator.simulated import (
    FakeClock,
    SimulatedFeed,
    SimulatedOwn,
    SimulatedSource,
    catalog,
    east,
    orders,
    south,
    west,
)

lanes = [Lane(orders, partition) for partition in range(4)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "register_interval_s", 0.02)
    monkeypatch.setattr(run, "drain_limit_s", 0.2)


@dataclass
class Team:
    """A region with its workers; every source has one log and as many feeds as there are followers."""

    own: SimulatedOwn = field(default_factory=SimulatedOwn)
    sources: dict[str, SimulatedSource] = field(default_factory=dict)
    feeds: dict[tuple[str, int], SimulatedFeed] = field(default_factory=dict)

    def worker(self, name: str) -> Worker:
        return Worker(
            name,
            region=west,
            own=self.own,
            open_feed=self._open_feed,
            open_source=lambda peer: self.sources[peer.name],
            clock=FakeClock(),
            chance=lambda: 0.0,
        )

    def _open_feed(self, peer: Region, membership: Membership) -> SimulatedFeed:
        feed = self.feeds[peer.name, membership.rank] = SimulatedFeed()
        self.own.changed.set()
        return feed


@pytest.fixture
def team() -> Team:
    team = Team(sources={east: SimulatedSource(), south: SimulatedSource()})
    team.own.peers = [Region(east, 1, "http://127.0.0.1:1"), Region(south, 3, "http://127.0.0.1:3")]
    for lane in lanes:
        team.own.own(lane, {east: 0, south: 0})
    return team


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(worker.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def followed(team: Team, source: str, rank: int) -> set[int]:
    feed = team.feeds.get((source, rank))
    return set() if feed is None else {lane.partition for lane in feed.followed}


async def test_a_worker_alone_follows_every_lane_of_every_peer(team: Team) -> None:
    worker = team.worker("a")
    async with running(worker):
        await team.own.until(lambda: followed(team, east, 0) == followed(team, south, 0) == {0, 1, 2, 3})
        await team.own.until(lambda: worker.ready)


async def test_workers_share_the_lanes(team: Team) -> None:
    """A lane that nobody has would stand still; one that two have costs twice, and no more."""
    async with running(team.worker("a")), running(team.worker("b")):
        await team.own.until(lambda: followed(team, east, 0) == {0, 2} and followed(team, east, 1) == {1, 3})


async def test_a_worker_takes_over_what_a_dead_one_had(team: Team) -> None:
    """Nobody has to say that a worker died: it is no longer heard of."""
    async with running(team.worker("a")):
        async with running(team.worker("b")):
            await team.own.until(lambda: followed(team, south, 1) == {1, 3})
        del team.own.workers["b"]
        await team.own.until(lambda: followed(team, south, 0) == {0, 1, 2, 3})


async def test_a_new_table_is_followed_as_soon_as_the_catalog_tells(team: Team) -> None:
    """Waiting for the next registration would cost up to a second per replica."""
    team.own.own(catalog, {east: 0, south: 0}, table="")
    new = Lane(orders, 7)
    async with running(team.worker("a")):
        await team.own.until(lambda: catalog in team.feeds[east, 0].followed if team.feeds else False)
        team.own.own(new, {east: 0, south: 0})
        team.feeds[east, 0].deliver(*team.sources[east].commit(catalog))
        await team.own.until(lambda: 7 in followed(team, east, 0))


async def test_a_source_that_is_no_replica_of_a_table_is_not_asked_for_it(team: Team) -> None:
    """Its answer would be that it knows nothing of the table, for ever."""
    team.own.own(lanes[0], {east: 0})
    async with running(team.worker("a")):
        await team.own.until(lambda: followed(team, east, 0) == {0, 1, 2, 3})
        await team.own.until(lambda: followed(team, south, 0) == {1, 2, 3})


async def test_a_peer_that_moves_is_followed_to_its_new_address(team: Team) -> None:
    async with running(team.worker("a")):
        await team.own.until(lambda: followed(team, east, 0) == {0, 1, 2, 3})
        before = team.feeds[east, 0]
        team.own.peers = [Region(east, 1, "http://127.0.0.1:99"), team.own.peers[1]]
        await team.own.until(lambda: team.feeds[east, 0] is not before)
        await team.own.until(lambda: followed(team, east, 0) == {0, 1, 2, 3})
        assert before.closed


async def test_a_replica_that_was_copied_becomes_complete(team: Team) -> None:
    """From COPYING to serving without anybody's doing."""
    for lane in lanes:
        team.own.own(lane, {east: 0, south: 0}, stage=CopyStage.COPYING, donors=[east], active=False)
    async with running(team.worker("a")):
        await team.own.until(lambda: team.own.complete == [orders])
    assert set(team.own.finished) == set(lanes)


async def test_a_worker_is_not_ready_while_its_region_is_away(team: Team) -> None:
    """Whoever routes or restarts by readiness should know, and why."""
    team.own.away = True
    worker = team.worker("a")
    async with running(worker):
        await team.own.until(lambda: worker.problem == "the own region is away")
        assert not worker.ready
        team.own.away = False
        await team.own.until(lambda: worker.ready)


async def test_draining_finishes_the_batch_in_hand(team: Team) -> None:
    """It would be delivered again; but a stop should not be a fault."""
    worker = team.worker("a")
    async with running(worker):
        await team.own.until(lambda: followed(team, east, 0) == {0, 1, 2, 3})
        team.feeds[east, 0].deliver(*team.sources[east].commit(lanes[0], count=3))
        await team.own.until(lambda: team.own.applies)
        await worker.drain()
        assert team.own.applied[east, lanes[0]] == [1, 2, 3]


async def test_draining_ends_even_if_the_region_is_away(team: Team) -> None:
    """A replicator must stop within seconds, whatever its region does."""
    worker = team.worker("a")
    async with running(worker):
        await team.own.until(lambda: followed(team, east, 0) == {0, 1, 2, 3})
        team.own.away = True
        team.feeds[east, 0].deliver(*team.sources[east].commit(lanes[0]))
        await team.own.until(lambda: team.own.applies)
        async with asyncio.timeout(5):
            await worker.drain()


async def test_a_horizon_is_the_lowest_of_all_sources(team: Team) -> None:
    """What one source still has to bring could bring an item back."""
    team.own.horizons_wanted = [lanes[0]]
    async with running(team.worker("a")):
        await team.own.until(lambda: followed(team, east, 0) == followed(team, south, 0) == {0, 1, 2, 3})
        team.feeds[east, 0].interrupt(dict.fromkeys(lanes, 0), time_us=5_000)
        team.feeds[south, 0].interrupt(dict.fromkeys(lanes, 0), time_us=3_000)
        await team.own.until(lambda: team.own.horizons == {lanes[0]: 3_000})


async def test_a_copy_that_is_not_whole_has_no_horizon(team: Team) -> None:
    team.own.horizons_wanted = lanes[:2]
    team.own.own(lanes[0], {east: 0, south: 0}, stage=CopyStage.COPYING)
    async with running(team.worker("a")):
        await team.own.until(lambda: followed(team, east, 0) == followed(team, south, 0) == {1, 2, 3})
        for name in (east, south):
            team.feeds[name, 0].interrupt(dict.fromkeys(lanes, 0), time_us=5_000)
        await team.own.until(lambda: team.own.horizons.get(lanes[1]) == 5_000)
    assert lanes[0] not in team.own.horizons
