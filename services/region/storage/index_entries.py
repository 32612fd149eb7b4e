"""The indexes that one partition file keeps: their entries change with the items, in the items' own transaction.

From the moment at which the file knows an index every write maintains it. One that came to items that were there
already is also filled from the first item on, slice by slice; both do nothing twice. One that is to go is no longer
maintained, and its entries are dropped slice by slice. An entry is keys alone: the item is read beside it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import apsw

from services.region.rules.indexes import IndexKey, index_key, projected_size_bytes
from services.region.storage import statements
from shared.model.indexes import SecondaryIndex, decode_index, encode_index
from shared.model.keys import ItemKey
from shared.model.sizes import item_size_bytes
from shared.model.values import Item, decode_item

before_all_items = ItemKey(-1, b"", b"")


class IndexPhase(StrEnum):
    BUILDING = "BUILDING"
    BUILT = "BUILT"
    REMOVING = "REMOVING"


@dataclass(slots=True)
class FileIndex:
    """An index as far as this file holds it; counts are those of its entries here."""

    index: SecondaryIndex
    phase: IndexPhase = IndexPhase.BUILT
    place: ItemKey = before_all_items  # while BUILDING: items up to here have their entries
    entry_count: int = 0
    size_bytes: int = 0

    def copied(self) -> "FileIndex":
        return FileIndex(self.index, self.phase, self.place, self.entry_count, self.size_bytes)


def load_indexes(connection: apsw.Connection) -> list[FileIndex]:
    rows: Iterable[Any] = connection.execute(statements.read_indexes)
    return [
        FileIndex(decode_index(definition), IndexPhase(phase), ItemKey(*place), entry_count, size_bytes)
        for definition, phase, *place, entry_count, size_bytes in rows
    ]


def create_index(connection: apsw.Connection, held: FileIndex) -> None:
    row = (held.index.number, encode_index(held.index), held.phase, *held.place, held.entry_count, held.size_bytes)
    connection.execute(statements.create_index, row)


def write_indexes(connection: apsw.Connection, indexes: Iterable[FileIndex], before: Iterable[FileIndex]) -> None:
    """Stores what a transaction has changed of indexes that the file knows."""
    known = {each.index.number: each for each in before}
    for each in indexes:
        if each != known.get(each.index.number):
            row = (each.phase, *each.place, each.entry_count, each.size_bytes, each.index.number)
            connection.execute(statements.write_index, row)


def maintain_indexes(
    connection: apsw.Connection, indexes: Iterable[FileIndex], key: ItemKey, *, old: bytes | None, new: bytes | None
) -> None:
    """Follows one item from its stored image to its next; None is no item."""
    if old == new:
        return
    before = None if old is None else decode_item(old)
    after = None if new is None else decode_item(new)
    grown_bytes = None  # of what local indexes hold; None without one
    for each in indexes:
        if each.phase is not IndexPhase.REMOVING:
            size_bytes = each.size_bytes
            _follow(connection, each, key, before, after)
            if not each.index.is_global:
                grown_bytes = (grown_bytes or 0) + each.size_bytes - size_bytes
    if grown_bytes is not None:
        grown_bytes += _size(after) - _size(before)
        connection.execute(statements.grow_collection, (key.slot, key.partition, grown_bytes))
        if after is None:
            connection.execute(statements.drop_empty_collection, (key.slot, key.partition))


def build_index(connection: apsw.Connection, held: FileIndex, *, end_slot: int, rows_max: int) -> None:
    """One slice of filling an index; BUILT after the last."""
    rows: list[Any] = connection.execute(statements.scan_items, (*held.place, end_slot, rows_max)).fetchall()
    names = held.index.projected
    for slot, pk, sk, image in rows:
        item = decode_item(image)
        place = index_key(held.index, item)
        if place is not None:
            _add(connection, held, ItemKey(slot, pk, sk), place, projected_size_bytes(item, names))
    if len(rows) < rows_max:
        held.phase, held.place = IndexPhase.BUILT, before_all_items
    else:
        held.place = ItemKey(*rows[-1][:3])


def drop_entries(connection: apsw.Connection, held: FileIndex, *, rows_max: int) -> bool:
    """One slice of removing an index; True after the last, when the file no longer knows it."""
    rows: list[Any] = connection.execute(statements.read_index_entries, (held.index.number, rows_max)).fetchall()
    if rows:
        connection.execute(statements.drop_index_entries, (held.index.number, *rows[-1]))
    if len(rows) == rows_max:
        return False
    connection.execute(statements.drop_index, (held.index.number,))
    return True


def _follow(
    connection: apsw.Connection, held: FileIndex, key: ItemKey, before: Item | None, after: Item | None
) -> None:
    index, names = held.index, held.index.projected
    was = None if before is None else index_key(index, before)
    becomes = None if after is None else index_key(index, after)
    if was is not None and was == becomes and held.phase is IndexPhase.BUILT:
        held.size_bytes += projected_size_bytes(after or {}, names) - projected_size_bytes(before or {}, names)
        return
    if was is not None:
        connection.execute(statements.drop_index_entry, (index.number, *was, *key))
        if connection.changes():
            held.entry_count -= 1
            held.size_bytes -= projected_size_bytes(before or {}, names)
    if becomes is not None:
        _add(connection, held, key, becomes, projected_size_bytes(after or {}, names))


def _add(connection: apsw.Connection, held: FileIndex, key: ItemKey, place: IndexKey, size_bytes: int) -> None:
    connection.execute(statements.write_index_entry, (held.index.number, *place, *key))
    if connection.changes():
        held.entry_count += 1
        held.size_bytes += size_bytes


def _size(item: Item | None) -> int:
    return 0 if item is None else item_size_bytes(item)
