"""What a replicator asks of regions: of its own one, and of another one as a source.

Two families of implementations keep this contract: HTTP (`services.replicator.io.http`) and simulated regions. Every
call ends within a bounded time: with an answer, with `RegionUnavailableError` when asking again may help, or with
`shared.errors.RequestRefusedError` whose `reason` is a stable word.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Protocol

from shared.changes.batches import Delivery
from shared.changes.records import Lane
from shared.errors import MeridianError
from shared.feed.port import Position
from shared.model.tables import Generation, RegionName
from shared.topology import Region


class RegionUnavailableError(MeridianError):
    """A region can't be reached, does not answer in time, is stopping or can't write."""


class CopyStage(StrEnum):
    """How complete the own region's copy of a partition is."""

    COPYING = "COPYING"
    FOLLOWING = "FOLLOWING"
    NEEDS_RESYNC = "NEEDS_RESYNC"


class ApplyMode(StrEnum):
    FEED = "feed"  # contiguous sequences only; moves the lane's position
    SNAPSHOT = "snapshot"  # stored rows of another region, without sequence


@dataclass(frozen=True, slots=True)
class OwnedLane:
    """A lane of which the own region has, or is to get, a copy."""

    lane: Lane
    table: str  # "" for the catalog lane
    stage: CopyStage
    sources: Mapping[RegionName, Position]  # the regions to follow, each with the position to go on from
    donors: Sequence[RegionName]  # regions of which a copy can be had
    active: bool  # whether the table's replica here serves; a copied one has to catch up first
    lost: Sequence[RegionName]  # sources that can't be followed from their positions


@dataclass(frozen=True, slots=True)
class OwnedLanes:
    revision: int
    lanes: Sequence[OwnedLane]


@dataclass(frozen=True, slots=True)
class LaneOutcome:
    """What became of one lane's records; with `gap`, nothing beyond `position` was applied."""

    lane: Lane
    position: Position
    gap: bool
    applied: int
    superseded: int
    duplicate: int
    conflicts: int
    dead_letters: int


@dataclass(frozen=True, slots=True)
class ApplyReply:
    outcomes: Sequence[LaneOutcome]
    refused: Sequence[Lane]  # lanes that the region does not have
    applied_us: int  # the region's wall time


@dataclass(frozen=True, slots=True)
class LanePage:
    """A lane's own changes behind a sequence, in order; `head` is the last sequence there is.

    `commit_us` is when the change of the sequence asked for was committed, 0 where the source can't tell.
    """

    head: int
    deliveries: Sequence[Delivery]
    commit_us: int


@dataclass(frozen=True, slots=True)
class SnapshotPage:
    """Stored rows of a partition. `positions`: the donor's own head and its frontier for every other region.

    `whole`: the donor misses nothing but what the target itself has. `collected`: the donor may have forgotten items
    that were deleted up to this timestamp.
    """

    positions: Mapping[RegionName, Position]
    deliveries: Sequence[Delivery]
    cursor: str | None  # of the next page; None after the last
    rows_total: int  # estimate
    whole: bool
    collected: int


@dataclass(frozen=True, slots=True)
class LinkReport:
    """One link and table, as the region shows it to people; None where nothing is known yet."""

    source: RegionName
    table: str  # "" for the catalog lane
    state: str
    frontier_lag_s: float | None
    change_lag_p50_s: float | None
    change_lag_p99_s: float | None
    backlog: int
    applied: int
    superseded: int
    duplicate: int
    conflicts: int
    dead_letters: int
    resyncs: int
    error: str | None

    def to_document(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Membership:
    """A worker's place among the region's workers: it has the lanes whose partition leaves `rank` modulo `workers`."""

    rank: int
    workers: int
    lanes_revision: int
    peers: Sequence[Region]
    horizons_wanted: Sequence[Lane]  # see `SourceRegion.acknowledge`

    def holds(self, lane: Lane) -> bool:
        return lane.partition % self.workers == self.rank


class SourceRegion(Protocol):
    """Another region, beside its feed: its change log, its snapshots, and how far we have come."""

    async def changes_after(self, lane: Lane, sequence: int) -> LanePage:
        """Refused with `too_old` when the log no longer holds what follows, `no_lane` or `not_registered`."""
        ...

    async def snapshot(self, lane: Lane, cursor: str | None) -> SnapshotPage:
        """A page from the beginning or a cursor. Refused with `not_registered`, `not_ready` or `no_lane`."""
        ...

    async def snapshot_end(self, lane: Lane) -> Mapping[RegionName, Position]:
        """How far the region's copy has come now."""
        ...

    async def acknowledge(self, positions: Mapping[Lane, Position], horizons: Mapping[Lane, int]) -> Sequence[Lane]:
        """Up to where each lane is applied here, and the horizons that were asked for; the lanes whose it wants next.

        A horizon is a time, in microseconds since 1970, up to which a lane's changes of all sources are applied here.
        """
        ...

    async def close(self) -> None: ...


class OwnRegion(Protocol):
    """The region that this replicator serves."""

    async def register(
        self, worker: str, reports: Sequence[LinkReport], horizons: Mapping[Lane, int]
    ) -> Membership: ...

    async def lanes(self) -> OwnedLanes: ...

    async def apply(self, source: RegionName, deliveries: Sequence[Delivery], *, mode: ApplyMode) -> ApplyReply: ...

    async def needs_resync(self, lane: Lane, source: RegionName, *, reason: str) -> None: ...

    async def report_progress(self, lane: Lane, *, percent: int) -> None: ...

    async def forget(
        self, lane: Lane, keys: Sequence[tuple[bytes, bytes]], *, after: str | None, through: str | None, collected: int
    ) -> None:
        """Drops what a donor had and has forgotten: `keys` are all that it holds between two cursors of its pages."""
        ...

    async def finish_copy(
        self, lane: Lane, donor: RegionName, *, positions: Mapping[RegionName, Position], whole: bool
    ) -> None: ...

    async def fail_copy(self, lane: Lane, *, reason: str) -> None:
        """Shows why a copy does not go on; it is tried again."""
        ...

    async def caught_up(self, generation: Generation) -> None:
        """The replica's frontiers have passed the end of what was copied."""
        ...

    async def close(self) -> None: ...
