"""A stream's records, replayed in order, rebuild the table: page by page, whatever was written here or applied."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.region.commands.streams import DescribeStream, GetRecords, GetShardIterator, IteratorType, StreamName
from services.region.commands.streams import EventName as Event
from services.region.engine.registry import Registry, Table
from services.region.engine.remote_changes import Tally, apply_change
from services.region.engine.stream_register import StreamRegister
from services.region.engine.streams import Streams
from services.region.rules.streams import label_of, with_stream
from services.region.storage.catalog import LocalTable, Stage
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partitions import Partitions
from shared.changes.records import Kind, Lane, decode_change, encode_change
from shared.clock import SystemClock
from shared.model.keys import ItemKey, KeyAttribute, KeySchema, item_key
from shared.model.tables import Generation, RegionName, StreamSpecification, TableDefinition
from shared.model.values import Item, decode_item, encode_item, same_item
from shared.versions.versions import Version, encode_seen, timestamp_at
from tests.properties.tables import opened_partitions

schema = KeySchema(KeyAttribute("p", "S"))
enabled = StreamSpecification(enabled=True, view_type="NEW_AND_OLD_IMAGES")
there = 2


class Write(NamedTuple):
    """One write of a key; without a text it deletes. `made_here` False: it arrives from another region."""

    key: str
    text: str | None
    made_here: bool


writes = st.lists(
    st.builds(Write, st.sampled_from("abcdefgh"), st.one_of(st.none(), st.sampled_from("xyz")), st.booleans()),
    max_size=40,
)


class WriteJob:
    def __init__(self, write: Write, lane: Lane) -> None:
        self._write = write
        self._lane = lane

    def run(self, file: PartitionFile, now_us: int) -> None:
        item: Item = {"p": {"S": self._write.key}}
        key = item_key(schema, item)
        stored = file.read(key)
        image = None
        if self._write.text is not None:
            image = encode_item(item | {"text": {"S": self._write.text}})
        kind = Kind.DELETE if image is None else Kind.PUT
        if self._write.made_here:
            if image is not None or (stored is not None and stored.image is not None):
                file.write_local(key, stored, kind=kind, image=image, now_us=now_us)
            return
        version = Version(timestamp_at(now_us), there)
        record = encode_change(
            kind,
            self._lane,
            version=version,
            origin_sequence=1,
            seen=encode_seen({there: version.timestamp}),
            commit_us=now_us,
            partition_key=key.partition,
            sort_key=key.sort,
            image=image,
        )
        apply_change(file, decode_change(record), record, now_us=now_us, tally=Tally())


class Region(NamedTuple):
    runner: asyncio.Runner
    partitions: Partitions
    generations: Iterator[Generation]


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    with opened_partitions(tmp_path_factory.mktemp("streams")) as (runner, partitions):
        yield Region(runner, partitions, (Generation(number.to_bytes(16)) for number in range(1, 10_000)))


@settings(max_examples=25)
@given(before=writes, during=writes, after=writes, limit=st.integers(1, 7))
def test_records_replayed_in_order_rebuild_the_table(
    region: Region, before: Sequence[Write], during: Sequence[Write], after: Sequence[Write], limit: int
) -> None:
    region.runner.run(_check(region, before, during, after, limit))


async def _check(
    region: Region, before: Sequence[Write], during: Sequence[Write], after: Sequence[Write], limit: int
) -> None:
    clock = SystemClock()
    definition = TableDefinition(next(region.generations), "table", schema, 2, (RegionName("here"),), created_us=0)
    partitions = [region.partitions.of(Lane(definition.generation, number)) for number in range(2)]
    registry, register = Registry(), StreamRegister(clock)
    streams = Streams(registry, register, region.partitions, region="here", iterator_key=b"key", clock=clock)

    def become(changed: TableDefinition) -> None:
        table = Table(LocalTable(changed, Stage.ACTIVE), partitions)
        register.note(register.changed_by(table))
        registry.put(table)

    async def write(some: Sequence[Write]) -> dict[ItemKey, Item]:
        table = Table(LocalTable(definition, Stage.ACTIVE), partitions)
        for each in some:
            partition = table.partition(item_key(schema, {"p": {"S": each.key}}).slot)
            await partition.submit(WriteJob(each, partition.lane))
        found: dict[ItemKey, Item] = {}
        for key in "abcdefgh":
            place = item_key(schema, {"p": {"S": key}})
            stored = table.partition(place.slot).read(place)
            if stored is not None and stored.image is not None:
                found[place] = decode_item(stored.image)
        return found

    become(definition)
    replayed = await write(before)
    enabled_us = clock.wall_us()
    on = with_stream(definition, enabled, enabled_us)
    become(on)
    expected = await write(during)
    become(with_stream(on, StreamSpecification(enabled=False), clock.wall_us()))
    await write(after)
    name = StreamName("here", "table", label_of(enabled_us), "an ARN")
    for shard in streams.describe(DescribeStream(name)).shards:
        given_ = streams.iterator(GetShardIterator(name, shard.id, IteratorType.TRIM_HORIZON))
        await _replay(streams, given_.token, limit, replayed)
    assert replayed == expected


async def _replay(streams: Streams, token: str, limit: int, items: dict[ItemKey, Item]) -> None:
    """Each record tells truly what it replaces."""
    begun: Any = token
    numbers: list[str] = []
    while begun is not None:
        page = await streams.records(GetRecords(begun, limit))
        for record in page.records:
            key = item_key(schema, record.keys)
            old = None if record.old_image is None else decode_item(record.old_image)
            assert items.get(key) == old
            assert (record.event_name is Event.INSERT) == (old is None)
            if record.new_image is None:
                assert record.event_name is Event.REMOVE
                del items[key]
            else:
                new = decode_item(record.new_image)
                assert old is None or not same_item(old, new)
                items[key] = new
        assert len(page.records) <= limit
        numbers += [record.sequence_number for record in page.records]
        begun = None if page.next is None else page.next.token
    assert numbers == sorted(set(numbers))
