"""A full disk: writes are refused with an error that says so and may be tried again, reads go on, nothing is lost."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from services.lab.client import RefusedError, TableClient
from tests.faults.judgement import assert_recovers
from tests.faults.lab import Lab, eventually, regions
from tests.faults.oracle import Oracle
from tests.faults.region_process import RegionProcess
from tests.faults.scarce_disks import LimitedFiles, ScarceDisk, kinds

us, eu, ap = regions
unavailable = "ServiceUnavailable"
attributes = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
patience_s = 10.0


@pytest.fixture(params=kinds(), ids=lambda kind: kind.__name__)
async def disk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ScarceDisk]:
    kind: Callable[[Path], AbstractContextManager[ScarceDisk]] = request.param
    with kind(tmp_path_factory.mktemp("disk")) as disk:
        yield disk


@pytest.fixture
async def region(disk: ScarceDisk) -> AsyncIterator[RegionProcess]:
    region = RegionProcess(disk.folder / "data", log=disk.folder / "log")
    await region.start()
    yield region
    region.stop()


@pytest.fixture
async def client(region: RegionProcess) -> AsyncIterator[TableClient]:
    client = region.client()
    await client.call("CreateTable", {"TableName": "items", **attributes})
    yield client
    await client.close()


async def put(client: TableClient, number: int) -> None:
    item = {"id": {"S": str(number)}, "payload": {"S": "x" * 10_000}}
    await client.call("PutItem", {"TableName": "items", "Item": item})


async def has(client: TableClient, number: int) -> bool:
    return "Item" in await client.call("GetItem", {"TableName": "items", "Key": {"id": {"S": str(number)}}})


async def test_a_full_disk_refuses_writes_until_it_has_room(
    disk: ScarceDisk, region: RegionProcess, client: TableClient
) -> None:
    pid = region.process.pid
    assert pid is not None
    for number in range(100):
        await put(client, number)
    disk.fill(pid)
    acknowledged, refusals = set(range(100)), set()
    for number in range(100, 150):
        try:
            await put(client, number)
        except RefusedError as error:
            refusals.add(error.code)
        else:
            acknowledged.add(number)
    with pytest.raises(RefusedError, match=unavailable):
        await client.call("CreateTable", {"TableName": "one-more", **attributes})
    assert refusals == {unavailable}
    assert all([await has(client, number) for number in acknowledged])
    disk.free(pid)
    await put(client, 200)
    await client.call("CreateTable", {"TableName": "one-more", **attributes})
    region.process.kill()
    await region.start()
    assert [number for number in (*acknowledged, 200) if not await has(client, number)] == []


async def test_a_region_with_a_full_disk_catches_up_when_it_has_room(running_lab: Lab, table: str) -> None:
    """Its own writers are refused, and other regions' changes wait at their sources."""
    oracle = Oracle(running_lab, table, regions=regions)
    (pid,) = (each.pid for each in running_lab.record.regions if each.region == us)
    assert pid is not None
    disk = LimitedFiles(running_lab.folder.region(us))

    async def is_refusing() -> bool:
        return len(oracle.tallies[us].refused) > 50

    async with oracle.load():
        await oracle.more(50)
        disk.fill(pid)
        try:
            assert await eventually(is_refusing, patience_s=patience_s)
            await oracle.more(50, regions=(eu, ap))
        finally:
            disk.free(pid)
        await oracle.more(50)
    assert all(unavailable in refusal for refusal in oracle.tallies[us].refused)
    assert [oracle.tallies[region].failed for region in (eu, ap)] == [0, 0]
    await assert_recovers(running_lab, oracle, table, regions=regions)
    assert [each.pid for each in running_lab.record.regions if each.region == us] == [pid]
