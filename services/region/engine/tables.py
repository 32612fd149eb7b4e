"""Tables: create, describe, list, delete, and the updates that change their settings and their replicas.

What an update makes of a definition is decided by the rules. Answers are DynamoDB's: a change that takes DynamoDB a
while is said to be under way, and is done.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import replace

from services.region.commands.tables import (
    CreateTable,
    DeleteTable,
    DescribeTable,
    ListTables,
    Pending,
    TableDescription,
    TableNames,
    TableStatus,
    Units,
    UpdateTable,
)
from services.region.engine.index_states import announced, descriptions_of, occupy
from services.region.engine.index_updates import IndexUpdates, check_deletable
from services.region.engine.registry import Registry, Table
from services.region.engine.replica_facts import FactsOfReplicas
from services.region.engine.replicas import Replicas
from services.region.engine.table_delays import TableDelays
from services.region.rules.arns import Arns
from services.region.rules.replica_facts import ReplicaFacts
from services.region.rules.replica_updates import with_changed_replicas
from services.region.rules.resource_policies import first_policy
from services.region.rules.streams import has_stream, with_stream
from services.region.rules.table_settings import (
    capacity_as_begun,
    demand_as_begun,
    partitions_of_new_table,
    settings_of_new_table,
    with_changed_settings,
)
from services.region.storage.catalog import LocalTable, Stage
from shared.clock import Clock
from shared.errors import (
    LimitExceededError,
    ResourceInUseError,
    ResourceNotFoundError,
    ValidationError,
)
from shared.limits import tables_per_region_max
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
_global_in_use = "The resource which you are attempting to change is in use."
_global_stream = StreamSpecification(enabled=True, view_type="NEW_AND_OLD_IMAGES")


class Tables:
    def __init__(
        self,
        registry: Registry,
        replicas: Replicas,
        *,
        facts: FactsOfReplicas,
        topology: Topology,
        arns: Arns,
        clock: Clock,
        delay_s: float,
    ) -> None:
        self._registry = registry
        self._index_updates = IndexUpdates(region=topology.named(arns.region).number, name=arns.region, clock=clock)
        self._replicas = replicas
        self._topology = topology
        self._facts = facts
        self._arns = arns
        self._region = RegionName(arns.region)
        self._clock = clock
        self._delays = TableDelays(clock, delay_s)
        self._changing = replicas.changing

    async def create(self, command: CreateTable) -> TableDescription:
        async with self._changing:
            self._check_free(command.name)
            if len(self._registry.all()) >= tables_per_region_max:
                raise LimitExceededError(
                    f"Subscriber limit exceeded: There is a limit of {tables_per_region_max} tables per subscriber"
                )
            self._index_updates.check_new(command.indexes, command.billing_mode)
            now_us = self._clock.wall_us()
            stream = command.stream if command.stream is not None and command.stream.enabled else None
            definition = TableDefinition(
                generation=Generation(secrets.token_bytes(16)),
                name=str(command.name),  # also where it came in an ARN
                key_schema=command.key_schema,
                partition_count=partitions_of_new_table(command),
                replicas=(self._region,),
                created_us=now_us,
                billing_mode=command.billing_mode,
                read_capacity_units=command.read_capacity_units,
                write_capacity_units=command.write_capacity_units,
                stream=stream,
                stream_since_us=None if stream is None else now_us,
                settings=settings_of_new_table(command, now_us=now_us, region=self._region),
                indexes=command.indexes,
            )
            policies = {} if command.policy is None else {"": first_policy(command.policy, now_us)}
            facts = ReplicaFacts(tags=command.tags, is_protected=command.is_protected, policies=policies)
            await self._facts.write(definition.generation, facts)
            table = await self._replicas.save(LocalTable(definition, Stage.ACTIVE))
            if self._delays.delay_s:
                self._open_later(table)
            return replace(self.description(table), status=TableStatus.CREATING, pending=Pending.CREATION)

    def describe(self, command: DescribeTable) -> TableDescription:
        table = self._registry.named(command.name)
        gone = self._delays.being_deleted(command.name) if table is None else None
        return gone or self.description(self._existing(command.name))

    def list(self, command: ListTables) -> TableNames:
        after = command.start_after or ""
        known = (*self._registry.names(), *self._delays.names_being_deleted())
        names = sorted(name for name in known if name > after)
        page = names[: command.limit]
        return TableNames(page, page[-1] if len(page) < len(names) else None)

    async def delete(self, command: DeleteTable) -> TableDescription:
        """Removes this region's replica; other replicas of a global table stay."""
        async with self._changing:
            table = self._changeable(command.name)
            if self._facts.of(table.generation).is_protected:
                raise ValidationError(
                    "Resource cannot be deleted as it is currently protected against deletion. "
                    "Disable deletion protection first."
                )
            if self._delays.is_updating(table.generation):
                raise _being_updated(table)
            check_deletable(table)
            remaining = tuple(name for name in table.definition.replicas if name != self._region)
            definition = table.definition.with_replicas(remaining)
            description = replace(self.description(table), status=TableStatus.DELETING)
            if definition.is_global:
                await self._replicas.publish_definition(definition)
            await self._replicas.begin_removal(definition)
            await self._replicas.finish_removals()
            self._facts.forget_removed()
            self._delays.note_deletion(description)
            return description

    async def update(self, command: UpdateTable) -> TableDescription:
        async with self._changing:
            table = self._changeable(command.name)
            self._check_idle(table, command)
            definition = self._with_settings(table.definition, command)
            definition = self._index_updates.updated(table, definition, command.index_updates)
            definition = self._with_replicas(definition, command)
            if definition != table.definition and definition.is_global:
                if not table.definition.is_global:
                    await self._replicas.publish_state(table.generation, ReplicaState(ReplicaStatus.ACTIVE))
                await self._replicas.publish_definition(definition)
            if command.is_protected is not None:
                facts = self._facts.of(table.generation)
                await self._facts.write(table.generation, replace(facts, is_protected=command.is_protected))
            saved = table
            if definition != table.definition:
                saved = await self._replicas.save(LocalTable(definition, Stage.ACTIVE))
            description = self._answer(command, before=table.definition, after=saved)
            description = announced(description, table.definition, command.index_updates)
            if command.index_updates:
                self._delays.note_indexes(saved.generation, description.indexes)
            return description

    async def redefine(self, name: str, change: Callable[[TableDefinition], TableDefinition]) -> None:
        """Changes a table's definition in one step, between other updates of it."""
        async with self._changing:
            table = self._existing(name)
            if table.stage is not Stage.ACTIVE:
                raise _not_found(name)
            definition = change(table.definition)
            if definition.is_global:
                await self._replicas.publish_definition(definition)
            await self._replicas.save(LocalTable(definition, Stage.ACTIVE))

    def description(self, table: Table) -> TableDescription:
        states = [partition.state for partition in table.partitions]
        return TableDescription(
            definition=table.definition,
            status=self._status(table),
            replicas=self._replicas.states(table.definition),
            item_count=sum(state.item_count for state in states),
            size_bytes=sum(state.size_bytes for state in states),
            is_protected=self._facts.of(table.generation).is_protected,
            now_us=self._clock.wall_us(),
            indexes=self._delays.shown(table.generation, descriptions_of(table)),
        )

    def _answer(self, command: UpdateTable, *, before: TableDefinition, after: Table) -> TableDescription:
        """DynamoDB shows class, capacity, warmth and key as they were, and tells apart what makes a table UPDATING."""
        description = self.description(after)
        if command.encryption is not None:
            return replace(description, definition=before, pending=Pending.ENCRYPTION)
        if command.warm_units is not None:
            return replace(description, definition=before, pending=Pending.WARMTH)
        if command.is_protected is not None:
            return description
        if command.max_request_units is not None and command.billing_mode is None:
            return replace(description, definition=_with_limits_as_asked(after.definition, command.max_request_units))
        self._delays.note_update(after.generation)
        if command.index_updates and command.billing_mode is None and command.read_capacity_units is None:
            return description
        description = replace(description, status=TableStatus.UPDATING)
        if command.table_class is not None:
            return replace(description, definition=before)
        if before.billing_mode is after.definition.billing_mode:
            if command.read_capacity_units is None:
                return description
            return replace(description, definition=capacity_as_begun(before, after.definition, description.now_us))
        if after.definition.billing_mode is BillingMode.PROVISIONED:
            return description
        return replace(description, definition=demand_as_begun(before, after.definition, description.now_us))

    def _open_later(self, table: Table) -> None:
        """Shows a new table as CREATING for a while; a restart opens it at once."""
        shown = Table(LocalTable(table.definition, Stage.CREATING), table.partitions)
        self._registry.put(shown)

        def open_it() -> None:
            if self._registry.of(table.generation) is shown:
                self._registry.put(table)

        asyncio.get_running_loop().call_later(self._delays.delay_s, open_it)

    def _check_free(self, name: str) -> None:
        table = self._registry.named(name)
        if table is not None and table.stage is Stage.CREATING:
            raise ResourceInUseError(f"{_in_use}: Table is being created: {name}")
        if table is not None or self._delays.being_deleted(name) is not None:
            raise ResourceInUseError(f"Table already exists: {name}")

    def _changeable(self, name: str) -> Table:
        if self._registry.named(name) is None and self._delays.being_deleted(name) is not None:
            raise ResourceInUseError(f"{_in_use}: Table is being deleted: {name}")
        table = self._existing(name)
        if table.stage is not Stage.ACTIVE:
            raise ResourceInUseError(f"{_in_use}: Table is being created: {name}")
        return table

    def _check_idle(self, table: Table, command: UpdateTable) -> None:
        """Protection, encryption and warmth can be changed while other things are."""
        if self._replicas.is_changing(table.definition, self._clock.wall_us()):
            raise ResourceInUseError(_global_in_use)
        if not self._delays.is_updating(table.generation):
            return
        if command.is_protected is None and command.encryption is None and command.warm_units is None:
            if command.billing_mode is None and command.read_capacity_units is None:
                raise _being_updated(table)
            raise ResourceInUseError(
                f"{_in_use}: Table IOPS are currently being updated. Table: {table.definition.name}"
            )

    def _existing(self, name: str) -> Table:
        table = self._registry.named(name)
        if table is None:
            raise _not_found(name)
        return table

    def _status(self, table: Table) -> TableStatus:
        if table.stage is Stage.CREATING:
            return TableStatus.CREATING
        if table.stage is Stage.DELETING:
            return TableStatus.DELETING
        changing = self._replicas.is_changing(table.definition, self._clock.wall_us()) or occupy(table)
        changing = changing or self._delays.is_updating(table.generation)
        return TableStatus.UPDATING if changing else TableStatus.ACTIVE

    def _with_settings(self, definition: TableDefinition, command: UpdateTable) -> TableDefinition:
        if command.stream is not None:
            definition = with_stream(definition, command.stream, self._clock.wall_us())
        return with_changed_settings(definition, command, now_us=self._clock.wall_us(), arns=self._arns)

    def _with_replicas(self, definition: TableDefinition, command: UpdateTable) -> TableDefinition:
        definition = with_changed_replicas(definition, command, here=self._region, known=self._topology.names)
        if not command.add_replicas:
            return definition
        now_us = self._clock.wall_us()
        if not has_stream(definition):
            definition = with_stream(definition, _global_stream, now_us)
        return replace(definition, global_since_us=definition.global_since_us or now_us)


def _not_found(name: str) -> ResourceNotFoundError:
    return ResourceNotFoundError(f"Requested resource not found: Table: {name} not found")


def _being_updated(table: Table) -> ResourceInUseError:
    return ResourceInUseError(f"{_in_use}: Table: {table.definition.name} is in the process of being updated.")


def _with_limits_as_asked(definition: TableDefinition, units: Units) -> TableDefinition:
    """The answer repeats the -1 that took a limit away."""
    settings = definition.settings
    read = settings.max_read_request_units if units.read is None else units.read
    write = settings.max_write_request_units if units.write is None else units.write
    settings = replace(settings, max_read_request_units=read, max_write_request_units=write)
    return replace(definition, settings=settings)
