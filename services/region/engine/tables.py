"""Tables: create, describe, list, delete, and the updates that make a table global or change its replicas."""

import asyncio
import secrets
from dataclasses import replace

from services.region.commands.tables import (
    CreateTable,
    DeleteTable,
    DescribeTable,
    ListTables,
    TableDescription,
    TableNames,
    TableStatus,
    UpdateTable,
)
from services.region.engine.registry import Registry, Table
from services.region.engine.replicas import Replicas
from services.region.storage.catalog import LocalTable, Stage
from shared.clock import Clock
from shared.errors import (
    LimitExceededError,
    ReplicaNotFoundError,
    ResourceInUseError,
    ResourceNotFoundError,
    ValidationError,
)
from shared.limits import partitions_default, tables_per_region_max
from shared.model.tables import (
    BillingMode,
    Generation,
    RegionName,
    ReplicaState,
    ReplicaStatus,
    StreamSpecification,
    TableDefinition,
)
from shared.topology import Topology

_in_use = "Attempt to change a resource which is still in use"
_global_stream = StreamSpecification(enabled=True, view_type="NEW_AND_OLD_IMAGES")


class Tables:
    def __init__(
        self,
        registry: Registry,
        replicas: Replicas,
        *,
        topology: Topology,
        region: str,
        clock: Clock,
        creation_delay_s: float,
    ) -> None:
        self._registry = registry
        self._replicas = replicas
        self._topology = topology
        self._region = RegionName(region)
        self._clock = clock
        self._creation_delay_s = creation_delay_s
        self._changing = asyncio.Lock()

    async def create(self, command: CreateTable) -> TableDescription:
        async with self._changing:
            if self._registry.named(command.name) is not None:
                raise ResourceInUseError(f"Table already exists: {command.name}")
            if len(self._registry.all()) >= tables_per_region_max:
                raise LimitExceededError(
                    f"Subscriber limit exceeded: There is a limit of {tables_per_region_max} tables per subscriber"
                )
            definition = TableDefinition(
                generation=Generation(secrets.token_bytes(16)),
                name=command.name,
                key_schema=command.key_schema,
                partition_count=partitions_default,
                replicas=(self._region,),
                created_us=self._clock.wall_us(),
                billing_mode=command.billing_mode,
                read_capacity_units=command.read_capacity_units,
                write_capacity_units=command.write_capacity_units,
                stream=command.stream,
            )
            table = await self._replicas.save(LocalTable(definition, Stage.ACTIVE))
            return self.description(self._opened_later(table) if self._creation_delay_s else table)

    def describe(self, command: DescribeTable) -> TableDescription:
        return self.description(self._existing(command.name))

    def list(self, command: ListTables) -> TableNames:
        after = command.start_after or ""
        names = [name for name in self._registry.names() if name > after]
        page = names[: command.limit]
        return TableNames(page, page[-1] if len(page) < len(names) else None)

    async def delete(self, command: DeleteTable) -> TableDescription:
        """Removes this region's replica; other replicas of a global table stay."""
        async with self._changing:
            table = self._existing(command.name)
            if table.stage is not Stage.ACTIVE:
                raise ResourceInUseError(f"{_in_use}: Table is being created: {command.name}")
            remaining = tuple(name for name in table.definition.replicas if name != self._region)
            definition = table.definition.with_replicas(remaining)
            description = self.description(table)
            if definition.is_global:
                await self._replicas.publish_definition(definition)
            await self._replicas.begin_removal(definition)
            await self._replicas.finish_removals()
            return replace(description, status=TableStatus.DELETING)

    async def update(self, command: UpdateTable) -> TableDescription:
        async with self._changing:
            table = self._existing(command.name)
            if table.stage is not Stage.ACTIVE or self._replicas.is_changing(table.definition, self._clock.wall_us()):
                raise ResourceInUseError(f"{_in_use}: Table is being updated: {command.name}")
            definition = self._with_settings(table.definition, command)
            definition = self._with_replicas(definition, command)
            if definition.is_global:
                if not table.definition.is_global:
                    await self._replicas.publish_state(table.generation, ReplicaState(ReplicaStatus.ACTIVE))
                await self._replicas.publish_definition(definition)
            return self.description(await self._replicas.save(LocalTable(definition, Stage.ACTIVE)))

    def description(self, table: Table) -> TableDescription:
        states = [partition.state for partition in table.partitions]
        return TableDescription(
            definition=table.definition,
            status=self._status(table),
            replicas=self._replicas.states(table.definition),
            item_count=sum(state.item_count for state in states),
            size_bytes=sum(state.size_bytes for state in states),
        )

    def _opened_later(self, table: Table) -> Table:
        """Shows a new table as CREATING for a while; a restart opens it at once."""
        shown = Table(LocalTable(table.definition, Stage.CREATING), table.partitions)
        self._registry.put(shown)

        def open_it() -> None:
            if self._registry.of(table.generation) is shown:
                self._registry.put(table)

        asyncio.get_running_loop().call_later(self._creation_delay_s, open_it)
        return shown

    def _existing(self, name: str) -> Table:
        table = self._registry.named(name)
        if table is None:
            raise ResourceNotFoundError(f"Requested resource not found: Table: {name} not found")
        return table

    def _status(self, table: Table) -> TableStatus:
        if table.stage is Stage.CREATING:
            return TableStatus.CREATING
        if table.stage is Stage.DELETING:
            return TableStatus.DELETING
        changing = self._replicas.is_changing(table.definition, self._clock.wall_us())
        return TableStatus.UPDATING if changing else TableStatus.ACTIVE

    def _with_settings(self, definition: TableDefinition, command: UpdateTable) -> TableDefinition:
        stream = definition.stream
        if command.stream is not None:
            stream = self._changed_stream(definition, command.stream)
        billing_mode = command.billing_mode or definition.billing_mode
        read, write = command.read_capacity_units, command.write_capacity_units
        on_demand = billing_mode is BillingMode.PAY_PER_REQUEST
        return replace(
            definition,
            stream=stream,
            billing_mode=billing_mode,
            read_capacity_units=0 if on_demand else definition.read_capacity_units if read is None else read,
            write_capacity_units=0 if on_demand else definition.write_capacity_units if write is None else write,
        )

    def _changed_stream(self, definition: TableDefinition, wanted: StreamSpecification) -> StreamSpecification | None:
        is_on = definition.stream is not None and definition.stream.enabled
        if wanted.enabled and is_on:
            raise ValidationError(f"Table already has an enabled stream: TableName: {definition.name}")
        if not wanted.enabled and not is_on:
            raise ValidationError(f"Table already has a disabled stream: TableName: {definition.name}")
        if not wanted.enabled and definition.is_global and len(definition.replicas) > 1:
            raise ValidationError(
                "Stream cannot be disabled or its view type changed while the table is replicated to other regions"
            )
        return wanted if wanted.enabled else None

    def _with_replicas(self, definition: TableDefinition, command: UpdateTable) -> TableDefinition:
        replicas = list(definition.replicas)
        for name in command.add_replicas:
            if name == self._region:
                raise _local_region(name)
            if name not in self._topology:
                raise ValidationError(f"Unsupported region: {name}. Known regions: {', '.join(self._topology.names)}")
            if name in replicas:
                raise ValidationError(
                    f"Failed to create a the new replica of table with name: '{definition.name}' because one or more"
                    f" replicas already existed as tables in {name}"
                )
            replicas.append(name)
        for name in command.remove_replicas:
            if name == self._region:
                raise _local_region(name)
            if name not in replicas:
                raise ReplicaNotFoundError(
                    f"Failed to delete the replica of table {definition.name} in {name}: there is no such replica"
                )
            replicas.remove(name)
        if not command.add_replicas:
            return definition.with_replicas(tuple(replicas))
        stream = definition.stream if definition.stream is not None and definition.stream.enabled else _global_stream
        return replace(
            definition,
            replicas=tuple(replicas),
            stream=stream,
            global_since_us=definition.global_since_us or self._clock.wall_us(),
        )


def _local_region(name: RegionName) -> ValidationError:
    return ValidationError(
        "Cannot add, delete, or update the local region through ReplicaUpdates. Use CreateTable, DeleteTable, or"
        f" UpdateTable as required: {name}"
    )
