"""Processes killed under load, as a crash does it: no acknowledged write is lost, and the regions agree again."""

import asyncio
import os
import signal

import pytest

from services.lab.links import Link
from tests.faults import lags
from tests.faults.judgement import assert_recovers
from tests.faults.lab import Lab, regions
from tests.faults.oracle import Oracle

us, eu, ap = regions


@pytest.mark.parametrize(
    ("processes", "lagging"),
    [
        pytest.param([us], [Link(us, eu), Link(us, ap)], id="a-region"),
        pytest.param([f"replicator:{eu}"], [Link(us, eu), Link(ap, eu)], id="a-replicator"),
        pytest.param([eu, ap], [Link(eu, us), Link(ap, us)], id="two-regions"),
    ],
)
async def test_nothing_is_lost_when_processes_are_killed(
    running_lab: Lab, table: str, processes: list[str], lagging: list[Link]
) -> None:
    oracle = Oracle(running_lab, table, regions=regions)
    alive = [region for region in regions if region not in processes]
    async with oracle.load():
        await oracle.more(50)
        for process in processes:
            await asyncio.to_thread(running_lab.run_well, "kill", process)
        await oracle.more(50, regions=alive)
        assert await lags.rise(running_lab, table, lagging)
        for process in processes:
            await asyncio.to_thread(running_lab.run_well, "start", process)
        await oracle.more(50)
    await assert_recovers(running_lab, oracle, table, regions=regions)


async def test_a_lab_whose_supervisor_is_killed_under_load_is_taken_over(running_lab: Lab, table: str) -> None:
    """The services outlive their supervisor, only the relays between them go with it."""
    oracle = Oracle(running_lab, table, regions=regions)
    left = running_lab.record
    assert left.supervisor is not None
    async with oracle.load():
        await oracle.more(50)
        os.kill(left.supervisor.pid, signal.SIGKILL)
        await oracle.more(50)
        assert all(tally.failed == 0 for tally in oracle.tallies.values())
        await asyncio.to_thread(running_lab.up)
        assert not any(identity.is_alive for identity in left.identities)
        await oracle.more(50)
    await assert_recovers(running_lab, oracle, table, regions=regions)
