"""An index shows what its items imply: a query is a filter and a sort of them, whatever came before, page by page.

On real partition files, against lists of items; and whenever an index comes to a table, it holds the same in the end.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from services.region.commands.queries import Query, Scan
from services.region.expressions.key_conditions import KeyCondition, bind_key_condition
from services.region.expressions.substitutions import Substitutions
from services.region.rules.indexes import index_key, projected
from services.region.storage.index_entries import FileIndex, IndexPhase
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partition_state import PartitionState
from services.region.storage.writer import Job
from shared.changes.records import Kind, Lane
from shared.model.indexes import ProjectionType, SecondaryIndex
from shared.model.keys import ItemKey, KeyAttribute, KeySchema, item_key, joined_key_bytes, key_bytes
from shared.model.sizes import item_size_bytes
from shared.model.tables import Generation, RegionName, TableDefinition
from shared.model.values import AttributeValue, Item, decode_item, encode_item
from tests.properties.tables import OpenTable, opened_table

p, c = KeyAttribute("p", "S"), KeyAttribute("c", "N")
g, h, v, w = KeyAttribute("g", "S"), KeyAttribute("h", "B"), KeyAttribute("v", "N"), KeyAttribute("w", "S")
schema = KeySchema(p, c)
indexes = (
    SecondaryIndex(1, "local", False, (p,), (v,), ("p", "c"), ProjectionType.KEYS_ONLY),
    SecondaryIndex(2, "global", True, (g,), (v,), ("p", "c"), ProjectionType.ALL),
    SecondaryIndex(3, "unsorted", True, (g,), (), ("p", "c"), ProjectionType.INCLUDE, ("text",)),
    SecondaryIndex(4, "composite", True, (g, h), (v, w), ("p", "c"), ProjectionType.ALL),
)
definition = TableDefinition(
    generation=Generation(b"i" * 16),
    name="table",
    key_schema=schema,
    partition_count=2,
    replicas=(RegionName("here"),),
    created_us=0,
    indexes=indexes,
)
lane = Lane(definition.generation, 0)

keys: st.SearchStrategy[Item] = st.builds(
    lambda p, c: {"p": {"S": p}, "c": {"N": str(c)}}, st.sampled_from("abc"), st.integers(0, 4)
)
few_texts = st.sampled_from(["x", "y", "x\x00", "x\x00y", ""]).map(lambda text: {"S": text})
few_numbers = st.integers(-2, 2).map(lambda number: {"N": str(number)})
few_binaries = st.sampled_from(["AA==", "AAE=", "/w=="]).map(lambda content: {"B": content})
attributes: st.SearchStrategy[Item] = st.fixed_dictionaries(
    {},
    optional={
        "g": st.one_of(few_texts, few_texts, few_numbers),
        "h": few_binaries,
        "v": st.one_of(few_numbers, few_numbers, few_texts),
        "w": few_texts,
        "text": few_texts,
    },
)


class Change(NamedTuple):
    """An item to put; or, without attributes, the key of one to delete."""

    key: Item
    attributes: Item | None

    @property
    def item(self) -> Item | None:
        return None if self.attributes is None else self.key | self.attributes


changes = st.lists(st.builds(Change, keys, st.one_of(attributes, attributes, st.none())), max_size=40)


class Apply:
    """Job: changes, one after the other."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self._changes = changes

    def run(self, file: PartitionFile, now_us: int) -> None:
        for change in self._changes:
            key = item_key(schema, change.key)
            stored = file.read(key)
            image = None if change.item is None else encode_item(change.item)
            if image is not None or (stored is not None and stored.image is not None):
                kind = Kind.DELETE if image is None else Kind.PUT
                file.write_local(key, stored, kind=kind, image=image, now_us=now_us)


def outcome_of(changes: Sequence[Change]) -> dict[ItemKey, Item]:
    items: dict[ItemKey, Item] = {}
    for change in changes:
        items.pop(item_key(schema, change.key), None)
        if change.item is not None:
            items[item_key(schema, change.key)] = change.item
    return items


class Entry(NamedTuple):
    partition: bytes
    sort: bytes
    key: ItemKey
    item: Item


def implied(index: SecondaryIndex, items: dict[ItemKey, Item]) -> list[Entry]:
    """What an index of these items holds, in its order."""
    places = {key: index_key(index, item) for key, item in items.items()}
    entries = [Entry(*place, key, items[key]) for key, place in places.items() if place is not None]
    return sorted(entries, key=lambda entry: entry[:3])


def apply(filled: OpenTable, changes: Sequence[Change]) -> None:
    for change in changes:
        filled.submit(filled.table.partition(item_key(schema, change.key).slot), Apply([change]))


def condition_of(index: SecondaryIndex, item: Item) -> KeyCondition:
    """That the partition key of an index is that of an item."""
    values = {f":{attribute.name}": item[attribute.name] for attribute in index.partition}
    text = " AND ".join(f"{attribute.name} = :{attribute.name}" for attribute in index.partition)
    return bind_key_condition(text, Substitutions(None, values))


def shown(index: SecondaryIndex, item: Item) -> Item:
    return projected(item, index.projected)


@settings(max_examples=40)
@given(changes, st.sampled_from(indexes), st.one_of(st.none(), st.integers(1, 7)), st.booleans())
def test_a_query_is_a_filter_and_a_sort_of_the_items(
    changes: Sequence[Change], index: SecondaryIndex, limit: int | None, forward: bool
) -> None:
    items = outcome_of(changes)
    entries = implied(index, items)
    with TemporaryDirectory() as folder, opened_table(Path(folder), definition) as filled:
        apply(filled, changes)
        for partition in {entry.partition for entry in entries}:
            expected = [entry for entry in entries if entry.partition == partition]
            query = Query(
                "table",
                condition_of(index, expected[0].item),
                index=index.name,
                limit=limit,
                forward=forward,
            )
            pages = list(filled.pages(query))
            assert all(limit is None or page.count <= limit for page in pages)
            found = [decode_item(image) for page in pages for image in page.images]
            wanted = [shown(index, entry.item) for entry in expected]
            assert found == (wanted if forward else wanted[::-1])


@settings(max_examples=40)
@given(changes, st.sampled_from(indexes), st.one_of(st.none(), st.integers(1, 7)), st.integers(1, 5))
def test_segments_of_a_scan_are_all_the_entries(
    changes: Sequence[Change], index: SecondaryIndex, limit: int | None, total: int
) -> None:
    entries = implied(index, outcome_of(changes))
    with TemporaryDirectory() as folder, opened_table(Path(folder), definition) as filled:
        apply(filled, changes)
        found = [
            decode_item(image)
            for segment in range(total)
            for page in filled.pages(
                Scan("table", index=index.name, limit=limit, segment=segment, total_segments=total)
            )
            for image in page.images
        ]
        held = sum(
            each.entry_count
            for partition in filled.table.partitions
            for each in partition.state.indexes
            if each.index == index
        )
    assert held == len(entries)
    in_order = [shown(index, entry.item) for entry in sorted(entries, key=lambda entry: entry.key)]
    assert sorted(found, key=lambda item: item_key(schema, item)) == in_order


@settings(max_examples=60)
@given(changes, changes, changes, st.integers(1, 5))
def test_an_index_holds_the_same_whenever_it_came(
    before: Sequence[Change], during: Sequence[Change], after: Sequence[Change], rows_max: int
) -> None:
    """Entries and counts of an index that is filled between writes are those of one that was always there."""
    with TemporaryDirectory() as folder:
        kept = opened_file(Path(folder) / "kept", PartitionState(indexes=[FileIndex(index) for index in indexes]))
        filled = opened_file(Path(folder) / "filled", PartitionState())
        for file in (kept, filled):
            transact(file, Apply(before))
        transact(filled, Want(indexes))
        for change in during:
            transact(kept, Apply([change]))
            transact(filled, Apply([change]))
            transact(filled, Work(rows_max))
        while any(each.phase is not IndexPhase.BUILT for each in filled.state.indexes):
            transact(filled, Work(rows_max))
        for file in (kept, filled):
            transact(file, Apply(after))
        assert entries_of(filled) == entries_of(kept)
        assert filled.state.indexes == kept.state.indexes
        items = outcome_of([*before, *during, *after])
        for each in filled.state.indexes:
            entries = implied(each.index, items)
            assert each.entry_count == len(entries)
            assert each.size_bytes == sum(item_size_bytes(shown(each.index, entry.item)) for entry in entries)
        assert collections_of(kept) == sizes_of_collections(items)
        transact(filled, Want(()))
        while filled.state.indexes:
            transact(filled, Work(rows_max))
        assert entries_of(filled) == []
        kept.close()
        filled.close()


@given(st.lists(st.tuples(few_texts, few_numbers), min_size=2, max_size=2))
def test_keys_of_several_attributes_sort_like_their_values(pairs: list[tuple[AttributeValue, AttributeValue]]) -> None:
    ours = [joined_key_bytes([key_bytes(text), key_bytes(number)]) for text, number in pairs]
    theirs = [(key_bytes(text), key_bytes(number)) for text, number in pairs]
    assert (ours[0] < ours[1]) == (theirs[0] < theirs[1])
    assert (ours[0] == ours[1]) == (theirs[0] == theirs[1])


@given(st.lists(st.lists(st.binary(max_size=4), min_size=3, max_size=3), min_size=2, max_size=2))
def test_joined_keys_sort_like_tuples(pair: list[list[bytes]]) -> None:
    one, other = pair
    assert (joined_key_bytes(one) < joined_key_bytes(other)) == (one < other)
    assert (joined_key_bytes(one) == joined_key_bytes(other)) == (one == other)


class Want:
    """Job: the file is to keep these indexes."""

    def __init__(self, indexes: Sequence[SecondaryIndex]) -> None:
        self._indexes = indexes

    def run(self, file: PartitionFile, now_us: int) -> None:  # noqa: ARG002 - a job is given the time
        file.want_indexes(self._indexes)


class Work:
    """Job: one slice of what is left to do."""

    def __init__(self, rows_max: int) -> None:
        self._rows_max = rows_max

    def run(self, file: PartitionFile, now_us: int) -> None:  # noqa: ARG002 - a job is given the time
        file.work_on_indexes(rows_max=self._rows_max)


def opened_file(folder: Path, first_state: PartitionState) -> PartitionFile:
    return PartitionFile(folder / "0.db", bytes(32), lane=lane, region=1, first_state=first_state)


def transact(file: PartitionFile, job: Job[None]) -> None:
    file.begin()
    job.run(file, 1_700_000_000_000_000)
    file.commit()


def entries_of(file: PartitionFile) -> list[tuple[object, ...]]:
    rows = file.connection.execute("SELECT * FROM index_entries ORDER BY number, pk, sk, slot, base_pk, base_sk")
    return list(rows)


def collections_of(file: PartitionFile) -> dict[bytes, int]:
    return dict(file.connection.execute("SELECT pk, size_bytes FROM collections"))


def sizes_of_collections(items: dict[ItemKey, Item]) -> dict[bytes, int]:
    """Items by partition key, with what the local index holds of them."""
    sizes: dict[bytes, int] = defaultdict(int)
    local = indexes[0]
    for key, item in items.items():
        sizes[key.partition] += item_size_bytes(item)
        if index_key(local, item) is not None:
            sizes[key.partition] += item_size_bytes(shown(local, item))
    return sizes
