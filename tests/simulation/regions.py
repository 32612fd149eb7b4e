"""A region as a site: the real engine over simulated storage, started, killed and started again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from services.region.engine.copies import Copies
from services.region.engine.digests import Digests
from services.region.engine.feed import Feed
from services.region.engine.feed_ring import FeedRing
from services.region.engine.followers import Followers
from services.region.engine.horizons import Horizons
from services.region.engine.indexes import Indexes, settle_interval_s
from services.region.engine.items import Items
from services.region.engine.lanes import Lanes
from services.region.engine.links import Links
from services.region.engine.registry import Registry
from services.region.engine.replica_facts import FactsOfReplicas
from services.region.engine.replicas import Replicas
from services.region.engine.replication import Replication
from services.region.engine.retention import Retention
from services.region.engine.shared_definitions import SharedDefinitions
from services.region.engine.snapshots import Snapshots
from services.region.engine.stream_register import StreamRegister
from services.region.engine.tables import Tables
from services.region.engine.time_to_live import Expiry
from services.region.engine.transaction_rounds import Rounds
from services.region.engine.transactions import Transactions
from services.region.jobs.housekeeping import housekeeping
from services.region.jobs.periodic import Job
from services.region.rules.arns import Arns
from services.region.storage.partitions import Partition
from services.region.storage.writer import Group
from shared.changes.records import catalog_lane
from shared.errors import MeridianError, ServiceError
from shared.model.tables import RegionName
from shared.topology import Topology
from tests.simulation.clocks import SimulatedClock
from tests.simulation.disk import Disk, Reached, SimulatedPartitions, SimulatedTransactionLog
from tests.simulation.processes import Process

ring_bytes_max = 16 * 1024  # so small that a follower that is away for long loses its place
job_interval_s_max = 2.0  # so often that what waits for a night is done in the same run


@dataclass(frozen=True, slots=True)
class RegionService:
    """What a region's process offers, as wired in `services.region.wiring`."""

    name: RegionName
    items: Items
    tables: Tables
    feed: Feed
    snapshots: Snapshots
    replication: Replication
    copies: Copies
    replicas: Replicas
    registry: Registry
    links: Links
    horizons: Horizons
    digests: Digests
    definitions: Partition


class SimulatedRegion:
    """`process` and `service` are None while it is down; `service` also while it starts.

    `reached` is told of the points at which it may die, `gave_up` of a start that failed.
    """

    def __init__(
        self,
        name: str,
        *,
        topology: Topology,
        disk: Disk,
        clock: SimulatedClock,
        chance: Random,
        failed: Callable[[str, BaseException], None],
        reached: Callable[[str, str], None],
        gave_up: Callable[[str], None],
    ) -> None:
        self.name = name
        self.number = topology.named(name).number
        self.disk = disk
        self.clock = clock
        self.topology = topology
        self.process: Process | None = None
        self.service: RegionService | None = None
        self._chance = chance
        self._failed = failed
        self._reached = reached
        self._gave_up = gave_up

    def start(self) -> None:
        self.process = Process(self.name, failed=self._failed)
        self.process.start(self._serve(self.process))

    def kill(self) -> None:
        process, self.process, self.service = self.process, None, None
        if process is not None:
            process.kill()

    async def _serve(self, process: Process) -> None:
        try:
            self.service, jobs = await self._open(process, lambda point: self._reached(self.name, point))
        except ServiceError:
            self._gave_up(self.name)
            return
        async with asyncio.TaskGroup() as tasks:
            for job in jobs:
                tasks.create_task(_repeat(job))

    async def _open(self, process: Process, reached: Reached) -> tuple[RegionService, list[Job]]:
        def committed(partition: Partition, group: Group) -> None:
            if group.changes and lanes.is_shared(partition.lane):
                feed.committed(partition, group.changes)

        partitions = SimulatedPartitions(
            self.disk, process, clock=self.clock, chance=self._chance, reached=reached, committed=committed
        )
        definitions = partitions.of(catalog_lane)
        registry = Registry(revision=self.clock.wall_us())
        lanes = Lanes(registry, definitions=definitions)
        replicas = Replicas(
            registry,
            catalog=self.disk.catalog,
            partitions=partitions,
            shared=SharedDefinitions(definitions),
            topology=self.topology,
            region=self.name,
            streams=StreamRegister(self.clock),
        )
        feed = Feed(
            registry,
            lanes,
            ring=FeedRing(ring_bytes_max),
            topology=self.topology,
            region=self.name,
            clock=self.clock,
        )
        horizons = Horizons(registry, replicas, region=self.name, clock=self.clock)
        number = self.topology.named(self.name).number
        log = SimulatedTransactionLog(self.disk, partitions)
        rounds = Rounds(log, region=number, clock=self.clock)
        transactions = Transactions(registry, rounds, transaction_log=log, clock=self.clock)
        indexes = Indexes(registry)
        service = RegionService(
            name=RegionName(self.name),
            items=Items(registry),
            tables=Tables(
                registry,
                replicas,
                facts=FactsOfReplicas(registry, self.disk.catalog),
                topology=self.topology,
                arns=Arns(self.name, "000000000000"),
                clock=self.clock,
                delay_s=0.0,
            ),
            feed=feed,
            snapshots=Snapshots(lanes, topology=self.topology, region=self.name),
            replication=Replication(registry, lanes, replicas, topology=self.topology, region=self.name),
            copies=Copies(registry, lanes, replicas, topology=self.topology, region=self.name),
            replicas=replicas,
            registry=registry,
            links=Links(self.clock),
            horizons=horizons,
            digests=Digests(registry),
            definitions=definitions,
        )
        await replicas.load()
        await transactions.recover()
        retention = Retention(registry, horizons, topology=self.topology, region=self.name, clock=self.clock)
        followers = Followers(
            registry, definitions=definitions, topology=self.topology, region=self.name, clock=self.clock
        )
        jobs = housekeeping(
            beat=feed.beat,
            replicas=replicas,
            retention=retention,
            followers=followers,
            partitions=partitions,
            rounds=rounds,
            transactions=transactions,
            expiry=Expiry(registry, clock=self.clock),
        )
        jobs.append(Job("settle-indexes", settle_interval_s, indexes.settle))
        return service, [replace(job, interval_s=min(job.interval_s, job_interval_s_max)) for job in jobs]


async def _repeat(job: Job) -> None:
    """As `PeriodicJobs` does, but errors that are none of ours are not passed over."""
    while True:
        await asyncio.sleep(job.interval_s)
        try:
            await job.run()
        except MeridianError:
            continue
