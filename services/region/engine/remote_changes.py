"""Other regions' changes inside a partition's transaction: each is decided on the stored row, and the position moves.

One job takes the changes of a source's lane, contiguous from the position that is stored with them; another takes the
rows of a snapshot, which have no sequence and move no position.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from services.region.rules.remote import check_stamp, decide_remote, drift_of
from services.region.storage.partition_file import PartitionFile
from shared.changes.batches import Delivery
from shared.changes.records import Change, commit_us_of, decode_change
from shared.errors import CorruptRecordError, RequestRefusedError
from shared.feed.port import Position
from shared.model.keys import ItemKey, partition_of, slot_of
from shared.versions.resolve import Outcome

outcome_names = ("applied", "superseded", "duplicate", "conflicts", "dead_letters", "drifted")


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
