"""Pages put together are the whole Query or Scan, whatever its bounds, limit and direction, on real partition files."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.region.commands.queries import Page, Query, Scan
from services.region.expressions.key_conditions import bind_key_condition
from services.region.expressions.substitutions import Substitutions
from services.region.storage.partition_file import PartitionFile
from shared.changes.records import Kind
from shared.limits import page_bytes_max
from shared.model.keys import ItemKey, KeyAttribute, KeySchema, item_key
from shared.model.sizes import item_size_bytes
from shared.model.tables import Generation, RegionName, TableDefinition
from shared.model.values import Item, decode_item, encode_item
from tests.properties.tables import OpenTable, opened_table

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
    """A table that is open, with all its items by key."""

    open: OpenTable
    items: dict[ItemKey, Item]


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
    items = {item_key(schema, item): item for item in all_items()}
    with opened_table(tmp_path_factory.mktemp("tables"), definition) as opened:
        for partition in opened.table.partitions:
            mine = [item for key, item in items.items() if opened.table.partition(key.slot) is partition]
            opened.submit(partition, Fill(mine))
        yield Filled(opened, dict(sorted(items.items())))


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


@settings(max_examples=60)
@given(st.sampled_from([small, large, "collection 3", "nothing"]), bounds, limits, st.booleans())
def test_query_pages_concatenate_to_the_whole(
    filled: Filled, name: str, bound: tuple[str, tuple[int, ...]], limit: int | None, forward: bool
) -> None:
    condition, given_ = bound
    values = {":p": {"S": name}} | {
        placeholder: {"N": str(value)} for placeholder, value in zip((":a", ":b"), given_, strict=False)
    }
    key_condition = bind_key_condition(f"p = :p {condition}", Substitutions(None, values))
    found = read(filled, Query("table", key_condition, forward=forward, limit=limit))
    expected = [item for item in filled.items.values() if item["p"] == {"S": name}]
    expected = [item for item in expected if within(int(item["c"]["N"]), condition, given_)]
    assert found == (expected if forward else expected[::-1])


def read(filled: Filled, request: Query | Scan) -> list[Item]:
    found: list[Item] = []
    for page in filled.open.pages(request):
        check_page(page, request.limit)
        found += items_of(page)
    return found


@settings(max_examples=30)
@given(limits)
def test_scan_pages_concatenate_to_the_whole(filled: Filled, limit: int | None) -> None:
    assert read(filled, Scan("table", limit=limit)) == list(filled.items.values())


@settings(max_examples=30)
@given(st.integers(1, 40), limits)
def test_segments_concatenate_to_the_whole_scan(filled: Filled, total: int, limit: int | None) -> None:
    segments = [Scan("table", limit=limit, segment=segment, total_segments=total) for segment in range(total)]
    found = [read(filled, segment) for segment in segments]
    assert [item for segment in found for item in segment] == list(filled.items.values())


def test_a_page_is_full_with_the_item_that_passes_a_megabyte(filled: Filled) -> None:
    page = filled.open.page(Scan("table"))
    assert sum(map(item_size_bytes, items_of(page))) > page_bytes_max
