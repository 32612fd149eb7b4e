"""The target's side of replication: other regions' changes enter here, in order per lane, exactly once in effect.

A lane's position is stored in the transaction that applies its changes, so a restart or a repeat applies nothing
twice and a gap is never jumped over. Changes, snapshots and table definitions all take this one way.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

import structlog

from services.region.engine.feed import LoseSource, catalog_lane
from services.region.engine.registry import Registry, Table
from services.region.engine.replicas import Replicas
from services.region.rules.remote import check_stamp, decide_remote, drift_of
from services.region.storage.catalog import Stage
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partition_state import CopyState
from services.region.storage.partitions import Partition
from services.region.storage.reader import RowPlace, place_of
from shared.changes.batches import Delivery
from shared.changes.records import Change, Lane, commit_us_of, decode_change
from shared.clock import Clock
from shared.errors import CorruptRecordError, RequestRefusedError
from shared.feed.port import Position
from shared.limits import scan_slice_rows_max, slots
from shared.model.keys import ItemKey, partition_of, slot_of
from shared.model.tables import Generation, RegionName
from shared.topology import Topology
from shared.versions.resolve import Outcome
from shared.versions.versions import Version

log = structlog.get_logger(__name__)

_opens_per_slice = 16


class LaneOutcome(NamedTuple):
    """What became of one lane's part of a batch; `gap`: nothing beyond `position` was applied."""

    position: Position
    applied: int = 0
    superseded: int = 0
    duplicate: int = 0
    conflicts: int = 0
    dead_letters: int = 0
    drifted: int = 0
    gap: bool = False


class LaneReport(NamedTuple):
    """A lane as its replicator has to know it."""

    lane: Lane
    table: str
    stage: Stage
    state: CopyState
    positions: Mapping[str, Position]
    donors: Sequence[RegionName]
    lost: Sequence[RegionName]  # sources that can't be followed from here; they are donors of what they made, at least


@dataclass(slots=True)
class ReplicationCounts:
    """Totals since the process began, for metrics."""

    outcomes: dict[tuple[str, str], int] = field(default_factory=dict)  # (source, outcome) -> changes

    def add(self, source: str, outcome: LaneOutcome) -> None:
        for name in ("applied", "superseded", "duplicate", "conflicts", "dead_letters", "drifted"):
            count = getattr(outcome, name)
            if count:
                key = (source, name)
                self.outcomes[key] = self.outcomes.get(key, 0) + count


class Replication:
    def __init__(
        self,
        registry: Registry,
        replicas: Replicas,
        *,
        definitions: Partition,
        topology: Topology,
        region: str,
        clock: Clock,
    ) -> None:
        self.counts = ReplicationCounts()
        self._registry = registry
        self._replicas = replicas
        self._definitions = definitions
        self._topology = topology
        self._region = region
        self._clock = clock

    async def apply(
        self, source: RegionName, deliveries: Sequence[Delivery], *, snapshot: bool
    ) -> Mapping[Lane, LaneOutcome | None]:
        """Applies a batch, lane by lane, all lanes at once; None for a lane that is not here."""
        number = self._topology.named(source).number
        by_lane: dict[Lane, list[Delivery]] = {}
        for delivery in deliveries:
            by_lane.setdefault(delivery.lane, []).append(delivery)
        partitions = {lane: self._partition(lane) for lane in by_lane}
        present = {lane: partition for lane, partition in partitions.items() if partition is not None}
        outcomes = await asyncio.gather(
            *(
                partition.submit(
                    ApplySnapshot(by_lane[lane], self._partition_count(lane))
                    if snapshot
                    else ApplyChanges(number, by_lane[lane], self._partition_count(lane))
                )
                for lane, partition in present.items()
            ),
            return_exceptions=True,
        )
        results: dict[Lane, LaneOutcome | None] = dict.fromkeys(partitions)
        failures = []
        for lane, outcome in zip(present, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                failures.append(outcome)
            else:
                results[lane] = outcome
                self.counts.add(source, outcome)
        if results.get(catalog_lane) is not None:
            await self._replicas.reconcile()
        if failures:
            raise failures[0]  # the other lanes are applied; the replicator sends all again and these are skipped
        return results

    async def lanes(self) -> Sequence[LaneReport]:
        """Every lane of which this region is to have a copy, with its positions."""
        everybody = [RegionName(peer.name) for peer in self._topology.others(self._region)]
        reports = [self._report(self._definitions, table=None, sources=everybody, donors=everybody)]
        count = 0
        for table in self._registry.all():
            if not table.definition.is_global or table.stage not in (Stage.CREATING, Stage.ACTIVE):
                continue
            sources = self._replicas.sources(table.definition)
            donors = self._replicas.donors(table.definition)
            for partition in table.partitions:
                reports.append(self._report(partition, table=table, sources=sources, donors=donors))
                count += 1
                if count % _opens_per_slice == 0:
                    await asyncio.sleep(0)
        return reports

    async def forget(
        self, lane: Lane, keys: Collection[ItemKey], *, after: RowPlace, through: RowPlace | None, collected: int
    ) -> None:
        """Drops what a donor has forgotten: of a range of its rows these `keys` are all that it holds.

        What is here beside them, no younger than the tombstones that it has collected, it has had and deleted.
        """
        partition = self._required(lane)
        while (reader := partition.reader) is not None:
            rows = reader.rows_after(after, end_slot=slots, rows_max=scan_slice_rows_max)
            inside = [row for row in rows if through is None or place_of(row.key) <= through]
            stale = [
                (row.key, row.stored.version)
                for row in inside
                if row.stored.timestamp <= collected and row.key not in keys
            ]
            if stale:
                dropped = await partition.submit(DropForgotten(stale))
                log.warning("items that others have deleted and forgotten are dropped", lane=lane, items=dropped)
            if len(inside) < scan_slice_rows_max:
                return
            after = place_of(inside[-1].key)
            await asyncio.sleep(0)

    async def finish_copy(
        self,
        lane: Lane,
        positions: Mapping[RegionName, Position],
        *,
        donor: RegionName | None,
        is_whole: bool,
    ) -> None:
        """The snapshot of a partition is applied; from now on it follows every region from the snapshot's positions.

        After a copy that is not whole, it follows when it has one of every source whose changes it has lost.
        """
        by_number = {self._topology.named(name).number: position for name, position in positions.items()}
        own = self._topology.named(self._region).number
        own_before = by_number.pop(own, Position(0)).sequence
        given_by = None if donor is None else self._topology.named(donor).number
        await self._required(lane).submit(
            FinishCopy(by_number, donor=given_by, is_whole=is_whole, origin_sequence_min=own_before)
        )
        self._registry.touch()

    async def caught_up(self, generation: Generation) -> None:
        """The replica has passed its snapshot's end for every origin: it may serve."""
        table = self._registry.of(generation)
        if table is None:
            raise RequestRefusedError("no_lane", "this region has no such table")
        if any(partition.state.completeness is not CopyState.FOLLOWING for partition in table.partitions):
            raise RequestRefusedError("not_ready", "a partition of the table is not copied yet")
        await self._replicas.activate(generation)

    async def needs_resync(self, lane: Lane, source: RegionName) -> None:
        """The lane can't follow `source` from its position; it is rebuilt from another region's snapshot."""
        await self._required(lane).submit(LoseSource(self._topology.named(source).number))
        self._registry.touch()

    def _report(
        self, partition: Partition, *, table: Table | None, sources: Sequence[RegionName], donors: Sequence[RegionName]
    ) -> LaneReport:
        state = partition.state
        return LaneReport(
            partition.lane,
            "" if table is None else table.definition.name,
            Stage.ACTIVE if table is None else table.stage,
            state.completeness,
            {name: state.positions.get(self._topology.named(name).number, Position(0)) for name in sources},
            donors,
            [name for name in sources if self._topology.named(name).number in state.lost],
        )

    def _required(self, lane: Lane) -> Partition:
        partition = self._partition(lane)
        if partition is None:
            raise RequestRefusedError("no_lane", "this region has no such lane")
        return partition

    def _partition(self, lane: Lane) -> Partition | None:
        if lane == catalog_lane:
            return self._definitions
        table: Table | None = self._registry.of(lane.generation)
        if (
            table is None
            or table.stage not in (Stage.CREATING, Stage.ACTIVE)
            or not 0 <= lane.partition < table.partition_count
        ):
            return None
        return table.partitions[lane.partition]

    def _partition_count(self, lane: Lane) -> int:
        table = self._registry.of(lane.generation)
        return 1 if table is None else table.partition_count


class ApplyChanges:
    """Job: changes of one source's lane, contiguous from the stored position on."""

    __slots__ = ("_deliveries", "_partition_count", "_source")

    def __init__(self, source: int, deliveries: Sequence[Delivery], partition_count: int) -> None:
        self._source = source
        self._deliveries = deliveries
        self._partition_count = partition_count

    def run(self, file: PartitionFile, now_us: int) -> LaneOutcome:
        start = position = file.state.positions.get(self._source, Position(0))
        tally = Tally()
        gap = False
        for delivery in self._deliveries:
            if delivery.sequence <= position.sequence:
                continue
            if delivery.sequence != position.sequence + 1:
                gap = True
                break
            commit_us = commit_us_of(delivery.record) or 0
            position = Position(delivery.sequence, max(delivery.offset, position.offset), commit_us)
            try:
                change = decode_change(delivery.record)
                self._check(change, delivery)
                if drift_of(change, now_us).is_refused:
                    raise CorruptRecordError("its timestamp is further ahead of this region's clock than is accepted")
                apply_change(file, change, delivery.record, now_us=now_us, tally=tally)
            except CorruptRecordError as error:
                file.write_dead_letter(self._source, position, reason=str(error), record=delivery.record, now_us=now_us)
                tally.dead_letters += 1
        if position != start:
            file.write_position(self._source, position)
        return tally.outcome(position, gap=gap)

    def _check(self, change: Change, delivery: Delivery) -> None:
        if change.origin != self._source:
            raise CorruptRecordError(f"it says that it comes from region {change.origin}, not from {self._source}")
        if change.lane != delivery.lane or change.origin_sequence != delivery.sequence:
            raise CorruptRecordError("it belongs to another lane or sequence than it was sent for")
        check_stamp(change)
        check_slot(change, self._partition_count)


class ApplySnapshot:
    """Job: rows of another region's snapshot; they carry no sequence and move no position."""

    __slots__ = ("_deliveries", "_partition_count")

    def __init__(self, deliveries: Sequence[Delivery], partition_count: int) -> None:
        self._deliveries = deliveries
        self._partition_count = partition_count

    def run(self, file: PartitionFile, now_us: int) -> LaneOutcome:
        tally = Tally()
        for delivery in self._deliveries:
            try:
                change = decode_change(delivery.record)
                if change.lane != delivery.lane:
                    raise CorruptRecordError("it belongs to another lane than it was sent for")
                check_stamp(change)
                check_slot(change, self._partition_count)
                if is_forgotten(file, change):
                    tally.count(Outcome.SUPERSEDED)
                else:
                    apply_change(file, change, delivery.record, now_us=now_us, tally=tally)
            except CorruptRecordError as error:
                raise RequestRefusedError("bad_snapshot", str(error)) from error
        return tally.outcome(Position(0), gap=False)


@dataclass(slots=True)
class Tally:
    """Counts of one job's outcomes."""

    applied: int = 0
    superseded: int = 0
    duplicate: int = 0
    conflicts: int = 0
    dead_letters: int = 0
    drifted: int = 0

    def count(self, outcome: Outcome) -> None:
        if outcome is Outcome.APPLIED:
            self.applied += 1
        elif outcome is Outcome.SUPERSEDED:
            self.superseded += 1
        else:
            self.duplicate += 1

    def outcome(self, position: Position, *, gap: bool) -> LaneOutcome:
        return LaneOutcome(position, gap=gap, **asdict(self))


def apply_change(file: PartitionFile, change: Change, record: bytes, *, now_us: int, tally: Tally) -> None:
    """One change against the stored row: item, conflict row and change row, as rules/remote decides.

    Raises `CorruptRecordError` before anything is written.
    """
    key = ItemKey(slot_of(change.partition_key), change.partition_key, change.sort_key)
    stored = file.read(key)
    decision = decide_remote(change, stored)
    tally.count(decision.outcome)
    if decision.item is not None:
        file.write_applied(key, stored, decision.item, record=record, now_us=now_us)
    elif decision.seen is not None:
        file.write_seen(key, decision.seen)
    if decision.loser is not None and decision.winner is not None:
        file.write_conflict(key, loser=decision.loser, winner=decision.winner, now_us=now_us)
        tally.conflicts += 1
    if drift_of(change, now_us).is_alarming:
        tally.drifted += 1


def is_forgotten(file: PartitionFile, row: Change) -> bool:
    """Whether a donor's row is one that was deleted here, and the tombstone collected since."""
    if row.version.timestamp > file.state.collected_timestamp:
        return False
    return file.read(ItemKey(slot_of(row.partition_key), row.partition_key, row.sort_key)) is None


def check_slot(change: Change, partition_count: int) -> None:
    if partition_of(slot_of(change.partition_key), partition_count) != change.lane.partition:
        raise CorruptRecordError("its key belongs to another partition")


class FinishCopy:
    """Job: a partition's snapshot is complete."""

    __slots__ = ("_donor", "_is_whole", "_origin_sequence_min", "_positions")

    def __init__(
        self, positions: Mapping[int, Position], *, donor: int | None, is_whole: bool, origin_sequence_min: int
    ) -> None:
        self._positions = positions
        self._donor = donor
        self._is_whole = is_whole
        self._origin_sequence_min = origin_sequence_min

    def run(self, file: PartitionFile, now_us: int) -> None:  # noqa: ARG002 - a job is given the time
        lost = file.state.lost
        for source, position in self._positions.items():
            known = file.state.positions.get(source, Position(0))
            # Under the sequence up to which it was told, a source that lost changes may have made another one.
            if position.sequence > known.sequence or (source == self._donor and position.sequence == known.sequence):
                file.write_position(source, position)
        file.raise_origin_sequence(self._origin_sequence_min)
        file.write_lost(frozenset() if self._is_whole else lost - {self._donor})
        if not file.state.lost:
            file.state.completeness = CopyState.FOLLOWING


class DropForgotten:
    """Job: drops items as long as they are in the given versions; how many."""

    __slots__ = ("_items",)

    def __init__(self, items: Sequence[tuple[ItemKey, Version]]) -> None:
        self._items = items

    def run(self, file: PartitionFile, now_us: int) -> int:
        dropped = 0
        for key, version in self._items:
            stored = file.read(key)
            if stored is not None and stored.version == version:
                file.drop_item(key, stored, now_us=now_us)
                dropped += 1
        return dropped
