"""What has to hold once a lab is whole again, whatever was done to it."""

import asyncio
from collections.abc import Sequence

from tests.faults import lags
from tests.faults.lab import Lab
from tests.faults.oracle import Oracle

heal_patience_s = 10.0


async def assert_recovers(lab: Lab, oracle: Oracle, table: str, *, regions: Sequence[str]) -> None:
    """`compare` says equal in time, no link is behind, and nothing that was acknowledged is lost."""
    assert await asyncio.to_thread(lab.differences, table, patience_s=heal_patience_s) == ""
    links = len(regions) * (len(regions) - 1)
    assert await lags.vanish(lab, table, count=links, patience_s=heal_patience_s) == ""
    assert await oracle.losses(regions) == []
