"""The reading side of one partition file: point reads and bounded slices of ranges, on the event loop.

Each call is one short read transaction on what is committed; a caller that wants many rows asks for slice after slice
and gives way in between.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import apsw

from services.region.rules.stored import StoredItem
from services.region.storage import statements
from services.region.storage.connections import open_reader
from services.region.storage.partition_file import LoggedChange
from services.region.storage.partition_state import PartitionState, is_made, load_state
from shared.model.keys import ItemKey

RowPlace = tuple[int, bytes, bytes]
IndexPlace = tuple[bytes, int, bytes, bytes]  # within one partition key of an index: sort key, then the item's key
IndexRowPlace = tuple[bytes, bytes, int, bytes, bytes]

before_all: RowPlace = (-1, b"", b"")


class ItemRow(NamedTuple):
    key: ItemKey
    image: bytes


class StoredRow(NamedTuple):
    key: ItemKey
    stored: StoredItem


class CollectionRow(NamedTuple):
    sort: bytes
    image: bytes


class IndexRow(NamedTuple):
    """An entry of an index with its item."""

    partition: bytes
    sort: bytes
    key: ItemKey
    image: bytes


class LoggedAge(NamedTuple):
    """A change of the log without its record."""

    sequence: int
    origin_sequence: int | None  # None: applied here, made elsewhere
    commit_us: int


class LoggedRow(NamedTuple):
    """A change of the log, whole."""

    sequence: int
    origin_sequence: int | None  # None: applied here, made elsewhere
    commit_us: int
    record: bytes
    old_image: bytes | None


class PartitionReader:
    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._is_reading = False
        self._connection: apsw.Connection = open_reader(path, key)
        self._execute = self._connection.cursor().execute  # of point reads: one cursor, used again

    def is_made(self) -> bool:
        """False while the transaction that makes the file's tables is not committed."""
        return is_made(self._connection, self._path)

    def state(self) -> PartitionState:
        return load_state(self._connection)

    def begin(self) -> bool:
        """Lets the reads that follow share one transaction until `end`; whether this call began it."""
        began = not self._is_reading
        if began:
            self._execute("BEGIN")
            self._is_reading = True
        return began

    def end(self) -> None:
        if self._is_reading:
            self._execute("COMMIT")
            self._is_reading = False

    def read(self, key: ItemKey) -> StoredItem | None:
        row = self._execute(statements.read_item, key).get
        return None if row is None else StoredItem(*row)

    def collection(
        self, slot: int, partition_key: bytes, *, first: bytes, end: bytes, forward: bool, rows_max: int
    ) -> Sequence[CollectionRow]:
        """Live items of one partition key with `first` <= sort key < `end`, in sort key order or backward."""
        statement = statements.read_collection if forward else statements.read_collection_backward
        rows = self._connection.execute(statement, (slot, partition_key, first, end, rows_max))
        return [CollectionRow(*row) for row in rows]

    def collection_bytes(self, key: ItemKey) -> int:
        """Size of the items with this partition key and of what local indexes hold of them."""
        size_bytes: int | None = self._connection.execute(
            statements.read_collection_size, (key.slot, key.partition)
        ).get
        return size_bytes or 0

    def index_collection(
        self, number: int, partition: bytes, *, first: IndexPlace, end: IndexPlace, forward: bool, rows_max: int
    ) -> Sequence[IndexRow]:
        """Entries of one partition key of an index after `first` and before `end`, in their order or backward.

        Forward, of `end` only the sort key counts, which is beyond the range; backward, of `first` only the sort
        key, which is within it.
        """
        if forward:
            bounds = (number, partition, *first, end[0], rows_max)
            rows = self._connection.execute(statements.read_index_collection, bounds)
        else:
            bounds = (number, partition, *end, first[0], rows_max)
            rows = self._connection.execute(statements.read_index_collection_backward, bounds)
        return [IndexRow(partition, sk, ItemKey(slot, pk, base_sk), image) for sk, slot, pk, base_sk, image in rows]

    def index_after(self, number: int, after: IndexRowPlace, *, rows_max: int) -> Sequence[IndexRow]:
        """Entries of an index in its order, after one of them."""
        rows = self._connection.execute(statements.scan_index, (number, *after, rows_max))
        return [IndexRow(pk, sk, ItemKey(*key), image) for pk, sk, *key, image in rows]

    def items_after(self, after: RowPlace, *, end_slot: int, rows_max: int) -> Sequence[ItemRow]:
        """Live items in key order after a key, in slots below `end_slot`."""
        rows = self._connection.execute(statements.scan_items, (*after, end_slot, rows_max))
        return [ItemRow(ItemKey(slot, pk, sk), image) for slot, pk, sk, image in rows]

    def rows_after(self, after: RowPlace, *, end_slot: int, rows_max: int) -> Sequence[StoredRow]:
        """Stored rows, tombstones as well, in key order after a key, in slots below `end_slot`."""
        rows = self._connection.execute(statements.scan_rows, (*after, end_slot, rows_max))
        return [StoredRow(ItemKey(slot, pk, sk), StoredItem(*stored)) for slot, pk, sk, *stored in rows]

    def changes_after(self, origin_sequence: int, *, bytes_max: int, rows_max: int) -> Sequence[LoggedChange]:
        """Changes made here after an origin sequence, in order, cut at `bytes_max` bytes of records."""
        changes: list[LoggedChange] = []
        total = 0
        first, last, head = self._log_bounds()
        if origin_sequence >= head:
            return changes
        after = self._last_below(statements.read_logged_origin, origin_sequence + 1, after=first - 1, through=last)
        for row in self._connection.execute(statements.read_own_changes, (after, rows_max)):
            change = LoggedChange(*row)
            total += len(change.record)
            if changes and total > bytes_max:
                break
            changes.append(change)
            if change.origin_sequence == head:
                break  # what follows was made elsewhere, however much it is
        return changes

    def logged(self, after: int, *, through: int, rows_max: int) -> Sequence[LoggedRow]:
        """Changes made and applied here after a sequence, in order."""
        rows = self._connection.execute(statements.read_changes, (after, through, rows_max))
        return [LoggedRow(*row) for row in rows]

    def last_logged_before(self, time_us: int, *, after: int, through: int) -> int:
        """The last sequence of the log's prefix, `after` < sequence <= `through`, that is older than a time."""
        return self._last_below(statements.read_logged_us, time_us, after=after, through=through)

    def oldest_changes(self, rows_max: int) -> Sequence[LoggedAge]:
        """The oldest changes of the log, in order."""
        return [LoggedAge(*row) for row in self._connection.execute(statements.read_oldest_changes, (rows_max,))]

    def oldest_tombstone(self) -> int | None:
        """Since when the oldest tombstone is here, as a timestamp."""
        timestamp: int | None = self._connection.execute(statements.read_oldest_tombstone).get
        return timestamp

    def commit_us_of(self, origin_sequence: int) -> int:
        """When a change made here was committed; 0 when the log no longer tells."""
        first, last, _ = self._log_bounds()
        before = self._last_below(statements.read_logged_origin, origin_sequence, after=first - 1, through=last)
        commit_us: int | None = self._connection.execute(statements.read_commit_us, (before + 1, origin_sequence)).get
        return commit_us or 0

    def close(self) -> None:
        self.end()
        self._connection.close()

    def _log_bounds(self) -> tuple[int, int, int]:
        """The log's first and last sequence, and the last origin sequence."""
        first: int | None = self._connection.execute(statements.read_first_change).get
        if first is None:
            return 1, 0, 0
        last, head = self._connection.execute(statements.read_last_change).get
        return first, last, head

    def _last_below(self, statement: str, bound: int, *, after: int, through: int) -> int:
        """The last of the sequences `after` < sequence <= `through` whose value is below a bound; values rise."""
        while after < through:
            middle = (after + through + 1) // 2
            value: int | None = self._connection.execute(statement, (middle,)).get
            if value is None or value < bound:
                after = middle
            else:
                through = middle - 1
        return after


def place_of(key: ItemKey) -> RowPlace:
    return (key.slot, key.partition, key.sort)


def before_slot(slot: int) -> RowPlace:
    """A place before every row of a slot: keys are never empty."""
    return (slot, b"", b"")
