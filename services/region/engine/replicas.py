"""Replicas: which regions hold a table, what each says of its copy, and what this region has to do about it.

`reconcile` makes the local tables agree with what the catalog lane says, after every change of it and at start.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from services.region.engine.registry import Registry, Table, lanes_of
from services.region.engine.shared_definitions import SharedDefinitions
from services.region.engine.stream_register import StreamRegister
from services.region.storage.catalog import Catalog, LocalTable, Stage
from services.region.storage.index_entries import FileIndex
from services.region.storage.partition_state import CopyState, PartitionState
from services.region.storage.partitions import Partitions
from shared.changes.records import Lane
from shared.model.tables import Generation, RegionName, ReplicaState, ReplicaStatus, TableDefinition
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
        shared: SharedDefinitions,
        topology: Topology,
        region: str,
        streams: StreamRegister,
    ) -> None:
        self._registry = registry
        self._streams = streams
        self._catalog = catalog
        self._partitions = partitions
        self._shared = shared
        self._topology = topology
        self._region = RegionName(region)
        self.changing = asyncio.Lock()  # held by who changes tables as clients ask; taken before the next one
        self._reconciling = asyncio.Lock()
        self._removing = asyncio.Lock()

    async def load(self) -> None:
        """At start: every table of the catalog, then whatever the catalog lane says beyond it."""
        await asyncio.to_thread(self._catalog.remove_streams, self._streams.forgotten_before_us)
        self._streams.note(await asyncio.to_thread(self._catalog.streams))
        for local in await asyncio.to_thread(self._catalog.tables):
            if local.stage is Stage.GONE:
                self._streams.keep(local)
            else:
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
        await self._shared.write_definition(definition)

    async def publish_state(self, generation: Generation, state: ReplicaState) -> None:
        await self._shared.write_state(generation, self._region, state)
        self._registry.touch()

    def states(self, definition: TableDefinition) -> Mapping[RegionName, ReplicaState]:
        """Every replica of a global table with its region's account of it; also replicas that are being removed."""
        if not definition.is_global:
            return {}
        states = {name: ReplicaState(ReplicaStatus.CREATING, 0) for name in definition.replicas}
        for name, state in self._shared.states(definition.generation).items():
            if name not in definition.replicas:
                states[name] = replace(state, status=ReplicaStatus.DELETING)
            elif state.status is not ReplicaStatus.DELETING:  # of an earlier life; the new one has yet to begin
                states[name] = state
        return states

    def is_changing(self, definition: TableDefinition, now_us: int) -> bool:
        """Whether an addition or a recent removal of a replica is under way."""
        waits_until_us = self._shared.changed_us(definition.generation) + removal_waits_us
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
        """Lets a copied replica serve. First done, because whoever finds it ACTIVE in any region uses it at once; then
        said; kept last: a region that fails in between is asked once more. Updates of tables wait meanwhile, because
        what is kept, or taken back, is the table as it was."""
        async with self.changing, self._reconciling:
            table = self._registry.of(generation)
            if table is None or table.stage is not Stage.CREATING:
                return
            active = LocalTable(table.definition, Stage.ACTIVE)
            self._registry.put(await self._table(active))
            try:
                await self.publish_state(generation, ReplicaState(ReplicaStatus.ACTIVE))
                await self.save(active)
            except BaseException:
                self._registry.put(table)
                raise
            log.info("replica is active", table=table.definition.name)

    async def report_copy(self, generation: Generation, *, percent: int, problem: str | None = None) -> None:
        """Progress of this region's copy, or what keeps it from going on, for DescribeTable everywhere."""
        async with self._reconciling:
            table = self._registry.of(generation)
            if table is not None and table.stage is Stage.CREATING:
                state = ReplicaState(ReplicaStatus.CREATING, percent, problem)
                if self._shared.states(generation).get(self._region) != state:
                    await self.publish_state(generation, state)

    async def reconcile(self) -> None:
        """Makes local tables follow the definitions of the catalog lane; does nothing when they agree."""
        async with self._reconciling:
            # What leaves goes first, so that its name is free for a new table that came with the same changes.
            for definition in sorted(self._shared.all(), key=self._is_wanted):
                await self._reconcile_one(definition)

    async def begin_removal(self, definition: TableDefinition) -> None:
        """From here on the replica takes no requests and says that it goes."""
        if definition.is_global:
            await self.publish_state(definition.generation, ReplicaState(ReplicaStatus.DELETING))
        await self.save(LocalTable(definition, Stage.DELETING))
        log.info("replica is being removed", table=definition.name)

    async def finish_removals(self) -> None:
        """Drops replicas that were removed here, once every remaining replica has their last changes.

        Their files are erased when no stream of theirs can be read any more.
        """
        async with self._removing:
            for table in self._registry.all():
                if table.stage is Stage.DELETING and await self._is_drained(table):
                    await self._drop(table)
                    log.info("replica is gone", table=table.definition.name)
            for gone in self._streams.no_longer_read():
                async with self._reconciling:
                    if self._streams.gone(gone.definition.generation) is gone:  # the replica may have come back
                        await self._erase(gone)

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
        """Where there was a replica before, its files make room, also if its streams could still be read."""
        earlier = self._streams.gone(definition.generation)
        if earlier is not None:
            await self._erase(earlier)
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
        """Nobody finds the table any more; its files stay as long as a stream of it can be read."""
        heads = [partition.state.origin_sequence for partition in table.partitions]
        async with self._reconciling:
            await asyncio.to_thread(self._catalog.retire_lanes, table.generation, heads)
            if table.definition.is_global:
                await self._shared.remove_state(table.generation, self._region)
            gone = LocalTable(table.definition, Stage.GONE)
            ended = self._streams.changed_by(Table(gone, table.partitions))
            if ended or self._streams.are_readable(table.generation):
                await asyncio.to_thread(self._catalog.write_table, gone, ended)
                self._registry.remove(table.generation)
                self._streams.note(ended)
                self._streams.keep(gone)
                for partition in table.partitions:
                    await self._partitions.release(partition.lane)
            else:
                self._registry.remove(table.generation)
                await self._erase(gone)
        if table.definition.is_global:
            await self.reconcile()

    async def _erase(self, gone: LocalTable) -> None:
        """Nobody finds its streams from here on. The catalog forgets it last, so that a crash leaves no rest behind."""
        self._streams.forget(gone.definition.generation)
        for lane in lanes_of(gone.definition):
            await self._partitions.forget(lane)
        await asyncio.to_thread(self._catalog.remove_table, gone.definition.generation)

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
        """A replica that was here before left when every other one had its last changes: these are not due any more."""
        known = self._registry.of(local.definition.generation)
        if known is not None:
            return Table(local, known.partitions)
        retired = {}
        if local.stage is Stage.CREATING:
            retired = await asyncio.to_thread(self._catalog.retired_lanes, local.definition.generation)
        others = [region.number for region in self._topology.others(self._region)]
        completeness = CopyState.COPYING if local.stage is Stage.CREATING else CopyState.FOLLOWING
        partitions = [
            self._partitions.of(
                Lane(local.definition.generation, number),
                first_state=PartitionState(
                    origin_sequence=retired.get(number, 0),
                    completeness=completeness,
                    followers=dict.fromkeys(others, retired[number]) if number in retired else {},
                    indexes=[FileIndex(index) for index in local.definition.kept_indexes],
                ),
            )
            for number in range(local.definition.partition_count)
        ]
        return Table(local, partitions)
