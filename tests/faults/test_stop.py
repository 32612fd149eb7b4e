"""A region that is told to stop under load: it ends in time, answers what it has taken, and loses nothing."""

import asyncio
import os
import signal
import time

from services.lab.processes import ProcessIdentity
from tests.faults.judgement import assert_recovers
from tests.faults.lab import Lab, eventually, regions
from tests.faults.oracle import Oracle

stop_limit_s = 10.0
us, eu, ap = regions


async def test_a_region_stops_in_time_under_load_and_loses_nothing(running_lab: Lab, table: str) -> None:
    oracle = Oracle(running_lab, table, regions=regions)
    identity = _identity(running_lab, us)

    async def has_ended() -> bool:
        return not identity.is_alive

    async with oracle.load():
        await oracle.more(50)
        began = time.monotonic()
        os.kill(identity.pid, signal.SIGTERM)
        assert await eventually(has_ended, patience_s=stop_limit_s)
        print(f"stopped after {time.monotonic() - began:.2f} s")
        await oracle.more(50, regions=(eu, ap))
        await asyncio.to_thread(running_lab.run_well, "start", us)
        await oracle.more(50)
    assert "region has stopped" in running_lab.folder.log(f"region:{us}").read_text(encoding="utf-8")
    await assert_recovers(running_lab, oracle, table, regions=regions)


def _identity(lab: Lab, region: str) -> ProcessIdentity:
    (identity,) = (each.identity for each in lab.record.regions if each.region == region)
    assert identity is not None
    return identity
