"""The lanes of one link: the state machine of each, and what all of them together say about the link.

Nothing here waits or asks anybody: the follower of the link brings what happened and carries out what was decided.
"""

from collections.abc import Iterable, Mapping, Sequence

from services.replicator.io.port import CopyStage, OwnedLane
from services.replicator.link.lane import LaneState, new_lane, step
from services.replicator.link.lane_events import (
    Delivered,
    Effect,
    Event,
    Filled,
    HeartbeatArrived,
    Interrupted,
    Tick,
)
from shared.changes.batches import Delivery
from shared.changes.heartbeats import Heartbeat
from shared.changes.records import Lane
from shared.feed.port import FeedBatch, Position
from shared.model.tables import RegionName

Decided = tuple[Lane, Sequence[Effect]]


class LinkLanes:
    """`now` and `now_us` are as in `link.lane_events`."""

    def __init__(self, source: RegionName, *, started_us: int) -> None:
        self.states: dict[Lane, LaneState] = {}
        self.owned: Mapping[Lane, OwnedLane] = {}  # every lane to follow or to copy, as last assigned
        self.behind: set[Lane] = set()
        self.moved: set[Lane] = set()  # whose position the source has not been told
        self.fills: dict[Lane, int] = {}  # behind which sequence the source's change log is to be asked
        self.heartbeat_us = started_us  # of the newest heartbeat; before the first one, of the start
        self._source = source
        self._heard_us = 0  # of the last heartbeat that really came
        self._untold: set[Lane] = set()  # of which the source did not say a head when it said those of all
        self._unsettled: set[Lane] = set()

    def assign(self, lanes: Iterable[OwnedLane]) -> bool:
        """The lanes of this link from now on; whether others are to be followed than those that are."""
        self.owned = {owned.lane: owned for owned in lanes}
        return self._following.keys() != self.states.keys() or any(state.lost for state in self.states.values())

    def follow_assigned(self, *, now: float, now_us: int) -> Mapping[Lane, Position]:
        """Where to follow each lane from; one that is followed already goes on from where it is."""
        following = self._following
        for lane in self.states.keys() - following.keys():
            self.forget(lane)
        for lane, owned in following.items():
            if lane not in self.states or self.states[lane].lost is not None:
                sequence, offset, commit_us = owned.sources[self._source]
                self._keep(lane, new_lane(sequence, offset, commit_us=commit_us, now=now, now_us=now_us))
                self.moved.add(lane)
        return {lane: position_of(state) for lane, state in self.states.items() if state.lost is None}

    def absorb(self, batch: FeedBatch, *, now: float) -> Iterable[Decided]:
        if batch.interrupted:
            yield from self._absorb_heads(batch.heartbeats, batch.head_times, now=now)
        for lane in batch.interrupted_lanes:
            if lane in self.states:
                yield self.step(lane, Interrupted(None, now))
        for lane, records in _by_lane(batch.deliveries).items():
            if lane in self.states:
                yield self.step(lane, Delivered(records, now))
        for heartbeat in batch.heartbeats:
            yield from self._absorb_heartbeat(heartbeat, now)

    def tick(self, *, now: float) -> Iterable[Decided]:
        return [self.step(lane, Tick(now)) for lane in list(self._unsettled)]

    def step(self, lane: Lane, event: Event) -> Decided:
        state, effects = step(self.states[lane], event)
        self._keep(lane, state)
        if isinstance(event, Filled):
            self._untold.discard(lane)  # not before: until the state knows the head, it would claim too much
        return lane, effects

    def forget(self, lane: Lane) -> None:
        self.states.pop(lane, None)
        self.fills.pop(lane, None)
        self._unsettled.discard(lane)
        self.behind.discard(lane)
        self.moved.discard(lane)

    def horizon_us(self, lane: Lane) -> int:
        """Up to which time of the source everything is proven to be applied; 0 while that is not known.

        A source that left the lane out when it told all heads is asked for it, so that a later question is answered.
        """
        state = self.states.get(lane)
        if state is None or state.lost is not None:
            return 0
        if lane in self._untold:
            self.fills.setdefault(lane, state.handed)
            return state.proven_us
        return self._heard_us if state.caught_up else state.proven_us

    def table_of(self, lane: Lane) -> str:
        owned = self.owned.get(lane)
        return "" if owned is None else owned.table

    @property
    def _following(self) -> Mapping[Lane, OwnedLane]:
        return {lane: owned for lane, owned in self.owned.items() if owned.stage is CopyStage.FOLLOWING}

    def _absorb_heads(
        self, heartbeats: Sequence[Heartbeat], head_times: Mapping[Lane, int], *, now: float
    ) -> Iterable[Decided]:
        """A lane of which the source tells no head is asked for, unless it has been known to be empty."""
        heads: dict[Lane, int] = {}
        for heartbeat in heartbeats:
            heads.update(heartbeat.heads)
        self._untold = self.states.keys() - heads.keys()
        for lane, state in list(self.states.items()):
            if lane in heads or state.head != 0:
                yield self.step(lane, Interrupted(heads.get(lane), now, head_times.get(lane, 0)))

    def _absorb_heartbeat(self, heartbeat: Heartbeat, now: float) -> Iterable[Decided]:
        self._heard_us = heartbeat.time_us
        self._untold -= heartbeat.heads.keys()
        for lane, head in heartbeat.heads.items():
            if lane in self.states:
                yield self.step(lane, HeartbeatArrived(heartbeat.time_us, head, self.heartbeat_us, now))
        self.heartbeat_us = max(self.heartbeat_us, heartbeat.time_us)

    def _keep(self, lane: Lane, state: LaneState) -> None:
        self.states[lane] = state
        (self._unsettled.discard if state.settled else self._unsettled.add)(lane)
        (self.behind.discard if state.caught_up else self.behind.add)(lane)


def position_of(state: LaneState) -> Position:
    """Up to where the target has everything."""
    return Position(state.applied, state.offset, state.applied_us)


def _by_lane(deliveries: Sequence[Delivery]) -> Mapping[Lane, list[Delivery]]:
    lanes: dict[Lane, list[Delivery]] = {}
    for delivery in deliveries:
        lanes.setdefault(delivery.lane, []).append(delivery)
    return lanes
