"""Replicas: which regions hold a table, what each says of its copy, and what this region has to do about it.

Definitions of global tables and replica states are items of the catalog lane, versioned and replicated like any
item: key (generation, "") holds the definition, key (generation, region) that region's own account of its replica.
`reconcile` makes the local tables agree with what the lane says, after every change of it and at start.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from services.region.engine.registry import Registry, Table
from services.region.engine.stream_register import StreamRegister
from services.region.rules.stored import StoredItem
from services.region.storage.catalog import Catalog, LocalTable, Stage
from services.region.storage.index_entries import FileIndex
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partition_state import CopyState, PartitionState
from services.region.storage.partitions import Partition, Partitions
from services.region.storage.reader import before_all
from shared.changes.records import Kind, Lane
from shared.errors import CorruptRecordError
from shared.limits import scan_slice_rows_max, slots
from shared.model.keys import ItemKey, slot_of
from shared.model.tables import (
    Generation,
    RegionName,
    ReplicaState,
    ReplicaStatus,
    TableDefinition,
    decode_definition,
    decode_replica_state,
    encode_definition,
    encode_replica_state,
)
from shared.topology import Topology

log = structlog.get_logger(__name__)

removal_waits_us = 30_000_000


class Replicas:
    def __init__(
        self,
        registry: Registry,
        *,
        catalog: Catalog,
        partitions: Partitions,
        definitions: Partition,
        topology: Topology,
        region: str,
        streams: StreamRegister,
    ) -> None:
        self._registry = registry
        self._streams = streams
        self._catalog = catalog
        self._partitions = partitions
        self._definitions = definitions
        self._topology = topology
        self._region = RegionName(region)
        self._reconciling = asyncio.Lock()
        self._removing = asyncio.Lock()

    async def load(self) -> None:
        """At start: every table of the catalog, then whatever the catalog lane says beyond it."""
        await asyncio.to_thread(self._catalog.remove_streams, self._streams.forgotten_before_us)
        self._streams.note(await asyncio.to_thread(self._catalog.streams))
        for local in await asyncio.to_thread(self._catalog.tables):
            self._registry.put(await self._table(local))
        await self.reconcile()

    async def save(self, local: LocalTable) -> Table:
        """Stores a table in the catalog and makes the registry know it."""
        table = await self._table(local)
        streams = self._streams.changed_by(table)
        await asyncio.to_thread(self._catalog.write_table, local, streams)
        self._streams.note(streams)
        self._registry.put(table)
        return table

    async def publish_definition(self, definition: TableDefinition) -> None:
        """Writes a definition into the catalog lane, from where every region gets it."""
        await self._definitions.submit(
            WriteEntry(_definition_key(definition.generation), encode_definition(definition))
        )

    async def publish_state(self, generation: Generation, state: ReplicaState) -> None:
        key = _state_key(generation, self._region)
        await self._definitions.submit(WriteEntry(key, encode_replica_state(state)))
        self._registry.touch()

    def states(self, definition: TableDefinition) -> Mapping[RegionName, ReplicaState]:
        """Every replica of a global table with its region's account of it; also replicas that are being removed."""
        if not definition.is_global:
            return {}
        states = {name: ReplicaState(ReplicaStatus.CREATING, 0) for name in definition.replicas}
        for name, state in self._stored_states(definition.generation).items():
            if name not in definition.replicas:
                states[name] = replace(state, status=ReplicaStatus.DELETING)
            elif state.status is not ReplicaStatus.DELETING:  # of an earlier life; the new one has yet to begin
                states[name] = state
        return states

    def is_changing(self, definition: TableDefinition, now_us: int) -> bool:
        """Whether an addition or a recent removal of a replica is under way."""
        waits_until_us = self._changed_us(definition) + removal_waits_us
        return any(
            state.status is ReplicaStatus.CREATING
            or (state.status is ReplicaStatus.DELETING and now_us < waits_until_us)
            for state in self.states(definition).values()
        )

    def donors(self, definition: TableDefinition) -> Sequence[RegionName]:
        """Regions from which a copy can be had, those that leave last: they serve copies until they are gone."""
        states = self.states(definition)
        return [
            name
            for status in (ReplicaStatus.ACTIVE, ReplicaStatus.DELETING)
            for name, state in states.items()
            if state.status is status and name != self._region and name in self._topology
        ]

    def sources(self, definition: TableDefinition) -> Sequence[RegionName]:
        """Other regions whose changes are due here; a removed one among them until its last changes have arrived."""
        return [name for name in self.states(definition) if name != self._region and name in self._topology]

    async def activate(self, generation: Generation) -> None:
        """Lets a copied replica serve. First said, then kept: a region that fails in between is asked once more."""
        async with self._reconciling:
            table = self._registry.of(generation)
            if table is None or table.stage is not Stage.CREATING:
                return
            await self.publish_state(generation, ReplicaState(ReplicaStatus.ACTIVE))
            await self.save(LocalTable(table.definition, Stage.ACTIVE))
            log.info("replica is active", table=table.definition.name)

    async def report_copy(self, generation: Generation, *, percent: int, problem: str | None = None) -> None:
        """Progress of this region's copy, or what keeps it from going on, for DescribeTable everywhere."""
        async with self._reconciling:
            table = self._registry.of(generation)
            if table is not None and table.stage is Stage.CREATING:
                state = ReplicaState(ReplicaStatus.CREATING, percent, problem)
                if self._stored_states(generation).get(self._region) != state:
                    await self.publish_state(generation, state)

    async def reconcile(self) -> None:
        """Makes local tables follow the definitions of the catalog lane; does nothing when they agree."""
        async with self._reconciling:
            # What leaves goes first, so that its name is free for a new table that came with the same changes.
            for definition in sorted(self._shared_definitions(), key=self._is_wanted):
                await self._reconcile_one(definition)

    async def begin_removal(self, definition: TableDefinition) -> None:
        """From here on the replica takes no requests and says that it goes."""
        if definition.is_global:
            await self.publish_state(definition.generation, ReplicaState(ReplicaStatus.DELETING))
        await self.save(LocalTable(definition, Stage.DELETING))
        log.info("replica is being removed", table=definition.name)

    async def finish_removals(self) -> None:
        """Drops replicas that were removed here, once every remaining replica has their last changes."""
        async with self._removing:
            for table in self._registry.all():
                if table.stage is Stage.DELETING and await self._is_drained(table):
                    await self._drop(table)
                    log.info("replica is gone", table=table.definition.name)

    async def _reconcile_one(self, definition: TableDefinition) -> None:
        table = self._registry.of(definition.generation)
        if table is None:
            if self._is_wanted(definition):
                await self._begin_copy(definition)
        elif not self._is_wanted(definition) and table.stage is not Stage.DELETING:
            await self.begin_removal(definition)
        elif table.definition != definition and table.stage is not Stage.DELETING:
            await self.save(LocalTable(definition, table.stage, table.reason))
        elif table.definition != definition:
            await self.save(LocalTable(definition, Stage.DELETING))

    async def _begin_copy(self, definition: TableDefinition) -> None:
        taken = self._registry.named(definition.name)
        if taken is None:
            await self.save(LocalTable(definition, Stage.CREATING))
            await self.publish_state(definition.generation, ReplicaState(ReplicaStatus.CREATING, 0))
            log.info("replica is being made", table=definition.name)
            return
        reason = f"Failed to create the replica: a table with name {definition.name} already exists in {self._region}"
        await self.publish_state(definition.generation, ReplicaState(ReplicaStatus.CREATION_FAILED, 0, reason))
        await self.save(LocalTable(definition, Stage.FAILED, reason))
        log.warning("replica can't be made", table=definition.name, reason=reason)

    async def _drop(self, table: Table) -> None:
        """The catalog forgets the table last: a crash before that begins anew, and leaves no rest behind."""
        heads = [partition.state.origin_sequence for partition in table.partitions]
        async with self._reconciling:
            await asyncio.to_thread(self._catalog.retire_lanes, table.generation, heads)
            if table.definition.is_global:
                await self._definitions.submit(WriteEntry(_state_key(table.generation, self._region), None))
            self._registry.remove(table.generation)
            self._streams.forget(table.generation)
            for partition in table.partitions:
                await self._partitions.forget(partition.lane)
            await asyncio.to_thread(self._catalog.remove_table, table.generation)
        if table.definition.is_global:
            await self.reconcile()

    def _is_wanted(self, definition: TableDefinition) -> bool:
        return self._region in definition.replicas

    async def _is_drained(self, table: Table) -> bool:
        for partition in table.partitions:
            await partition.drain()  # what was taken before the table stopped taking requests
        others = [name for name in table.definition.replicas if name != self._region and name in self._topology]
        numbers = [self._topology.named(name).number for name in others]
        return all(
            partition.state.followers.get(number, 0) >= partition.state.origin_sequence
            for number in numbers
            for partition in table.partitions
        )

    async def _table(self, local: LocalTable) -> Table:
        known = self._registry.of(local.definition.generation)
        if known is not None:
            return Table(local, known.partitions)
        retired = {}
        if local.stage is Stage.CREATING:
            retired = await asyncio.to_thread(self._catalog.retired_lanes, local.definition.generation)
        completeness = CopyState.COPYING if local.stage is Stage.CREATING else CopyState.FOLLOWING
        partitions = [
            self._partitions.of(
                Lane(local.definition.generation, number),
                first_state=PartitionState(
                    origin_sequence=retired.get(number, 0),
                    completeness=completeness,
                    indexes=[FileIndex(index) for index in local.definition.kept_indexes],
                ),
            )
            for number in range(local.definition.partition_count)
        ]
        return Table(local, partitions)

    def _shared_definitions(self) -> Sequence[TableDefinition]:
        """What can be read: a region of a later release may write what this one does not know yet."""
        reader = self._definitions.reader
        definitions: list[TableDefinition] = []
        after = before_all
        while reader is not None:
            rows = reader.items_after(after, end_slot=slots, rows_max=scan_slice_rows_max)
            for row in rows:
                if not row.key.sort:
                    try:
                        definitions.append(decode_definition(row.image))
                    except CorruptRecordError as error:
                        log.warning("a definition is passed over", table=row.key.partition.hex(), reason=str(error))
            if len(rows) < scan_slice_rows_max:
                break
            last = rows[-1].key
            after = (last.slot, last.partition, last.sort)
        return definitions

    def _stored_states(self, generation: Generation) -> Mapping[RegionName, ReplicaState]:
        reader = self._definitions.reader
        if reader is None:
            return {}
        rows = reader.collection(
            slot_of(generation), generation, first=b"\x00", end=b"\xff", forward=True, rows_max=scan_slice_rows_max
        )
        return {RegionName(row.sort.decode()): decode_replica_state(row.image) for row in rows}

    def _changed_us(self, definition: TableDefinition) -> int:
        stored = self._definitions.read(_definition_key(definition.generation))
        return 0 if stored is None else stored.version.milliseconds * 1000


class WriteEntry:
    """Job: puts a document into the catalog lane, or deletes it."""

    __slots__ = ("_document", "_key")

    def __init__(self, key: ItemKey, document: bytes | None) -> None:
        self._key = key
        self._document = document

    def run(self, file: PartitionFile, now_us: int) -> None:
        stored: StoredItem | None = file.read(self._key)
        if self._document is None and (stored is None or stored.image is None):
            return
        kind = Kind.DELETE if self._document is None else Kind.PUT
        file.write_local(self._key, stored, kind=kind, image=self._document, now_us=now_us)


def _definition_key(generation: Generation) -> ItemKey:
    return ItemKey(slot_of(generation), generation, b"")


def _state_key(generation: Generation, region: RegionName) -> ItemKey:
    return ItemKey(slot_of(generation), generation, region.encode())
