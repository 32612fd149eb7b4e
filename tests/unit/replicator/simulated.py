"""Simulated regions and feeds: the same contracts as over HTTP, in memory, with faults on demand."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.replicator.io.port import (
    ApplyMode,
    ApplyReply,
    CopyStage,
    LaneOutcome,
    LanePage,
    LinkReport,
    Membership,
    OwnedLane,
    OwnedLanes,
    RegionUnavailableError,
    SnapshotPage,
)
from shared.changes.batches import Delivery
from shared.changes.heartbeats import Heartbeat
from shared.changes.records import Kind, Lane, commit_us_of, encode_change
from shared.errors import RequestRefusedError
from shared.feed.port import FeedBatch, FeedUnavailableError, Position
from shared.model.tables import Generation, RegionName, catalog_generation
from shared.topology import Region
from shared.versions.versions import Version

east, west, south = RegionName("east"), RegionName("west"), RegionName("south")
catalog = Lane(catalog_generation, 0)
orders = Generation(b"\x01" * 16)


class FakeClock:
    """Moves only when told, or with the event loop's own time."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def wall_us(self) -> int:
        return int((1_700_000_000 + self.monotonic_s()) * 1_000_000)

    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time() + self.ahead_s


def change(lane: Lane, sequence: int, *, commit_us: int = 0) -> Delivery:
    record = encode_change(
        Kind.PUT,
        lane,
        version=Version(sequence, 1),
        origin_sequence=sequence,
        seen=b"",
        commit_us=commit_us,
        partition_key=b"key",
        sort_key=b"",
        image=b"{}",
    )
    return Delivery(lane, sequence, record)


class Watched:
    """Something of which a test can wait until a call has made it so."""

    changed: asyncio.Event

    async def until(self, done: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not done():
                self.changed.clear()
                await self.changed.wait()


@dataclass
class SimulatedSource(Watched):
    """Another region: its change log, its snapshots, and what it was acknowledged."""

    log: dict[Lane, list[Delivery]] = field(default_factory=dict)
    trimmed: dict[Lane, int] = field(default_factory=dict)
    pages: list[list[Delivery]] = field(default_factory=list)
    positions: dict[RegionName, Position] = field(default_factory=dict)
    end: dict[RegionName, Position] | None = None
    acknowledged: dict[Lane, int] = field(default_factory=dict)
    positions_told: dict[Lane, Position] = field(default_factory=dict)  # the same, with all that was said
    horizons: dict[Lane, int] = field(default_factory=dict)
    horizons_wanted: list[Lane] = field(default_factory=list)
    whole: bool = True
    collected: int = 0
    refusal: RequestRefusedError | None = None
    away: bool = False
    filled: list[tuple[Lane, int]] = field(default_factory=list)
    slow: dict[Lane, asyncio.Event] = field(default_factory=dict)  # answers that wait
    page_size: int = 100
    ends_asked: list[Lane] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def commit(self, lane: Lane, *, count: int = 1, commit_us: int = 0) -> list[Delivery]:
        log = self.log.setdefault(lane, [])
        made = [change(lane, len(log) + n, commit_us=commit_us) for n in range(1, count + 1)]
        log += made
        return made

    async def changes_after(self, lane: Lane, sequence: int) -> LanePage:
        self._answer()
        self.filled.append((lane, sequence))
        if lane not in self.log:
            raise RequestRefusedError("no_lane", "not a replica")
        if sequence < self.trimmed.get(lane, 0):
            raise RequestRefusedError("too_old", "trimmed")
        log = self.log[lane]
        commit_us = commit_us_of(log[sequence - 1].record) if 0 < sequence <= len(log) else None
        if lane in self.slow:
            await self.slow[lane].wait()
        return LanePage(len(log), log[sequence : sequence + self.page_size], commit_us or 0)

    async def snapshot(self, lane: Lane, cursor: str | None) -> SnapshotPage:
        self._answer()
        number = int(cursor or 0)
        rows = [row._replace(lane=lane) for row in self.pages[number]] if self.pages else []
        following = str(number + 1) if number + 1 < len(self.pages) else None
        total = sum(map(len, self.pages))
        return SnapshotPage(self.positions, rows, following, total, whole=self.whole, collected=self.collected)

    async def snapshot_end(self, lane: Lane) -> Mapping[RegionName, Position]:
        self._answer()
        self.ends_asked.append(lane)
        return self.positions if self.end is None else self.end

    async def acknowledge(self, positions: Mapping[Lane, Position], horizons: Mapping[Lane, int]) -> Sequence[Lane]:
        self._answer()
        self.positions_told |= positions
        self.acknowledged |= {lane: position.sequence for lane, position in positions.items()}
        self.horizons |= horizons
        return self.horizons_wanted

    async def close(self) -> None: ...

    def _answer(self) -> None:
        self.changed.set()
        if self.away:
            raise RegionUnavailableError("the region is away")
        if self.refusal is not None:
            raise self.refusal


@dataclass
class SimulatedOwn(Watched):
    """The own region: applies contiguous sequences only, and shares out lanes among the workers that it hears of."""

    owned: dict[Lane, OwnedLane] = field(default_factory=dict)
    revision: int = 1
    peers: Sequence[Region] = ()
    applied: dict[tuple[RegionName, Lane], list[int]] = field(default_factory=dict)
    snapshot_rows: list[Delivery] = field(default_factory=list)
    workers: dict[str, Sequence[LinkReport]] = field(default_factory=dict)
    needing_resync: list[tuple[Lane, RegionName, str]] = field(default_factory=list)
    finished: dict[Lane, tuple[RegionName, Mapping[RegionName, Position]]] = field(default_factory=dict)
    failures: list[tuple[Lane, str]] = field(default_factory=list)
    progress: list[tuple[Lane, int]] = field(default_factory=list)
    complete: list[Generation] = field(default_factory=list)
    away: bool = False
    applies: int = 0
    horizons: dict[Lane, int] = field(default_factory=dict)
    horizons_wanted: list[Lane] = field(default_factory=list)
    forgotten: list[tuple[Lane, str | None, str | None, int, int]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def own(
        self,
        lane: Lane,
        sources: Mapping[RegionName, int],
        *,
        table: str = "orders",
        stage: CopyStage = CopyStage.FOLLOWING,
        donors: Sequence[RegionName] = (),
        active: bool = True,
        lost: Sequence[RegionName] = (),
    ) -> OwnedLane:
        positions = {name: Position(sequence) for name, sequence in sources.items()}
        self.owned[lane] = OwnedLane(lane, table, stage, positions, donors, active, lost)
        self.revision += 1
        return self.owned[lane]

    async def register(self, worker: str, reports: Sequence[LinkReport], horizons: Mapping[Lane, int]) -> Membership:
        self._answer()
        self.workers[worker] = reports
        self.horizons |= horizons
        names = sorted(self.workers)
        return Membership(names.index(worker), len(names), self.revision, self.peers, self.horizons_wanted)

    async def lanes(self) -> OwnedLanes:
        self._answer()
        return OwnedLanes(self.revision, list(self.owned.values()))

    async def apply(self, source: RegionName, deliveries: Sequence[Delivery], *, mode: ApplyMode) -> ApplyReply:
        self.applies += 1
        self._answer()
        if mode is ApplyMode.SNAPSHOT:
            self.snapshot_rows += deliveries
            return ApplyReply([], [], applied_us=0)
        outcomes: dict[Lane, LaneOutcome] = {}
        refused = []
        for lane in dict.fromkeys(delivery.lane for delivery in deliveries):
            if lane in self.owned:
                outcomes[lane] = self._apply(source, lane, [each for each in deliveries if each.lane == lane])
            else:
                refused.append(lane)
        return ApplyReply(list(outcomes.values()), refused, applied_us=2_000_000)

    async def needs_resync(self, lane: Lane, source: RegionName, *, reason: str) -> None:
        self._answer()
        self.needing_resync.append((lane, source, reason))
        self._restage(lane, CopyStage.NEEDS_RESYNC)

    async def report_progress(self, lane: Lane, *, percent: int) -> None:
        self._answer()
        self.progress.append((lane, percent))

    async def forget(
        self, lane: Lane, keys: Sequence[tuple[bytes, bytes]], *, after: str | None, through: str | None, collected: int
    ) -> None:
        self._answer()
        self.forgotten.append((lane, after, through, collected, len(keys)))

    async def finish_copy(
        self, lane: Lane, donor: RegionName, *, positions: Mapping[RegionName, Position], whole: bool
    ) -> None:
        self._answer()
        if not whole:
            owned = self.owned[lane]
            left = [name for name in owned.lost if name != donor]
            self.owned[lane] = replace(owned, lost=left)
            if left:
                self.revision += 1
                return
        self.finished[lane] = (donor, positions)
        for name, position in positions.items():
            self.applied[name, lane] = list(range(1, position.sequence + 1))
        self._restage(lane, CopyStage.FOLLOWING)

    async def fail_copy(self, lane: Lane, *, reason: str) -> None:
        self._answer()
        self.failures.append((lane, reason))

    async def caught_up(self, generation: Generation) -> None:
        self._answer()
        self.complete.append(generation)
        for lane, owned in list(self.owned.items()):
            if lane.generation == generation:
                self.owned[lane] = replace(owned, active=True)

    async def close(self) -> None: ...

    def _apply(self, source: RegionName, lane: Lane, deliveries: Sequence[Delivery]) -> LaneOutcome:
        start = self.owned[lane].sources[source].sequence
        done = self.applied.setdefault((source, lane), list(range(1, start + 1)))
        before = len(done)
        gap = False
        for delivery in deliveries:
            if delivery.sequence == len(done) + 1:
                done.append(delivery.sequence)
            gap = gap or delivery.sequence > len(done) + 1
        self._move(lane, source, len(done))
        return LaneOutcome(lane, Position(len(done)), gap, len(done) - before, 0, 0, 0, 0)

    def _move(self, lane: Lane, source: RegionName, sequence: int) -> None:
        owned = self.owned[lane]
        sources = {**owned.sources, source: Position(sequence)}
        self.owned[lane] = replace(owned, sources=sources)

    def _restage(self, lane: Lane, stage: CopyStage) -> None:
        owned = self.owned[lane]
        sources = {name: Position(len(self.applied.get((name, lane), []))) for name in owned.sources}
        self.owned[lane] = replace(owned, stage=stage, sources=sources, lost=())
        self.revision += 1

    def _answer(self) -> None:
        self.changed.set()
        if self.away:
            raise RegionUnavailableError("the own region is away")


class SimulatedFeed:
    """A feed that hands on what the test puts into it."""

    def __init__(self) -> None:
        self.batches: asyncio.Queue[FeedBatch | FeedUnavailableError] = asyncio.Queue()
        self.followed: Mapping[Lane, Position] = {}
        self.closed = False
        self.polled = asyncio.Event()

    def deliver(self, *deliveries: Delivery) -> None:
        self.batches.put_nowait(FeedBatch(deliveries))

    def interrupt(self, heads: Mapping[Lane, int], *, time_us: int) -> None:
        self.batches.put_nowait(FeedBatch((), (Heartbeat(1, time_us, heads),), interrupted=True))

    def interrupt_lanes(self, *lanes: Lane) -> None:
        self.batches.put_nowait(FeedBatch(interrupted_lanes=lanes))

    def beat(self, heads: Mapping[Lane, int], *, time_us: int) -> None:
        self.batches.put_nowait(FeedBatch((), (Heartbeat(1, time_us, heads),)))

    def fail(self) -> None:
        self.batches.put_nowait(FeedUnavailableError("cut"))

    async def follow(self, lanes: Mapping[Lane, Position]) -> None:
        self.followed = lanes

    async def poll(self, *, wait_s: float) -> FeedBatch:
        self.polled.set()
        try:
            async with asyncio.timeout(wait_s):
                batch = await self.batches.get()
        except TimeoutError:
            return FeedBatch()
        if isinstance(batch, FeedUnavailableError):
            raise batch
        return batch

    async def close(self) -> None:
        self.closed = True
