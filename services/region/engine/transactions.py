"""TransactWriteItems and TransactGetItems: what is checked of a transaction before it joins a round, and its answer.

A read takes no part in a round as long as nothing of what it reads is being written by one: then what is committed,
read within one turn of the event loop, shows all or nothing of every transaction.
"""

import asyncio
from asyncio import Future
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from services.region.commands.items import (
    GetItem,
    IndexUnits,
    ItemCollection,
    ReturnConsumedCapacity,
    no_index_units,
)
from services.region.commands.transactions import (
    Action,
    ClientToken,
    ConditionCheck,
    TransactGet,
    TransactionRead,
    TransactionWritten,
    TransactWrite,
)
from services.region.engine.registry import Registry, Table
from services.region.engine.transaction_entries import Remains, decode_changes
from services.region.engine.transaction_rounds import Rounds
from services.region.engine.transaction_tally import cancelled, committed, read
from services.region.engine.transaction_views import Outcome, Place, View
from services.region.rules.capacity import image_size_bytes, transaction_read_units, transaction_write_units
from services.region.rules.index_capacity import (
    added_units,
    check_collection,
    index_write_units,
    total_units,
)
from services.region.rules.keys import check_key_paths, check_key_values, key_of_request
from services.region.rules.stored import StoredItem
from services.region.rules.transactions import (
    attributes_of,
    check_values,
    conflicts,
    decide,
    key_of,
    no_reason,
    reason_of,
    reason_of_one,
    several_on_one_item,
    too_large,
)
from services.region.storage.partitions import Partition
from services.region.storage.transaction_log import TransactionLog
from shared.changes.records import Change, Lane
from shared.clock import Clock
from shared.errors import (
    ConditionalCheckFailedError,
    IdempotentParameterMismatchError,
    ItemCollectionSizeLimitExceededError,
    ResourceNotFoundError,
    ServiceError,
    TransactionCanceledError,
    TransactionInProgressError,
    ValidationError,
)
from shared.limits import transaction_bytes_max
from shared.model.keys import ItemKey
from shared.model.values import decode_item, encode_item


class Transactions:
    def __init__(self, registry: Registry, rounds: Rounds, *, transaction_log: TransactionLog, clock: Clock) -> None:
        self._registry = registry
        self._rounds = rounds
        self._tally = rounds.tally
        self._log = transaction_log
        self._clock = clock

    async def write(self, command: TransactWrite) -> TransactionWritten:
        """Does all actions or none; raises `TransactionCanceledError` with a reason for each."""
        try:
            return await self._write(command)
        except TransactionCanceledError:
            self._tally.outcomes[cancelled] += 1
            raise

    async def read(self, command: TransactGet) -> TransactionRead:
        """Items that all show the same moment; they may have 4 MB together."""
        try:
            return await self._read(command)
        except TransactionCanceledError:
            self._tally.outcomes[cancelled] += 1
            raise

    async def recover(self) -> None:
        """At start, before anything is read or written: does what was committed and perhaps not done."""
        numbers: list[int] = []
        client_tokens: list[ClientToken] = []
        changes: dict[Lane, list[Change]] = defaultdict(list)
        partitions: dict[Lane, Partition] = {}
        for number, client_token, entry in self._log.unfinished():
            numbers.append(number)
            if client_token is not None:
                client_tokens.append(client_token)
            for change in decode_changes(entry):
                table = self._registry.of(change.lane.generation)
                if table is not None:  # otherwise it was deleted, and its items with it
                    partitions[change.lane] = table.partitions[change.lane.partition]
                    changes[change.lane].append(change)
        if numbers:
            await self._rounds.resume(Remains(numbers, client_tokens, changes), partitions)

    async def tidy(self) -> None:
        """A turn of work on the log: what is done and what has expired is dropped from it."""
        await self._log.tidy(now_us=self._clock.wall_us())

    async def _write(self, command: TransactWrite) -> TransactionWritten:
        tables = [self._registry.serving(action.table) for action in command.actions]
        targets = _targets_of_write(tables, command.actions)
        if command.client_token is not None and self._was_done(command.client_token):
            return _done_before(command, targets)
        written: TransactionWritten = await self._rounds.join(_Write(self._registry, command, targets))
        return written

    async def _read(self, command: TransactGet) -> TransactionRead:
        tables = [self._registry.serving(get.table) for get in command.gets]
        targets = _targets_of_read(tables, command.gets)
        if self._rounds.are_finished(target.place.lane for target in targets):
            answer = _answer(command, (target.partition.read(target.place.key) for target in targets))
            self._tally.outcomes[read] += 1
            return answer
        answered: TransactionRead = await self._rounds.join(_Read(command, targets))
        return answered

    def _was_done(self, client_token: ClientToken) -> bool:
        """Whether a request of the same token has been done; raises when it asked for something else or goes on."""
        token, parameters = client_token
        in_progress = self._rounds.tokens.get(token)
        known = in_progress or self._log.parameters_of(token, now_us=self._clock.wall_us())
        if known is None:
            return False
        if known != parameters:
            raise IdempotentParameterMismatchError
        if in_progress is not None:
            raise TransactionInProgressError
        return True


class _Target(NamedTuple):
    table: Table
    partition: Partition
    place: Place


class _Write:
    """A transaction that writes, as a member of a round."""

    done_as = committed

    def __init__(self, registry: Registry, command: TransactWrite, targets: Sequence[_Target]) -> None:
        self.partitions = _partitions_of(targets)
        self.client_token = command.client_token
        self.future: Future[TransactionWritten] = asyncio.get_running_loop().create_future()
        self._registry = registry
        self._command = command
        self._targets = targets

    async def decide(self, view: View) -> Outcome:
        """Every action on the item as it is; the reasons of all that refuse are told together."""
        tally = _Tally(self._command)
        reasons, changes = [], []
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
            reasons.append(no_reason)
            if kind is not None:
                changes.append(view.change(place, stored, kind=kind, image=image))
            tally.add(table, action, old, image if kind is not None else old, collection_bytes)
        if any(reason is not no_reason for reason in reasons):
            raise TransactionCanceledError(reasons)
        return Outcome(TransactionWritten(tally.units, tally.index_units, tally.collections), changes)

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
        self, table: Table, action: Action, old: bytes | None, new: bytes | None, collection_bytes: int | None
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


class _Read:
    """A transaction that reads, as a member of a round."""

    client_token = None
    done_as = read

    def __init__(self, command: TransactGet, targets: Sequence[_Target]) -> None:
        self.partitions = _partitions_of(targets)
        self.future: Future[TransactionRead] = asyncio.get_running_loop().create_future()
        self._command = command
        self._targets = targets

    async def decide(self, view: View) -> Outcome:
        return Outcome(_answer(self._command, [await view.read(target.place) for target in self._targets]))

    def conflict(self, lanes: Collection[Lane]) -> ServiceError:
        return _conflict(self._targets, lanes)


def _targets_of_write(tables: Sequence[Table], actions: Sequence[Action]) -> Sequence[_Target]:
    for table, action in zip(tables, actions, strict=True):
        check_values(table.schema, table.indexes, action)

    def key_at(position: int) -> ItemKey:
        table = tables[position]
        return key_of(table.schema, table.indexes, actions[position])

    return _targets(tables, key_at)


def _targets_of_read(tables: Sequence[Table], gets: Sequence[GetItem]) -> Sequence[_Target]:
    for table, get in zip(tables, gets, strict=True):
        check_key_values(table.schema, get.key)

    def key_at(position: int) -> ItemKey:
        schema, get = tables[position].schema, gets[position]
        if get.projection is not None:
            check_key_paths(schema, get.projection.nested)
        return key_of_request(schema, get.key)

    return _targets(tables, key_at)


def _targets(tables: Sequence[Table], key_at: Callable[[int], ItemKey]) -> Sequence[_Target]:
    """Where each action aims at; the first one that does not fit its table cancels the transaction."""
    targets = []
    refusal: ServiceError | None = None
    for position, table in enumerate(tables):
        try:
            key = key_at(position)
        except ValidationError as error:
            refusal = refusal or TransactionCanceledError(reason_of_one(position, len(tables), error))
            continue
        partition = table.partition(key.slot)
        targets.append(_Target(table, partition, Place(partition.lane, key)))
    if len({target.place for target in targets}) < len(targets):
        raise ValidationError(several_on_one_item)
    if refusal is not None:
        raise refusal
    return targets


def _partitions_of(targets: Sequence[_Target]) -> Mapping[Lane, Partition]:
    return {target.place.lane: target.partition for target in targets}


def _conflict(targets: Sequence[_Target], lanes: Collection[Lane]) -> ServiceError:
    return TransactionCanceledError(conflicts([target.place.lane in lanes for target in targets]))


def _done_before(command: TransactWrite, targets: Sequence[_Target]) -> TransactionWritten:
    """Nothing is done again; what is told to be consumed is that of reading the items."""
    units: dict[str, float] = defaultdict(float)
    if command.return_consumed_capacity is not ReturnConsumedCapacity.NONE:
        for action, target in zip(command.actions, targets, strict=True):
            stored = target.partition.read(target.place.key)
            units[action.table] += transaction_read_units(None if stored is None else stored.image)
    return TransactionWritten(units, was_done=True)


def _answer(command: TransactGet, found: Iterable[StoredItem | None]) -> TransactionRead:
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
