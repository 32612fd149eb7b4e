"""Three regions, their replicators and their clients in one deterministic run.

Clients write while a storm of faults goes on and every commit is judged. Then everything is healed, what is under way
may arrive, and the verdict is spoken. The same seed gives the same run, event for event.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import structlog

from services.region.commands.tables import UpdateTable
from services.region.engine.feed import Share, catalog_lane
from services.region.storage.catalog import LocalTable, Stage
from services.replicator.io.port import Membership, RegionUnavailableError
from services.replicator.work.run import Worker
from shared.changes.records import Lane
from shared.errors import MeridianError, ServiceError
from shared.feed.port import Feed
from shared.model.keys import KeyAttribute, KeySchema
from shared.model.tables import RegionName, TableDefinition
from shared.topology import Region, Topology
from tests.simulation.clients import Client, generation, partition_count, table_name
from tests.simulation.clocks import Calendar, SimulatedClock
from tests.simulation.disk import Disk
from tests.simulation.judge import judge, unfinished
from tests.simulation.ledger import Ledger, Violation
from tests.simulation.loop import SimulatedLoop
from tests.simulation.network import Caller, Network
from tests.simulation.ports import Mischief, SimulatedFeed, SimulatedOwnRegion, SimulatedSource
from tests.simulation.processes import Process
from tests.simulation.regions import RegionService, SimulatedRegion

topology = Topology.parse("east=1=http://east,west=2=http://west,south=3=http://south")
first_region = "east"
lanes = (catalog_lane, *(Lane(generation, number) for number in range(partition_count)))
clients_per_region = 2
clock_error_us_max = 2_000_000
drain_s_max = 240.0
settle_s = 0.5

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What a run went through, so that a run in which nothing happened can be told from one that held."""

    virtual_s: float
    acknowledged: int
    conflicts: int
    crashes: int
    resyncs: int
    faults: int


class World:
    def __init__(self, seed: int, *, note: Note) -> None:
        self.ledger = Ledger()
        self.calendar = Calendar()
        self.network = Network(self.chance_of(seed, "network"))
        self.mischief = {(a, b): Mischief() for a in topology.names for b in topology.names if a != b}
        self.note = note
        self.armed: dict[tuple[str, str], None] = {}  # (site, point): whoever passes there next dies
        self.crashes = 0
        self.removing = False  # a replica is being removed: its last changes are in its log alone
        self.clients: list[Client] = []
        self.seed = seed
        self._violation: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._process = Process("world", failed=self._failed)
        self._faults_chance = self.chance_of(seed, "faults")
        self.regions = {name: self._region(name) for name in topology.names}
        self.workers: dict[Process, tuple[str, Worker]] = {}
        self._worker_names = 0

    @staticmethod
    def chance_of(seed: int, purpose: str) -> Random:
        return Random(f"{seed} {purpose}")

    # Running

    async def run(self, storm: Callable[["World"], Any], *, storm_s: float) -> Report:
        """Raises `Violation`."""
        main = self.spawn(self._run(storm, storm_s))
        await asyncio.wait((main, self._violation), return_when=asyncio.FIRST_COMPLETED)
        if self._violation.done():
            self._violation.result()
        return main.result()

    def close(self) -> None:
        for process in (self._process, *self.workers, *(region.process for region in self.regions.values())):
            if process is not None:
                process.kill()
        for region in self.regions.values():
            region.disk.close()

    def spawn(self, work: Any) -> asyncio.Task[Any]:
        return self._process.spawn(work)

    def broken(self, violation: BaseException) -> None:
        if not self._violation.done():
            self.note(f"violation: {violation}")
            self._violation.set_exception(violation)

    async def _run(self, storm: Callable[["World"], Any], storm_s: float) -> Report:
        for region in self.regions.values():
            region.start()
            self.start_worker(region.name)
        while not all(region.service for region in self.regions.values()):
            await asyncio.sleep(0.01)
        await self._create_table()
        self.clients = self._clients()
        running = [self.spawn(client.run()) for client in self.clients]
        director = self.spawn(self._direct_replicas())
        watch = self.spawn(self._watch_links())
        storming = storm(self)
        await asyncio.sleep(storm_s)
        for task in running:
            task.cancel()
        await storming.end()
        await self._drain(director)
        watch.cancel()
        judge([region.disk for region in self.regions.values()], lanes, self.ledger)
        return Report(
            virtual_s=asyncio.get_running_loop().time(),
            acknowledged=len(self.ledger.acknowledged),
            conflicts=self.ledger.conflicts,
            crashes=self.crashes,
            resyncs=self.ledger.resyncs,
            faults=storming.faults,
        )

    async def _drain(self, director: asyncio.Task[Any]) -> None:
        deadline_s = asyncio.get_running_loop().time() + drain_s_max
        disks = [region.disk for region in self.regions.values()]
        while (missing := self._unready(director) or unfinished(disks, lanes, self.ledger)) is not None:
            if asyncio.get_running_loop().time() > deadline_s:
                raise Violation(f"healed for {drain_s_max} s, and still {missing}")
            await asyncio.sleep(settle_s)

    def _unready(self, director: asyncio.Task[Any]) -> str | None:
        if not director.done():
            return "the table's replicas are not all there"
        for region in self.regions.values():
            table = None if region.service is None else region.service.registry.of(generation)
            if table is None or table.stage is not Stage.ACTIVE or len(table.definition.replicas) < len(topology):
                return f"the replica in {region.name} is {table and table.stage}"
        return None

    # Regions

    def _region(self, name: str) -> SimulatedRegion:
        chance = self.chance_of(self.seed, f"region {name}")
        number = topology.named(name).number
        return SimulatedRegion(
            name,
            topology=topology,
            disk=Disk(name, number, ledger=self.ledger, broken=self.broken, note=self.note),
            clock=SimulatedClock(self.calendar, error_us=chance.choice((0, chance.randint(-1, 1) * clock_error_us_max))),
            chance=chance,
            failed=self._failed,
            reached=self._reached,
        )

    def kill_region(self, name: str, *, down_s: float) -> None:
        region = self.regions[name]
        if region.process is None:
            return
        self.note(f"{name} dies for {down_s:.2f} s")
        self.crashes += 1
        region.kill()
        self.spawn(self._start_region_later(region, down_s))

    async def _start_region_later(self, region: SimulatedRegion, down_s: float) -> None:
        await asyncio.sleep(down_s)
        self.note(f"{region.name} starts")
        for lane in lanes:
            if region.disk.holds(lane):
                self.ledger.check_durable(region.number, lane, region.disk.reader(lane))
        region.start()

    def _reached(self, region: str, point: str) -> None:
        if self._is_armed(region, point):
            self.note(f"{region} dies {point}")
            self.kill_region(region, down_s=self._faults_chance.uniform(0.01, 3.0))

    def _is_armed(self, site: str, point: str) -> bool:
        if (site, point) not in self.armed:
            return False
        del self.armed[site, point]
        return True

    # Replicators

    def start_worker(self, region: str) -> Process:
        self._worker_names += 1
        name = f"{region}-{self._worker_names}"
        process = Process(name, failed=self._failed)
        caller = Caller(region, process)

        async def passing(point: str) -> None:
            if self._is_armed(region, point):
                self.note(f"worker {name} dies {point}")
                self.kill_worker(process, down_s=self._faults_chance.uniform(0.01, 3.0))
                await asyncio.sleep(0.0)

        def open_source(peer: Region) -> SimulatedSource:
            return SimulatedSource(self.regions[peer.name], network=self.network, caller=caller)

        def open_feed(peer: Region, membership: Membership) -> Feed:
            return SimulatedFeed(
                open_source(peer),
                share=Share(membership.rank, membership.workers),
                mischief=self.mischief[peer.name, region],
                chance=self._faults_chance,
            )

        worker = Worker(
            name,
            region=RegionName(region),
            own=SimulatedOwnRegion(
                self.regions[region], network=self.network, caller=caller, topology=topology, passing=passing
            ),
            open_feed=open_feed,
            open_source=open_source,
            clock=self.regions[region].clock,
            chance=self._faults_chance.random,
        )
        self.workers[process] = (region, worker)
        process.spawn(worker.run())
        return process

    def kill_worker(self, process: Process, *, down_s: float | None) -> None:
        """Without `down_s`, nobody takes its place."""
        region, worker = self.workers.pop(process)
        self._check_links(worker)
        self.note(f"worker {process.name} dies")
        self.crashes += 1
        process.kill()
        if down_s is not None:
            self.spawn(self._start_worker_later(region, down_s))

    async def _start_worker_later(self, region: str, down_s: float) -> None:
        await asyncio.sleep(down_s)
        self.start_worker(region)

    async def _watch_links(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            for _, worker in list(self.workers.values()):
                self._check_links(worker)

    def _check_links(self, worker: Worker) -> None:
        for source, link in worker.links.items():
            if link.follower.tally.failures:
                self.broken(Violation(f"the link from {source} failed by its own code; see the trace"))

    # The table

    async def _create_table(self) -> None:
        region = self.regions[first_region]
        definition = TableDefinition(
            generation=generation,
            name=table_name,
            key_schema=KeySchema(KeyAttribute("id", "S")),
            partition_count=partition_count,
            replicas=(RegionName(first_region),),
            created_us=region.clock.wall_us(),
        )
        assert region.service is not None
        assert region.process is not None
        await region.process.spawn(region.service.replicas.save(LocalTable(definition, Stage.ACTIVE)))

    async def _direct_replicas(self) -> None:
        """Adds the other regions' replicas, one at once and one in mid-run; sometimes removes one, to add it again."""
        chance = self.chance_of(self.seed, "replicas")
        others = [name for name in topology.names if name != first_region]
        chance.shuffle(others)
        for name in others:
            await self._change_replicas(UpdateTable(table_name, add_replicas=[RegionName(name)]), name)
            await asyncio.sleep(chance.choice((0.0, chance.uniform(0.0, 20.0))))
        if chance.random() < 0.2:
            self.removing = True
            await self._change_replicas(UpdateTable(table_name, remove_replicas=[RegionName(others[0])]), others[0])
            await self._change_replicas(UpdateTable(table_name, add_replicas=[RegionName(others[0])]), others[0])

    async def _change_replicas(self, command: UpdateTable, name: str) -> None:
        caller = Caller(first_region, self._process)
        wanted = bool(command.add_replicas)
        while not await self._has_replica(caller, name, wanted=wanted):
            try:
                await self.network.ask(caller, self.regions[first_region], lambda service: service.tables.update(command))
                self.note(f"table is to {'have' if wanted else 'lose'} a replica in {name}")
            except (RegionUnavailableError, ServiceError):
                await asyncio.sleep(0.5)

    async def _has_replica(self, caller: Caller, name: str, *, wanted: bool) -> bool:
        async def look(service: RegionService) -> bool:
            return (name in service.registry.serving(table_name).definition.replicas) == wanted

        try:
            return await self.network.ask(caller, self.regions[first_region], look)
        except MeridianError:
            return False

    def _clients(self) -> list[Client]:
        return [
            Client(
                number,
                region,
                caller=Caller(region.name, self._process),
                network=self.network,
                ledger=self.ledger,
                chance=self.chance_of(self.seed, f"client {region.name} {number}"),
                note=self.note,
            )
            for region in self.regions.values()
            for number in range(clients_per_region)
        ]

    def _failed(self, process: str, error: BaseException) -> None:
        if isinstance(error, Violation):
            self.broken(error)
        else:
            violation = Violation(f"{process} failed: {error!r}")
            violation.__cause__ = error
            self.broken(violation)


def simulate(seed: int, *, storm: Callable[[World], Any], storm_s: float, note: Note) -> Report:
    """One run. Raises `Violation`."""
    loop = SimulatedLoop()
    asyncio.set_event_loop(loop)
    try:
        with _logs_to(lambda text: note(f"{loop.time():9.4f} {text}")):
            return loop.run_until_complete(_simulate(seed, storm, storm_s, lambda text: note(f"{loop.time():9.4f} {text}")))
    finally:
        asyncio.set_event_loop(None)
        loop.close()


async def _simulate(seed: int, storm: Callable[[World], Any], storm_s: float, note: Note) -> Report:
    world = World(seed, note=note)
    try:
        return await world.run(storm, storm_s=storm_s)
    finally:
        world.close()
        await _wind_up()


@contextmanager
def _logs_to(note: Note) -> Iterator[None]:
    """What the code under test logs goes into the trace."""

    def take(_logger: Any, method: str, event: Any) -> Any:
        note(f"{method}: {event}")
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[structlog.processors.format_exc_info, take])
    try:
        yield
    finally:
        structlog.configure(**before)


async def _wind_up() -> None:
    """Lets everything that was cancelled come to its end."""
    while left := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in left:
            task.cancel()
        await asyncio.wait(left)
