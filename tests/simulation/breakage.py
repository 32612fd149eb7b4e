"""Rules broken on purpose: with any of these the simulation must fail, or it proves nothing.

Each breakage replaces functions of the code under test by ones that forget one rule.
"""

import itertools
from asyncio import Future
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import apsw

from services.region.engine import remote_changes
from services.region.engine.horizons import Horizons
from services.region.engine.registry import Table
from services.region.engine.remote_changes import ApplyChanges, LaneOutcome, Tally, apply_change
from services.region.engine.snapshots import SnapshotPage, Snapshots
from services.region.engine.time_to_live import Expire
from services.region.rules import remote
from services.region.rules.remote import RemoteDecision, decide_remote
from services.region.rules.stored import StoredItem
from services.region.rules.time_to_live import is_to_expire
from services.region.storage import index_entries, partition_file
from services.region.storage.index_entries import FileIndex, IndexPhase
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partition_state import CopyState
from services.region.storage.partitions import Partition
from services.region.storage.writer import Job
from services.replicator.io import port as ports
from services.replicator.io.port import ApplyMode, OwnedLane, SourceRegion
from services.replicator.link import lane as links
from services.replicator.link.lane_events import Apply
from services.replicator.work.apply import Applier
from services.replicator.work.resync import Copier
from services.replicator.work.run import Worker
from shared.changes.batches import Delivery
from shared.changes.records import Change, Kind, Lane, decode_change
from shared.errors import RequestRefusedError
from shared.feed.port import Position
from shared.model.keys import ItemKey
from shared.model.tables import RegionName
from shared.versions.resolve import Outcome, Resolution, Stamp, resolve
from shared.versions.versions import merge_seen, timestamp_at
from tests.simulation.disk import SimulatedFile


class Replacement(NamedTuple):
    owner: Any
    name: str
    broken: Callable[..., Any]


@contextmanager
def broken(breakage: str | None) -> Iterator[None]:
    """With a rule broken; None breaks nothing."""
    replacements = () if breakage is None else breakages[breakage]
    whole = [(owner, name, getattr(owner, name)) for owner, name, _ in replacements]
    for owner, name, function in replacements:
        setattr(owner, name, function)
    try:
        yield
    finally:
        for owner, name, function in whole:
            setattr(owner, name, function)


# Versions and conflicts


def _seen_vector_ignored(stored: Stamp | None, incoming: Stamp) -> Resolution:
    """The higher version wins, and whatever lost was concurrent."""
    if stored is None:
        return Resolution(Outcome.APPLIED, concurrent=False, seen=incoming.seen)
    outcome = Outcome.APPLIED if incoming.version > stored.version else Outcome.SUPERSEDED
    return Resolution(outcome, concurrent=True, seen=merge_seen(stored.seen, incoming.seen))


def _arrival_decides(stored: Stamp | None, incoming: Stamp) -> Resolution:
    """Of two concurrent versions the one that comes last wins."""
    resolution = resolve(stored, incoming)
    return resolution._replace(outcome=Outcome.APPLIED) if resolution.concurrent else resolution


def _arrival_breaks_ties(stored: Stamp | None, incoming: Stamp) -> Resolution:
    """Of two concurrent versions with one timestamp the one that comes last wins."""
    resolution = resolve(stored, incoming)
    tied = stored is not None and stored.version.timestamp == incoming.version.timestamp
    return resolution._replace(outcome=Outcome.APPLIED) if resolution.concurrent and tied else resolution


def _conflict_forgotten(change: Change, stored: StoredItem | None) -> RemoteDecision:
    return decide_remote(change, stored)._replace(loser=None, winner=None)


def _arriving_loser_forgotten(change: Change, stored: StoredItem | None) -> RemoteDecision:
    """Only what is replaced goes to the conflict log."""
    decision = decide_remote(change, stored)
    return decision if decision.item is not None else decision._replace(loser=None, winner=None)


def _vector_stays(change: Change, stored: StoredItem | None) -> RemoteDecision:
    """What lost leaves no trace in the vector of what stays."""
    return decide_remote(change, stored)._replace(seen=None)


def _clock_alone(wall_us: int, _stored: int) -> int:
    """The timestamp of a write is the clock's, whatever it was made over."""
    return timestamp_at(wall_us)


# Positions


class _PositionFirst:
    def __init__(self, job: ApplyChanges) -> None:
        self._job = job

    def run(self, file: PartitionFile, now_us: int) -> None:  # noqa: ARG002 - a job is given the time
        position = file.state.positions.get(self._job._source, Position(0))
        for delivery in self._job._deliveries:
            if delivery.sequence == position.sequence + 1:
                position = Position(delivery.sequence)
        if position.sequence:
            file.write_position(self._job._source, position)


class _ChangesLater:
    def __init__(self, job: ApplyChanges) -> None:
        self._job = job

    def run(self, file: PartitionFile, now_us: int) -> LaneOutcome:
        for delivery in self._job._deliveries:
            apply_change(file, decode_change(delivery.record), delivery.record, now_us=now_us, tally=Tally())
        return LaneOutcome(file.state.positions.get(self._job._source, Position(0)))


_submit = Partition.submit


def _position_before_changes(self: Partition, job: Job[Any]) -> "Future[Any]":
    """Two transactions, one after the other, instead of one."""
    if not isinstance(job, ApplyChanges):
        return _submit(self, job)
    outcome: Future[Any] = Future()

    def go_on(first: "Future[Any]") -> None:
        if first.exception() is None:
            _submit(self, _ChangesLater(job)).add_done_callback(settle)
        else:
            settle(first)

    def settle(last: "Future[Any]") -> None:
        if outcome.cancelled():
            last.exception()
        elif (error := last.exception()) is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(last.result())

    _submit(self, _PositionFirst(job)).add_done_callback(go_on)
    return outcome


_run_apply_changes = ApplyChanges.run


def _gap_taken(self: ApplyChanges, file: PartitionFile, now_us: int) -> LaneOutcome:
    """The target takes whatever is beyond its position."""
    outcome = LaneOutcome(file.state.positions.get(self._source, Position(0)))
    for delivery in self._deliveries:
        if delivery.sequence > outcome.position.sequence + 1:
            file.write_position(self._source, Position(delivery.sequence - 1))
        outcome = _run_apply_changes(ApplyChanges(self._source, [delivery], self._partition_count), file, now_us)
    return outcome


def _gap_handed_on(state: links.LaneState, records: Sequence[Delivery], *, head: int | None) -> links.Step:
    """The link hands on whatever is beyond what it has handed on."""
    later = [record for record in records if record.sequence > state.handed]
    if not later:
        return replace(state, head=head), ()
    return replace(state, handed=later[-1].sequence, head=head), (Apply(later),)


def _loss_denied(state: links.LaneState, _reason: str) -> links.Step:
    """A lane that can't be continued waits for better times."""
    return replace(state, filling=False), ()


# Copies


async def _positions_after_rows(
    self: Copier, owned: OwnedLane, donor: RegionName, region: SourceRegion
) -> ports.SnapshotPage:
    applier = Applier(self._own, donor, chance=self._chance)
    page = await region.snapshot(owned.lane, None)
    while True:
        await applier.apply(page.deliveries, mode=ApplyMode.SNAPSHOT)
        if page.cursor is None:
            return page
        page = await region.snapshot(owned.lane, page.cursor)


_snapshot = Snapshots.page


def _tombstones_left_out(self: Snapshots, target: RegionName, lane: Lane, *, cursor: str | None) -> SnapshotPage:
    page = _snapshot(self, target, lane, cursor=cursor)
    return page._replace(deliveries=[row for row in page.deliveries if decode_change(row.record).image is not None])


def _whole_donors_only(self: Snapshots, target: RegionName, lane: Lane, *, cursor: str | None) -> SnapshotPage:
    """Who waits for others gives no copy; two that wait for each other wait for ever."""
    page = _snapshot(self, target, lane, cursor=cursor)
    partition = self._lanes.fed(target, lane)
    if partition.state.completeness is not CopyState.FOLLOWING:
        raise RequestRefusedError("not_ready", "this region's own copy is not complete")
    return page


# Tombstones


def _age_alone(_self: Horizons, _table: Table, _lane: Lane) -> None:
    """Every region forgets a tombstone after a day, whatever the others still have to get."""


def _horizon_claimed(self: Worker, lanes: Sequence[Lane]) -> Mapping[Lane, int]:
    """A replicator says that it has everything up to now, without heartbeats that prove it and while it has nothing."""
    return dict.fromkeys(lanes, self._clock.wall_us())


# Expiry


def _expiry_by_the_clock(self: Expire, file: PartitionFile, now_us: int) -> None:
    """An expiry beats everything that was written before it, seen or not."""
    for key in self._keys:
        stored = file.read(key)
        if stored is not None and is_to_expire(stored, self._attribute, region=file.region, now_us=now_us):
            file.write_local(key, stored, kind=Kind.EXPIRY, image=None, now_us=now_us)


# Indexes

_maintain = index_entries.maintain_indexes


def _entries_left_behind(
    connection: apsw.Connection, indexes: Iterable[FileIndex], key: ItemKey, *, old: bytes | None, new: bytes | None
) -> None:
    """A deleted item keeps its entries."""
    if new is not None:
        _maintain(connection, indexes, key, old=old, new=new)


def _not_filled(_connection: apsw.Connection, held: FileIndex, **_: int) -> None:
    """An index that comes to a table holds what is written from then on."""
    held.phase = IndexPhase.BUILT


# Durability

_commit = SimulatedFile.commit
_commits = itertools.count(1)


def _commit_forgotten(self: SimulatedFile) -> None:
    """One commit of many is none, and nobody is told."""
    if next(_commits) % 50:
        _commit(self)
    else:
        self.connection.execute("ROLLBACK")


breakages: Mapping[str, Sequence[Replacement]] = {
    "seen-vector-ignored": [Replacement(remote, "resolve", _seen_vector_ignored)],
    "arrival-decides": [Replacement(remote, "resolve", _arrival_decides)],
    "arrival-breaks-ties": [Replacement(remote, "resolve", _arrival_breaks_ties)],
    "conflict-forgotten": [Replacement(remote_changes, "decide_remote", _conflict_forgotten)],
    "arriving-loser-forgotten": [Replacement(remote_changes, "decide_remote", _arriving_loser_forgotten)],
    "vector-stays": [Replacement(remote_changes, "decide_remote", _vector_stays)],
    "clock-alone": [Replacement(partition_file, "next_timestamp", _clock_alone)],
    "position-before-changes": [Replacement(Partition, "submit", _position_before_changes)],
    "gap-jumped-over": [
        Replacement(ApplyChanges, "run", _gap_taken),
        Replacement(links, "_hand_on", _gap_handed_on),
    ],
    "loss-denied": [Replacement(links, "_lost", _loss_denied)],
    "positions-after-rows": [Replacement(Copier, "_copy_rows", _positions_after_rows)],
    "tombstones-left-out": [Replacement(Snapshots, "page", _tombstones_left_out)],
    "whole-donors-only": [Replacement(Snapshots, "page", _whole_donors_only)],
    "tombstones-by-age-alone": [Replacement(Horizons, "lowest", _age_alone)],
    "horizon-claimed": [Replacement(Worker, "_horizons_of", _horizon_claimed)],
    "expiry-by-the-clock": [Replacement(Expire, "run", _expiry_by_the_clock)],
    "entries-left-behind": [Replacement(partition_file, "maintain_indexes", _entries_left_behind)],
    "index-not-filled": [Replacement(partition_file, "build_index", _not_filled)],
    "commit-forgotten": [Replacement(SimulatedFile, "commit", _commit_forgotten)],
}
