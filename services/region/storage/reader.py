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
from services.region.storage.partition_file import LoggedChange, PartitionState, has_tables, load_state
from shared.model.keys import ItemKey

RowPlace = tuple[int, bytes, bytes]

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


class LoggedAge(NamedTuple):
    """A change of the log without its record."""

    sequence: int
    origin_sequence: int | None  # None: applied here, made elsewhere
    commit_us: int


class PartitionReader:
    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._is_reading = False
        self._connection: apsw.Connection = open_reader(path, key)

    def is_made(self) -> bool:
        """False while the transaction that makes the file's tables is not committed."""
        return has_tables(self._connection)

    def state(self) -> PartitionState:
        return load_state(self._connection, self._path)

    def begin(self) -> bool:
        """Lets the reads that follow share one transaction until `end`; whether this call began it."""
        began = not self._is_reading
        if began:
            self._connection.execute("BEGIN")
            self._is_reading = True
        return began

    def end(self) -> None:
        if self._is_reading:
            self._connection.execute("COMMIT")
            self._is_reading = False

    def read(self, key: ItemKey) -> StoredItem | None:
        row = self._connection.execute(statements.read_item, (key.slot, key.partition, key.sort)).get
        return None if row is None else StoredItem(*row)

    def collection(
        self, slot: int, partition_key: bytes, *, first: bytes, end: bytes, forward: bool, rows_max: int
    ) -> Sequence[CollectionRow]:
        """Live items of one partition key with `first` <= sort key < `end`, in sort key order or backward."""
        statement = statements.read_collection if forward else statements.read_collection_backward
        rows = self._connection.execute(statement, (slot, partition_key, first, end, rows_max))
        return [CollectionRow(*row) for row in rows]

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
        for row in self._connection.execute(statements.read_lane, (origin_sequence, rows_max)):
            change = LoggedChange(*row)
            total += len(change.record)
            if changes and total > bytes_max:
                break
            changes.append(change)
        return changes

    def oldest_changes(self, rows_max: int) -> Sequence[LoggedAge]:
        """The oldest changes of the log, in order."""
        return [LoggedAge(*row) for row in self._connection.execute(statements.read_oldest_changes, (rows_max,))]

    def close(self) -> None:
        self.end()
        self._connection.close()


def before_slot(slot: int) -> RowPlace:
    """A place before every row of a slot: keys are never empty."""
    return (slot, b"", b"")
