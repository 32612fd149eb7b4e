"""Acknowledgements: once a second a source hears how far its lanes are applied here, so that its log may be trimmed.

With them go the horizons that it has asked for, so that it may collect tombstones.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from services.replicator.io.port import RegionUnavailableError, SourceRegion
from services.replicator.work.follow import LinkFollower
from services.replicator.work.lanes import position_of
from shared.changes.records import Lane
from shared.clock import Clock
from shared.errors import RequestRefusedError
from shared.limits import horizon_interval_s

interval_s = 1.0
lanes_per_request = 4096

HorizonsOf = Callable[[Sequence[Lane]], Mapping[Lane, int]]


async def acknowledge_forever(
    link: LinkFollower, region: SourceRegion, *, horizons_of: HorizonsOf, clock: Clock
) -> None:
    """Only lanes that moved are mentioned; what could not be said now is said a second later.

    A lane waits until the source has shown that it knows it: what is said of others, a source passes over. A source
    is also spoken to when nothing has moved for long, since it may want horizons.
    """
    lanes = link.lanes
    wanted: Sequence[Lane] = ()
    spoken_s = float("-inf")
    while True:
        await asyncio.sleep(interval_s)
        known = (lane for lane in lanes.moved if lane in lanes.states and lanes.states[lane].head is not None)
        positions = {lane: position_of(lanes.states[lane]) for lane in islice(known, lanes_per_request)}
        horizons = horizons_of(wanted)
        if not positions and not horizons and clock.monotonic_s() - spoken_s < horizon_interval_s:
            continue
        lanes.moved.difference_update(positions)
        try:
            wanted = await region.acknowledge(positions, horizons)
        except (RegionUnavailableError, RequestRefusedError):
            lanes.moved.update(positions)
        else:
            spoken_s = clock.monotonic_s()
