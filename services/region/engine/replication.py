"""The target's side of replication: other regions' changes enter here, in order per lane, exactly once in effect.

A lane's position is stored in the transaction that applies its changes, so a restart or a repeat applies nothing
twice and a gap is never jumped over. Changes, snapshots and table definitions all take this one way.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from services.region.engine.lanes import Lanes
from services.region.engine.registry import Registry, Table
from services.region.engine.remote_changes import ApplyChanges, ApplySnapshot, LaneOutcome, outcome_names
from services.region.engine.replicas import Replicas
from services.region.storage.catalog import Stage
from services.region.storage.partition_state import CopyState
from services.region.storage.partitions import Partition
from services.region.storage.writer import Job
from shared.changes.batches import Delivery
from shared.changes.records import Lane, catalog_lane
from shared.feed.port import Position
from shared.model.tables import RegionName
from shared.topology import Topology

_opens_per_slice = 16


class LaneReport(NamedTuple):
    """A lane as its replicator has to know it."""

    lane: Lane
    table: str
    stage: Stage
    state: CopyState
    positions: Mapping[str, Position]
    donors: Sequence[RegionName]
    lost: Sequence[RegionName]  # sources that can't be followed from here; they are donors of what they made, at least


@dataclass(slots=True)
class ReplicationCounts:
    """Totals since the process began, for metrics."""

    outcomes: dict[tuple[str, str], int] = field(default_factory=dict)  # (source, outcome) -> changes

    def add(self, source: str, outcome: LaneOutcome) -> None:
        for name in outcome_names:
            count = getattr(outcome, name)
            if count:
                key = (source, name)
                self.outcomes[key] = self.outcomes.get(key, 0) + count


class Replication:
    def __init__(
        self,
        registry: Registry,
        lanes: Lanes,
        replicas: Replicas,
        *,
        topology: Topology,
        region: str,
    ) -> None:
        self.counts = ReplicationCounts()
        self._registry = registry
        self._lanes = lanes
        self._replicas = replicas
        self._topology = topology
        self._region = region

    async def apply_changes(
        self, source: RegionName, deliveries: Sequence[Delivery]
    ) -> Mapping[Lane, LaneOutcome | None]:
        """Applies what a source's lanes have brought, all lanes at once; None for a lane that is not here."""
        return await self._apply(source, deliveries, partial(ApplyChanges, self._topology.named(source).number))

    async def apply_snapshot(
        self, donor: RegionName, deliveries: Sequence[Delivery]
    ) -> Mapping[Lane, LaneOutcome | None]:
        """Applies rows of a donor's lanes, all lanes at once; None for a lane that is not here."""
        return await self._apply(donor, deliveries, ApplySnapshot)

    async def lanes(self) -> Sequence[LaneReport]:
        """Every lane of which this region is to have a copy, with its positions."""
        everybody = [RegionName(peer.name) for peer in self._topology.others(self._region)]
        reports = [self._report(self._lanes.definitions, table=None, sources=everybody, donors=everybody)]
        count = 0
        for table in self._registry.all():
            if not table.definition.is_global or table.stage not in (Stage.CREATING, Stage.ACTIVE):
                continue
            sources = self._replicas.sources(table.definition)
            donors = self._replicas.donors(table.definition)
            for partition in table.partitions:
                reports.append(self._report(partition, table=table, sources=sources, donors=donors))
                count += 1
                if count % _opens_per_slice == 0:
                    await asyncio.sleep(0)
        return reports

    async def _apply(
        self,
        source: RegionName,
        deliveries: Sequence[Delivery],
        job: Callable[[Sequence[Delivery], int], Job[LaneOutcome]],
    ) -> Mapping[Lane, LaneOutcome | None]:
        by_lane: dict[Lane, list[Delivery]] = {}
        for delivery in deliveries:
            by_lane.setdefault(delivery.lane, []).append(delivery)
        partitions = {lane: self._lanes.applied(lane) for lane in by_lane}
        present = {lane: partition for lane, partition in partitions.items() if partition is not None}
        outcomes = await asyncio.gather(
            *(
                partition.submit(job(by_lane[lane], self._lanes.partition_count(lane)))
                for lane, partition in present.items()
            ),
            return_exceptions=True,
        )
        results: dict[Lane, LaneOutcome | None] = dict.fromkeys(partitions)
        failures = []
        for lane, outcome in zip(present, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                failures.append(outcome)
            else:
                results[lane] = outcome
                self.counts.add(source, outcome)
        if results.get(catalog_lane) is not None:
            await self._replicas.reconcile()
        if failures:
            raise failures[0]  # the other lanes are applied; the replicator sends all again and these are skipped
        return results

    def _report(
        self, partition: Partition, *, table: Table | None, sources: Sequence[RegionName], donors: Sequence[RegionName]
    ) -> LaneReport:
        state = partition.state
        return LaneReport(
            partition.lane,
            "" if table is None else table.definition.name,
            Stage.ACTIVE if table is None else table.stage,
            state.completeness,
            {name: state.positions.get(self._topology.named(name).number, Position(0)) for name in sources},
            donors,
            [name for name in sources if self._topology.named(name).number in state.lost],
        )
