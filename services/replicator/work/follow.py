"""A link at work: follows one source region's feed, lets every lane's state machine decide, carries out what it says.

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
    CopyStage,
    LaneOutcome,
    OwnedLane,
    OwnRegion,
    RegionUnavailableError,
    SourceRegion,
)
from services.replicator.link.backoff import BackOff
from services.replicator.link.lane import (
    Applied,
    Apply,
    Delivered,
    Effect,
    Event,
    Fill,
    Filled,
    HeartbeatArrived,
    Interrupted,
    LaneState,
    LaneUnknown,
    NeedsResync,
    Refused,
    Tick,
    TooOld,
    new_lane,
    step,
)
from services.replicator.work.apply import Applier, own_region_backoff
from services.replicator.work.patience import Chance, Patience
from services.replicator.work.tallies import LinkTally
from shared.changes.batches import Delivery
from shared.changes.heartbeats import Heartbeat
from shared.changes.records import Lane, catalog_lane, commit_us_of
from shared.clock import Clock
from shared.errors import RequestRefusedError
from shared.feed.port import Feed, FeedBatch, FeedUnavailableError, Position
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
        self.heartbeat_us = clock.wall_us()  # of the newest heartbeat; before the first one, of the start
        self._heard_us = 0  # of the last heartbeat that really came
        self._untold: set[Lane] = set()  # of which the source did not say a head when it said those of all
        self.in_hand = asyncio.Lock()
        self.problem: str | None = None
        self.states: dict[Lane, LaneState] = {}
        self.behind: set[Lane] = set()
        self.owned: Mapping[Lane, OwnedLane] = {}  # every lane to follow or to copy, as last assigned
        self.moved: set[Lane] = set()  # whose position the source has not been told
        self._feed = feed
        self._region = region
        self._own = own
        self._clock = clock
        self._chance = chance
        self._on_catalog_change = on_catalog_change
        self._applier = Applier(own, source, chance=chance)
        self._own_patience = Patience(own_region_backoff, chance)
        self._source_patience = Patience(source_backoff, chance)
        self._unsettled: set[Lane] = set()
        self._fills: dict[Lane, int] = {}
        self._fill_wanted = asyncio.Event()
        self._assigned = False
        self._polling: asyncio.Timeout | None = None

    @property
    def own_region_problem(self) -> str | None:
        return self._applier.problem or self._own_patience.problem

    def assign(self, lanes: Iterable[OwnedLane]) -> None:
        """The lanes of this link from now on; a lane that is followed already goes on from where it is."""
        self.owned = {owned.lane: owned for owned in lanes}
        self.tally.keep({owned.table for owned in self.owned.values()}.__contains__)
        if self._following.keys() != self.states.keys() or any(state.lost for state in self.states.values()):
            self._assigned = True
            if self._polling is not None and not self._polling.expired():
                self._polling.reschedule(0)

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
                await self._carry_out(self._tick())
                await asyncio.sleep(source_backoff.delay_s(failures, chance=self._chance()))
                continue
            if batch is None:
                continue
            if failures:
                log.info("link is back", source=self.source)
            failures, self.problem = 0, None
            await self._carry_out([*self._absorb(batch), *self._tick()])
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
            wanted = [(lane, self._fills.pop(lane)) for lane in list(self._fills)[:fills_at_once]]
            answers = await asyncio.gather(*(self._fill(lane, after) for lane, after in wanted))
            unanswered = {lane: after for (lane, after), event in zip(wanted, answers, strict=True) if event is None}
            self._fills = unanswered | self._fills
            if self._fills:
                self._fill_wanted.set()
            await self._carry_out(
                self._step(lane, event)
                for (lane, _), event in zip(wanted, answers, strict=True)
                if event is not None and lane in self.states
            )
            failures = failures + 1 if unanswered else 0
            if failures:
                await asyncio.sleep(source_backoff.delay_s(failures, chance=self._chance()))

    async def _fill(self, lane: Lane, after: int) -> Event | None:
        """What the source's change log has behind a sequence; None when it can't be asked now."""
        try:
            page = await self._region.changes_after(lane, after)
        except RegionUnavailableError as error:
            self.problem = str(error)
            return None
        except RequestRefusedError as error:
            return TooOld() if error.reason == "too_old" else LaneUnknown(self._clock.monotonic_s())
        self._untold.discard(lane)
        self.tally.of(self.table_of(lane)).fills += 1
        return Filled(after, page.deliveries, page.head, self._clock.monotonic_s(), page.commit_us)

    async def _take_assignment(self) -> None:
        if not self._assigned:
            return
        self._assigned = False
        following = self._following
        for lane in self.states.keys() - following.keys():
            self._forget(lane)
        now, now_us = self._clock.monotonic_s(), self._clock.wall_us()
        for lane, owned in following.items():
            if lane not in self.states or self.states[lane].lost is not None:
                sequence, offset, commit_us = owned.sources[self.source]
                self._keep(lane, new_lane(sequence, offset, commit_us=commit_us, now=now, now_us=now_us))
                self.moved.add(lane)
        await self._feed.follow({lane: position_of(state) for lane, state in self.states.items() if state.lost is None})

    @property
    def _following(self) -> Mapping[Lane, OwnedLane]:
        return {lane: owned for lane, owned in self.owned.items() if owned.stage is CopyStage.FOLLOWING}

    async def _start_anew(self) -> None:
        """After a defect: positions are those that the own region gave, everything else is learnt again."""
        for lane in list(self.states):
            self._forget(lane)
        await self._feed.follow({})
        self._assigned = True
        self._on_catalog_change()

    def _absorb(self, batch: FeedBatch) -> Iterable[tuple[Lane, Sequence[Effect]]]:
        if batch.interrupted:
            yield from self._absorb_heads(batch.heartbeats, batch.head_times)
        for lane in batch.interrupted_lanes:
            if lane in self.states:
                yield self._step(lane, Interrupted(None))
        for lane, records in _by_lane(batch.deliveries).items():
            if lane in self.states:
                yield self._step(lane, Delivered(records))
        for heartbeat in batch.heartbeats:
            yield from self._absorb_heartbeat(heartbeat)

    def _absorb_heads(
        self, heartbeats: Sequence[Heartbeat], head_times: Mapping[Lane, int]
    ) -> Iterable[tuple[Lane, Sequence[Effect]]]:
        """A lane of which the source tells no head is asked for, unless it has been known to be empty."""
        heads: dict[Lane, int] = {}
        for heartbeat in heartbeats:
            heads.update(heartbeat.heads)
        self._untold = self.states.keys() - heads.keys()
        for lane, state in list(self.states.items()):
            if lane in heads or state.head != 0:
                yield self._step(lane, Interrupted(heads.get(lane), head_times.get(lane, 0)))

    def _absorb_heartbeat(self, heartbeat: Heartbeat) -> Iterable[tuple[Lane, Sequence[Effect]]]:
        self.tally.heartbeats += 1
        self.tally.heartbeat_delay_s = (self._clock.wall_us() - heartbeat.time_us) / 1e6
        now = self._clock.monotonic_s()
        self._heard_us = heartbeat.time_us
        self._untold -= heartbeat.heads.keys()
        for lane, head in heartbeat.heads.items():
            if lane in self.states:
                yield self._step(lane, HeartbeatArrived(heartbeat.time_us, head, self.heartbeat_us, now))
        self.heartbeat_us = max(self.heartbeat_us, heartbeat.time_us)

    def _tick(self) -> Iterable[tuple[Lane, Sequence[Effect]]]:
        now = self._clock.monotonic_s()
        return [self._step(lane, Tick(now)) for lane in list(self._unsettled)]

    async def _carry_out(self, decided: Iterable[tuple[Lane, Sequence[Effect]]]) -> None:
        records: list[Delivery] = []
        lost: list[tuple[Lane, str]] = []
        for lane, effects in decided:
            for effect in effects:
                match effect:
                    case Apply():
                        records += effect.records
                    case Fill():
                        self._fills[lane] = effect.after
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
            before = {lane: state.applied for lane, state in self.states.items() if lane in _lanes_of(records)}
            effects = [effect for reply in replies for effect in self._take_reply(reply)]
        self._observe_lag(records, before, received_us=received_us, applied_us=replies[-1].applied_us)
        await self._carry_out(effects)
        catalog = self.states.get(catalog_lane)
        if catalog is not None and catalog_lane in before and before[catalog_lane] != catalog.applied:
            self._on_catalog_change()

    def _take_reply(self, reply: ApplyReply) -> Iterable[tuple[Lane, Sequence[Effect]]]:
        for lane in reply.refused:
            self._forget(lane)
        for outcome in reply.outcomes:
            if outcome.lane in self.states:
                self.tally.of(self.table_of(outcome.lane)).count(outcome)
                self.moved.add(outcome.lane)
                yield self._step(outcome.lane, self._event_of(outcome))

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
            state = self.states.get(record.lane)
            commit_us = commit_us_of(record.record)
            if state is None or commit_us is None or not before[record.lane] < record.sequence <= state.applied:
                continue
            lag_s = max(0, applied_us - commit_us) / 1e6
            self.tally.of(self.table_of(record.lane)).lag.add(lag_s, now=now)
            self.tally.receive_s.observe(max(0, received_us - commit_us) / 1e6)
            count += 1
        self.tally.apply_s.observe_many(max(0, applied_us - received_us) / 1e6, count)

    async def _give_up(self, lane: Lane, reason: str) -> None:
        known = {lane: position_of(self.states[lane])} if lane in self.states else {}
        log.warning("lane has to be copied again", source=self.source, table=self.table_of(lane), reason=reason)
        self.tally.of(self.table_of(lane)).resyncs += 1
        try:
            # First the source: if it is the one that has lost changes, it must get them back as well.
            await self._source_patience.until_done(partial(self._region.acknowledge, known, {}))
        except RequestRefusedError as error:
            log.info("the source does not take what it has lost", source=self.source, reason=str(error))
        try:
            await self._own_patience.until_done(partial(self._own.needs_resync, lane, self.source, reason=reason))
        except RequestRefusedError as error:
            log.info("the own region no longer has the lane", reason=str(error))
            self._forget(lane)
        self._on_catalog_change()

    def _step(self, lane: Lane, event: Event) -> tuple[Lane, Sequence[Effect]]:
        state, effects = step(self.states[lane], event)
        self._keep(lane, state)
        return lane, effects

    def _keep(self, lane: Lane, state: LaneState) -> None:
        self.states[lane] = state
        (self._unsettled.discard if state.settled else self._unsettled.add)(lane)
        (self.behind.discard if state.caught_up else self.behind.add)(lane)

    def _forget(self, lane: Lane) -> None:
        self.states.pop(lane, None)
        self._fills.pop(lane, None)
        self._unsettled.discard(lane)
        self.behind.discard(lane)
        self.moved.discard(lane)

    def _disconnected(self, failures: int, error: FeedUnavailableError) -> None:
        self.problem = str(error)
        if failures == 1:
            self.tally.disconnects += 1
            log.warning("link is down", source=self.source, reason=self.problem)

    def horizon_us(self, lane: Lane) -> int:
        """Up to which time of the source everything is proven to be applied; 0 while that is not known.

        A source that left the lane out when it told all heads is asked for it, so that a later question is answered.
        """
        state = self.states.get(lane)
        if state is None or state.lost is not None:
            return 0
        if lane in self._untold:
            self._fills.setdefault(lane, state.handed)
            self._fill_wanted.set()
            return state.proven_us
        return self._heard_us if state.caught_up else state.proven_us

    def table_of(self, lane: Lane) -> str:
        owned = self.owned.get(lane)
        return "" if owned is None else owned.table


def position_of(state: LaneState) -> Position:
    """Up to where the target has everything."""
    return Position(state.applied, state.offset, state.applied_us)


def _by_lane(deliveries: Sequence[Delivery]) -> Mapping[Lane, list[Delivery]]:
    lanes: dict[Lane, list[Delivery]] = {}
    for delivery in deliveries:
        lanes.setdefault(delivery.lane, []).append(delivery)
    return lanes


def _lanes_of(deliveries: Sequence[Delivery]) -> set[Lane]:
    return {delivery.lane for delivery in deliveries}
