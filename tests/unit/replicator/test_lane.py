"""The state machine of a lane: nothing twice, nothing jumped over, and lag that tells the truth."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.replicator.link.lag import frontier_lag_s
from services.replicator.link.lane import LaneState, fill_grace_s, marks_max, new_lane, step, unknown_retry_s
from services.replicator.link.lane_events import (
    Applied,
    Apply,
    Delivered,
    Effect,
    Event,
    Fill,
    Filled,
    HeartbeatArrived,
    Interrupted,
    LaneUnknown,
    NeedsResync,
    Refused,
    Tick,
    TooOld,
)
from shared.changes.batches import Delivery, no_offset
from shared.changes.records import Lane
from shared.model.tables import Generation
from tests.unit.replicator.simulated import change

lane = Lane(Generation(b"\x01" * 16), 2)
second_us = 1_000_000
start_us = 1_700_000_000 * second_us


def records(*sequences: int, offset: int | None = None) -> list[Delivery]:
    return [Delivery(lane, each, b"x", no_offset if offset is None else offset + each) for each in sequences]


def a_lane(applied: int = 0, *, head: int | None = 0, offset: int = no_offset) -> LaneState:
    """A lane that is at rest, unless `head` says otherwise."""
    state = new_lane(applied, offset, commit_us=0, now=0.0, now_us=start_us)
    return state if head is None else after(state, Interrupted(max(head, applied), now=0.0))[0]


def after(state: LaneState, *events: Event) -> tuple[LaneState, list[Effect]]:
    effects: list[Effect] = []
    for event in events:
        state, more = step(state, event)
        effects += more
    return state, effects


def sequences_applied(effects: Sequence[Effect]) -> list[int]:
    return [record.sequence for effect in effects if isinstance(effect, Apply) for record in effect.records]


def fills(effects: Sequence[Effect]) -> list[int]:
    return [effect.after for effect in effects if isinstance(effect, Fill)]


def test_contiguous_records_are_applied() -> None:
    """The ordinary way."""
    _, effects = after(a_lane(3), Delivered(records(4, 5, 6), now=0.0))
    assert effects == [Apply(records(4, 5, 6))]


def test_repeats_are_dropped() -> None:
    """Feeds deliver at least once; a repeat costs the target a read per record."""
    _, effects = after(a_lane(3), Delivered(records(2, 3, 4), now=0.0), Delivered(records(4, 5), now=0.0))
    assert sequences_applied(effects) == [4, 5]


def test_a_gap_is_filled_and_not_jumped_over() -> None:
    """Kafka may lose its tail: applying what stands behind the gap would lose the records in it for ever."""
    state, effects = after(a_lane(3), Delivered(records(4, 7, 8), now=0.0))
    assert (sequences_applied(effects), fills(effects)) == ([4], [4])
    state, effects = after(state, Filled(4, records(5, 6, 7, 8), 8, now=1.0))
    assert (sequences_applied(effects), fills(effects)) == ([5, 6, 7, 8], [])
    assert not state.filling


def test_a_gap_is_asked_for_once() -> None:
    """Every further delivery shows the same gap."""
    _, effects = after(
        a_lane(3), Delivered(records(9), now=0.0), Delivered(records(10), now=0.0), Delivered(records(11), now=0.0)
    )
    assert fills(effects) == [3]


def test_filling_goes_on_page_by_page_up_to_the_head() -> None:
    """A page has a few megabytes; an outage of a day has more."""
    state, effects = after(a_lane(0, head=6), Filled(0, records(1, 2), 6, now=1.0))
    assert fills(effects) == [2]
    state, effects = after(state, Filled(2, records(3, 4), 6, now=1.0), Filled(4, records(5, 6), 6, now=1.0))
    assert (sequences_applied(effects), fills(effects)) == ([3, 4, 5, 6], [4])
    assert not state.filling


def test_records_that_arrive_while_filling_continue_behind_it() -> None:
    """The feed does not wait for a fill, and what it delivers meanwhile is not delivered again."""
    state, effects = after(a_lane(0, head=4), Delivered(records(5, 6), now=0.0))
    assert sequences_applied(effects) == []
    state, effects = after(state, Filled(0, records(1, 2, 3, 4), 4, now=1.0))
    assert (sequences_applied(effects), fills(effects)) == ([1, 2, 3, 4], [4])
    _, effects = after(state, Filled(4, records(5, 6), 6, now=1.0))
    assert sequences_applied(effects) == [5, 6]


def test_an_interruption_fills_what_the_head_shows_missing_at_once() -> None:
    """After a restart of the source nothing may arrive for hours; waiting for the next change would hide the loss."""
    _, effects = after(a_lane(3), Interrupted(7, now=0.0))
    assert fills(effects) == [3]


def test_an_interruption_without_a_head_asks_the_change_log() -> None:
    """Kafka can't say how far the source has come; its change log can."""
    state, effects = after(a_lane(3), Interrupted(None, now=0.0))
    assert fills(effects) == [3]
    state, _ = after(state, Filled(3, [], 3, now=1.0))
    assert state.caught_up
    assert state.settled


def test_an_interruption_that_left_out_nothing_costs_nothing() -> None:
    """A source has thousands of lanes, and few of them move."""
    state, effects = after(a_lane(7), Interrupted(7, now=0.0))
    assert effects == []
    assert state.settled


def test_a_head_that_is_not_delivered_is_filled_after_a_grace() -> None:
    """A heartbeat may overtake its records, but not by seconds."""
    state, effects = after(
        a_lane(3), HeartbeatArrived(start_us, 5, start_us, now=10.0), Tick(10.0 + fill_grace_s - 0.1)
    )
    assert effects == []
    _, effects = after(state, Tick(10.0 + fill_grace_s))
    assert fills(effects) == [3]


def test_progress_prolongs_the_grace() -> None:
    """A feed that delivers a long backlog is doing its work; asking the source as well would double it."""
    state, _ = after(a_lane(3), HeartbeatArrived(start_us, 9, start_us, now=10.0), Delivered(records(4), now=0.0))
    state, effects = after(state, Applied(4, no_offset, now=14.0), Tick(10.0 + fill_grace_s))
    assert effects == []
    _, effects = after(state, Tick(14.0 + fill_grace_s))
    assert fills(effects) == [4]


def test_a_lane_whose_head_nobody_tells_is_asked_for() -> None:
    """Otherwise a lane that lost its last records and rests would look caught up for ever."""
    state = a_lane(3, head=None)
    assert not state.caught_up
    _, effects = after(state, Tick(fill_grace_s))
    assert fills(effects) == [3]


def test_delivery_does_not_tell_the_head() -> None:
    """The feed may have lost what came behind the last record that it delivers."""
    state, _ = after(a_lane(3, head=None), Delivered(records(4), now=0.0), Applied(4, no_offset, now=1.0))
    assert not state.caught_up
    _, effects = after(state, Tick(1.0 + fill_grace_s))
    assert fills(effects) == [4]


def test_a_lane_unknown_to_the_source_is_asked_for_again() -> None:
    """A source learns of a new replica a moment later than the replica itself."""
    state, _ = after(a_lane(0, head=None), Interrupted(None, now=0.0), LaneUnknown(now=2.0))
    _, effects = after(state, Tick(2.0 + unknown_retry_s))
    assert fills(effects) == [0]


def test_a_change_log_that_is_too_short_needs_a_copy() -> None:
    """Going on behind the hole would lose its changes."""
    state, effects = after(a_lane(3, head=9), TooOld())
    assert isinstance(effects[-1], NeedsResync)
    assert after(state, Delivered(records(4, 5), now=0.0), Interrupted(20, now=0.0), Tick(99.0)) == (state, [])


def test_a_change_log_with_a_hole_needs_a_copy() -> None:
    """A page that begins later than asked for is a loss, whatever the source thinks of it."""
    _, effects = after(a_lane(3, head=9), Filled(3, records(6, 7), 9, now=1.0))
    assert sequences_applied(effects) == []
    assert isinstance(effects[-1], NeedsResync)


def test_a_refusal_of_the_target_is_filled_from_its_position() -> None:
    """The target knows best what it has, for instance after it came back without its last moments."""
    state, effects = after(a_lane(3), Delivered(records(4, 5), now=0.0), Refused(2, no_offset))
    assert fills(effects) == [2]
    _, effects = after(state, Filled(2, records(3, 4, 5), 5, now=1.0))
    assert sequences_applied(effects) == [3, 4, 5]


def test_a_page_that_was_asked_for_before_a_refusal_does_not_jump() -> None:
    """An answer to an older question may begin behind what the target turned out to have."""
    state, _ = after(a_lane(5, head=9), Refused(2, no_offset))
    state, effects = after(state, Filled(5, records(6, 7), 9, now=1.0))
    assert (sequences_applied(effects), fills(effects)) == ([], [2])
    assert state.lost is None


def test_an_empty_page_below_the_head_is_not_asked_for_in_a_loop() -> None:
    """A source that contradicts itself must not keep both sides busy."""
    state, effects = after(a_lane(3, head=9), Filled(3, [], 9, now=1.0))
    assert fills(effects) == []
    _, effects = after(state, Tick(1.0 + fill_grace_s))
    assert fills(effects) == [3]


def test_filled_records_keep_the_offset_from_which_to_read_on() -> None:
    """They have none of their own; without one the next restart would begin at the end of the topic."""
    _, effects = after(a_lane(3, head=5, offset=40), Filled(3, records(4, 5), 5, now=1.0))
    assert [record.offset for effect in effects if isinstance(effect, Apply) for record in effect.records] == [40, 40]


def test_frontier_lag_is_zero_when_everything_known_is_applied() -> None:
    """An idle link is not behind."""
    assert frontier_lag_s(a_lane(3), start_us, now_us=start_us + 2 * second_us) == 0.0


def test_frontier_lag_rises_when_heartbeats_stop() -> None:
    """A cut link has nothing to apply, and is behind nevertheless."""
    assert frontier_lag_s(a_lane(3), start_us, now_us=start_us + 9 * second_us) == 9.0


def test_frontier_is_the_newest_heartbeat_that_is_all_applied() -> None:
    """A target that is behind by two heartbeats has everything up to the third-newest."""
    times = [start_us + n * second_us for n in range(4)]
    state, _ = after(
        a_lane(0),
        HeartbeatArrived(times[1], 10, times[0], now=1.0),
        HeartbeatArrived(times[2], 20, times[1], now=2.0),
        HeartbeatArrived(times[3], 30, times[2], now=3.0),
    )
    now_us = times[3] + second_us // 2
    assert frontier_lag_s(state, times[3], now_us=now_us) == 3.5
    state, _ = after(state, Applied(10, no_offset, now=3.0))
    assert frontier_lag_s(state, times[3], now_us=now_us) == 2.5
    state, _ = after(state, Applied(29, no_offset, now=3.1))
    assert frontier_lag_s(state, times[3], now_us=now_us) == 1.5
    state, _ = after(state, Applied(30, no_offset, now=3.2))
    assert frontier_lag_s(state, times[3], now_us=now_us) == 0.0


def test_a_stuck_lane_remembers_a_bounded_number_of_heartbeats() -> None:
    """A target may be stuck for days, with a heartbeat a second."""
    state = a_lane(0)
    for n in range(1, 4 * marks_max):
        state, _ = after(state, HeartbeatArrived(start_us + n * second_us, n, start_us + (n - 1) * second_us, now=n))
    assert len(state.marks) == marks_max
    state, _ = after(state, Applied(4 * marks_max - 1, no_offset, now=0.0))
    assert state.caught_up


def test_backlog_counts_what_is_known_and_not_applied() -> None:
    state, _ = after(a_lane(3), HeartbeatArrived(start_us, 9, start_us, now=1.0))
    assert state.backlog == 6


@pytest.mark.parametrize(
    "event",
    [
        Delivered(records(4, 5), now=3600.0),
        HeartbeatArrived(start_us, 5, start_us, now=3600.0),
        Interrupted(5, now=3600.0),
        Filled(3, records(4, 5), 5, now=3600.0),
    ],
    ids=lambda event: type(event).__name__,
)
def test_a_lane_at_rest_stands_still_only_from_when_it_falls_behind(event: Event) -> None:
    """Otherwise an hour of rest would pass for an hour of being stuck; more backlog does not start it anew."""
    state, _ = after(a_lane(3), event)
    assert (state.backlog, state.still_since) == (2, 3600.0)
    state, _ = after(
        state, Delivered(records(4, 5, 6), now=3605.0), HeartbeatArrived(start_us, 9, start_us, now=3606.0)
    )
    assert (state.backlog, state.still_since) == (6, 3600.0)
    state, _ = after(state, Applied(4, no_offset, now=3607.0))
    assert state.still_since == 3607.0


chunks = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 6)), max_size=30)


@given(chunks, st.integers(0, 10), st.integers(1, 5))
def test_every_sequence_is_applied_once_and_in_order(chunks: list[tuple[int, int]], applied: int, page: int) -> None:
    """Whatever a feed repeats, reorders or leaves out: with the change log at hand the lane gets everything."""
    head = 36
    state = a_lane(applied, head=None)
    done: list[int] = []
    events: list[Event] = [Delivered(records(*range(first, first + count + 1)), now=0.0) for first, count in chunks]
    events.append(Interrupted(head, now=0.0))
    while events:
        state, effects = step(state, events.pop(0))
        for effect in effects:
            if isinstance(effect, Apply):
                done += [record.sequence for record in effect.records]
                events.insert(0, Applied(done[-1], no_offset, now=0.0))
            elif isinstance(effect, Fill):
                found = range(effect.after + 1, min(effect.after + page, head) + 1)
                events.append(Filled(effect.after, records(*found), head, now=0.0))
            else:
                raise AssertionError(effect)
    assert done == list(range(applied + 1, head + 1))
    assert state.caught_up


def changes(*sequences: int, commit_us: int) -> list[Delivery]:
    return [change(lane, each, commit_us=commit_us) for each in sequences]


def test_a_head_below_what_is_applied_is_asked_about_and_then_the_lane_is_lost() -> None:
    """The first answer may be older than what came meanwhile; the second is not."""
    state, effects = after(a_lane(5), Interrupted(3, now=0.0))
    assert effects == [Fill(5)]
    _, effects = after(state, Filled(5, [], 3, now=1.0))
    assert effects == [NeedsResync("the source has 3 changes, and had 5: its data have become older")]


def test_a_heartbeat_below_what_is_applied_is_asked_about() -> None:
    """Kafka tells no follower that the source has restarted."""
    state, effects = after(a_lane(5), HeartbeatArrived(start_us, 3, start_us, now=1.0))
    assert effects == [Fill(5)]
    state, effects = after(state, Filled(5, [], 5, now=1.0))
    assert effects == []
    assert state.caught_up


def test_another_change_under_a_known_sequence_loses_the_lane() -> None:
    """Its successors would be taken for what follows, and what it replaced would be missed for ever."""
    state, _ = after(a_lane(3), Delivered(changes(4, 5, commit_us=1_000), now=0.0))
    _, effects = after(state, Delivered(changes(4, 5, 6, commit_us=9_000), now=0.0))
    assert [type(effect) for effect in effects] == [NeedsResync]
    _, effects = after(
        state, Interrupted(9, now=0.0), Filled(5, changes(6, 7, commit_us=9_000), 9, now=1.0, commit_us=9_000)
    )
    assert effects[0] == Fill(5)
    assert [type(effect) for effect in effects[1:]] == [NeedsResync]


def test_the_same_change_again_is_a_repeat() -> None:
    """Negative control: feeds repeat, and sources restart without a loss."""
    state, _ = after(a_lane(3), Delivered(changes(4, 5, commit_us=1_000), now=0.0))
    state, effects = after(
        state, Delivered(changes(4, 5, commit_us=1_000), now=0.0), Interrupted(5, now=0.0, commit_us=1_000)
    )
    assert effects == []
    _, effects = after(
        state, Interrupted(6, now=0.0), Filled(5, changes(6, commit_us=2_000), 6, now=1.0, commit_us=1_000)
    )
    assert sequences_applied(effects) == [6]


def test_a_position_without_a_time_is_believed() -> None:
    """It came with a copy of a log that was trimmed."""
    _, effects = after(
        a_lane(5), Interrupted(6, now=0.0), Filled(5, changes(6, commit_us=2_000), 6, now=1.0, commit_us=1_000)
    )
    assert sequences_applied(effects) == [6]
