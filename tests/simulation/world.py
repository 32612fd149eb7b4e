"""Three regions, their replicators and their clients in one deterministic run.

Clients write while a storm of faults goes on, and every commit is judged. Then everything is healed, what is under way
may arrive, and the verdict is spoken. The same seed gives the same run, event for event.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol, TypeVar

import structlog

from services.region.storage.catalog import Stage
from services.region.storage.partition_state import CopyState
from shared.changes.records import Lane, catalog_lane
from shared.model.keys import slot_of
from shared.model.tables import ReplicaStatus, decode_definition, decode_replica_state
from shared.topology import Topology
from tests.simulation.clients import Client, generation, partition_count
from tests.simulation.clocks import Calendar, SimulatedClock
from tests.simulation.disk import Disk
from tests.simulation.judge import judge, tombstones, unfinished
from tests.simulation.ledger import Ledger, Violation
from tests.simulation.loop import SimulatedLoop
from tests.simulation.network import Caller, Network
from tests.simulation.ports import Mischief, Pass
from tests.simulation.processes import Process
from tests.simulation.regions import SimulatedRegion
from tests.simulation.replicas import Director
from tests.simulation.workers import LiveWorker, Surroundings, start_worker

topology = Topology.parse("east=1=http://east,west=2=http://west,south=3=http://south")
first_region = "east"
lanes = (catalog_lane, *(Lane(generation, number) for number in range(partition_count)))
clients_per_region = 2
clock_error_us_max = 2_000_000
down_s_max = 3.0
drain_s_max = 120.0
look_s = 0.5
expiry_s_max = 10.0  # until what has expired is gone everywhere
night_us = 25 * 3_600_000_000

Outcome = TypeVar("Outcome")

Note = Callable[[float, object], None]  # virtual time, and something that can be printed


class Weather(Protocol):
    """What goes wrong: begins when it is made, and heals everything at its end."""

    faults: int

    async def end(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Report:
    """What a run went through: a run in which nothing happened proves nothing."""

    virtual_s: float
    acknowledged: int
    conflicts: int
    faults: int
    deaths: int
    resyncs: int
    tombstones: int  # that were collected
    expiries: int


class World:
    def __init__(self, seed: int, *, note: Note) -> None:
        self._seed = seed
        self._note = note
        self._loop = asyncio.get_running_loop()
        self._violation: asyncio.Future[None] = self._loop.create_future()
        self._process = Process("world", failed=self._failed)
        self._chance = self.chance("faults")
        self._started = 0
        self.deaths = 0
        self.armed: dict[tuple[str, str], None] = {}  # (site, point): whoever passes there next dies
        self.ledger = Ledger()
        self.calendar = Calendar()
        self.network = Network(self.chance("network"))
        self.mischief = {(a, b): Mischief() for a in topology.names for b in topology.names if a != b}
        self.regions = {name: self._region(name) for name in topology.names}
        self.workers: list[LiveWorker] = []
        self.clients = [self._client(name, number) for name in self.regions for number in range(clients_per_region)]
        self.director = Director(
            self.regions,
            process=self._process,
            network=self.network,
            chance=self.chance("replicas"),
            note=self.note,
        )

    def chance(self, purpose: str) -> Random:
        """The run's own chance for a purpose; what one part draws changes nothing for another."""
        return Random(f"{self._seed} {purpose}")

    def note(self, what: object) -> None:
        self._note(self._loop.time(), what)

    def spawn(self, work: Any) -> asyncio.Task[Any]:
        return self._process.spawn(work)

    async def run(self, weather: Callable[["World"], Weather], *, weather_s: float) -> Report:
        """Raises `Violation`, of whoever notices first."""
        story = self._process.spawn(self._run(weather, weather_s))
        await asyncio.wait((story, self._violation), return_when=asyncio.FIRST_COMPLETED)
        if self._violation.done():
            self._violation.result()
        return story.result()

    def close(self) -> None:
        self._process.kill()
        for live in self.workers:
            live.process.kill()
        for region in self.regions.values():
            region.kill()
            region.disk.close()

    async def _run(self, weather: Callable[["World"], Weather], weather_s: float) -> Report:
        for region in self.regions.values():
            region.start()
            self.start_worker(region.name)
        await asyncio.sleep(look_s)
        await self.director.create_table(first_region)
        directing = self.spawn(self.director.run(first_region))
        watching = self.spawn(self._watch_links())
        writing = [self.spawn(client.run()) for client in self.clients]
        bad = weather(self)
        await asyncio.sleep(weather_s)
        for task in writing:
            task.cancel()
        await bad.end()
        await self._drain(directing)
        watching.cancel()
        self._check_definitions()
        judge([region.disk for region in self.regions.values()], lanes, self.ledger)
        await self._let_tombstones_go()
        judge([region.disk for region in self.regions.values()], lanes, self.ledger)
        return Report(
            virtual_s=round(self._loop.time(), 1),
            acknowledged=len(self.ledger.acknowledged),
            conflicts=self.ledger.conflicts,
            faults=bad.faults,
            deaths=self.deaths,
            resyncs=self.ledger.resyncs,
            tombstones=self.ledger.tombstones_collected,
            expiries=self.ledger.expiries,
        )

    async def _drain(self, directing: asyncio.Task[None]) -> None:
        """Until every region has everything, or too long."""
        deadline_s = self._loop.time() + drain_s_max
        disks = [region.disk for region in self.regions.values()]
        while (missing := self._unready(directing) or unfinished(disks, lanes, self.ledger)) is not None:
            if self._loop.time() > deadline_s:
                raise Violation(f"all was healed {drain_s_max:.0f} s ago, and still {missing}")
            await asyncio.sleep(look_s)

    async def _let_tombstones_go(self) -> None:
        """Two nights later no region keeps any: in the first the last items expire, and then nothing is under way."""
        for _ in range(2):
            self.note("a quiet night passes")
            self.calendar.passed_us += night_us
            await asyncio.sleep(expiry_s_max)
        deadline_s = self._loop.time() + drain_s_max
        while kept := sum(tombstones(region.disk, lanes) for region in self.regions.values()):
            if self._loop.time() > deadline_s:
                raise Violation(f"all was delivered and a night has passed, and still there are {kept} tombstones")
            await asyncio.sleep(look_s)

    def _unready(self, directing: asyncio.Task[None]) -> str | None:
        if not directing.done():
            return "the replicas of the table are not what they should be"
        for region in self.regions.values():
            if region.service is None:
                return f"{region.name} is down"
            stages = [kept.stage for kept in region.disk.catalog.tables() if kept.definition.generation == generation]
            if stages != [Stage.ACTIVE]:
                return f"the replica in {region.name} is {stages}"
        return None

    def _check_definitions(self) -> None:
        """The table that each region serves is the one that the regions agree on."""
        for region in self.regions.values():
            rows = region.disk.reader(catalog_lane).collection(
                slot_of(generation), generation, first=b"", end=b"\xff", forward=True, rows_max=100
            )
            agreed = decode_definition(rows[0].image)
            served = [local.definition for local in region.disk.catalog.tables()]
            if served != [agreed] or set(agreed.replicas) != set(topology.names):
                raise Violation(f"{region.name} serves {served}, agreed is {agreed}")
            for row in rows[1:]:
                state = decode_replica_state(row.image)
                if state.status is not ReplicaStatus.ACTIVE:
                    raise Violation(f"{region.name} says that the replica in {row.sort.decode()} is {state.status}")

    # Regions

    def _region(self, name: str) -> SimulatedRegion:
        chance = self.chance(f"region {name}")
        number = topology.named(name).number
        error_us = chance.choice((0, chance.randint(-clock_error_us_max, clock_error_us_max)))
        return SimulatedRegion(
            name,
            topology=topology,
            disk=Disk(name, number, ledger=self.ledger, broken=self._break, note=self.note),
            clock=SimulatedClock(self.calendar, error_us=error_us),
            chance=chance,
            failed=self._failed,
            reached=self._reached,
            gave_up=lambda region: self.kill_region(region, down_s=look_s),
        )

    def kill_region(self, name: str, *, down_s: float) -> None:
        region = self.regions[name]
        if region.process is not None:
            self.note(f"{name} dies for {down_s:.2f} s")
            self.deaths += 1
            region.kill()
            self._process.start(self._restart_region(region, down_s))

    async def _restart_region(self, region: SimulatedRegion, down_s: float) -> None:
        await asyncio.sleep(down_s)
        self.note(f"{region.name} starts")
        for lane in lanes:
            if region.disk.holds(lane) and region.disk.state(lane).completeness is not CopyState.COPYING:
                self.ledger.check_durable(region.number, lane, region.disk.reader(lane))
        region.start()

    def _reached(self, region: str, point: str) -> None:
        if self._is_fatal(region, point):
            self.kill_region(region, down_s=self._chance.uniform(0.01, down_s_max))

    # Workers

    def start_worker(self, region: str) -> LiveWorker:
        self._started += 1
        live = start_worker(
            f"{region}-{self._started}",
            region,
            around=Surroundings(
                topology=topology,
                regions=self.regions,
                network=self.network,
                mischief=self.mischief,
                chance=self._chance,
                failed=self._failed,
            ),
            passing=self._passing,
        )
        self.workers.append(live)
        return live

    def kill_worker(self, live: LiveWorker, *, down_s: float | None) -> None:
        """With `down_s` another one takes its place after that time."""
        self.workers.remove(live)
        live.check_links()
        self.note(f"worker {live.process.name} dies")
        self.deaths += 1
        live.process.kill()
        if down_s is not None:
            self._process.start(self._replace_worker(live.region, down_s))

    async def _replace_worker(self, region: str, down_s: float) -> None:
        await asyncio.sleep(down_s)
        self.start_worker(region)

    def _passing(self, live: LiveWorker) -> Pass:
        async def pass_point(point: str) -> None:
            if live.process.is_alive and self._is_fatal(live.region, point):
                self.kill_worker(live, down_s=self._chance.uniform(0.01, down_s_max))
                await asyncio.sleep(0.0)

        return pass_point

    def _is_fatal(self, site: str, point: str) -> bool:
        fatal = (site, point) in self.armed
        if fatal:
            del self.armed[site, point]
            self.note(f"{site}: death {point}")
        return fatal

    async def _watch_links(self) -> None:
        while True:
            await asyncio.sleep(look_s)
            for live in self.workers:
                live.check_links()

    # Clients

    def _client(self, region: str, number: int) -> Client:
        return Client(
            number,
            self.regions[region],
            caller=Caller(region, self._process),
            network=self.network,
            ledger=self.ledger,
            chance=self.chance(f"client {region} {number}"),
            note=self.note,
        )

    # Violations

    def _failed(self, process: str, error: BaseException) -> None:
        if isinstance(error, Violation):
            self._break(error)
        else:
            violation = Violation(f"{process} failed: {error!r}")
            violation.__cause__ = error
            self._break(violation)

    def _break(self, violation: Violation) -> None:
        if not self._violation.done():
            self.note(f"violation: {violation}")
            self._violation.set_exception(violation)


def simulate(seed: int, weather: Callable[[World], Weather], *, weather_s: float, note: Note) -> Report:
    """One run. Raises `Violation`."""
    return in_virtual_time(_simulate(seed, weather, weather_s, note), note=note)


def in_virtual_time(run: Coroutine[Any, Any, Outcome], *, note: Note) -> Outcome:
    loop = SimulatedLoop()
    asyncio.set_event_loop(loop)
    try:
        with _logs_to(lambda event: note(loop.time(), event)):
            return loop.run_until_complete(run)
    finally:
        asyncio.set_event_loop(None)
        loop.close()


async def _simulate(seed: int, weather: Callable[[World], Weather], weather_s: float, note: Note) -> Report:
    world = World(seed, note=note)
    try:
        return await world.run(weather, weather_s=weather_s)
    finally:
        world.close()
        await wind_up()


async def wind_up() -> None:
    """Lets everything that was cancelled come to its end."""
    while left := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in left:
            task.cancel()
        await asyncio.wait(left)


@contextmanager
def _logs_to(note: Callable[[object], None]) -> Iterator[None]:
    """What the code under test logs becomes part of the trace."""

    def take(_logger: Any, method: str, event: Any) -> Any:
        note(f"{method}: {event}")
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[structlog.processors.format_exc_info, take])
    try:
        yield
    finally:
        structlog.configure(**before)
