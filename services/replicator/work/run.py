"""A worker: registers with its region once a second, takes its share of every link, and stops within seconds.

Workers of one region divide lanes by their rank. Whoever joins or leaves changes every rank; a worker then starts its
links anew from the positions that the region keeps, which costs a moment and loses nothing.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from services.replicator.io.port import (
    CopyStage,
    LinkReport,
    Membership,
    OwnedLane,
    OwnRegion,
    RegionUnavailableError,
    SourceRegion,
)
from services.replicator.link.backoff import BackOff
from services.replicator.work.acks import acknowledge_forever
from services.replicator.work.follow import LinkFollower
from services.replicator.work.patience import Chance, Patience
from services.replicator.work.reports import link_reports
from services.replicator.work.resync import CatchUp, Copier, catch_up_interval_s
from shared.changes.records import Lane
from shared.clock import Clock
from shared.errors import RequestRefusedError
from shared.feed.port import Feed
from shared.model.tables import RegionName
from shared.topology import Region

log = structlog.get_logger(__name__)

register_interval_s = 1.0
registration_fresh_s = 3.0
refresh_interval_s = 0.05
drain_limit_s = 5.0
refresh_backoff = BackOff(first_s=0.1, max_s=1.0)


@dataclass(slots=True)
class Link:
    follower: LinkFollower
    peer: Region
    region: SourceRegion
    tasks: Sequence[asyncio.Task[None]]


class Worker:
    def __init__(
        self,
        name: str,
        *,
        region: RegionName,
        own: OwnRegion,
        open_feed: Callable[[Region, Membership], Feed],
        open_source: Callable[[Region], SourceRegion],
        clock: Clock,
        chance: Chance,
    ) -> None:
        self.links: dict[RegionName, Link] = {}
        self.problem: str | None = "not registered with the region yet"
        self._name = name
        self._own = own
        self._open_feed = open_feed
        self._open_source = open_source
        self._clock = clock
        self._chance = chance
        self._membership: Membership | None = None
        self._registered_s = float("-inf")
        self._revision = -1
        self._lanes: Sequence[OwnedLane] = ()
        self._followed: Mapping[Lane, Sequence[RegionName]] = {}  # whole copies, and the sources of each
        self._refresh = asyncio.Event()
        self._patience = Patience(refresh_backoff, chance)
        self._copier = Copier(
            own, region=region, donor=self._region_of, clock=clock, chance=chance, changed=self._refresh.set
        )
        self._catch_up = CatchUp(own, donor=self._region_of)
        self._catching_up = asyncio.Event()

    @property
    def ready(self) -> bool:
        """Whether the region knows this worker and the worker knows its lanes."""
        return self._revision >= 0 and self._clock.monotonic_s() - self._registered_s < registration_fresh_s

    def reports(self) -> Sequence[LinkReport]:
        return [report for link in self.links.values() for report in link_reports(link.follower, self._clock)]

    async def run(self) -> None:
        """Until cancelled; `drain` first, and nothing is cut short."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._register_forever(tasks))
                tasks.create_task(self._refresh_forever(tasks))
                tasks.create_task(self._catch_up_forever())
        finally:
            await self._close()

    async def drain(self) -> None:
        """Lets every link finish the batch that it has in hand, for a few seconds at most, and stops it."""
        try:
            async with asyncio.timeout(drain_limit_s):
                await asyncio.gather(*(self._stop(link) for link in self.links.values()))
        except TimeoutError:
            log.warning("a batch could not be finished; it will be delivered again")

    async def _register_forever(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            try:
                wanted = () if self._membership is None else self._membership.horizons_wanted
                membership = await self._own.register(self._name, self.reports(), self._horizons_of(wanted))
            except (RegionUnavailableError, RequestRefusedError) as error:
                if self.problem is None:
                    log.warning("region does not take the registration", reason=str(error))
                self.problem = str(error)
            else:
                self.problem = None
                self._registered_s = self._clock.monotonic_s()
                await self._take_place(membership, tasks)
            await asyncio.sleep(register_interval_s)

    async def _take_place(self, membership: Membership, tasks: asyncio.TaskGroup) -> None:
        before, self._membership = self._membership, membership
        if before is None or (before.rank, before.workers) != (membership.rank, membership.workers):
            log.info("worker has its share", rank=membership.rank, workers=membership.workers)
            await self._close()
        peers = {RegionName(peer.name): peer for peer in membership.peers}
        for name, link in list(self.links.items()):
            if peers.get(name) != link.peer:
                await self._end(name)
        for name in peers.keys() - self.links.keys():
            self.links[name] = self._begin(peers[name], membership, tasks)
            self._refresh.set()
        if membership.lanes_revision != self._revision:
            self._refresh.set()

    def _begin(self, peer: Region, membership: Membership, tasks: asyncio.TaskGroup) -> Link:
        region = self._open_source(peer)
        follower = LinkFollower(
            RegionName(peer.name),
            feed=self._open_feed(peer, membership),
            region=region,
            own=self._own,
            clock=self._clock,
            chance=self._chance,
            on_catalog_change=self._refresh.set,
        )
        running = [
            tasks.create_task(follower.run()),
            tasks.create_task(acknowledge_forever(follower, region, horizons_of=self._horizons_of, clock=self._clock)),
        ]
        return Link(follower, peer, region, running)

    async def _refresh_forever(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            await self._refresh.wait()
            self._refresh.clear()
            owned = await self._patience.until_done(self._own.lanes)
            self._lanes = owned.lanes
            self._assign(tasks)
            self._revision = owned.revision
            self._catching_up.set()
            await asyncio.sleep(refresh_interval_s)

    def _assign(self, tasks: asyncio.TaskGroup) -> None:
        membership = self._membership
        if membership is None:
            return
        share = [owned for owned in self._lanes if membership.holds(owned.lane)]
        for name, link in self.links.items():
            link.follower.assign(owned for owned in share if name in owned.sources)
        self._copier.assign(share, tasks)
        self._followed = {
            owned.lane: list(owned.sources) for owned in share if owned.stage is CopyStage.FOLLOWING and owned.sources
        }

    async def _catch_up_forever(self) -> None:
        """Rank 0 looks after all tables, because a table is there only when all its partitions are."""
        while True:
            await self._catching_up.wait()
            self._catching_up.clear()
            if self._membership is None or self._membership.rank > 0:
                continue
            try:
                waiting = await self._catch_up.check(self._lanes)
            except (RegionUnavailableError, RequestRefusedError) as error:
                log.info("replica can't be declared complete yet", reason=str(error))
                waiting = True
            if waiting:
                await asyncio.sleep(catch_up_interval_s)
                self._refresh.set()

    def _horizons_of(self, lanes: Sequence[Lane]) -> Mapping[Lane, int]:
        """Up to which time each lane has everything from all its sources, of the lanes that this worker follows."""
        horizons = {}
        for lane in lanes:
            sources = self._followed.get(lane)
            if sources is not None and all(name in self.links for name in sources):
                horizons[lane] = min(self.links[name].follower.horizon_us(lane) for name in sources)
        return horizons

    def _region_of(self, name: RegionName) -> SourceRegion | None:
        link = self.links.get(name)
        return None if link is None else link.region

    async def _stop(self, link: Link) -> None:
        async with link.follower.in_hand:
            for task in link.tasks:
                task.cancel()

    async def _end(self, name: RegionName) -> None:
        link = self.links.pop(name)
        for task in link.tasks:
            task.cancel()
        await asyncio.gather(*link.tasks, return_exceptions=True)
        await link.follower.close()

    async def _close(self) -> None:
        for name in list(self.links):
            await self._end(name)
