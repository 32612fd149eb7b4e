"""How far the other regions' replicas are behind what was made here, as their acknowledgements tell.

Known at the source, so that it shows what a target still needs while the target, its replicator or the way there is
gone. The age of the oldest such change is looked up by a job; asking for the standings touches no file.
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from services.region.engine.registry import Registry
from services.region.storage.partitions import Partition
from shared.changes.records import Lane, commit_us_of
from shared.clock import Clock
from shared.model.tables import RegionName
from shared.topology import Region, Topology

_looks_per_slice = 16


class FollowerStanding(NamedTuple):
    target: str
    table: str  # "" for the catalog lane
    unapplied: int  # changes made here that the target has not acknowledged
    oldest_age_s: float  # of the oldest of them; 0 when there is none, or it was not looked up yet


class _Oldest(NamedTuple):
    applied: int  # the acknowledgement that it follows
    commit_us: int


class Followers:
    def __init__(
        self, registry: Registry, *, definitions: Partition, topology: Topology, region: str, clock: Clock
    ) -> None:
        self._registry = registry
        self._definitions = definitions
        self._others = topology.others(region)
        self._clock = clock
        self._oldest: dict[tuple[int, Lane], _Oldest] = {}

    def standings(self) -> Iterator[FollowerStanding]:
        """One of every target and table of which a partition is known; looking opens no file."""
        now_us = self._clock.wall_us()
        for target, table, partitions in self._followed():
            unapplied, oldest_us = 0, now_us
            for partition in partitions:
                behind, _ = _behind(partition, target.number)
                oldest = self._oldest.get((target.number, partition.lane))
                if behind and oldest is not None:
                    oldest_us = min(oldest_us, oldest.commit_us)
                unapplied += behind
            yield FollowerStanding(target.name, table, unapplied, (now_us - oldest_us) / 1e6)

    async def look(self) -> None:
        """Job: finds the oldest unapplied change of every lane that is behind and whose target has moved on."""
        found: dict[tuple[int, Lane], _Oldest] = {}
        looks = 0
        for target, _, partitions in self._followed():
            for partition in partitions:
                behind, applied = _behind(partition, target.number)
                if not behind:
                    continue
                name = (target.number, partition.lane)
                known = self._oldest.get(name)
                if known is None or known.applied != applied:
                    known = _oldest_after(partition, applied)
                    looks += 1
                    if looks % _looks_per_slice == 0:
                        await asyncio.sleep(0)
                if known is not None:
                    found[name] = known
        self._oldest = found

    def _followed(self) -> Iterator[tuple[Region, str, Sequence[Partition]]]:
        for target in self._others:
            yield target, "", [self._definitions]
            for table in self._registry.all():
                known = any(partition.known_state is not None for partition in table.partitions)
                if known and table.feeds(RegionName(target.name)):
                    yield target, table.definition.name, table.partitions


def _behind(partition: Partition, target: int) -> tuple[int, int]:
    """How many changes the target has not acknowledged, and the last one that it has."""
    state = partition.known_state
    if state is None:
        return 0, 0
    applied = state.followers.get(target, 0)
    return max(0, state.origin_sequence - applied), applied


def _oldest_after(partition: Partition, applied: int) -> _Oldest | None:
    reader = partition.reader
    changes = () if reader is None else reader.changes_after(applied, bytes_max=1, rows_max=1)
    commit_us = commit_us_of(changes[0].record) if changes else None
    return None if commit_us is None else _Oldest(applied, commit_us)
