"""Query and Scan: rows of one collection or of slot ranges, in slices that give way to other requests."""

from services.region.commands.items import ReturnConsumedCapacity
from services.region.commands.queries import Page, Query, Scan
from services.region.engine.index_reads import IndexReads
from services.region.engine.indexes import Indexes
from services.region.engine.registry import Registry, Table
from services.region.engine.slices import Slices, slice_rows_max
from services.region.rules.keys import key_of_request
from services.region.rules.paging import PageBuilder, rows_wanted, segment_slots
from services.region.rules.queries import check_filter, check_paths, check_start_in_segment
from services.region.rules.ranges import after, collection_range, continued, key_range_of
from services.region.storage.reader import RowPlace, before_slot
from shared.errors import ValidationError
from shared.limits import slots
from shared.model.keys import partition_of, slot_range
from shared.model.values import Item, decode_item


class Queries:
    def __init__(self, registry: Registry, indexes: Indexes) -> None:
        self._registry = registry
        self._slices = Slices()
        self._index_reads = IndexReads(indexes, self._slices)

    async def query(self, command: Query) -> Page:
        table = self._registry.serving(command.table)
        if command.index is not None:
            return await self._index_reads.query(table, command)
        schema = table.schema
        key_range = key_range_of(schema, command.key_condition, command.start_key)
        if command.start_key is None:
            wanted = collection_range(key_range)
        else:
            wanted = continued(schema, key_range, command.start_key, forward=command.forward)
        if command.projection is not None:
            check_paths(schema, table.indexes, command.projection)
        if command.filter is not None:
            check_filter(command.filter, command, schema.names)
            check_paths(schema, table.indexes, command.filter)
        page = _page_for(command)
        partition = table.partition(wanted.slot)
        last_key: Item | None = None
        while (reader := partition.reader) is not None and not page.is_full() and wanted.first < wanted.end:
            rows_max = rows_wanted(command.limit, page.scanned_count, slice_rows_max)
            rows = reader.collection(
                wanted.slot,
                wanted.partition,
                first=wanted.first,
                end=wanted.end,
                forward=command.forward,
                rows_max=rows_max,
            )
            page.take_all(row.image for row in rows)
            if page.is_full():
                last_key = schema.key_of(decode_item(page.last_image))
            elif len(rows) < rows_max:
                break
            else:
                last = rows[-1].sort
                wanted = wanted._replace(first=after(last)) if command.forward else wanted._replace(end=last)
                await self._slices.next()
        return _page(page, command, last_key)

    async def scan(self, command: Scan) -> Page:
        table = self._registry.serving(command.table)
        if command.index is not None:
            return await self._index_reads.scan(table, command)
        segment = segment_slots(command.segment, command.total_segments, slots)
        place: RowPlace = before_slot(segment.start)
        if command.start_key is not None:
            place = _start_place(table, command.start_key)
            check_start_in_segment(command, place[0], segment)
        if command.projection is not None:
            check_paths(table.schema, table.indexes, command.projection)
        if command.filter is not None:
            check_paths(table.schema, table.indexes, command.filter)
        page = _page_for(command)
        last_key: Item | None = None
        while not page.is_full() and place[0] < segment.stop:
            number = partition_of(place[0], table.partition_count)
            end_slot = min(segment.stop, slot_range(number, table.partition_count).stop)
            reader = table.partitions[number].reader
            rows_max = rows_wanted(command.limit, page.scanned_count, slice_rows_max)
            rows = () if reader is None else reader.items_after(place, end_slot=end_slot, rows_max=rows_max)
            page.take_all(row.image for row in rows)
            if page.is_full():
                last_key = table.schema.key_of(decode_item(page.last_image))
            elif len(rows) < rows_max:
                place = before_slot(end_slot)
            else:
                last = rows[-1].key
                place = (last.slot, last.partition, last.sort)
                await self._slices.next()
        return _page(page, command, last_key)


def _page_for(command: Query | Scan) -> PageBuilder:
    return PageBuilder(
        condition=command.filter,
        projection=command.projection,
        limit=command.limit,
        count_only=command.count_only,
    )


def _page(page: PageBuilder, command: Query | Scan, last_key: Item | None) -> Page:
    measured = command.return_consumed_capacity is not ReturnConsumedCapacity.NONE
    units = page.capacity_units(consistent=command.consistent) if measured else 0.0
    return Page(page.images, page.count, page.scanned_count, last_key, units)


def _start_place(table: Table, start_key: Item) -> RowPlace:
    if start_key.keys() != set(table.schema.names):
        raise ValidationError("The provided starting key is invalid")
    try:
        key = key_of_request(table.schema, start_key)
    except ValidationError as error:
        raise ValidationError(f"The provided starting key is invalid: {error.message}") from error
    return (key.slot, key.partition, key.sort)
