"""A link at work, between a simulated source and a simulated own region."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from services.replicator.io.port import CopyStage, LinkReport
from services.replicator.work import acks
from services.replicator.work.follow import LinkFollower
from services.replicator.work.reports import LinkStatus, link_reports, stuck_s
from shared.changes.heartbeats import Heartbeat
from shared.changes.records import Lane
from shared.feed.port import FeedBatch, Position
from shared.limits import horizon_interval_s
from tests.unit.replicator.simulated import (
    FakeClock,
    SimulatedFeed,
    SimulatedOwn,
    SimulatedSource,
    catalog,
    change,
    east,
    orders,
)

first, second = Lane(orders, 0), Lane(orders, 1)


@dataclass
class Rig:
    source: SimulatedSource = field(default_factory=SimulatedSource)
    own: SimulatedOwn = field(default_factory=SimulatedOwn)
    feed: SimulatedFeed = field(default_factory=SimulatedFeed)
    clock: FakeClock = field(default_factory=FakeClock)
    refreshes: int = 0

    def __post_init__(self) -> None:
        self.link = LinkFollower(
            east,
            feed=self.feed,
            region=self.source,
            own=self.own,
            clock=self.clock,
            chance=lambda: 0.0,
            on_catalog_change=self._refresh,
        )

    def assign(self) -> None:
        self.link.assign(self.own.owned.values())

    def applied(self, lane: Lane) -> list[int]:
        return self.own.applied.get((east, lane), [])

    async def until_applied(self, lane: Lane, count: int) -> None:
        await self.own.until(lambda: len(self.applied(lane)) >= count)

    async def until(self, done: Callable[[], bool]) -> None:
        """What a link does without asking anybody is done when it waits for its feed again."""
        async with asyncio.timeout(20):
            while not done():
                self.feed.polled.clear()
                await self.feed.polled.wait()

    def report(self, table: str = "orders") -> LinkReport:
        return next(report for report in link_reports(self.link, self.clock) if report.table == table)

    def _refresh(self) -> None:
        self.refreshes += 1
        self.own.changed.set()
        self.assign()


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    rig.own.own(first, {east: 0})
    rig.own.own(second, {east: 0})
    rig.assign()
    running = asyncio.create_task(rig.link.run())
    yield rig
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_delivered_changes_are_applied(rig: Rig) -> None:
    """The ordinary way: one request for all lanes of a delivery."""
    rig.feed.deliver(*rig.source.commit(first, count=3), *rig.source.commit(second, count=2))
    await rig.until_applied(second, 2)
    assert (rig.applied(first), rig.applied(second), rig.own.applies) == ([1, 2, 3], [1, 2], 1)


async def test_a_gap_is_filled_from_the_source(rig: Rig) -> None:
    """A feed may lose its tail; the source's own change log has it."""
    made = rig.source.commit(first, count=250)
    rig.feed.deliver(*made[240:])
    await rig.until_applied(first, 250)
    assert rig.applied(first) == list(range(1, 251))


async def test_what_an_interruption_shows_missing_is_filled(rig: Rig) -> None:
    """After a restart of the source its tail is empty."""
    rig.source.commit(first, count=7)
    rig.feed.interrupt({first: 7, second: 0}, time_us=rig.clock.wall_us())
    await rig.until_applied(first, 7)
    assert rig.source.filled == [(first, 0)]


async def test_a_lane_that_alone_was_interrupted_is_asked_for(rig: Rig) -> None:
    """Kafka lost one topic partition; the others are whole."""
    rig.source.commit(first, count=2)
    rig.feed.interrupt_lanes(first)
    await rig.until_applied(first, 2)
    assert rig.source.filled == [(first, 0)]


async def test_a_lane_known_to_be_empty_is_not_asked_for_again(rig: Rig) -> None:
    """A source has thousands of lanes that were never written to, and restarts now and then."""
    rig.feed.interrupt({first: 0, second: 0}, time_us=rig.clock.wall_us())
    rig.source.commit(first)
    rig.feed.interrupt({first: 1}, time_us=rig.clock.wall_us())
    await rig.until_applied(first, 1)
    assert rig.source.filled == [(first, 0)]


async def test_filling_waits_for_the_source_to_come_back(rig: Rig) -> None:
    """With Kafka the feed may work while the source's own log can't be reached."""
    rig.source.commit(first, count=3)
    rig.source.away = True
    rig.feed.interrupt({first: 3}, time_us=rig.clock.wall_us())
    rig.feed.deliver(*rig.source.commit(second))
    await rig.until_applied(second, 1)
    rig.source.away = False
    await rig.until_applied(first, 3)


async def test_a_batch_in_hand_survives_the_own_region_s_absence(rig: Rig) -> None:
    """It was taken from the feed and will not be delivered again."""
    rig.own.away = True
    rig.feed.deliver(*rig.source.commit(first, count=3))
    await rig.own.until(lambda: rig.own.applies >= 3)
    assert "away" in str(rig.report().error)
    rig.own.away = False
    await rig.until_applied(first, 3)
    assert rig.applied(first) == [1, 2, 3]


async def test_no_more_is_taken_from_the_feed_than_can_be_applied(rig: Rig) -> None:
    """What waits for the own region waits at the source, not in this process."""
    rig.own.away = True
    for _ in range(5):
        rig.feed.deliver(*rig.source.commit(first))
    await rig.own.until(lambda: rig.own.applies >= 3)
    assert rig.feed.batches.qsize() == 4


async def test_a_target_that_has_less_than_believed_is_filled(rig: Rig) -> None:
    """The own region came back from an older state; its position counts, not our memory."""
    rig.feed.deliver(*rig.source.commit(first, count=5))
    await rig.until_applied(first, 5)
    del rig.own.applied[east, first][2:]
    rig.feed.deliver(*rig.source.commit(first))
    await rig.until_applied(first, 6)
    assert rig.applied(first) == [1, 2, 3, 4, 5, 6]


async def test_a_log_that_is_too_short_makes_the_lane_need_a_copy(rig: Rig) -> None:
    """Nothing is applied behind the hole; other lanes go on."""
    rig.source.commit(first, count=9)
    rig.source.trimmed[first] = 5
    rig.feed.interrupt({first: 9}, time_us=rig.clock.wall_us())
    await rig.own.until(lambda: rig.own.needing_resync)
    rig.feed.deliver(*rig.source.commit(second))
    await rig.until_applied(second, 1)
    assert rig.own.needing_resync[0][0] == first
    assert rig.applied(first) == []
    await rig.own.until(lambda: rig.refreshes)
    assert rig.report().state == LinkStatus.NEEDS_RESYNC


async def test_a_lane_goes_on_behind_its_copy(rig: Rig) -> None:
    """The positions of a finished copy count, not those from before."""
    rig.source.commit(first, count=9)
    rig.source.trimmed[first] = 5
    rig.feed.interrupt({first: 9}, time_us=rig.clock.wall_us())
    await rig.own.until(lambda: rig.own.needing_resync)
    rig.own.own(first, {east: 6})
    rig.own.applied[east, first] = list(range(1, 7))
    rig.assign()
    rig.feed.deliver()
    rig.feed.interrupt({first: 9}, time_us=rig.clock.wall_us())
    await rig.until_applied(first, 9)


async def test_a_lane_that_is_being_copied_is_not_followed(rig: Rig) -> None:
    """It has no position yet; what came through the feed would be refused."""
    rig.own.own(first, {east: 0}, stage=CopyStage.COPYING)
    rig.assign()
    rig.feed.deliver()
    rig.feed.deliver(*rig.source.commit(first), *rig.source.commit(second))
    await rig.until_applied(second, 1)
    assert rig.applied(first) == []
    assert rig.report().state == LinkStatus.COPYING


async def test_a_lane_that_the_own_region_refuses_is_left_alone(rig: Rig) -> None:
    """Its table was deleted a moment ago; the others must not suffer from it."""
    del rig.own.owned[first]
    rig.feed.deliver(*rig.source.commit(first), *rig.source.commit(second))
    await rig.until_applied(second, 1)
    assert first not in rig.link.lanes.states


async def test_a_change_of_the_catalog_refreshes_the_lanes(rig: Rig) -> None:
    """A new replica should not wait for the next second to learn of itself."""
    rig.own.own(catalog, {east: 0}, table="")
    rig.assign()
    rig.feed.deliver()
    rig.feed.deliver(*rig.source.commit(catalog))
    await rig.own.until(lambda: rig.refreshes)
    assert rig.applied(catalog) == [1]


async def test_a_link_comes_back_by_itself(rig: Rig) -> None:
    """Cuts heal without anybody's doing."""
    rig.feed.fail()
    rig.feed.fail()
    rig.feed.deliver(*rig.source.commit(first))
    await rig.until_applied(first, 1)
    assert rig.link.tally.disconnects == 1
    assert rig.report().error is None


async def test_a_defect_of_a_link_does_not_end_it(rig: Rig) -> None:
    """A worker follows many links; one that trips over something unforeseen starts anew."""
    rig.feed.batches.put_nowait("no batch")  # type: ignore[arg-type]
    rig.feed.deliver(*rig.source.commit(first))
    await rig.own.until(lambda: rig.refreshes)
    rig.source.commit(first)
    rig.feed.interrupt({first: 2}, time_us=rig.clock.wall_us())
    await rig.until_applied(first, 2)
    assert rig.link.tally.failures == 1


async def test_a_dead_link_does_not_hold_up_another(rig: Rig) -> None:
    """Links share the own region and nothing else."""
    dead = Rig()
    dead.link._own = rig.own
    dead.source.away = True
    dead.assign()
    hanging = asyncio.create_task(dead.link.run())
    for _ in range(3):
        dead.feed.fail()
    rig.feed.deliver(*rig.source.commit(first))
    await rig.until_applied(first, 1)
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)


async def test_change_lag_is_from_commit_to_applied(rig: Rig) -> None:
    """Measured by the source's clock at the commit and the target's at the end, as people mean it."""
    rig.feed.deliver(*rig.source.commit(first, commit_us=1_250_000))
    await rig.until_applied(first, 1)
    rig.feed.deliver(*rig.source.commit(second, commit_us=1_250_000))
    await rig.until_applied(second, 1)
    assert rig.report().change_lag_p50_s == 0.75


async def test_a_link_at_rest_reports_no_lag(rig: Rig) -> None:
    rig.feed.deliver(*rig.source.commit(first, count=2))
    rig.feed.interrupt({first: 2, second: 0}, time_us=rig.clock.wall_us())
    rig.source.commit(second)
    rig.feed.deliver(change(second, 1))
    await rig.until_applied(second, 1)
    report = rig.report()
    assert (report.state, report.frontier_lag_s, report.backlog) == (LinkStatus.FOLLOWING, 0.0, 0)


async def test_a_link_without_heartbeats_is_unreachable_and_its_lag_rises(rig: Rig) -> None:
    """Nothing arrives over a cut link, not even the news that there is something."""
    rig.feed.interrupt({first: 0, second: 0}, time_us=rig.clock.wall_us())
    rig.feed.deliver(*rig.source.commit(first))
    await rig.until_applied(first, 1)
    rig.clock.ahead_s = 30.0
    report = rig.report()
    assert report.state == LinkStatus.UNREACHABLE
    assert report.frontier_lag_s == pytest.approx(30.0, abs=2.0)


async def test_a_frontier_that_stands_still_with_backlog_is_stuck(rig: Rig) -> None:
    """The feed works and the own region takes nothing: that is not the same as being slow."""
    rig.feed.interrupt({first: 0, second: 0}, time_us=rig.clock.wall_us())
    rig.own.away = True
    rig.feed.deliver(*rig.source.commit(first, count=4))
    await rig.own.until(lambda: rig.own.applies)
    rig.clock.ahead_s = stuck_s + 1
    rig.link.lanes.heartbeat_us = rig.clock.wall_us()
    report = rig.report()
    assert (report.state, report.backlog) == (LinkStatus.STUCK, 4)


async def test_a_link_without_its_source_says_what_to_do(rig: Rig) -> None:
    """It is read in the console, by people who may not know the source's address."""
    rig.feed.fail()
    await rig.until(lambda: rig.link.problem is not None)
    assert (
        rig.report().error == "cut. See that east runs and can be reached with the same token; its changes wait there"
    )


async def test_a_lane_that_falls_behind_after_a_rest_is_not_stuck(rig: Rig) -> None:
    """A heartbeat after a cut tells of changes that the feed brings a moment later."""
    rig.feed.interrupt({first: 0, second: 0}, time_us=rig.clock.wall_us())
    await rig.until(lambda: first in rig.link.lanes.states and rig.link.lanes.states[first].caught_up)
    rig.clock.ahead_s = stuck_s + 1
    rig.feed.beat({first: 4}, time_us=rig.clock.wall_us())
    await rig.until(lambda: rig.link.lanes.states[first].backlog == 4)
    report = rig.report()
    assert (report.state, report.backlog) == (LinkStatus.FOLLOWING, 4)


async def test_sources_hear_how_far_we_are(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their change log is kept until every replica has applied it."""
    monkeypatch.setattr(acks, "interval_s", 0.01)
    rig.feed.deliver(*rig.source.commit(first, count=3))
    await rig.until_applied(first, 3)
    rig.source.away = True
    telling = asyncio.create_task(
        acks.acknowledge_forever(rig.link, rig.source, horizons_of=lambda _lanes: {}, clock=rig.clock)
    )
    rig.feed.deliver(*rig.source.commit(second, count=2))
    await rig.until_applied(second, 2)
    rig.source.away = False
    await rig.source.until(lambda: rig.source.acknowledged == {first: 3, second: 2})
    telling.cancel()


async def test_a_horizon_is_said_only_when_it_is_wanted(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of tables at rest must not cost a word a second."""
    monkeypatch.setattr(acks, "interval_s", 0.01)

    def horizons_of(lanes: Sequence[Lane]) -> Mapping[Lane, int]:
        return dict.fromkeys(lanes, 77)

    telling = asyncio.create_task(
        acks.acknowledge_forever(rig.link, rig.source, horizons_of=horizons_of, clock=rig.clock)
    )
    await rig.source.until(rig.source.changed.is_set)
    assert rig.source.horizons == {}
    rig.source.horizons_wanted = [second]
    rig.clock.ahead_s = 2 * horizon_interval_s
    await rig.source.until(lambda: rig.source.horizons == {second: 77})
    telling.cancel()


async def test_a_horizon_is_the_time_of_a_heartbeat_whose_changes_are_all_applied(rig: Rig) -> None:
    """Anything later would let others forget what is still under way to here."""
    assert rig.link.horizon_us(first) == 0
    rig.feed.interrupt({first: 0, second: 0}, time_us=1_000)
    rig.feed.beat({first: 2}, time_us=2_000)
    rig.feed.beat({first: 4}, time_us=3_000)
    await rig.until(lambda: rig.link.tally.heartbeats == 3)
    assert (rig.link.horizon_us(first), rig.link.horizon_us(second)) == (1_000, 3_000)
    made = rig.source.commit(first, count=4)
    rig.feed.deliver(*made[:3])
    await rig.until_applied(first, 3)
    assert rig.link.horizon_us(first) == 2_000
    rig.feed.deliver(made[3])
    await rig.until_applied(first, 4)
    await rig.until(lambda: rig.link.horizon_us(first) == 3_000)


async def test_a_lane_of_which_the_source_said_nothing_has_no_horizon(rig: Rig) -> None:
    """The source may have written to it and not know yet that we follow; it is asked."""
    rig.feed.interrupt({first: 0, second: 0}, time_us=1_000)
    rig.feed.interrupt({first: 0}, time_us=2_000)
    await rig.until(lambda: rig.link.tally.heartbeats == 2)
    assert rig.link.horizon_us(second) == 1_000
    rig.source.log[second] = []
    await rig.until(lambda: rig.link.horizon_us(second) == 2_000)


async def test_a_head_that_was_told_counts_once_the_lane_knows_it(rig: Rig) -> None:
    """Answers of one round are taken together: an early one must not vouch for changes that it has just shown."""
    rig.feed.interrupt({first: 0, second: 0}, time_us=1_000)
    rig.feed.interrupt({}, time_us=2_000)
    await rig.until(lambda: rig.link.tally.heartbeats == 2)
    rig.source.log[first] = []
    rig.source.commit(second, count=3)
    rig.source.slow[first] = asyncio.Event()
    rig.own.away = True
    assert (rig.link.horizon_us(first), rig.link.horizon_us(second)) == (1_000, 1_000)
    await rig.until(lambda: len(rig.source.filled) == 2)
    assert rig.link.horizon_us(second) == 1_000
    rig.source.slow[first].set()
    await rig.until(lambda: rig.link.horizon_us(first) == 2_000)
    assert rig.link.horizon_us(second) == 1_000


async def test_a_source_that_has_lost_changes_is_told_before_the_lane_is_given_up(rig: Rig) -> None:
    """It was restored from an older copy: it needs from us what it has lost, and we need what it has made since."""
    rig.feed.deliver(*rig.source.commit(first, count=5, commit_us=1_000))
    await rig.until_applied(first, 5)
    del rig.source.log[first][3:]
    rig.source.commit(first, count=1, commit_us=9_000)
    rig.feed.interrupt({first: 4, second: 0}, time_us=rig.clock.wall_us())
    await rig.own.until(lambda: rig.own.needing_resync)
    assert rig.own.needing_resync[0][:2] == (first, east)
    assert rig.source.positions_told[first] == Position(5, commit_us=1_000)


async def test_reused_sequences_are_noticed_also_beyond_the_position(rig: Rig) -> None:
    """It has come further again than it was: its head alone shows nothing, and what lies between would be lost."""
    rig.feed.deliver(*rig.source.commit(first, count=5, commit_us=1_000))
    await rig.until_applied(first, 5)
    del rig.source.log[first][3:]
    rig.source.commit(first, count=7, commit_us=9_000)
    rig.feed.interrupt({first: 10, second: 0}, time_us=rig.clock.wall_us())
    await rig.own.until(lambda: rig.own.needing_resync)
    assert rig.applied(first) == [1, 2, 3, 4, 5]


async def test_a_head_in_the_place_of_another_change_is_noticed(rig: Rig) -> None:
    rig.feed.deliver(*rig.source.commit(first, count=5, commit_us=1_000))
    await rig.until_applied(first, 5)
    rig.source.log[first][4:] = []
    rig.source.commit(first, count=1, commit_us=9_000)
    heartbeat = Heartbeat(1, rig.clock.wall_us(), {first: 5, second: 0})
    rig.feed.batches.put_nowait(FeedBatch((), (heartbeat,), interrupted=True, head_times={first: 9_000}))
    await rig.own.until(lambda: rig.own.needing_resync)
