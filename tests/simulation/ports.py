"""A replicator's ports over the simulated network: its own region, a source region, and a feed that misbehaves.

Each does what its counterpart over HTTP and `services.region.api.internal` do together, records through their codecs.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from services.region.engine.feed import Share, Tail
from services.region.engine.replication import LaneReport
from services.region.engine.snapshots import parse_cursor
from services.region.storage.catalog import Stage
from services.region.storage.reader import before_all
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
from shared.changes.batches import Delivery, decode_batch, encode_batch
from shared.changes.heartbeats import decode_heartbeat
from shared.changes.records import Lane
from shared.feed.port import FeedBatch, FeedUnavailableError, Position
from shared.model.keys import ItemKey, slot_of
from shared.model.tables import Generation, RegionName
from shared.topology import Topology
from tests.simulation.network import Caller, Network
from tests.simulation.regions import RegionService, SimulatedRegion

Answer = TypeVar("Answer")
Question = Callable[[RegionService], Awaitable[Answer]]
Pass = Callable[[str], Awaitable[None]]

worker_points = (
    "before an apply",
    "after an apply",
    "before an apply of a copy",
    "after an apply of a copy",
    "before the end of a copy",
    "after the end of a copy",
    "after a resync was asked for",
)
poll_wait_s_max = 2.0
overdue_s = 1.0


class SimulatedOwnRegion:
    """`passing` is awaited at the points at which a replicator may die."""

    def __init__(
        self, region: SimulatedRegion, *, network: Network, caller: Caller, topology: Topology, passing: Pass
    ) -> None:
        self._region = region
        self._network = network
        self._caller = caller
        self._topology = topology
        self._passing = passing

    async def register(self, worker: str, reports: Sequence[LinkReport], horizons: Mapping[Lane, int]) -> Membership:
        async def answer(service: RegionService) -> Membership:
            rank, workers = service.links.hear(worker, [report.to_document() for report in reports])
            service.horizons.take(service.name, horizons)
            peers = self._topology.others(self._region.name)
            return Membership(rank, workers, service.registry.revision, peers, service.horizons.wanted(service.name))

        return await self._ask(answer)

    async def lanes(self) -> OwnedLanes:
        async def answer(service: RegionService) -> OwnedLanes:
            revision = service.registry.revision
            return OwnedLanes(revision, [_owned_lane(report) for report in await service.replication.lanes()])

        return await self._ask(answer)

    async def apply(self, source: RegionName, deliveries: Sequence[Delivery], *, mode: ApplyMode) -> ApplyReply:
        body = encode_batch({"source": source, "mode": mode}, deliveries)

        async def answer(service: RegionService) -> ApplyReply:
            batch = decode_batch(body)
            copies = batch.head["mode"] == ApplyMode.SNAPSHOT
            apply = service.replication.apply_snapshot if copies else service.replication.apply_changes
            outcomes = await apply(RegionName(batch.head["source"]), batch.deliveries)
            known = {lane: outcome for lane, outcome in outcomes.items() if outcome is not None}
            return ApplyReply(
                [
                    LaneOutcome(
                        lane=lane,
                        position=outcome.position,
                        gap=outcome.gap,
                        applied=outcome.applied,
                        superseded=outcome.superseded,
                        duplicate=outcome.duplicate,
                        conflicts=outcome.conflicts,
                        dead_letters=outcome.dead_letters,
                    )
                    for lane, outcome in known.items()
                ],
                [lane for lane in outcomes if lane not in known],
                applied_us=self._region.clock.wall_us(),
            )

        copying = " of a copy" if mode is ApplyMode.SNAPSHOT else ""
        await self._passing(f"before an apply{copying}")
        reply = await self._ask(answer)
        await self._passing(f"after an apply{copying}")
        return reply

    async def needs_resync(self, lane: Lane, source: RegionName, *, reason: str) -> None:  # noqa: ARG002 - shown only
        await self._ask(lambda service: service.copies.lose_source(lane, source))
        await self._passing("after a resync was asked for")

    async def report_progress(self, lane: Lane, *, percent: int) -> None:
        await self._ask(lambda service: service.replicas.report_copy(lane.generation, percent=percent))

    async def forget(
        self, lane: Lane, keys: Sequence[tuple[bytes, bytes]], *, after: str | None, through: str | None, collected: int
    ) -> None:
        named = {ItemKey(slot_of(partition), partition, sort) for partition, sort in keys}
        first = before_all if after is None else parse_cursor(after)
        last = None if through is None else parse_cursor(through)
        await self._ask(
            lambda service: service.copies.forget(lane, named, after=first, through=last, collected=collected)
        )

    async def finish_copy(
        self, lane: Lane, donor: RegionName, *, positions: Mapping[RegionName, Position], whole: bool
    ) -> None:
        await self._passing("before the end of a copy")
        await self._ask(lambda service: service.copies.finish(lane, positions, donor=donor, is_whole=whole))
        await self._passing("after the end of a copy")

    async def fail_copy(self, lane: Lane, *, reason: str) -> None:
        await self._ask(lambda service: service.replicas.report_copy(lane.generation, percent=0, problem=reason))

    async def caught_up(self, generation: Generation) -> None:
        await self._ask(lambda service: service.copies.caught_up(generation))

    async def close(self) -> None: ...

    async def _ask(self, question: Question[Answer]) -> Answer:
        return await self._network.ask(self._caller, self._region, question)


class SimulatedSource:
    def __init__(self, region: SimulatedRegion, *, network: Network, caller: Caller) -> None:
        self._region = region
        self._network = network
        self._caller = caller
        self._target = RegionName(caller.site)

    async def changes_after(self, lane: Lane, sequence: int) -> LanePage:
        async def answer(service: RegionService) -> LanePage:
            changes = service.feed.lane(self._target, lane, after=sequence)
            return LanePage(changes.head, _carried(changes.deliveries), changes.commit_us)

        return await self._ask(answer)

    async def snapshot(self, lane: Lane, cursor: str | None) -> SnapshotPage:
        async def answer(service: RegionService) -> SnapshotPage:
            page = service.snapshots.page(self._target, lane, cursor=cursor)
            positions = {RegionName(name): position for name, position in page.positions.items()}
            return SnapshotPage(
                positions,
                _carried(page.deliveries),
                page.cursor,
                page.rows_total,
                whole=page.is_whole,
                collected=page.collected_timestamp,
            )

        return await self._ask(answer)

    async def snapshot_end(self, lane: Lane) -> Mapping[RegionName, Position]:
        return (await self.snapshot(lane, "end")).positions

    async def acknowledge(self, positions: Mapping[Lane, Position], horizons: Mapping[Lane, int]) -> Sequence[Lane]:
        async def answer(service: RegionService) -> Sequence[Lane]:
            await service.feed.acknowledge(self._target, positions)
            service.horizons.take(self._target, horizons)
            return service.horizons.wanted(self._target)

        return await self._ask(answer)

    async def tail(self, cursor: str | None, *, wait_s: float, share: Share) -> Tail:
        return await self._network.ask(
            self._caller,
            self._region,
            lambda service: service.feed.tail(self._target, cursor, wait_s=wait_s, share=share),
            limit_s=wait_s + overdue_s,
        )

    async def close(self) -> None: ...

    async def _ask(self, question: Question[Answer]) -> Answer:
        return await self._network.ask(self._caller, self._region, question)


@dataclass(slots=True)
class Mischief:
    """What a feed does to what it carries, as chances per poll."""

    loss: float = 0.0  # some records of a lane are left out; heartbeats never are
    repetition: float = 0.0
    reordering: float = 0.0  # some lanes come later than others
    interruption: float = 0.0  # the place in the feed is forgotten, and the feed says so

    def end(self) -> None:
        self.loss = self.repetition = self.reordering = self.interruption = 0.0


class SimulatedFeed:
    """The embedded feed of one link, as `RegionLogFeed` follows it, with mischief."""

    def __init__(
        self,
        source: SimulatedSource,
        *,
        share: Share,
        mischief: Mischief,
        chance: Random,
    ) -> None:
        self._source = source
        self._share = share
        self._mischief = mischief
        self._chance = chance
        self._cursor: str | None = None
        self._lanes: frozenset[Lane] = frozenset()
        self._before: Sequence[Delivery] = ()
        self._held: list[Delivery] = []

    async def follow(self, lanes: Mapping[Lane, Position]) -> None:
        if lanes.keys() - self._lanes:
            self._cursor = None
        self._lanes = frozenset(lanes)

    async def poll(self, *, wait_s: float) -> FeedBatch:
        wait_s = min(wait_s, poll_wait_s_max)
        if self._draws(self._mischief.interruption):
            self._cursor = None
        try:
            tail = await self._source.tail(self._cursor, wait_s=wait_s, share=self._share)
        except RegionUnavailableError as error:
            raise FeedUnavailableError(str(error)) from error
        self._cursor = tail.cursor
        carried = [each for each in _carried(tail.deliveries) if each.lane in self._lanes]
        return FeedBatch(
            self._disturbed(carried),
            [decode_heartbeat(record) for record in tail.heartbeats],
            tail.interrupted,
            head_times=tail.head_times,
        )

    async def close(self) -> None: ...

    def _disturbed(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        """In sequence order per lane, whatever else happens to them."""
        lanes: dict[Lane, dict[int, Delivery]] = {}
        repeated = self._before if self._draws(self._mischief.repetition) else ()
        for each in (*repeated, *self._held, *deliveries):
            if each.lane in self._lanes:
                lanes.setdefault(each.lane, {})[each.sequence] = each
        self._before, self._held = deliveries, []
        order = list(lanes)
        if self._draws(self._mischief.reordering):
            self._chance.shuffle(order)
            while len(order) > 1 and self._chance.random() < 0.5:
                self._held += lanes[order.pop()].values()
        disturbed: list[Delivery] = []
        for lane in order:
            records = [lanes[lane][sequence] for sequence in sorted(lanes[lane])]
            if self._draws(self._mischief.loss):
                first = self._chance.randrange(len(records))
                del records[first : first + self._chance.randint(1, len(records))]
            disturbed += records
        return disturbed

    def _draws(self, likelihood: float) -> bool:
        return likelihood > 0 and self._chance.random() < likelihood


def _carried(deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
    return decode_batch(encode_batch({}, deliveries)).deliveries


def _owned_lane(report: LaneReport) -> OwnedLane:
    return OwnedLane(
        lane=report.lane,
        table=report.table,
        stage=CopyStage(report.state),
        sources={RegionName(name): position for name, position in report.positions.items()},
        donors=report.donors,
        lost=report.lost,
        active=report.stage is not Stage.CREATING,
    )
