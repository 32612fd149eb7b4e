"""Transactions as members of a round: what each decides on the items that its round shows it."""

import asyncio
from asyncio import Future
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from services.region.commands.items import IndexUnits, ItemCollection, ReturnConsumedCapacity, no_index_units
from services.region.commands.transactions import (
    Action,
    ConditionCheck,
    TransactGet,
    TransactionRead,
    TransactionWritten,
    TransactWrite,
)
from services.region.engine.registry import Registry, Table
from services.region.engine.transaction_tally import committed, read
from services.region.engine.transaction_targets import Target
from services.region.engine.transaction_views import Outcome, View
from services.region.rules.capacity import image_size_bytes, transaction_read_units, transaction_write_units
from services.region.rules.index_capacity import added_units, check_collection, index_write_units, total_units
from services.region.rules.stored import StoredItem
from services.region.rules.transactions import attributes_of, conflicts, decide, no_reason, reason_of, too_large
from services.region.storage.partitions import Partition
from shared.changes.records import Lane
from shared.errors import (
    ConditionalCheckFailedError,
    ItemCollectionSizeLimitExceededError,
    ResourceNotFoundError,
    ServiceError,
    TransactionCanceledError,
    ValidationError,
)
from shared.limits import transaction_bytes_max
from shared.model.keys import ItemKey
from shared.model.values import decode_item, encode_item


class WriteMember:
    """A transaction that writes, as a member of a round."""

    done_as = committed

    def __init__(self, registry: Registry, command: TransactWrite, targets: Sequence[Target]) -> None:
        self.partitions = _partitions_of(targets)
        self.client_token = command.client_token
        self.future: Future[TransactionWritten] = asyncio.get_running_loop().create_future()
        self._registry = registry
        self._command = command
        self._targets = targets

    async def decide(self, view: View) -> Outcome:
        """Every action on the item as it is; the reasons of all that refuse are told together."""
        tally = _Tally(self._command)
        reasons, changes, absences, read_units = [], [], [], bytearray()
        for (planned, partition, place), action in zip(self._targets, self._command.actions, strict=True):
            table = self._registry.serving(action.table)
            if table.generation != planned.generation:  # another one, made while the transaction waited
                raise ResourceNotFoundError
            stored = await view.read(place)
            old = None if stored is None else stored.image
            try:
                kind, image, _ = decide(action, stored, indexes=table.indexes)
                collection_bytes = _collection_bytes(table, partition, place.key)
                if collection_bytes is not None and kind is not None:
                    check_collection(collection_bytes, old, image)
            except (ConditionalCheckFailedError, ItemCollectionSizeLimitExceededError, ValidationError) as refusal:
                reasons.append(reason_of(refusal))
                continue
            if old is None and action.guard.is_absence_told:
                absences.append(len(reasons))
            reasons.append(no_reason)
            new = image if kind is not None else old
            if kind is not None:
                changes.append(view.change(place, stored, kind=kind, image=image))
            if self.client_token is not None:
                read_units.append(int(transaction_read_units(old, new)))
            tally.add(table, action, old=old, new=new, collection_bytes=collection_bytes)
        if any(reason is not no_reason for reason in reasons):
            for position in absences:
                reasons[position] = reason_of(ConditionalCheckFailedError())
            raise TransactionCanceledError(reasons)
        written = TransactionWritten(tally.units, tally.index_units, tally.collections)
        return Outcome(written, changes, bytes(read_units))

    def conflict(self, lanes: Collection[Lane]) -> ServiceError:
        return _conflict(self._targets, lanes)


class ReadMember:
    """A transaction that reads, as a member of a round."""

    client_token = None
    done_as = read

    def __init__(self, command: TransactGet, targets: Sequence[Target]) -> None:
        self.partitions = _partitions_of(targets)
        self.future: Future[TransactionRead] = asyncio.get_running_loop().create_future()
        self._command = command
        self._targets = targets

    async def decide(self, view: View) -> Outcome:
        return Outcome(answer_of(self._command, [await view.read(target.place) for target in self._targets]))

    def conflict(self, lanes: Collection[Lane]) -> ServiceError:
        return _conflict(self._targets, lanes)


class _Tally:
    """What a transaction consumes and which item collections it changes, as far as that was asked for."""

    def __init__(self, command: TransactWrite) -> None:
        self.units: dict[str, float] = defaultdict(float)
        self.index_units: dict[str, IndexUnits] = {}
        self.collections: dict[str, list[ItemCollection]] = defaultdict(list)
        self._measures = command.return_consumed_capacity is not ReturnConsumedCapacity.NONE
        self._sizes = command.return_collection_size

    def add(
        self, table: Table, action: Action, *, old: bytes | None, new: bytes | None, collection_bytes: int | None
    ) -> None:
        name = action.table
        if self._measures:
            self.units[name] += transaction_write_units(old, new)
            if table.indexes:
                consumed = index_write_units(table.indexes, old, new)
                self.units[name] += total_units(consumed)
                self.index_units[name] = added_units(self.index_units.get(name, no_index_units), consumed)
        if self._sizes and collection_bytes is not None and not isinstance(action, ConditionCheck):
            key = table.schema.partition.name
            self.collections[name].append(ItemCollection({key: attributes_of(action)[key]}, collection_bytes))


def _collection_bytes(table: Table, partition: Partition, key: ItemKey) -> int | None:
    """Of a table with local indexes."""
    if not table.indexes or table.indexes[-1].is_global:
        return None
    return 0 if partition.reader is None else partition.reader.collection_bytes(key)


def _partitions_of(targets: Sequence[Target]) -> Mapping[Lane, Partition]:
    return {target.place.lane: target.partition for target in targets}


def _conflict(targets: Sequence[Target], lanes: Collection[Lane]) -> ServiceError:
    return TransactionCanceledError(conflicts([target.place.lane in lanes for target in targets]))


def answer_of(command: TransactGet, found: Iterable[StoredItem | None]) -> TransactionRead:
    measured = command.return_consumed_capacity is not ReturnConsumedCapacity.NONE
    images: list[bytes | None] = []
    units: dict[str, float] = defaultdict(float)
    size_bytes = 0
    for get, stored in zip(command.gets, found, strict=True):
        image = None if stored is None else stored.image
        if image is not None:
            size_bytes += image_size_bytes(image)
            if size_bytes > transaction_bytes_max:
                raise ValidationError(too_large(size_bytes))
        if measured:
            units[get.table] += transaction_read_units(image)
        if image is not None and get.projection is not None:
            image = encode_item(get.projection.of(decode_item(image)))
        images.append(image)
    return TransactionRead(images, units)
