"""Horizons: up to which time each replica has applied everything that was written anywhere.

A tombstone may go once every replica's horizon has passed it. Nobody sends horizons unasked: `want` names a lane that
has a tombstone old enough, the replicators of all its replicas hear of it with their next acknowledgement, and say
where they stand. What they say is kept in memory only, and of a table only as long as its replicas stay the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from services.region.engine.registry import Registry, Table
from services.region.engine.replicas import Replicas
from shared.changes.records import Lane
from shared.clock import Clock
from shared.limits import horizon_age_max_s, horizons_wanted_max
from shared.model.tables import RegionName, ReplicaStatus


@dataclass(slots=True)
class _Stated:
    table: Table  # made anew whenever its definition changes
    horizons: dict[RegionName, tuple[int, float]] = field(default_factory=dict)  # time, and when it was said


class Horizons:
    def __init__(self, registry: Registry, replicas: Replicas, *, region: str, clock: Clock) -> None:
        self._registry = registry
        self._replicas = replicas
        self._region = RegionName(region)
        self._clock = clock
        self._stated: dict[Lane, _Stated] = {}

    def want(self, table: Table, lane: Lane) -> None:
        stated = self._stated.get(lane)
        if stated is None or stated.table is not table:
            self._stated[lane] = _Stated(table)

    def forget(self, lane: Lane) -> None:
        self._stated.pop(lane, None)

    def wanted(self, replica: RegionName) -> Sequence[Lane]:
        """The lanes of which this region would like to know the horizon of `replica`; not more than a few at once."""
        of_replica = (lane for lane, stated in self._stated.items() if replica in stated.table.definition.replicas)
        return [lane for lane, _ in zip(of_replica, range(horizons_wanted_max), strict=False)]

    def take(self, replica: RegionName, horizons: Mapping[Lane, int]) -> None:
        """What the replicator of `replica` says, in microseconds of the sources' clocks."""
        now_s = self._clock.monotonic_s()
        for lane, horizon_us in horizons.items():
            stated = self._stated.get(lane)
            if stated is not None and stated.table is self._registry.of(lane.generation):
                stated.horizons[replica] = (horizon_us, now_s)

    def lowest(self, table: Table, lane: Lane) -> int | None:
        """The lowest horizon of all replicas, this one's as well; 0 unless all have said it lately, None if alone."""
        states = self._replicas.states(table.definition)
        if not states.keys() - {self._region}:
            return None
        if any(states[name].status is not ReplicaStatus.ACTIVE for name in table.definition.replicas):
            return 0
        return min(self._fresh(table, lane, table.definition.replicas))

    def _fresh(self, table: Table, lane: Lane, replicas: Iterable[RegionName]) -> Iterable[int]:
        stated = self._stated.get(lane)
        horizons = stated.horizons if stated is not None and stated.table is table else {}
        oldest_s = self._clock.monotonic_s() - horizon_age_max_s
        for name in replicas:
            horizon_us, said_s = horizons.get(name, (0, oldest_s))
            yield horizon_us if said_s >= oldest_s else 0
