"""The lab on Kafka under load: a broker that dies stops no writer, and what waited in the change log arrives later."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from services.lab.links import Link
from services.lab.tables import ensure_replicated_table
from tests.faults import lags
from tests.faults.judgement import assert_recovers
from tests.faults.lab import Lab, free_base_port, regions
from tests.faults.oracle import Oracle

us, eu, ap = regions


@pytest.fixture(scope="module")
def kafka_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("kafka-lab"), base_port=free_base_port())
    lab.up("--feed", "kafka")
    yield lab
    lab.down()


@pytest.fixture
async def table(kafka_lab: Lab) -> AsyncIterator[str]:
    name = f"t-{uuid4().hex}"
    async with AsyncExitStack() as stack:
        clients = [kafka_lab.client(region) for region in regions]
        for client in clients:
            stack.push_async_callback(client.close)
        await ensure_replicated_table(clients, name)
        assert await lags.vanish(kafka_lab, name, count=6, patience_s=15) == ""
        yield name


async def test_a_dead_broker_stops_no_writer(kafka_lab: Lab, table: str) -> None:
    oracle = Oracle(kafka_lab, table, regions=regions)
    async with oracle.load():
        await oracle.more(50)
        await asyncio.to_thread(kafka_lab.run_well, "kill", f"kafka:{us}")
        await oracle.more(50)
        assert await lags.rise(kafka_lab, table, [Link(us, eu), Link(us, ap)])
        await oracle.more(50)
        await asyncio.to_thread(kafka_lab.run_well, "start", f"kafka:{us}")
        await oracle.more(50)
    assert all(tally.failed == 0 for tally in oracle.tallies.values())
    await assert_recovers(kafka_lab, oracle, table, regions=regions)


async def test_a_region_killed_before_it_has_published_publishes_later(kafka_lab: Lab, table: str) -> None:
    """What was acknowledged while its broker was down is in the change log only."""
    oracle = Oracle(kafka_lab, table, regions=regions)
    async with oracle.load():
        for process in (f"kafka:{us}", us):
            await oracle.more(50)
            await asyncio.to_thread(kafka_lab.run_well, "kill", process)
        await oracle.more(50, regions=(eu, ap))
        for process in (f"kafka:{us}", us):
            await asyncio.to_thread(kafka_lab.run_well, "start", process)
        await oracle.more(50)
    await assert_recovers(kafka_lab, oracle, table, regions=regions)
