"""A link at work: follows one source region's feed, lets its lanes decide (`work.lanes`), carries out what they say.

Two loops per link: one polls the feed, the other fills gaps from the source's own change log; what either brings is
applied in the order in which the lanes handed it on. Nothing is shared with other links except the own region.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import structlog

from services.replicator.io.port import (
    ApplyMode,
    ApplyReply,
    LaneOutcome,
    OwnedLane,
    OwnRegion,
    RegionUnavailableError,
    SourceRegion,
)
from services.replicator.link.backoff import BackOff
from services.replicator.link.lane_events import (
    Applied,
    Apply,
    Event,
    Fill,
    Filled,
    LaneUnknown,
    NeedsResync,
    Refused,
    TooOld,
)
from services.replicator.work.apply import Applier, own_region_backoff
from services.replicator.work.lanes import Decided, LinkLanes, position_of
from services.replicator.work.patience import Chance, Patience
from services.replicator.work.tallies import LinkTally
from shared.changes.batches import Delivery
from shared.changes.heartbeats import Heartbeat
from shared.changes.records import Lane, catalog_lane, commit_us_of
from shared.clock import Clock
from shared.errors import RequestRefusedError
from shared.feed.port import Feed, FeedBatch, FeedUnavailableError
from shared.limits import heartbeat_interval_s
from shared.model.tables import RegionName

log = structlog.get_logger(__name__)

poll_wait_s = 2 * heartbeat_interval_s
round_s = 0.02  # under load, what arrives within this time goes into one request
source_backoff = BackOff(first_s=0.1, max_s=1.5)
fills_at_once = 4


class LinkFollower:
    """One source region's link. `run` never returns; cancel it while holding `in_hand`, and nothing is cut short."""

    def __init__(
        self,
        source: RegionName,
        *,
        feed: Feed,
        region: SourceRegion,
        own: OwnRegion,
        clock: Clock,
        chance: Chance,
        on_catalog_change: Callable[[], None],
    ) -> None:
        self.source = source
        self.tally = LinkTally()
        self.lanes = LinkLanes(source, started_us=clock.wall_us())
        self.in_hand = asyncio.Lock()
        self.problem: str | None = None
        self._feed = feed
        self._region = region
        self._own = own
        self._clock = clock
        self._chance = chance
        self._on_catalog_change = on_catalog_change
        self._applier = Applier(own, source, chance=chance)
        self._own_patience = Patience(own_region_backoff, chance)
        self._source_patience = Patience(source_backoff, chance)
        self._fill_wanted = asyncio.Event()
        self._assigned = False
        self._polling: asyncio.Timeout | None = None

    @property
    def own_region_problem(self) -> str | None:
        return self._applier.problem or self._own_patience.problem

    def assign(self, lanes: Iterable[OwnedLane]) -> None:
        """The lanes of this link from now on; a lane that is followed already goes on from where it is."""
        changed = self.lanes.assign(lanes)
        self.tally.keep({owned.table for owned in self.lanes.owned.values()}.__contains__)
        if changed:
            self._assigned = True
            if self._polling is not None and not self._polling.expired():
                self._polling.reschedule(0)

    def horizon_us(self, lane: Lane) -> int:
        """As `LinkLanes.horizon_us`; what has to be asked for that is asked."""
        horizon_us = self.lanes.horizon_us(lane)
        if self.lanes.fills:
            self._fill_wanted.set()
        return horizon_us

    async def run(self) -> None:
        failures = 0
        while True:
            try:
                async with asyncio.TaskGroup() as loops:
                    loops.create_task(self._follow_feed())
                    loops.create_task(self._fill_lanes())
            except* Exception:  # one link's defect must not stop the others
                failures += 1
                self.tally.failures += 1
                self.problem = "the link failed and starts anew; see the replicator's log"
                log.exception("link failed", source=self.source)
                await asyncio.sleep(source_backoff.delay_s(failures, chance=self._chance()))
                await self._start_anew()

    async def close(self) -> None:
        await self._feed.close()
        await self._region.close()

    async def _follow_feed(self) -> None:
        failures = 0
        while True:
            try:
                await self._take_assignment()
                started_s = self._clock.monotonic_s()
                batch = await self._poll()
            except FeedUnavailableError as error:
                failures += 1
                self._disconnected(failures, error)
                await self._carry_out(self.lanes.tick(now=self._clock.monotonic_s()))
                await asyncio.sleep(source_backoff.delay_s(failures, chance=self._chance()))
                continue
            if batch is None:
                continue
            if failures:
                log.info("link is back", source=self.source)
            failures, self.problem = 0, None
            self._count_heartbeats(batch.heartbeats)
            now = self._clock.monotonic_s()
            await self._carry_out([*self.lanes.absorb(batch, now=now), *self.lanes.tick(now=now)])
            if batch.deliveries:
                await asyncio.sleep(max(0.0, started_s + round_s - self._clock.monotonic_s()))

    async def _poll(self) -> FeedBatch | None:
        """What the feed brings, or None as soon as there are other lanes to follow."""
        try:
            async with asyncio.timeout(None) as self._polling:
                return await self._feed.poll(wait_s=poll_wait_s)
        except TimeoutError:
            return None
        finally:
            self._polling = None

    async def _fill_lanes(self) -> None:
        failures = 0
        while True:
            await self._fill_wanted.wait()
            self._fill_wanted.clear()
            wanted = [(lane, self.lanes.fills.pop(lane)) for lane in list(self.lanes.fills)[:fills_at_once]]
            answers = await asyncio.gather(*(self._fill(lane, after) for lane, after in wanted))
            unanswered = {lane: after for (lane, after), event in zip(wanted, answers, strict=True) if event is None}
            self.lanes.fills = unanswered | self.lanes.fills
            if self.lanes.fills:
                self._fill_wanted.set()
            await self._carry_out(
                self.lanes.step(lane, event)
                for (lane, _), event in zip(wanted, answers, strict=True)
                if event is not None and lane in self.lanes.states
            )
            failures = failures + 1 if unanswered else 0
            if failures:
                await asyncio.sleep(source_backoff.delay_s(failures, chance=self._chance()))

    async def _fill(self, lane: Lane, after: int) -> Event | None:
        """What the source's change log has behind a sequence; None when it can't be asked now."""
        try:
            page = await self._region.changes_after(lane, after)
        except RegionUnavailableError as error:
            self.problem = self._told(error)
            return None
        except RequestRefusedError as error:
            return TooOld() if error.reason == "too_old" else LaneUnknown(self._clock.monotonic_s())
        self.tally.of(self.lanes.table_of(lane)).fills += 1
        return Filled(after, page.deliveries, page.head, self._clock.monotonic_s(), page.commit_us)

    async def _take_assignment(self) -> None:
        if self._assigned:
            self._assigned = False
            await self._feed.follow(
                self.lanes.follow_assigned(now=self._clock.monotonic_s(), now_us=self._clock.wall_us())
            )

    async def _start_anew(self) -> None:
        """After a defect: positions are those that the own region gave, everything else is learnt again."""
        for lane in list(self.lanes.states):
            self.lanes.forget(lane)
        await self._feed.follow({})
        self._assigned = True
        self._on_catalog_change()

    def _count_heartbeats(self, heartbeats: Sequence[Heartbeat]) -> None:
        for heartbeat in heartbeats:
            self.tally.heartbeats += 1
            self.tally.heartbeat_delay_s = (self._clock.wall_us() - heartbeat.time_us) / 1e6

    async def _carry_out(self, decided: Iterable[Decided]) -> None:
        records: list[Delivery] = []
        lost: list[tuple[Lane, str]] = []
        for lane, effects in decided:
            for effect in effects:
                match effect:
                    case Apply():
                        records += effect.records
                    case Fill():
                        self.lanes.fills[lane] = effect.after
                        self._fill_wanted.set()
                    case NeedsResync():
                        lost.append((lane, effect.reason))
        if records:
            await self._apply(records)
        for lane, reason in lost:
            await self._give_up(lane, reason)

    async def _apply(self, records: Sequence[Delivery]) -> None:
        received_us = self._clock.wall_us()
        # Whoever hands on first takes the lock first, so lanes are applied in the order in which they handed on.
        async with self.in_hand:
            replies = await self._applier.apply(records, mode=ApplyMode.FEED)
            states, lanes = self.lanes.states, {record.lane for record in records}
            before = {lane: states[lane].applied for lane in lanes if lane in states}
            effects = [effect for reply in replies for effect in self._take_reply(reply)]
        self._observe_lag(records, before, received_us=received_us, applied_us=replies[-1].applied_us)
        await self._carry_out(effects)
        catalog = self.lanes.states.get(catalog_lane)
        if catalog is not None and catalog_lane in before and before[catalog_lane] != catalog.applied:
            self._on_catalog_change()

    def _take_reply(self, reply: ApplyReply) -> Iterable[Decided]:
        for lane in reply.refused:
            self.lanes.forget(lane)
        for outcome in reply.outcomes:
            if outcome.lane in self.lanes.states:
                self.tally.of(self.lanes.table_of(outcome.lane)).count(outcome)
                self.lanes.moved.add(outcome.lane)
                yield self.lanes.step(outcome.lane, self._event_of(outcome))

    def _event_of(self, outcome: LaneOutcome) -> Event:
        sequence, offset, commit_us = outcome.position
        if outcome.gap:
            return Refused(sequence, offset, commit_us)
        return Applied(sequence, offset, self._clock.monotonic_s(), commit_us)

    def _observe_lag(
        self, records: Sequence[Delivery], before: Mapping[Lane, int], *, received_us: int, applied_us: int
    ) -> None:
        now = self._clock.monotonic_s()
        count = 0
        for record in records:
            state = self.lanes.states.get(record.lane)
            commit_us = commit_us_of(record.record)
            if state is None or commit_us is None or not before[record.lane] < record.sequence <= state.applied:
                continue
            lag_s = max(0, applied_us - commit_us) / 1e6
            self.tally.of(self.lanes.table_of(record.lane)).lag.add(lag_s, now=now)
            self.tally.receive_s.observe(max(0, received_us - commit_us) / 1e6)
            count += 1
        self.tally.apply_s.observe_many(max(0, applied_us - received_us) / 1e6, count)

    async def _give_up(self, lane: Lane, reason: str) -> None:
        known = {lane: position_of(self.lanes.states[lane])} if lane in self.lanes.states else {}
        log.warning("lane has to be copied again", source=self.source, table=self.lanes.table_of(lane), reason=reason)
        self.tally.of(self.lanes.table_of(lane)).resyncs += 1
        try:
            # First the source: if it is the one that has lost changes, it must get them back as well.
            await self._source_patience.until_done(partial(self._region.acknowledge, known, {}))
        except RequestRefusedError as error:
            log.info("the source does not take what it has lost", source=self.source, reason=str(error))
        try:
            await self._own_patience.until_done(partial(self._own.needs_resync, lane, self.source, reason=reason))
        except RequestRefusedError as error:
            log.info("the own region no longer has the lane", reason=str(error))
            self.lanes.forget(lane)
        self._on_catalog_change()

    def _disconnected(self, failures: int, error: FeedUnavailableError) -> None:
        self.problem = self._told(error)
        if failures == 1:
            self.tally.disconnects += 1
            log.warning("link is down", source=self.source, reason=str(error))

    def _told(self, error: FeedUnavailableError | RegionUnavailableError) -> str:
        """What, why, and what to try next."""
        return f"{error}. See that {self.source} runs and can be reached with the same token; its changes wait there"
