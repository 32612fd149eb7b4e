"""Batches: many single reads or writes of one request, each on its own."""

import asyncio
from collections import defaultdict

from services.region.commands.batches import (
    BatchGetItem,
    BatchWriteItem,
    ItemsFound,
    ItemsWritten,
    ItemToPut,
    KeysToGet,
)
from services.region.commands.items import (
    DeleteItem,
    GetItem,
    IndexUnits,
    ItemCollection,
    ItemWritten,
    PutItem,
    no_index_units,
)
from services.region.engine.items import Items
from services.region.engine.registry import Registry
from services.region.rules.index_capacity import added_units
from services.region.rules.indexes import check_index_keys
from services.region.rules.keys import key_of_batched_item, key_of_request
from shared.errors import ValidationError
from shared.limits import batch_reply_bytes_max
from shared.model.values import Item


class Batches:
    def __init__(self, registry: Registry, items: Items) -> None:
        self._registry = registry
        self._items = items

    def get(self, command: BatchGetItem) -> ItemsFound:
        """Reads up to 100 keys; keys whose items no longer fit into a 16 MB reply come back unprocessed."""
        images: dict[str, list[bytes]] = {name: [] for name in command.tables}
        unprocessed: dict[str, list[Item]] = defaultdict(list)
        units: dict[str, float] = defaultdict(float)
        keys = {name: self._distinct_keys(name, wanted) for name, wanted in command.tables.items()}
        room = batch_reply_bytes_max
        for name, wanted in command.tables.items():
            for key in keys[name]:
                if room <= 0:
                    unprocessed[name].append(key)
                    continue
                found = self._items.get(
                    GetItem(name, key, wanted.projection, wanted.consistent, command.return_consumed_capacity)
                )
                units[name] += found.capacity_units
                if found.image is not None:
                    room -= len(found.image)
                    if room <= 0:
                        unprocessed[name].append(key)
                    else:
                        images[name].append(found.image)
        return ItemsFound(images, unprocessed, units)

    async def write(self, command: BatchWriteItem) -> ItemsWritten:
        """Writes up to 25 items; all are checked before any is written, then each is its own write."""
        self._refuse_duplicate_writes(command)
        names, writes = [], []
        wish, sized = command.return_consumed_capacity, command.return_collection_size
        for name, requests in command.tables.items():
            for request in requests:
                names.append(name)
                if isinstance(request, ItemToPut):
                    put = PutItem(name, request.item, return_consumed_capacity=wish, return_collection_size=sized)
                    writes.append(self._items.put(put))
                else:
                    delete = DeleteItem(name, request.key, return_consumed_capacity=wish, return_collection_size=sized)
                    writes.append(self._items.delete(delete))
        written: list[ItemWritten] = await asyncio.gather(*writes)
        units: dict[str, float] = defaultdict(float)
        index_units: dict[str, IndexUnits] = {}
        collections: dict[str, list[ItemCollection]] = defaultdict(list)
        for name, result in zip(names, written, strict=True):
            units[name] += result.capacity_units
            if result.index_units is not no_index_units:
                index_units[name] = added_units(index_units.get(name, no_index_units), result.index_units)
            if result.collection is not None:
                collections[name].append(result.collection)
        return ItemsWritten(units, index_units, collections)

    def _distinct_keys(self, name: str, wanted: KeysToGet) -> list[Item]:
        """All fit the table's schema; a number that is written in two ways is one key."""
        schema = self._registry.serving(name).schema
        return list({key_of_request(schema, key): key for key in wanted.keys}.values())

    def _refuse_duplicate_writes(self, command: BatchWriteItem) -> None:
        for name, requests in command.tables.items():
            table = self._registry.serving(name)
            schema = table.schema
            if table.indexes:
                for request in requests:
                    if isinstance(request, ItemToPut):
                        check_index_keys(table.indexes, request.item)
            keys = [
                key_of_batched_item(schema, request.item)
                if isinstance(request, ItemToPut)
                else key_of_request(schema, request.key)
                for request in requests
            ]
            if len(set(keys)) != len(keys):
                raise ValidationError("Provided list of item keys contains duplicates")
