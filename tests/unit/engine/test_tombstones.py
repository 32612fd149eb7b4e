"""Tombstones go when they are a day old and every replica has passed them, and nothing that was deleted comes back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.region.engine.retention import Retention
from services.region.jobs import housekeeping
from services.region.storage.reader import PartitionReader
from services.region.vault.storage_key import storage_key
from shared.changes.records import Lane
from shared.clock import SystemClock
from shared.limits import clock_drift_refuse_ms, horizon_age_max_s, tombstone_age_min_s
from tests.unit.engine.regions import InProcessRegion, add_replica, carry, copy_partition, make_global, opened

day_us = tombstone_age_min_s * 1_000_000
hour_us = clock_drift_refuse_ms * 1000
minute_us = 60_000_000


class AheadClock(SystemClock):
    """Shows the time plus what a test lets pass."""

    passed_us = 0

    def wall_us(self) -> int:
        return super().wall_us() + self.passed_us

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.passed_us / 1e6


class Place:
    """A region whose jobs run all the time, with the lane of one item that was deleted in it."""

    def __init__(self, region: InProcessRegion, clock: AheadClock, folder: Path) -> None:
        self.region = region
        self.clock = clock
        self._data = folder / region.name

    def oldest(self, lane: Lane) -> int | None:
        path = self._data / "tables" / lane.generation.hex() / f"{lane.partition}.db"
        reader = PartitionReader(path, storage_key(self._data))
        oldest = reader.oldest_tombstone()
        reader.close()
        return oldest

    async def lane_of_deleted(self, table: str = "shared") -> Lane:
        await self.region.put(table, "item", "text")
        await self.region.delete(table, "item")
        folder = next(path for path in (self._data / "tables").iterdir() if path.name != "0" * 32)
        lanes = [Lane(bytes.fromhex(folder.name), int(path.stem)) for path in folder.glob("*.db")]  # type: ignore[arg-type]
        return next(lane for lane in lanes if self.oldest(lane) is not None)

    async def say(self, lane: Lane, horizon_us: int, *, replica: str) -> list[list[Any]]:
        """What the replicator of a replica says; the lanes that are wanted of it."""
        horizons = [[lane.generation.hex(), lane.partition, horizon_us]]
        if replica == self.region.name:
            said = {"worker": "a worker", "links": [], "horizons": horizons}
            answer = await self.region.ask("POST", "workers", json=said)
        else:
            answer = await self.region.ask("POST", "acks", json={"target": replica, "lanes": [], "horizons": horizons})
        wanted: list[list[Any]] = orjson.loads(answer)["horizons_wanted"]
        return wanted

    async def until_wanted(self, lane: Lane) -> None:
        async def is_wanted() -> bool:
            return [lane.generation.hex(), lane.partition] in await self.say(lane, 0, replica="there")

        await until(is_wanted)

    async def until_collected(self, lane: Lane) -> None:
        async def is_collected() -> bool:
            return self.oldest(lane) is None

        await until(is_collected)

    async def rounds(self, lane: Lane) -> None:
        """Lets the job have its turn some times, as the waiting for another table's tombstone shows."""
        await self.region.create_table("beside")
        await self.region.put("beside", "item", "text")
        await self.region.delete("beside", "item")
        self.clock.passed_us += day_us
        data = self._data / "tables"
        folder = next(path for path in data.iterdir() if path.name not in ("0" * 32, lane.generation.hex()))
        beside = Lane(bytes.fromhex(folder.name), int(next(folder.glob("*.db")).stem))  # type: ignore[arg-type]
        await self.until_collected(beside)


async def until(done: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await done():
            looks.append(asyncio.get_running_loop().create_future())
            await looks[-1]


looks: list[asyncio.Future[None]] = []  # what waits for a job to have run


@pytest.fixture(autouse=True)
def jobs_run_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """And tell when they have run."""
    collect = Retention.collect

    async def collect_and_tell(self: Retention) -> None:
        await collect(self)
        while looks:
            looks.pop().set_result(None)

    monkeypatch.setattr(housekeeping, "_collect_interval_s", 0.001)
    monkeypatch.setattr(Retention, "collect", collect_and_tell)


@pytest.fixture(name="here")
async def region(tmp_path: Path) -> AsyncIterator[Place]:
    clock = AheadClock()
    async with opened(tmp_path, clock=clock) as here:
        yield Place(here, clock, tmp_path)


@asynccontextmanager
async def two_regions(tmp_path: Path) -> AsyncIterator[tuple[Place, InProcessRegion]]:
    """With a table that both have, and one clock."""
    clock = AheadClock()
    async with opened(tmp_path, clock=clock) as here, opened(tmp_path, "there", clock=clock) as there:
        await here.create_table("shared")
        await add_replica("shared", here, there)
        yield Place(here, clock, tmp_path), there


async def test_a_table_of_one_region_waits_for_the_day_only(here: Place) -> None:
    await here.region.create_table("shared")
    lane = await here.lane_of_deleted()
    here.clock.passed_us = day_us - minute_us
    await here.region.put("shared", "another", "text")
    assert here.oldest(lane) is not None
    here.clock.passed_us = day_us + minute_us
    await here.until_collected(lane)
    assert await here.region.get("shared", "item") is None


async def test_a_replica_that_says_nothing_is_waited_for(here: Place) -> None:
    """It may be cut off, with older writes of the item on their way to it or from it."""
    await make_global(here.region)
    lane = await here.lane_of_deleted()
    here.clock.passed_us = day_us + minute_us
    await here.until_wanted(lane)
    await here.say(lane, here.clock.wall_us(), replica="here")
    await here.rounds(lane)
    assert here.oldest(lane) is not None


@pytest.mark.parametrize("past_us", [0, hour_us - minute_us])
async def test_tombstones_go_when_all_horizons_have_passed(tmp_path: Path, past_us: int) -> None:
    """By an hour: a change whose clock was behind may have come before it."""
    async with two_regions(tmp_path) as (here, _):
        lane = await here.lane_of_deleted()
        here.clock.passed_us = day_us + minute_us
        await here.until_wanted(lane)
        deleted_us = here.clock.wall_us() - here.clock.passed_us
        await here.say(lane, deleted_us + past_us, replica="there")
        await here.say(lane, here.clock.wall_us(), replica="here")
        await here.rounds(lane)
        assert here.oldest(lane) is not None
        await here.until_wanted(lane)
        await until_said(here, lane)
        await here.until_collected(lane)


async def until_said(here: Place, lane: Lane) -> None:
    for replica in ("here", "there"):
        await here.say(lane, here.clock.wall_us(), replica=replica)


async def test_a_horizon_that_was_said_long_ago_does_not_count(tmp_path: Path) -> None:
    """The region may have been restored from an older copy since."""
    async with two_regions(tmp_path) as (here, _):
        lane = await here.lane_of_deleted()
        here.clock.passed_us = day_us + minute_us
        await here.until_wanted(lane)
        await here.say(lane, here.clock.wall_us() + day_us, replica="there")
        here.clock.passed_us += int(2 * horizon_age_max_s * 1_000_000)
        await here.say(lane, here.clock.wall_us(), replica="here")
        await here.rounds(lane)
        assert here.oldest(lane) is not None


async def test_a_write_after_that_beats_the_tombstone_that_others_still_have(tmp_path: Path) -> None:
    """Even if the clock was set back since, by less than makes others refuse the change."""
    async with two_regions(tmp_path) as (here, there):
        lane = await here.lane_of_deleted()
        await carry(here.region, there)
        here.clock.passed_us = day_us + minute_us
        await here.until_wanted(lane)
        await until_said(here, lane)
        await here.until_collected(lane)
        here.clock.passed_us = minute_us - hour_us
        await here.region.put("shared", "item", "again")
        await carry(here.region, there)
        assert await there.get("shared", "item") == "again"


@asynccontextmanager
async def forgotten_deletion(tmp_path: Path) -> AsyncIterator[tuple[InProcessRegion, InProcessRegion, Lane]]:
    """Two regions, of which the first has deleted and forgotten an item of this lane that the second still has."""
    async with two_regions(tmp_path) as (here, there):
        await here.region.put("shared", "item", "text")
        await carry(here.region, there)
        lane = await here.lane_of_deleted()
        here.clock.passed_us = day_us + minute_us
        await here.until_wanted(lane)
        await until_said(here, lane)
        await here.until_collected(lane)
        yield here.region, there, lane


async def test_a_resync_drops_what_the_donor_has_deleted_and_forgotten(tmp_path: Path) -> None:
    """The rows of a copy that is too old to be continued would live for ever: no tombstone reaches them any more."""
    async with forgotten_deletion(tmp_path) as (here, there, lane):
        await there.put("shared", "of there", "kept")
        assert await there.get("shared", "item") == "text", "it has not got the deletion"
        lost = {"generation": lane.generation.hex(), "partition": lane.partition, "source": "here"}
        await there.ask("POST", "lanes/needs_resync", json=lost)
        await copy_partition(lane, here, there)
        assert await there.scanned("shared") == {"of there": "kept"}
        await carry(there, here)
        digests = [await region.ask("GET", "digests") for region in (here, there)]
        assert digests[0] == digests[1]


async def test_a_donors_old_row_does_not_bring_back_what_was_collected_here(tmp_path: Path) -> None:
    """A donor that leaves, or was restored, may not have got the deletion."""
    async with forgotten_deletion(tmp_path) as (here, there, lane):
        lost = {"generation": lane.generation.hex(), "partition": lane.partition, "source": "there"}
        await here.ask("POST", "lanes/needs_resync", json=lost)
        await copy_partition(lane, there, here)
        assert await here.get("shared", "item") is None
