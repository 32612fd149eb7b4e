"""What a link has done so far, for reports and metrics: totals since the start, by table."""

from collections.abc import Callable
from dataclasses import dataclass, field

from services.replicator.io.port import LaneOutcome
from services.replicator.link.lag import ChangeLag, bucket_bounds_s
from shared.histograms import Histogram


@dataclass(slots=True)
class TableTally:
    applied: int = 0
    superseded: int = 0
    duplicate: int = 0
    conflicts: int = 0
    dead_letters: int = 0
    fills: int = 0
    resyncs: int = 0
    lag: ChangeLag = field(default_factory=ChangeLag)

    def count(self, outcome: LaneOutcome) -> None:
        self.applied += outcome.applied
        self.superseded += outcome.superseded
        self.duplicate += outcome.duplicate
        self.conflicts += outcome.conflicts
        self.dead_letters += outcome.dead_letters


@dataclass(slots=True)
class LinkTally:
    heartbeats: int = 0
    disconnects: int = 0
    failures: int = 0  # of the link's own code; it starts anew after each
    heartbeat_delay_s: float | None = None  # of the last one: arrival by the clock here, less its time at the source
    receive_s: Histogram = field(default_factory=lambda: Histogram(bucket_bounds_s))  # commit to received
    apply_s: Histogram = field(default_factory=lambda: Histogram(bucket_bounds_s))  # received to applied
    tables: dict[str, TableTally] = field(default_factory=dict)

    def of(self, table: str) -> TableTally:
        tally = self.tables.get(table)
        if tally is None:
            tally = self.tables[table] = TableTally()
        return tally

    def keep(self, wanted: Callable[[str], bool]) -> None:
        """Forgets tables that are gone, so that their number stays bounded."""
        self.tables = {table: tally for table, tally in self.tables.items() if wanted(table)}
