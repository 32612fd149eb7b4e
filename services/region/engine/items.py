"""Single items: find the partition, read at once or submit to its writer, and shape the answer."""

from asyncio import Future
from collections.abc import Callable

from services.region.commands.items import (
    DeleteItem,
    GetItem,
    ItemFound,
    ItemWritten,
    PutItem,
    ReturnConsumedCapacity,
    UpdateItem,
)
from services.region.engine.registry import Registry
from services.region.rules.capacity import image_size_bytes, read_units, write_units
from services.region.rules.keys import check_key_paths, key_of_item, key_of_request
from services.region.rules.stored import StoredItem
from services.region.rules.writes import Decision, decide_delete, decide_put, decide_update
from services.region.storage.partition_file import PartitionFile
from shared.errors import ValidationError
from shared.model.keys import ItemKey
from shared.model.values import decode_item, encode_item

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
        image = encode_item(command.item)
        measured = command.return_consumed_capacity is not ReturnConsumedCapacity.NONE
        job = ItemWrite(key, lambda stored: decide_put(command, image, stored), measured=measured)
        return table.partition(key.slot).submit(job)

    def update(self, command: UpdateItem) -> Future[ItemWritten]:
        table = self._registry.serving(command.table)
        key = key_of_request(table.schema, command.key)
        if command.update is not None:
            for name in table.schema.names:
                if name in command.update.paths:
                    raise ValidationError(
                        f"One or more parameter values were invalid: Cannot update attribute {name}."
                        " This attribute is part of the key"
                    )
            check_key_paths(table.schema, command.update.nested)
        measured = command.return_consumed_capacity is not ReturnConsumedCapacity.NONE
        job = ItemWrite(key, lambda stored: decide_update(command, stored), measured=measured)
        return table.partition(key.slot).submit(job)

    def delete(self, command: DeleteItem) -> Future[ItemWritten]:
        table = self._registry.serving(command.table)
        key = key_of_request(table.schema, command.key)
        measured = command.return_consumed_capacity is not ReturnConsumedCapacity.NONE
        job = ItemWrite(key, lambda stored: decide_delete(command, stored), measured=measured)
        return table.partition(key.slot).submit(job)


class ItemWrite:
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
