"""Copying: a partition's snapshot from a live region through the apply path, then the positions that belong to it.

The positions are read by the donor before any row, so whatever they leave out is in the rows; rows that changed
meanwhile come again through the feed. What a copy fails of is reported as it is, and the copy is tried again, with
another donor where there is one.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog

from services.replicator.io.port import (
    ApplyMode,
    CopyStage,
    OwnedLane,
    OwnRegion,
    RegionUnavailableError,
    SnapshotPage,
    SourceRegion,
)
from services.replicator.link.backoff import BackOff
from services.replicator.work.apply import Applier, own_region_backoff
from services.replicator.work.patience import Chance, Patience
from shared.changes.records import Lane, decode_change
from shared.clock import Clock
from shared.errors import MeridianError, RequestRefusedError
from shared.feed.port import Position
from shared.model.tables import Generation, RegionName

log = structlog.get_logger(__name__)

copies_at_once = 2
copy_backoff = BackOff(first_s=0.2, max_s=5.0)
quiet_failures = 3  # a donor needs a moment to learn that this region is a replica
progress_interval_s = 1.0
catch_up_interval_s = 0.25


class CopyError(MeridianError):
    """Why a copy did not get to its end."""


class Copier:
    """Copies the lanes that need it, a few at a time; `changed` is called after each so that it is followed at once."""

    def __init__(
        self,
        own: OwnRegion,
        *,
        region: RegionName,
        donor: Callable[[RegionName], SourceRegion | None],
        clock: Clock,
        chance: Chance,
        changed: Callable[[], None],
    ) -> None:
        self._own = own
        self._name = region
        self._donor = donor
        self._clock = clock
        self._chance = chance
        self._changed = changed
        self._patience = Patience(own_region_backoff, chance)
        self._wanted: dict[Lane, OwnedLane] = {}
        self._running: dict[Lane, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(copies_at_once)

    def assign(self, lanes: Sequence[OwnedLane], tasks: asyncio.TaskGroup) -> None:
        """The lanes of this worker's share; a copy that is no longer wanted is given up."""
        self._wanted = {owned.lane: owned for owned in lanes if owned.stage is not CopyStage.FOLLOWING}
        for lane in [lane for lane, task in self._running.items() if lane not in self._wanted or task.done()]:
            self._running.pop(lane).cancel()
        for lane in self._wanted.keys() - self._running.keys():
            self._running[lane] = tasks.create_task(self._copy(lane))

    async def _copy(self, lane: Lane) -> None:
        failures = 0
        while True:
            owned = self._wanted[lane]
            donors = _donors(owned)
            donor = donors[failures % len(donors)] if donors else None
            try:
                async with self._places:
                    await self._copy_from(owned, donor)
            except MeridianError as error:
                failures += 1
                await self._report_failure(owned, donor, error, failures)
                await asyncio.sleep(copy_backoff.delay_s(failures, chance=self._chance()))
            else:
                self._changed()
                return

    async def _copy_from(self, owned: OwnedLane, donor: RegionName | None) -> None:
        region = None if donor is None else self._donor(donor)
        if donor is None or region is None:
            raise CopyError("no other region has a complete copy of the table")
        first = await self._copy_rows(owned, donor, region)
        positions = first.positions
        departed = _advanced(positions, await region.snapshot_end(owned.lane)) - {donor, self._name, *owned.sources}
        if departed:
            raise CopyError(f"changes of {', '.join(sorted(departed))}, which has left, arrived during the copy")
        await self._patience.until_done(
            partial(self._own.finish_copy, owned.lane, donor, positions=positions, whole=first.whole)
        )
        log.info("partition is copied", table=owned.table, partition=owned.lane.partition, donor=donor)

    async def _copy_rows(self, owned: OwnedLane, donor: RegionName, region: SourceRegion) -> SnapshotPage:
        """Applies all pages; returns the first."""
        lane, applier = owned.lane, Applier(self._own, donor, chance=self._chance)
        first = page = await region.snapshot(lane, None)
        if not first.whole and donor not in owned.lost:
            raise CopyError("its own copy waits for changes of other regions")
        after, rows, reported_s = None, 0, self._clock.monotonic_s()
        while True:
            replies = await applier.apply(page.deliveries, mode=ApplyMode.SNAPSHOT)
            if any(reply.refused for reply in replies):
                raise CopyError("this region no longer has the table")
            if owned.stage is CopyStage.NEEDS_RESYNC and first.collected:
                await self._patience.until_done(
                    partial(
                        self._own.forget,
                        lane,
                        _keys_of(page),
                        after=after,
                        through=page.cursor,
                        collected=first.collected,
                    )
                )
            rows += len(page.deliveries)
            after = page.cursor
            if page.cursor is None:
                return first
            if self._clock.monotonic_s() - reported_s >= progress_interval_s:
                reported_s = self._clock.monotonic_s()
                percent = min(99, 100 * rows // max(1, page.rows_total))
                await self._own.report_progress(lane, percent=percent)
            page = await region.snapshot(lane, page.cursor)

    async def _report_failure(
        self, owned: OwnedLane, donor: RegionName | None, error: MeridianError, failures: int
    ) -> None:
        if failures < quiet_failures:
            return
        reason = str(error) if donor is None else f"copying from {donor}: {error}"
        log.warning("copy fails", table=owned.table, partition=owned.lane.partition, reason=reason)
        try:
            await self._own.fail_copy(owned.lane, reason=reason)
        except (RegionUnavailableError, RequestRefusedError) as unreported:
            log.warning("failure of a copy could not be reported", reason=str(unreported))


class CatchUp:
    """Tells the own region when a copied table has passed its donor's positions of after the copy, in every lane."""

    def __init__(self, own: OwnRegion, *, donor: Callable[[RegionName], SourceRegion | None]) -> None:
        self._own = own
        self._donor = donor
        self._ends: dict[Lane, Mapping[RegionName, Position]] = {}

    async def check(self, lanes: Sequence[OwnedLane]) -> bool:
        """Looks at the lanes of all tables; returns whether some table still has to catch up."""
        waiting = _waiting(lanes)
        self._ends = {lane: end for lane, end in self._ends.items() if lane.generation in waiting}
        for generation, copied in waiting.items():
            if all([await self._has_passed(owned) for owned in copied]):
                await self._own.caught_up(generation)
        return bool(waiting)

    async def _has_passed(self, owned: OwnedLane) -> bool:
        if owned.lane not in self._ends:
            end = await self._ask_end(owned)
            if end is None:
                return False
            self._ends[owned.lane] = end
        return not _advanced(owned.sources, self._ends[owned.lane]) & owned.sources.keys()

    async def _ask_end(self, owned: OwnedLane) -> Mapping[RegionName, Position] | None:
        for name in owned.donors:
            region = self._donor(name)
            if region is None:
                continue
            try:
                return await region.snapshot_end(owned.lane)
            except (RegionUnavailableError, RequestRefusedError) as error:
                log.info("donor can't say how far it has come", donor=name, reason=str(error))
        return None


def _donors(owned: OwnedLane) -> Sequence[RegionName]:
    """Whoever made what is lost has it, whatever it misses itself; of the others it takes one whose copy is whole."""
    return [*owned.lost, *(name for name in owned.donors if name not in owned.lost)]


def _keys_of(page: SnapshotPage) -> Sequence[tuple[bytes, bytes]]:
    rows = (decode_change(delivery.record) for delivery in page.deliveries)
    return [(row.partition_key, row.sort_key) for row in rows]


def _waiting(lanes: Sequence[OwnedLane]) -> Mapping[Generation, Sequence[OwnedLane]]:
    """Tables that don't serve yet and of which every partition is copied."""
    tables: dict[Generation, list[OwnedLane]] = {}
    for owned in lanes:
        if not owned.active:
            tables.setdefault(owned.lane.generation, []).append(owned)
    return {
        generation: copied
        for generation, copied in tables.items()
        if all(owned.stage is CopyStage.FOLLOWING for owned in copied)
    }


def _advanced(before: Mapping[RegionName, Position], after: Mapping[RegionName, Position]) -> set[RegionName]:
    """Regions of which `after` has more than `before`."""
    nothing = Position(0)
    return {name for name, position in after.items() if position.sequence > before.get(name, nothing).sequence}
