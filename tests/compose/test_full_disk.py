"""A broker whose disk is full, and one that comes back with older data: it can't go on, its region can."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from services.lab.links import Link
from tests.compose.stack import ComposedLab, compose, container
from tests.faults import lags
from tests.faults.judgement import assert_recovers
from tests.faults.lab import eventually, regions
from tests.faults.oracle import Oracle

pytestmark = pytest.mark.timeout(300)

us, eu, ap = regions
broker = f"kafka-{us}"
filler = "/small-disk/filler"


@asynccontextmanager
async def small_disk() -> AsyncIterator[None]:
    """One broker gets a small disk, empty at first; afterwards it is back on its own, with what that held before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPOSE_FILE", "compose.yaml:tests/compose/small_disk.yaml")
        await asyncio.to_thread(compose, "up", "--wait", "--no-deps", broker, "small-disk")
        yield
        await asyncio.to_thread(compose, "rm", "--stop", "--force", "--volumes", broker, "small-disk")
    await asyncio.to_thread(compose, "up", "--wait", "--no-deps", broker)


async def test_a_broker_with_a_full_disk_stops_no_writer_and_loses_nothing(lab: ComposedLab, table: str) -> None:
    """Nor does one that comes back empty, and one with older data, on the way there and back."""
    oracle = Oracle(lab, table, regions=regions)

    async def is_down() -> bool:
        found = await asyncio.to_thread(container, broker)
        return not found["State"]["Running"]

    async def is_shown(takes_changes: float) -> bool:
        metrics = await asyncio.to_thread(httpx.get, f"{lab.endpoint(us)}/metrics")
        return f"meridian_kafka_takes_changes {takes_changes}" in metrics.text

    async with oracle.load():
        await oracle.more(30)
        async with small_disk():
            await oracle.more(30)
            await _in_small_disk(f"dd if=/dev/zero of={filler} bs=64K 2>&1 | grep 'No space left'")
            assert await eventually(is_down, patience_s=60)
            assert "No space left on device" in await asyncio.to_thread(compose, "logs", "--no-color", broker)
            assert await eventually(lambda: is_shown(0.0), patience_s=10)
            assert await lags.rise(lab, table, [Link(us, eu), Link(us, ap)])
            await oracle.more(100)
            await _in_small_disk(f"rm {filler}")
            await asyncio.to_thread(lab.run_well, "start", f"kafka:{us}")
            assert await eventually(lambda: is_shown(1.0), patience_s=30)
            await oracle.more(30)
        await oracle.more(30)
    assert [tally.failed for tally in oracle.tallies.values()] == [0, 0, 0]
    assert await asyncio.to_thread(lab.differences, table, patience_s=10) == ""
    await asyncio.to_thread(lab.fetch_data)
    await assert_recovers(lab, oracle, table, regions=regions)


async def _in_small_disk(command: str) -> None:
    await asyncio.to_thread(compose, "exec", "-T", "small-disk", "sh", "-c", command)
