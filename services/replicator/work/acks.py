"""Acknowledgements: once a second a source hears how far its lanes are applied here, so that its log may be trimmed."""

import asyncio
from itertools import islice

from services.replicator.io.port import RegionUnavailableError, SourceRegion
from services.replicator.work.follow import LinkFollower
from shared.errors import RequestRefusedError

interval_s = 1.0
lanes_per_request = 4096


async def acknowledge_forever(link: LinkFollower, region: SourceRegion) -> None:
    """Only lanes that moved are mentioned; what could not be said now is said a second later.

    A lane waits until the source has shown that it knows it: what is said of others, a source passes over.
    """
    while True:
        await asyncio.sleep(interval_s)
        known = (lane for lane in link.moved if lane in link.states and link.states[lane].head is not None)
        positions = {lane: link.states[lane].applied for lane in islice(known, lanes_per_request)}
        if not positions:
            continue
        link.moved.difference_update(positions)
        try:
            await region.acknowledge(positions)
        except (RegionUnavailableError, RequestRefusedError):
            link.moved.update(positions)
