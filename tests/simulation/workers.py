"""A replicator worker at a region: the real one on simulated ports, so that it can be killed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from services.region.engine.feed import Share
from services.replicator.io.port import Membership
from services.replicator.work.run import Worker
from shared.feed.port import Feed
from shared.model.tables import RegionName
from shared.topology import Region, Topology
from tests.simulation.ledger import Violation
from tests.simulation.network import Caller, Network
from tests.simulation.ports import Mischief, Pass, SimulatedFeed, SimulatedOwnRegion, SimulatedSource
from tests.simulation.processes import Process
from tests.simulation.regions import SimulatedRegion


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What workers meet with; `mischief` is by source and target."""

    topology: Topology
    regions: Mapping[str, SimulatedRegion]
    network: Network
    mischief: Mapping[tuple[str, str], Mischief]
    chance: Random
    failed: Callable[[str, BaseException], None]


@dataclass(frozen=True, slots=True)
class LiveWorker:
    region: str
    process: Process
    worker: Worker

    def check_links(self) -> None:
        """A link survives its own defects, and counts them. Raises `Violation`."""
        for source, link in self.worker.links.items():
            if link.follower.tally.failures:
                raise Violation(f"{self.process.name}: the link from {source} failed by its own code; see the trace")


def start_worker(name: str, region: str, *, around: Surroundings, passing: Callable[[LiveWorker], Pass]) -> LiveWorker:
    """`passing` makes what is awaited at the points at which this worker may die."""
    process = Process(name, failed=around.failed)
    caller = Caller(region, process)

    def open_source(peer: Region) -> SimulatedSource:
        return SimulatedSource(around.regions[peer.name], network=around.network, caller=caller)

    def open_feed(peer: Region, membership: Membership) -> Feed:
        return SimulatedFeed(
            open_source(peer),
            share=Share(membership.rank, membership.workers),
            mischief=around.mischief[peer.name, region],
            chance=around.chance,
        )

    async def pass_point(point: str) -> None:
        await passing(live)(point)

    own = SimulatedOwnRegion(
        around.regions[region], network=around.network, caller=caller, topology=around.topology, passing=pass_point
    )
    worker = Worker(
        name,
        region=RegionName(region),
        own=own,
        open_feed=open_feed,
        open_source=open_source,
        clock=around.regions[region].clock,
        chance=around.chance.random,
    )
    live = LiveWorker(region, process, worker)
    process.start(worker.run())
    return live
