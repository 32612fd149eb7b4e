"""Pages put together are the whole Query or Scan, whatever its bounds, limit and direction, on real partition files."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.region.commands.queries import Page, Query, Scan
from services.region.engine.indexes import Indexes
from services.region.engine.queries import Queries
from services.region.engine.registry import Registry, Table
from services.region.expressions.key_conditions import bind_key_condition
from services.region.expressions.substitutions import Substitutions
from services.region.storage.catalog import LocalTable, Stage
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partitions import Partitions
from shared.changes.records import Kind, Lane
from shared.clock import SystemClock
from shared.limits import page_bytes_max
from shared.model.keys import ItemKey, KeyAttribute, KeySchema, item_key
from shared.model.sizes import item_size_bytes
from shared.model.tables import Generation, RegionName, TableDefinition
from shared.model.values import Item, decode_item, encode_item

schema = KeySchema(KeyAttribute("p", "S"), KeyAttribute("c", "N"))
definition = TableDefinition(
    generation=Generation(b"g" * 16),
    name="table",
    key_schema=schema,
    partition_count=4,
    replicas=(RegionName("here"),),
    created_us=0,
)
small, large = "a collection of small items", "a collection of more than a megabyte"
sort_keys = range(-15, 16)


class Filled(NamedTuple):
    """A table's queries, with the loop that they run on and all its items by key."""

    runner: asyncio.Runner
    queries: Queries
    items: dict[ItemKey, Item]

    def query(self, query: Query) -> Page:
        return self.runner.run(self.queries.query(query))

    def scan(self, scan: Scan) -> Page:
        return self.runner.run(self.queries.scan(scan))


def all_items() -> Iterator[Item]:
    for name in (small, large, *(f"collection {number}" for number in range(12))):
        for c in sort_keys if name in (small, large) else (1, 2):
            filling = "x" * 70_000 if name == large else "x" * (c % 7)
            yield {"p": {"S": name}, "c": {"N": str(c)}, "filling": {"S": filling}}


class Fill:
    """Job: puts items, and deletes some others that were never seen."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items

    def run(self, file: PartitionFile, now_us: int) -> None:
        for item in self._items:
            key = item_key(schema, item)
            file.write_local(key, None, kind=Kind.PUT, image=encode_item(item), now_us=now_us)
            deleted = key._replace(sort=key.sort + b"\x01")
            file.write_local(deleted, None, kind=Kind.DELETE, image=None, now_us=now_us)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with asyncio.Runner() as runner:
        partitions = runner.run(opened(tmp_path_factory.mktemp("tables")))
        lanes = [Lane(definition.generation, number) for number in range(definition.partition_count)]
        table = Table(LocalTable(definition, Stage.ACTIVE), [partitions.of(lane) for lane in lanes])
        items = {item_key(schema, item): item for item in all_items()}
        for partition in table.partitions:
            mine = [item for key, item in items.items() if table.partition(key.slot) is partition]
            runner.run(filled_by(partitions, partition.lane, mine))
        registry = Registry()
        registry.put(table)
        indexes = Indexes(registry, region=1, name="here", clock=SystemClock())
        yield Filled(runner, Queries(registry, indexes), dict(sorted(items.items())))
        runner.run(partitions.close())


async def opened(folder: Path) -> Partitions:
    return Partitions(
        folder,
        key=bytes(32),
        region=1,
        clock=SystemClock(),
        writer_threads=1,
        committed=lambda _partition, _group: None,
    )


async def filled_by(partitions: Partitions, lane: Lane, items: Sequence[Item]) -> None:
    await partitions.of(lane).submit(Fill(items))


def items_of(page: Page) -> list[Item]:
    return [decode_item(image) for image in page.images]


def check_page(page: Page, limit: int | None) -> None:
    """No more than was asked for, and no more than a megabyte before the last item."""
    assert len(page.images) == page.count == page.scanned_count
    assert limit is None or page.count <= limit
    assert sum(map(item_size_bytes, items_of(page)[:-1])) <= page_bytes_max
    assert page.last_key is None or page.last_key == schema.key_of(items_of(page)[-1])


limits = st.one_of(st.none(), st.integers(1, 70))
bounds = st.one_of(
    st.just(("", ())),
    st.tuples(
        st.sampled_from([f"AND c {operator} :a" for operator in ("=", "<", "<=", ">", ">=")]),
        st.tuples(st.integers(-17, 17)),
    ),
    st.tuples(
        st.just("AND c BETWEEN :a AND :b"),
        st.tuples(st.integers(-17, 17), st.integers(-17, 17)).map(lambda pair: tuple(sorted(pair))),
    ),
)


def within(c: int, condition: str, given_: Sequence[int]) -> bool:
    if not given_:
        return True
    if len(given_) == 2:
        return given_[0] <= c <= given_[1]
    [bound] = given_
    return {"=": c == bound, "<": c < bound, "<=": c <= bound, ">": c > bound, ">=": c >= bound}[condition.split()[2]]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([small, large, "collection 3", "nothing"]), bounds, limits, st.booleans())
def test_query_pages_concatenate_to_the_whole(
    filled: Filled, name: str, bound: tuple[str, tuple[int, ...]], limit: int | None, forward: bool
) -> None:
    condition, given_ = bound
    values = {":p": {"S": name}} | {
        placeholder: {"N": str(value)} for placeholder, value in zip((":a", ":b"), given_, strict=False)
    }
    key_condition = bind_key_condition(f"p = :p {condition}", Substitutions(None, values))
    found: list[Item] = []
    start_key = None
    while True:
        page = filled.query(Query("table", key_condition, forward=forward, limit=limit, start_key=start_key))
        check_page(page, limit)
        found += items_of(page)
        if (start_key := page.last_key) is None:
            break
    expected = [item for item in filled.items.values() if item["p"] == {"S": name}]
    expected = [item for item in expected if within(int(item["c"]["N"]), condition, given_)]
    assert found == (expected if forward else expected[::-1])


def scanned(filled: Filled, *, limit: int | None, segment: int = 0, total: int = 1) -> list[Item]:
    found: list[Item] = []
    start_key = None
    while True:
        page = filled.scan(Scan("table", limit=limit, start_key=start_key, segment=segment, total_segments=total))
        check_page(page, limit)
        found += items_of(page)
        if (start_key := page.last_key) is None:
            return found


@settings(max_examples=30, deadline=None)
@given(limits)
def test_scan_pages_concatenate_to_the_whole(filled: Filled, limit: int | None) -> None:
    assert scanned(filled, limit=limit) == list(filled.items.values())


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), limits)
def test_segments_concatenate_to_the_whole_scan(filled: Filled, total: int, limit: int | None) -> None:
    found = [scanned(filled, limit=limit, segment=segment, total=total) for segment in range(total)]
    assert [item for segment in found for item in segment] == list(filled.items.values())


def test_a_page_is_full_with_the_item_that_passes_a_megabyte(filled: Filled) -> None:
    page = filled.scan(Scan("table"))
    assert sum(map(item_size_bytes, items_of(page))) > page_bytes_max
