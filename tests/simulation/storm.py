"""The storm: faults at random times, of a random mix of kinds per run, until it is told to end.

Every fault undoes itself after a while; the end undoes all that are left at once.
"""

import asyncio
from collections.abc import Awaitable, Callable

from services.region.engine.retention import Trim
from shared.errors import MeridianError
from tests.simulation.clients import generation, hot_keys, partition_count, rare_keys
from tests.simulation.network import Cut
from tests.simulation.ports import worker_points
from tests.simulation.world import World, night_us, topology

pause_s_mean = 0.6
clock_error_us_max = 240_000_000
region_points = ("before a commit", "after a commit")

Fault = Callable[["Storm"], Awaitable[None]]


class Storm:
    def __init__(self, world: World) -> None:
        self.faults = 0
        self._world = world
        self._chance = world.chance("storm")
        self._mix = {name: self._chance.choice((0.0, 1.0, 1.0, 3.0)) for name in faults}
        self._running: list[asyncio.Task[None]] = []
        self._raging = world.spawn(self._rage())

    async def end(self) -> None:
        """Heals everything: cuts, clocks that jump, disks, and whoever is down comes back by itself."""
        for task in (self._raging, *self._running):
            task.cancel()
        world = self._world
        world.network.heal_all()
        world.armed.clear()
        for mischief in world.mischief.values():
            mischief.end()
        for region in world.regions.values():
            region.disk.is_full = False
        world.note("everything is healed")

    async def _rage(self) -> None:
        if not any(self._mix.values()):
            return
        while True:
            await asyncio.sleep(self._chance.expovariate(1.0 / pause_s_mean))
            name = self._chance.choices(list(self._mix), list(self._mix.values()))[0]
            self.faults += 1
            self._running = [task for task in self._running if not task.done()]
            self._running.append(self._world.spawn(faults[name](self)))

    async def cut_link(self) -> None:
        source, target = self._chance.sample(topology.names, 2)
        await self._cut([(source, target)], two_way=self._chance.random() < 0.5)

    async def cut_off_region(self) -> None:
        name = self._chance.choice(topology.names)
        await self._cut([(name, other) for other in topology.names if other != name], two_way=True)

    async def _cut(self, lines: list[tuple[str, str]], *, two_way: bool) -> None:
        how = self._chance.choice(list(Cut))
        lines = lines + [(target, source) for source, target in lines if two_way]
        duration_s = self._chance.uniform(0.2, 7.0)
        self._note(f"cut {lines} ({how.value}) for {duration_s:.2f} s")
        for line in lines:
            self._world.network.cut(*line, how)
        await asyncio.sleep(duration_s)
        for line in lines:
            self._world.network.heal(*line)

    async def slow_line(self) -> None:
        source, target = self._chance.choices(topology.names, k=2)
        latency_s, loss = self._chance.uniform(0.0, 0.8), self._chance.uniform(0.0, 0.3)
        duration_s = self._chance.uniform(0.5, 8.0)
        self._note(f"{source} to {target} takes up to {latency_s:.2f} s and loses {loss:.0%} for {duration_s:.2f} s")
        self._world.network.slow(source, target, latency_s_max=latency_s, loss=loss)
        await asyncio.sleep(duration_s)
        self._world.network.slow(source, target, latency_s_max=0.0, loss=0.0)

    async def disturb_feed(self) -> None:
        line = tuple(self._chance.sample(topology.names, 2))
        duration_s = self._chance.uniform(0.5, 8.0)
        mischief = self._world.mischief[line[0], line[1]]
        mischief.loss = self._chance.choice((0.0, 0.3))
        mischief.repetition = self._chance.choice((0.0, 0.3))
        mischief.reordering = self._chance.choice((0.0, 0.5))
        mischief.interruption = self._chance.choice((0.0, 0.1))
        self._note(f"feed {line} is disturbed for {duration_s:.2f} s: {mischief}")
        await asyncio.sleep(duration_s)
        mischief.end()

    async def kill_region(self) -> None:
        self._world.kill_region(self._chance.choice(topology.names), down_s=self._chance.uniform(0.01, 5.0))

    async def kill_region_at_point(self) -> None:
        await self._arm(self._chance.choice(region_points))

    async def kill_worker(self) -> None:
        if self._world.workers:
            live = self._chance.choice(self._world.workers)
            self._world.kill_worker(live, down_s=self._chance.uniform(0.01, 4.0))

    async def kill_worker_at_point(self) -> None:
        await self._arm(self._chance.choice(worker_points))

    async def _arm(self, point: str) -> None:
        place = (self._chance.choice(topology.names), point)
        self._world.armed[place] = None
        await asyncio.sleep(self._chance.uniform(0.0, 8.0))
        self._world.armed.pop(place, None)

    async def share_work(self) -> None:
        """A second worker joins for a while, and leaves without a word."""
        region = self._chance.choice(topology.names)
        if sum(live.region == region for live in self._world.workers) > 1:
            return
        self._note(f"a worker joins in {region}")
        live = self._world.start_worker(region)
        await asyncio.sleep(self._chance.uniform(0.5, 10.0))
        if live in self._world.workers:
            self._world.kill_worker(live, down_s=None)

    async def jump_clock(self) -> None:
        region = self._world.regions[self._chance.choice(topology.names)]
        jump_us = int(self._chance.choice((1_000, 100_000, 10_000_000, 60_000_000)) * self._chance.uniform(-1.0, 1.0))
        error_us = region.clock.error_us + jump_us
        region.clock.error_us = max(-clock_error_us_max, min(clock_error_us_max, error_us))
        self._note(f"the clock of {region.name} jumps by {jump_us / 1e6:.3f} s")

    async def pass_a_night(self) -> None:
        """What every region has applied is old enough to be trimmed now."""
        self._note("a night passes")
        self._world.calendar.passed_us += night_us

    async def spend_a_night_behind_a_cut(self) -> None:
        """One region gets nothing from another, while items are deleted that all could forget after the night."""
        source, target = self._chance.sample(topology.names, 2)
        self._note(f"a night behind a cut from {source} to {target}")
        self._world.network.cut(source, target, Cut.REFUSES)
        for key in self._chance.sample(rare_keys, 6):
            for client in self._world.clients:
                self._running.append(self._world.spawn(client.act(key, {"put": 1, "delete": 2})))
        await asyncio.sleep(1.0)
        await self.pass_a_night()
        await asyncio.sleep(self._chance.uniform(6.0, 10.0))
        self._world.network.heal(source, target)

    async def lose_log(self) -> None:
        """A region's change log is cut short, whether others have applied it or not."""
        await self._lose(self._chance.choice(topology.names), self._chance.randrange(partition_count), (0, 3))

    async def lose_logs_of_each_other(self) -> None:
        """Nobody can reach anybody, all write on, then logs and tails are gone: no copy is whole any more."""
        lines = [(source, target) for source in topology.names for target in topology.names if source != target]
        self._note("all are cut off, and then lose their logs")
        for line in lines:
            self._world.network.cut(*line, Cut.REFUSES)
        await self.write_everywhere_at_once()
        for name in topology.names:
            for number in range(partition_count):
                await self._lose(name, number, (0,))
            self._world.kill_region(name, down_s=0.2)
        for line in lines:
            self._world.network.heal(*line)

    async def _lose(self, name: str, number: int, kept: tuple[int, ...]) -> None:
        region = self._world.regions[name]
        table = None if region.service is None else region.service.registry.of(generation)
        if table is None or region.process is None:
            return
        partition = table.partitions[number]
        through = partition.state.sequence - self._chance.choice(kept)
        if through > partition.state.trimmed_sequence:
            self._note(f"{region.name} loses the log of partition {partition.lane.partition} up to {through}")
            try:
                await region.process.answer(_submitted(partition.submit(Trim(through))))
            except MeridianError:
                return

    async def fill_disk(self) -> None:
        disk = self._world.regions[self._chance.choice(topology.names)].disk
        self._note(f"the disk of region {disk.region} is full")
        disk.is_full = True
        await asyncio.sleep(self._chance.uniform(0.05, 2.0))
        disk.is_full = False

    async def write_everywhere_at_once(self) -> None:
        """One item, one moment, all regions: versions that differ in little but the region."""
        key = self._chance.choice(hot_keys)
        acting: list[asyncio.Task[None]] = []
        for _ in range(self._chance.randint(1, 5)):
            acting += [self._world.spawn(client.act(key)) for client in self._world.clients]
            await asyncio.sleep(self._chance.choice((0.0005, 0.02)))
        await asyncio.gather(*acting)

    def _note(self, text: str) -> None:
        self._world.note(text)


async def _submitted(done: Awaitable[None]) -> None:
    await done


faults: dict[str, Fault] = {
    "cut link": Storm.cut_link,
    "cut off region": Storm.cut_off_region,
    "slow line": Storm.slow_line,
    "disturb feed": Storm.disturb_feed,
    "kill region": Storm.kill_region,
    "kill region at point": Storm.kill_region_at_point,
    "kill worker": Storm.kill_worker,
    "kill worker at point": Storm.kill_worker_at_point,
    "share work": Storm.share_work,
    "jump clock": Storm.jump_clock,
    "pass a night": Storm.pass_a_night,
    "spend a night behind a cut": Storm.spend_a_night_behind_a_cut,
    "lose log": Storm.lose_log,
    "lose logs of each other": Storm.lose_logs_of_each_other,
    "fill disk": Storm.fill_disk,
    "write everywhere at once": Storm.write_everywhere_at_once,
}
