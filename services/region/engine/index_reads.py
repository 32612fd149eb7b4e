"""Query and Scan on indexes. Entries live beside their items, so an index is read by partition and never behind them.

A local index is asked in the one partition of its collection, a global one in all of them, whose entries are merged
in the order of (sort key, item's key). Pages go on from the exact place of the last entry, whatever has become of it.
"""

from collections import deque

from services.region.commands.items import IndexUnits, ReturnConsumedCapacity
from services.region.commands.queries import Page, Query, Scan
from services.region.engine.indexes import Indexes
from services.region.engine.registry import Table
from services.region.engine.slices import Slices, slice_rows_max
from services.region.rules.index_ranges import (
    EntryPlace,
    IndexRange,
    check_scan_start,
    entry_place,
    index_range,
    start_key_names,
)
from services.region.rules.index_views import IndexView
from services.region.rules.paging import rows_wanted, segment_slots
from services.region.rules.queries import check_filter, check_paths, check_start_in_segment
from services.region.storage.partitions import Partition
from services.region.storage.reader import IndexRow, IndexRowPlace
from shared.errors import ValidationError
from shared.limits import slots
from shared.model.indexes import SecondaryIndex
from shared.model.keys import partition_of, slot_of, slot_range
from shared.model.values import Item, decode_item

_before_all: IndexRowPlace = (b"", b"", -1, b"", b"")


class IndexReads:
    def __init__(self, indexes: Indexes, slices: Slices) -> None:
        self._indexes = indexes
        self._slices = slices

    async def query(self, table: Table, command: Query) -> Page:
        index = self._index_of(table, command)
        wanted = index_range(index, table.schema, command.key_condition, command.start_key, forward=command.forward)
        if command.projection is not None:
            check_paths(table.schema, table.indexes, command.projection)
        if command.filter is not None:
            check_filter(command.filter, command, index.key_names)
        view = IndexView(index, command)
        if command.filter is not None:
            check_paths(table.schema, table.indexes, command.filter)
        partitions = table.partitions if index.is_global else [table.partition(slot_of(wanted.partition))]
        cursors = [_Cursor(partition, index.number, wanted, command) for partition in partitions]
        last: IndexRow | None = None
        first_of = min if command.forward else max
        while not view.page.is_full():
            wanted_rows = rows_wanted(command.limit, view.page.scanned_count, slice_rows_max)
            for cursor in cursors:
                cursor.fill(_share_of(wanted_rows, len(cursors)))
            filled = [cursor for cursor in cursors if cursor.rows]
            if not filled:
                break
            while not view.page.is_full():
                cursor = first_of(filled, key=_next_place)
                last = cursor.rows.popleft()
                view.take(last.image)
                if not cursor.rows:
                    break
            if not view.page.is_full() and any(cursor.is_empty for cursor in cursors):
                await self._slices.next()
        return _page(view, command, _last_key(view, last))

    async def scan(self, table: Table, command: Scan) -> Page:
        index = self._index_of(table, command)
        start_key = command.start_key
        segment = segment_slots(command.segment, command.total_segments, slots)
        number, place = partition_of(segment.start, table.partition_count), _before_all
        if start_key is not None:
            check_scan_start(index, start_key)
        view = IndexView(index, command)
        if start_key is not None:
            start, key = entry_place(index, table.schema, start_key)
            check_start_in_segment(command, key.slot, segment)
            number, place = partition_of(key.slot, table.partition_count), (*start, *key)
        if command.projection is not None:
            check_paths(table.schema, table.indexes, command.projection)
        if command.filter is not None:
            check_paths(table.schema, table.indexes, command.filter)
        last: IndexRow | None = None
        while not view.page.is_full() and number < table.partition_count:
            if slot_range(number, table.partition_count).start >= segment.stop:
                break
            rows_max = slice_rows_max
            if command.total_segments == 1:
                rows_max = rows_wanted(command.limit, view.page.scanned_count, slice_rows_max)
            reader = table.partitions[number].reader
            rows = () if reader is None else reader.index_after(index.number, place, rows_max=rows_max)
            for row in rows:
                if row.key.slot in segment:
                    view.take(row.image)
                    last = row
                if view.page.is_full():
                    break
            if len(rows) < rows_max:
                number, place = number + 1, _before_all
            else:
                final = rows[-1]
                place = (final.partition, final.sort, *final.key)
            if not view.page.is_full():
                await self._slices.next()
        return _page(view, command, _last_key(view, last))

    def _index_of(self, table: Table, command: Query | Scan) -> SecondaryIndex:
        index = next((index for index in table.indexes if index.name == command.index), None)
        if index is None:
            raise ValidationError(f"The table does not have the specified index: {command.index}")
        if index.is_global and command.consistent:
            raise ValidationError("Consistent reads are not supported on global secondary indexes")
        self._indexes.check_readable(table, index)
        return index


class _Cursor:
    """The entries of one partition in a range, read ahead by a slice."""

    __slots__ = ("_end", "_first", "_forward", "_is_over", "_number", "_partition", "_wanted", "rows")

    def __init__(self, partition: Partition, number: int, wanted: IndexRange, command: Query) -> None:
        self.rows: deque[IndexRow] = deque()
        self._partition = partition
        self._number = number
        self._wanted = wanted.partition
        self._first: EntryPlace = wanted.first
        self._end: EntryPlace = wanted.end
        self._forward = command.forward
        self._is_over = False

    @property
    def is_empty(self) -> bool:
        """Whether it has nothing at hand although there may be more."""
        return not self.rows and not self._is_over

    def fill(self, rows_max: int) -> None:
        if not self.is_empty:
            return
        reader = self._partition.reader
        if reader is None:
            self._is_over = True
            return
        rows = reader.index_collection(
            self._number,
            self._wanted,
            first=self._first,
            end=self._end,
            forward=self._forward,
            rows_max=rows_max,
        )
        self.rows.extend(rows)
        self._is_over = len(rows) < rows_max
        if rows:
            place = _place_of(rows[-1])
            if self._forward:
                self._first = place
            else:
                self._end = place


def _share_of(rows: int, partitions: int) -> int:
    """How many rows one of several partitions should read of those that are wanted: twice its even share."""
    return min(rows, 2 * rows // partitions + 2)


def _next_place(cursor: _Cursor) -> EntryPlace:
    return _place_of(cursor.rows[0])


def _place_of(row: IndexRow) -> EntryPlace:
    return (row.sort, *row.key)


def _last_key(view: IndexView, last: IndexRow | None) -> Item | None:
    if last is None or not view.page.is_full():
        return None
    item = decode_item(last.image)
    return {name: item[name] for name in start_key_names(view.index)}


def _page(view: IndexView, command: Query | Scan, last_key: Item | None) -> Page:
    page = view.page
    if command.return_consumed_capacity is ReturnConsumedCapacity.NONE:
        return Page(page.images, page.count, page.scanned_count, last_key, 0.0)
    table_units, index_units = view.capacity_units(consistent=command.consistent)
    by_name = {view.index.name: index_units}
    units = IndexUnits({}, by_name) if view.index.is_global else IndexUnits(by_name, {})
    return Page(page.images, page.count, page.scanned_count, last_key, table_units + index_units, units)
