"""What a person waits for and what a machine is spared: start-up, many tables, and a lab that nobody uses.

Figures are promised for two free cores; tests share theirs. So times are the best or the median of several, and
what still waits for others gets `slack` times its bound.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.lab.client import TableClient
from tests.faults.consumption import cores_taken, processor_s, resident_bytes
from tests.faults.lab import Lab
from tests.faults.region_process import RegionProcess

slack = 3
many_tables = 1000
items_per_table = 10
tables_per_batch = 2
idle_window_s = 10.0


@pytest.fixture
async def region(tmp_path: Path) -> AsyncIterator[RegionProcess]:
    region = RegionProcess(tmp_path / "data", log=tmp_path / "log")
    yield region
    region.stop()


async def test_a_region_answers_soon_after_its_start(region: RegionProcess) -> None:
    waits, taken = [], []
    for _ in range(3):
        waits.append(await region.start())
        assert region.process.pid is not None
        taken.append(processor_s([region.process.pid]))
        region.stop()
    print(f"ready after {', '.join(f'{wait:.2f}' for wait in waits)} s, {min(taken):.2f} s of which on a processor")
    assert min(waits) < 1.5 * slack
    assert min(taken) < 1.5


async def test_a_thousand_tables_cost_neither_start_nor_idle_time(region: RegionProcess) -> None:
    await region.start()
    client = region.client(connections=16)
    await _make_tables(client)
    creations_s = await _time_creations(client)
    await client.close()
    region.stop()
    started_s = await region.start()
    pid = region.process.pid
    assert pid is not None
    cores = await cores_taken([pid], seconds=idle_window_s / 2)
    print(f"CreateTable {creations_s * 1000:.1f} ms, ready after {started_s:.2f} s, idle at {cores:.1%} of a core")
    assert creations_s < 0.030 * slack
    assert started_s < 5.0
    assert cores < 0.10


async def test_an_idle_lab_takes_little(own_lab: Lab) -> None:
    own_lab.up()
    record = own_lab.record
    assert record.supervisor is not None
    pids = [identity.pid for identity in (*record.identities, record.supervisor)]
    cores = await cores_taken(pids, seconds=idle_window_s)
    resident = resident_bytes(pids)
    print(f"an idle lab takes {cores:.1%} of a core and {resident >> 20} MB")
    assert cores < 0.10
    assert resident < 900 * 1024 * 1024


async def _make_tables(client: TableClient) -> None:
    names = [f"table-{number}" for number in range(many_tables)]
    for name in names:
        await _create(client, name)
    items = [{"PutRequest": {"Item": {"id": {"S": f"item-{number}"}}}} for number in range(items_per_table)]
    async with asyncio.TaskGroup() as filling:
        for first in range(0, many_tables, tables_per_batch):
            batch = dict.fromkeys(names[first : first + tables_per_batch], items)
            filling.create_task(client.call("BatchWriteItem", {"RequestItems": batch}))


async def _time_creations(client: TableClient) -> float:
    """The median in seconds of some more."""
    times = []
    for number in range(21):
        began = time.monotonic()
        await _create(client, f"one-more-{number}")
        times.append(time.monotonic() - began)
    return statistics.median(times)


async def _create(client: TableClient, name: str) -> None:
    await client.call(
        "CreateTable",
        {
            "TableName": name,
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        },
    )
