"""The Streams API over the change logs: which streams there are, where their shards begin and end, and their records.

A reading is a range of a partition's log, so it costs nobody else anything, and a table without a stream nothing at
all. Iterators hold their place themselves; the region remembers no readers.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from services.region.commands.streams import (
    DescribeStream,
    GetRecords,
    GetShardIterator,
    IteratorType,
    ListedStream,
    ListStreams,
    Shard,
    ShardIterator,
    StreamDescription,
    StreamName,
    StreamNames,
    StreamRecord,
    StreamRecords,
)
from services.region.engine.registry import Registry, Table, lanes_of
from services.region.engine.slices import Slices, slice_rows_max
from services.region.engine.stream_register import StreamRegister
from services.region.rules.streams import (
    IteratorPlace,
    KeptStream,
    decode_iterator,
    encode_iterator,
    sequence_number,
    sequence_of,
    shard_id,
    stream_record,
)
from services.region.storage.partitions import Partitions
from services.region.storage.reader import LoggedRow
from shared.changes.records import decode_change
from shared.clock import Clock
from shared.errors import ExpiredIteratorError, ResourceNotFoundError, TrimmedDataAccessError, ValidationError
from shared.limits import (
    shard_iterator_age_max_s,
    stream_age_max_s,
    stream_changes_max,
    stream_records_bytes_max,
)
from shared.model.tables import Generation


class Streams:
    def __init__(
        self,
        registry: Registry,
        register: StreamRegister,
        partitions: Partitions,
        *,
        region: str,
        iterator_key: bytes,
        clock: Clock,
    ) -> None:
        """`iterator_key` tells iterators that were made here from others."""
        self._registry = registry
        self._register = register
        self._partitions = partitions
        self._region = region
        self._iterator_key = iterator_key
        self._clock = clock
        self._slices = Slices()

    def list(self, command: ListStreams) -> StreamNames:
        streams = [stream for stream in self._register.readable() if command.table in (None, stream.table)]
        if command.start_after is not None:
            streams = list(_behind(streams, command.start_after))
        page = [ListedStream(stream.table, stream.label) for stream in streams[: command.limit]]
        return StreamNames(page, page[-1] if len(page) < len(streams) else None)

    def describe(self, command: DescribeStream) -> StreamDescription:
        stream, table = self._existing(command.stream)
        shards = [self._shard(stream, table, number) for number in range(len(stream.started))]
        if command.children_of is not None:
            shards = []  # a shard is open as long as its stream is, so none has another one after it
        behind = [each for each in shards if command.start_after is None or each.id > command.start_after]
        page = behind[: command.limit]
        return StreamDescription(
            table=stream.table,
            label=stream.label,
            enabled=stream.disabled_us is None,
            view_type=stream.view_type,
            enabled_us=stream.enabled_us,
            key_schema=table.schema,
            shards=page,
            last_shard=page[-1].id if len(page) < len(behind) else None,
        )

    def iterator(self, command: GetShardIterator) -> ShardIterator:
        stream, table = self._existing(command.stream)
        for number in range(len(stream.started)):
            if command.shard == _shard_id(stream, number):
                return self._iterator(stream, number, self._place(stream, table, number, command))
        raise ResourceNotFoundError("Requested resource not found: Shard does not exist")

    async def records(self, command: GetRecords) -> StreamRecords:
        place = decode_iterator(command.iterator, self._iterator_key)
        if place is None:
            raise ValidationError("Invalid ShardIterator")
        self._check_age(place)
        stream = self._register.of(place.generation, place.enabled_us)
        table = self._table(place.generation)
        if stream is None or table is None:
            raise ResourceNotFoundError("Requested resource not found: Shard does not exist")
        number, after = place.partition, place.after
        if after < self._trimmed(stream, table, number):
            raise TrimmedDataAccessError
        through = _head(stream, table, number)
        records: list[StreamRecord] = []
        size = 0
        while (rows := self._rows(table, number, after=after, through=through)) and after < place.after + (
            stream_changes_max
        ):
            for row in rows:
                record = self._record(row, stream, table)
                if record is not None:
                    size += record.size_bytes
                    if len(records) == command.limit or (records and size > stream_records_bytes_max):
                        return StreamRecords(records, self._iterator(stream, number, after))
                    records.append(record)
                after = row.sequence
            await self._slices.next()
        is_over = stream.ended is not None and after >= through
        return StreamRecords(records, None if is_over else self._iterator(stream, number, after))

    def _existing(self, name: StreamName) -> tuple[KeptStream, Table]:
        stream = self._register.named(name.table, name.label) if name.region == self._region else None
        table = None if stream is None else self._table(stream.generation)
        if stream is None or table is None:
            raise ResourceNotFoundError(f"Requested resource not found: Stream: {name.arn} not found")
        return stream, table

    def _table(self, generation: Generation) -> Table | None:
        table = self._registry.of(generation)
        gone = self._register.gone(generation) if table is None else None
        if gone is not None:
            return Table(gone, [self._partitions.of(lane) for lane in lanes_of(gone.definition)])
        return table

    def _shard(self, stream: KeptStream, table: Table, number: int) -> Shard:
        first = self._trimmed(stream, table, number) + 1
        ending = None if stream.ended is None else sequence_number(max(first, stream.ended[number]), number)
        return Shard(_shard_id(stream, number), sequence_number(first, number), ending)

    def _place(self, stream: KeptStream, table: Table, number: int, command: GetShardIterator) -> int:
        """The sequence behind which an iterator stands."""
        trimmed, head = self._trimmed(stream, table, number), _head(stream, table, number)
        if command.type is IteratorType.TRIM_HORIZON:
            return trimmed
        if command.type is IteratorType.LATEST:
            return head
        if command.time_us is not None:
            reader = table.partitions[number].reader
            return (
                trimmed if reader is None else reader.last_logged_before(command.time_us, after=trimmed, through=head)
            )
        sequence = sequence_of(command.sequence_number or "")
        if sequence is None:
            raise ValidationError("Invalid SequenceNumber")
        after = sequence - 1 if command.type is IteratorType.AT_SEQUENCE_NUMBER else sequence
        if after < trimmed:
            raise TrimmedDataAccessError
        return min(after, head)

    def _trimmed(self, stream: KeptStream, table: Table, number: int) -> int:
        """The last sequence of a shard that can't be read any more: before its stream, gone, or older than a day."""
        partition = table.partitions[number]
        head = _head(stream, table, number)
        trimmed = min(head, max(stream.started[number], partition.state.trimmed_sequence))
        reader = partition.reader
        if reader is None or trimmed == head:
            return trimmed
        kept_since_us = self._clock.wall_us() - stream_age_max_s * 1_000_000
        if reader.last_logged_before(kept_since_us, after=trimmed, through=trimmed + 1) == trimmed:
            return trimmed
        return reader.last_logged_before(kept_since_us, after=trimmed, through=head)

    def _rows(self, table: Table, number: int, *, after: int, through: int) -> Sequence[LoggedRow]:
        reader = table.partitions[number].reader
        return () if reader is None else reader.logged(after, through=through, rows_max=slice_rows_max)

    def _record(self, row: LoggedRow, stream: KeptStream, table: Table) -> StreamRecord | None:
        return stream_record(
            decode_change(row.record),
            sequence=row.sequence,
            commit_us=row.commit_us,
            old_image=row.old_image,
            made_here=row.origin_sequence is not None,
            schema=table.schema,
            view_type=stream.view_type,
            region=self._region,
        )

    def _iterator(self, stream: KeptStream, number: int, after: int) -> ShardIterator:
        place = IteratorPlace(stream.generation, stream.enabled_us, number, after, self._clock.wall_us())
        return ShardIterator(stream.table, stream.label, encode_iterator(place, self._iterator_key))

    def _check_age(self, place: IteratorPlace) -> None:
        now_us = self._clock.wall_us()
        if place.is_expired(now_us):
            raise ExpiredIteratorError(
                f"Iterator expired. The iterator was created at time {_java_time(place.issued_us)} while right now"
                f" it is {_java_time(now_us)} which is further in the future than the tolerated delay of"
                f" {shard_iterator_age_max_s * 1000} milliseconds."
            )


def _behind(streams: Sequence[KeptStream], name: StreamName) -> Iterator[KeptStream]:
    """Those after a stream in their order, also when it is gone: by table, of one table the latest first."""
    return (
        stream
        for stream in streams
        if stream.table > name.table or (stream.table == name.table and stream.label < name.label)
    )


def _shard_id(stream: KeptStream, number: int) -> str:
    return shard_id(stream.generation, stream.enabled_us, number)


def _head(stream: KeptStream, table: Table, number: int) -> int:
    """The last sequence of a shard as of now."""
    return table.partitions[number].state.sequence if stream.ended is None else stream.ended[number]


def _java_time(time_us: int) -> str:
    return f"{datetime.fromtimestamp(time_us // 1_000_000, UTC):%a %b %d %H:%M:%S UTC %Y}"
