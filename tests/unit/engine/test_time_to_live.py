"""Expiry among regions: whoever expires an item removes what it has seen and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from services.region.engine import time_to_live
from services.region.engine.registry import Registry, Table
from services.region.engine.time_to_live import Expiry
from services.region.jobs import housekeeping
from services.region.rules.stored import StoredItem
from services.region.rules.time_to_live import with_time_to_live
from services.region.storage.catalog import LocalTable, Stage
from services.region.storage.index_entries import FileIndex
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partition_state import PartitionState
from services.region.storage.partitions import Partition, Partitions
from shared.changes.records import Lane
from shared.clock import SystemClock
from shared.limits import expiry_patience_s
from shared.model.keys import KeyAttribute, KeySchema, item_key
from shared.model.tables import Generation, RegionName, TableDefinition
from shared.model.values import Item, encode_item
from shared.versions.versions import timestamp_at
from tests.unit.engine.regions import InProcessRegion, add_replica, carry, opened
from tests.unit.engine.test_streams import AheadClock, arn_of, records

looks: list["asyncio.Future[None]"] = []  # what waits for a sweep to have been


@pytest.fixture(autouse=True)
def sweeps_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = Expiry.sweep

    async def sweep_and_tell(self: Expiry) -> None:
        await sweep(self)
        while looks:
            looks.pop().set_result(None)

    monkeypatch.setattr(housekeeping, "expiry_interval_s", 0.001)
    monkeypatch.setattr(Expiry, "sweep", sweep_and_tell)


async def until_gone(region: InProcessRegion, key: str) -> None:
    """Until it is acknowledged: what is committed can be read a moment before the feed knows of it."""
    async with asyncio.timeout(20):
        while await region.get("orders", key) is not None:
            looks.append(asyncio.get_running_loop().create_future())
            await looks[-1]
    await region.delete("orders", key)  # changes nothing, and waits for the group before it


async def put(region: InProcessRegion, key: str, text: str, clock: SystemClock, in_s: int) -> None:
    ends = {"N": str(clock.wall_us() // 1_000_000 + in_s)}
    await region.call("PutItem", TableName="orders", Item={"pk": {"S": key}, "text": {"S": text}, "ends": ends})


@asynccontextmanager
async def two_regions(folder: Path) -> AsyncIterator[tuple[InProcessRegion, InProcessRegion, AheadClock, AheadClock]]:
    """With a table of both, whose items end with `ends`; each region has a clock of its own."""
    one, other = AheadClock(), AheadClock()
    async with opened(folder, clock=one) as here, opened(folder, "there", clock=other) as there:
        await here.create_table("orders")
        await add_replica("orders", here, there)
        wanted = {"Enabled": True, "AttributeName": "ends"}
        await here.call("UpdateTimeToLive", TableName="orders", TimeToLiveSpecification=wanted)
        await carry(here, there)
        yield here, there, one, other


async def test_what_expires_here_goes_there_and_is_the_services_doing_here_only(tmp_path: Path) -> None:
    async with two_regions(tmp_path) as (here, there, clock, _):
        described = await there.call("DescribeTimeToLive", TableName="orders")
        assert described["TimeToLiveDescription"] == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ends"}
        await put(here, "a", "text", clock, 100)
        await carry(here, there)
        clock.let_pass(200)
        await until_gone(here, "a")
        await carry(here, there)
        assert await there.get("orders", "a") is None
        mine, theirs = [(await records(region, await arn_of(region)))[-1] for region in (here, there)]
        assert mine["eventName"] == theirs["eventName"] == "REMOVE"
        assert mine["userIdentity"] == {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
        assert "userIdentity" not in theirs


async def test_a_rewrite_elsewhere_survives_an_expiry_that_has_not_seen_it(tmp_path: Path) -> None:
    """Also one that was made before the item expired: an expiry with the clock's time would remove it."""
    async with two_regions(tmp_path) as (here, there, clock, _):
        await put(here, "a", "old", clock, 100)
        await carry(here, there)
        await there.put("orders", "a", "rewritten")
        clock.let_pass(200)
        await until_gone(here, "a")
        await carry(here, there)
        await carry(there, here)
        assert await here.get("orders", "a") == await there.get("orders", "a") == "rewritten"


async def test_a_region_that_is_away_is_stood_in_for(tmp_path: Path) -> None:
    """Any region may expire; two expiries of one version are no conflict."""
    async with two_regions(tmp_path) as (here, there, clock, other):
        await put(here, "a", "text", clock, 100)
        await carry(here, there)
        other.let_pass(100 + expiry_patience_s)
        await until_gone(there, "a")
        clock.let_pass(200)
        await until_gone(here, "a")
        outcomes = []
        for source, target in ((here, there), (there, here)):
            for lane in await target.lanes_of("orders"):
                batch = await source.lane(target.name, lane)
                outcomes += list((await target.apply(source.name, batch.deliveries)).values())
        assert sum(outcome["conflicts"] for outcome in outcomes) == 0
        assert await here.get("orders", "a") is None
        assert await there.get("orders", "a") is None


async def test_expiry_goes_on_after_a_restart(tmp_path: Path) -> None:
    clock = AheadClock()
    async with opened(tmp_path, clock=clock) as region:
        await region.create_table("orders")
        wanted = {"Enabled": True, "AttributeName": "ends"}
        await region.call("UpdateTimeToLive", TableName="orders", TimeToLiveSpecification=wanted)
        await put(region, "a", "text", clock, 100)
    clock.let_pass(200)
    async with opened(tmp_path, clock=clock) as region:
        await until_gone(region, "a")


schema = KeySchema(KeyAttribute("p", "S"))


class PutJob:
    """As if a region had written it."""

    def __init__(self, item: Item, *, region: int) -> None:
        self._item = item
        self._region = region

    def run(self, file: PartitionFile, now_us: int) -> None:
        key = item_key(schema, self._item)
        stored = StoredItem(timestamp_at(now_us), self._region, b"", encode_item(self._item))
        file.write_applied(key, file.read(key), stored, record=b"", now_us=now_us)


class StillClock:
    """Stands at a full second until it is told to go on."""

    def __init__(self) -> None:
        self._now_s = 1_800_000_000

    def let_pass(self, seconds: int) -> None:
        self._now_s += seconds

    def wall_us(self) -> int:
        return self._now_s * 1_000_000

    def monotonic_s(self) -> float:
        return self._now_s


class Swept(NamedTuple):
    """A table of one partition whose items end with `ends`, and who sweeps it."""

    partition: Partition
    registry: Registry
    expiry: Expiry
    clock: StillClock

    async def put(self, key: str, *, in_s: int, region: int = 1) -> None:
        ends = {"N": str(self.clock.wall_us() // 1_000_000 + in_s)}
        await self.partition.submit(PutJob({"p": {"S": key}, "ends": ends}, region=region))

    def standing(self) -> tuple[int, float]:
        """What has expired, and how many seconds the sweep is behind."""
        (standing,) = self.expiry.standings()
        assert standing.table == "orders"
        return standing.expired, standing.behind_s


@pytest.fixture
async def swept(tmp_path: Path) -> AsyncIterator[Swept]:
    clock = StillClock()
    definition = TableDefinition(Generation(b"g" * 16), "orders", schema, 1, (RegionName("here"),), created_us=0)
    definition = with_time_to_live(definition, "ends", enabled=True, now_us=clock.wall_us(), region=1)
    partitions = Partitions(
        tmp_path, key=bytes(32), region=1, clock=clock, writer_threads=1, committed=lambda _partition, _group: None
    )
    orders = [FileIndex(index) for index in definition.kept_indexes]
    partition = partitions.of(Lane(definition.generation, 0), first_state=PartitionState(indexes=orders))
    registry = Registry()
    registry.put(Table(LocalTable(definition, Stage.ACTIVE), [partition]))
    expiry = Expiry(registry, clock=clock)
    await expiry.sweep()  # which only begins the first turn
    yield Swept(partition, registry, expiry, clock)
    await partitions.close()


async def test_a_partition_in_which_nothing_is_due_is_left_closed(swept: Swept) -> None:
    """Otherwise every table with a time to live would keep its files open for ever."""
    await swept.put("a", in_s=100)
    await swept.expiry.sweep()
    swept.partition.close()
    for _ in range(3):
        await swept.expiry.sweep()
    assert not swept.partition.is_open
    swept.clock.let_pass(200)
    await swept.expiry.sweep()
    assert swept.partition.state.item_count == 0


async def test_how_far_the_sweep_is_behind_is_known_without_a_look(swept: Swept) -> None:
    """A sweep that no longer comes must show, and asking for it must not open files."""
    await swept.put("a", in_s=100)
    await swept.put("b", in_s=200)
    assert swept.standing() == (0, 0)
    await swept.expiry.sweep()
    swept.partition.close()
    swept.clock.let_pass(150)
    assert swept.standing() == (0, 50)
    assert not swept.partition.is_open
    await swept.expiry.sweep()
    assert swept.standing() == (1, 0)
    swept.clock.let_pass(110)
    assert swept.standing() == (1, 60)
    await swept.expiry.sweep()
    swept.clock.let_pass(1000)
    assert swept.standing() == (2, 0)


async def test_a_sweep_that_fails_falls_behind(swept: Swept, monkeypatch: pytest.MonkeyPatch) -> None:
    await swept.put("a", in_s=0)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(PartitionFile, "write_decided", fail)
        with pytest.raises(RuntimeError):
            await swept.expiry.sweep()
    swept.clock.let_pass(90)
    assert swept.standing() == (0, 90)
    for _ in range(2):  # the turn that failed ends, and another one comes
        await swept.expiry.sweep()
    assert swept.standing() == (1, 0)


async def test_a_sweep_with_too_much_to_do_is_behind_while_it_pauses(
    swept: Swept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not up to date as soon as it has done its share."""
    monkeypatch.setattr(time_to_live, "expiries_per_job_max", 2)
    monkeypatch.setattr(time_to_live, "expiry_jobs_max", 2)
    for number in range(8):
        await swept.put(f"{number}", in_s=number)
    swept.clock.let_pass(10)
    await swept.expiry.sweep()
    assert swept.standing() == (4, 7)
    await swept.expiry.sweep()
    assert swept.standing() == (8, 3)
    await swept.expiry.sweep()
    assert swept.standing() == (8, 0)


async def test_what_another_region_is_to_expire_counts_as_left(swept: Swept) -> None:
    await swept.put("a", in_s=0)
    await swept.put("b", in_s=10, region=2)
    swept.clock.let_pass(20)
    await swept.expiry.sweep()
    swept.clock.let_pass(5)
    assert swept.standing() == (1, 15)
    swept.clock.let_pass(expiry_patience_s)
    await swept.expiry.sweep()
    assert swept.standing() == (2, 0)


async def test_a_table_that_is_gone_is_not_told_of(swept: Swept) -> None:
    await swept.put("a", in_s=0)
    await swept.expiry.sweep()
    swept.registry.remove(swept.partition.lane.generation)
    assert list(swept.expiry.standings()) == []
