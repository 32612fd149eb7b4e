"""One lane of a link as data and one step function: no change is applied twice, and none is ever jumped over.

A lane knows up to which sequence the target holds everything (`applied`), up to which it has handed records on to be
applied (`handed`), and how far the source is known to have come (`head`). What is missing in between is filled from the
source's own change log; where that no longer holds it, the lane is lost and has to be copied again.

Times are those of `link.lane_events`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

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
from shared.changes.records import commit_us_of

fill_grace_s = 5.0  # a head that the feed has not delivered by then is fetched from the source's change log
unknown_retry_s = 2.0  # a source that does not know the lane yet is asked again after that
marks_max = 64


@dataclass(frozen=True, slots=True)
class Mark:
    """A heartbeat that is not yet covered: the frontier reaches `time_us` once `head` is applied."""

    head: int
    time_us: int


@dataclass(frozen=True, slots=True)
class LaneState:
    applied: int
    offset: int  # the feed is read on from behind this place after a restart
    handed: int
    head: int | None  # None until the source has said it
    frontier_us: int  # up to this time everything is applied, as long as there are marks or the head is unknown
    still_since: float  # while there is backlog: the frontier has not moved since
    fill_due: float | None = None  # when to fill if nothing moves until then
    filling: bool = False
    lost: str | None = None  # why only a copy can help
    marks: tuple[Mark, ...] = ()
    handed_us: int = 0  # commit time of the change that `handed` names; 0 where it is not known
    proven_us: int = 0  # up to this time of the source everything is applied: one of its heartbeats said so

    @property
    def caught_up(self) -> bool:
        return self.head is not None and self.applied >= self.head

    @property
    def applied_us(self) -> int:
        """Commit time of the change that `applied` names; 0 where it is not known."""
        return self.handed_us if self.handed == self.applied else 0

    @property
    def settled(self) -> bool:
        """Whether time alone changes nothing: such a lane needs no `Tick`."""
        return self.fill_due is None or self.lost is not None

    @property
    def backlog(self) -> int:
        return max(0, max(self.head or 0, self.handed) - self.applied)


Step = tuple[LaneState, Sequence[Effect]]


def new_lane(sequence: int, offset: int, *, commit_us: int, now: float, now_us: int) -> LaneState:
    """A lane that goes on behind a stored position; the source has not said yet how far it has come."""
    return LaneState(
        applied=sequence,
        offset=offset,
        handed=sequence,
        handed_us=commit_us,
        head=None,
        frontier_us=now_us,
        still_since=now,
        fill_due=now + fill_grace_s,
    )


def step(state: LaneState, event: Event) -> Step:
    """What an event makes of a lane, and what is to be done about it. A lost lane stays as it is."""
    if state.lost is not None:
        return state, ()
    match event:
        case Delivered():
            return _delivered(state, event)
        case HeartbeatArrived():
            return _heartbeat(state, event)
        case Interrupted():
            return _interrupted(state, event)
        case Applied():
            return _applied(state, event), ()
        case Refused():
            return _refused(state, event)
        case Filled():
            return _filled(state, event)
        case TooOld():
            return _lost(state, f"the source's change log no longer holds sequence {state.handed + 1}")
        case LaneUnknown():
            return replace(state, filling=False, fill_due=event.now + unknown_retry_s), ()
        case Tick():
            return _tick(state, event)
        case _:
            assert_never(event)


def _delivered(state: LaneState, event: Delivered) -> Step:
    if not event.records:
        return state, ()
    if any(_differs(state, record.sequence, commit_us_of(record.record)) for record in event.records):
        return _lost(state, _reused(state))
    last = event.records[-1].sequence
    # What a feed delivers does not tell how far the source has come: the feed itself may have lost the rest.
    head = None if state.head is None else max(last, state.head)
    state, effects = _hand_on(state, event.records, head=head, now=event.now)
    if last > state.handed and not state.filling:
        state, fill = _fill(state)
        return state, (*effects, *fill)
    return state, effects


def _heartbeat(state: LaneState, event: HeartbeatArrived) -> Step:
    if event.head < state.applied and not state.filling:
        # Old news, or a source that has lost what is applied here: it is asked which.
        return _fill(state)
    head = max(event.head, state.head or 0)
    if head <= state.applied:
        return replace(state, head=head, fill_due=None, proven_us=max(event.time_us, state.proven_us)), ()
    waiting = replace(
        state,
        head=head,
        frontier_us=state.frontier_us if state.marks or state.head is None else event.previous_us,
        marks=_with_mark(state.marks, Mark(event.head, event.time_us)),
        still_since=_still_since(state, event.now),
        fill_due=event.now + fill_grace_s if state.fill_due is None else state.fill_due,
    )
    return waiting, ()


def _interrupted(state: LaneState, event: Interrupted) -> Step:
    if event.head is not None:
        head = max(event.head, state.head or 0)
        state = replace(state, head=head, still_since=_still_since(state, event.now))
        # A head below what was handed on, or another change in its place: the source's log will tell what is true.
        is_known = event.head >= state.handed and not _differs(state, event.head, event.commit_us)
        if head <= state.handed and is_known:
            return replace(state, fill_due=None if state.caught_up else state.fill_due), ()
    return _fill(state)


def _applied(state: LaneState, event: Applied) -> LaneState:
    if event.sequence <= state.applied:
        return state
    covered = [mark for mark in state.marks if mark.head <= event.sequence]
    state = replace(
        state,
        applied=event.sequence,
        offset=state.offset if event.offset == no_offset else event.offset,
        handed=max(state.handed, event.sequence),
        handed_us=event.commit_us if event.sequence > state.handed else state.handed_us,
        frontier_us=covered[-1].time_us if covered else state.frontier_us,
        proven_us=max(covered[-1].time_us, state.proven_us) if covered else state.proven_us,
        marks=state.marks[len(covered) :],
        still_since=event.now,
    )
    return replace(state, fill_due=None if state.caught_up else event.now + fill_grace_s)


def _refused(state: LaneState, event: Refused) -> Step:
    position = replace(
        state, applied=event.sequence, offset=event.offset, handed=event.sequence, handed_us=event.commit_us
    )
    return _fill(position)


def _filled(state: LaneState, event: Filled) -> Step:
    if event.head < event.after:
        return _lost(state, f"the source has {event.head} changes, and had {event.after}: its data have become older")
    if _differs(state, event.after, event.commit_us):
        return _lost(state, _reused(state))
    if event.records and event.records[0].sequence > event.after + 1:
        return _lost(state, f"the source's change log has a gap behind sequence {event.after}")
    # Without a place of their own in the feed, filled records keep the one from which it can safely be read again.
    records = [record._replace(offset=state.offset) for record in event.records]
    state, effects = _hand_on(state, records, head=max(event.head, state.head or 0), now=event.now)
    if state.handed < (state.head or 0) and (event.records or event.after > state.handed):
        state, fill = _fill(state)
        return state, (*effects, *fill)
    return replace(state, filling=False, fill_due=None if state.caught_up else event.now + fill_grace_s), effects


def _tick(state: LaneState, event: Tick) -> Step:
    if state.filling or state.fill_due is None or event.now < state.fill_due:
        return state, ()
    return _fill(state)


def _hand_on(state: LaneState, records: Sequence[Delivery], *, head: int | None, now: float) -> Step:
    """Hands on what follows contiguously; earlier records are repeats, later ones stand behind a gap."""
    run = []
    handed = state.handed
    for record in records:
        if record.sequence == handed + 1:
            run.append(record)
            handed += 1
    handed_us = commit_us_of(run[-1].record) or 0 if run else state.handed_us
    state = replace(state, handed=handed, handed_us=handed_us, head=head, still_since=_still_since(state, now))
    return state, (Apply(run),) if run else ()


def _still_since(state: LaneState, now: float) -> float:
    """For an event that may bring backlog: a lane at rest stands still only from then on."""
    return state.still_since if state.backlog else now


def _differs(state: LaneState, sequence: int, commit_us: int | None) -> bool:
    """Whether this is another change than the one that was handed on last under the same sequence."""
    return sequence == state.handed and bool(state.handed_us and commit_us) and commit_us != state.handed_us


def _reused(state: LaneState) -> str:
    return f"the source has another change of sequence {state.handed} than before: its data have become older"


def _fill(state: LaneState) -> Step:
    return replace(state, filling=True), (Fill(state.handed),)


def _lost(state: LaneState, reason: str) -> Step:
    return replace(state, lost=reason, filling=False, fill_due=None), (NeedsResync(reason),)


def _with_mark(marks: tuple[Mark, ...], mark: Mark) -> tuple[Mark, ...]:
    """Marks in order of head; of too many, one in the middle goes, which only makes the frontier coarser."""
    marks = (*marks, Mark(max(mark.head, marks[-1].head), mark.time_us) if marks else mark)
    return marks if len(marks) <= marks_max else marks[: marks_max // 2] + marks[marks_max // 2 + 1 :]
