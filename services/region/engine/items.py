"""Single items: find the partition, read at once or submit to its writer, and shape the answer."""

from asyncio import Future
from collections.abc import Callable, Sequence

from services.region.commands.items import (
    DeleteItem,
    GetItem,
    ItemCollection,
    ItemFound,
    ItemWrite,
    ItemWritten,
    PutItem,
    ReturnConsumedCapacity,
    UpdateItem,
    no_index_units,
)
from services.region.engine.registry import Registry, Table
from services.region.rules.capacity import image_size_bytes, read_units, write_units
from services.region.rules.index_capacity import check_collection, index_write_units, total_units
from services.region.rules.indexes import check_assigned_index_keys, check_index_key_paths, check_index_keys
from services.region.rules.keys import KeyUpdateError, check_key_paths, key_of_item, key_of_request
from services.region.rules.stored import StoredItem
from services.region.rules.writes import Decision, decide_delete, decide_put, decide_update, update_too_large
from services.region.storage.partition_file import PartitionFile
from shared.errors import ValidationError
from shared.model.indexes import SecondaryIndex
from shared.model.keys import ItemKey
from shared.model.values import Item, decode_item, encode_item

Decide = Callable[[StoredItem | None], Decision]


class Items:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def get(self, command: GetItem) -> ItemFound:
        """Answers from the committed state, so every acknowledged write is seen, consistent read or not."""
        table = self._registry.serving(command.table)
        key = key_of_request(table.schema, command.key)
        if command.projection is not None:
            check_key_paths(table.schema, command.projection.nested)
            check_index_key_paths(table.indexes, command.projection.nested)
        stored = table.partition(key.slot).read(key)
        measured = command.return_consumed_capacity is not ReturnConsumedCapacity.NONE
        if stored is None or stored.image is None:
            return ItemFound(None, None, read_units(0, consistent=command.consistent) if measured else 0.0)
        image = stored.image
        units = read_units(image_size_bytes(image), consistent=command.consistent) if measured else 0.0
        if command.projection is not None:
            image = encode_item(command.projection.of(decode_item(image)))
        return ItemFound(image, stored.version, units)

    def put(self, command: PutItem) -> Future[ItemWritten]:
        table = self._registry.serving(command.table)
        key = key_of_item(table.schema, command.item)
        if table.indexes:
            check_index_keys(table.indexes, command.item)
        image, guard, wanted = encode_item(command.item), command.guard, command.return_values
        return _submit(table, key, command, lambda stored: decide_put(image, stored, guard=guard, wanted=wanted))

    def update(self, command: UpdateItem) -> Future[ItemWritten]:
        table = self._registry.serving(command.table)
        key = key_of_request(table.schema, command.key)
        if command.is_too_large:
            raise ValidationError(update_too_large)
        if command.update is not None:
            for name in table.schema.names:
                if name in command.update.paths:
                    raise KeyUpdateError(name)
            if table.indexes:
                check_assigned_index_keys(table.indexes, command.update.assigned_types)
            check_key_paths(table.schema, command.update.nested)
            check_index_key_paths(table.indexes, command.update.nested)
        return _submit(table, key, command, lambda stored: decide_update(command, stored, indexes=table.indexes))

    def delete(self, command: DeleteItem) -> Future[ItemWritten]:
        table = self._registry.serving(command.table)
        key = key_of_request(table.schema, command.key)
        return _submit(table, key, command, lambda stored: decide_delete(command, stored))


def _submit(table: Table, key: ItemKey, command: ItemWrite, decide: Decide) -> Future[ItemWritten]:
    measured = command.return_consumed_capacity is not ReturnConsumedCapacity.NONE
    if table.indexes:
        collection_key = _partition_key(table, command) if command.return_collection_size else None
        return table.partition(key.slot).submit(
            IndexedWrite(key, decide, indexes=table.indexes, collection_key=collection_key, measured=measured)
        )
    return table.partition(key.slot).submit(Write(key, decide, measured=measured))


class Write:
    """One decision on one item, run by the partition's writer."""

    __slots__ = ("_decide", "_key", "_measured")

    def __init__(self, key: ItemKey, decide: Decide, *, measured: bool) -> None:
        self._key = key
        self._decide = decide
        self._measured = measured

    def run(self, file: PartitionFile, now_us: int) -> ItemWritten:
        stored = file.read(self._key)
        kind, image, attributes = self._decide(stored)
        old = None if stored is None else stored.image
        version = None
        if kind is not None:
            version = file.write_local(self._key, stored, kind=kind, image=image, now_us=now_us)
        units = write_units(old, image) if self._measured else 0.0
        return ItemWritten(attributes, version, created=old is None, capacity_units=units)


class IndexedWrite:
    """As `Write`, on a table with indexes: they count as well."""

    __slots__ = ("_collection_key", "_decide", "_indexes", "_key", "_measured")

    def __init__(
        self,
        key: ItemKey,
        decide: Decide,
        *,
        indexes: Sequence[SecondaryIndex],
        collection_key: Item | None,
        measured: bool,
    ) -> None:
        self._key = key
        self._decide = decide
        self._indexes = indexes
        self._collection_key = collection_key  # where the size of the item's collection is to be told
        self._measured = measured

    def run(self, file: PartitionFile, now_us: int) -> ItemWritten:
        stored = file.read(self._key)
        kind, image, attributes = self._decide(stored)
        old = None if stored is None else stored.image
        indexes = self._indexes
        has_local = not indexes[-1].is_global
        version = None
        if kind is not None:
            if has_local:
                check_collection(file.collection_bytes(self._key), old, image)
            version = file.write_local(self._key, stored, kind=kind, image=image, now_us=now_us)
        units, index_units = 0.0, no_index_units
        if self._measured:
            index_units = index_write_units(indexes, old, image if kind is not None else old)
            units = write_units(old, image) + total_units(index_units)
        collection = None
        if has_local and self._collection_key is not None:
            collection = ItemCollection(self._collection_key, file.collection_bytes(self._key))
        return ItemWritten(attributes, version, old is None, units, index_units, collection)


def _partition_key(table: Table, command: ItemWrite) -> Item:
    name = table.schema.partition.name
    return {name: (command.item if isinstance(command, PutItem) else command.key)[name]}
