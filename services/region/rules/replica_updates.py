"""Which replicas a table has after an UpdateTable, and what each of them has otherwise than the table."""

from collections.abc import Sequence
from dataclasses import replace

from services.region.commands.tables import UpdateTable
from services.region.rules.table_settings import with_own_keys, with_replica_settings, without_replica
from services.region.rules.throughput import invalid
from shared.errors import ValidationError
from shared.model.tables import BillingMode, RegionName, TableDefinition


def with_changed_replicas(
    definition: TableDefinition, command: UpdateTable, *, here: RegionName, known: Sequence[str]
) -> TableDefinition:
    """`here` is the region that was asked, `known` are all there are. Raises what can't be."""
    if here in (*command.add_replicas, *command.remove_replicas):
        raise ValidationError(
            "Cannot add or delete the local region through ReplicaUpdates. Use CreateTable, DeleteTable, or "
            "UpdateTable as required."
        )
    _check_known(command, known)
    if any(name in definition.replicas for name in command.add_replicas):
        raise ValidationError(
            f"Failed to create a the new replica of table with name: \u2018{definition.name}\u2019 because one or more "
            "replicas already existed as tables."
        )
    _check_members(definition, command)
    for name in command.remove_replicas:
        definition = without_replica(definition, name)
    kept = tuple(name for name in definition.replicas if name not in command.remove_replicas)
    definition = replace(definition, replicas=(*kept, *dict.fromkeys(command.add_replicas)))
    _check_overrides(definition, command)
    definition = _with_keys(definition, command)
    for settings in (*command.replica_settings, *command.changed_replicas):
        definition = with_replica_settings(definition, settings)
    return definition


def _check_known(command: UpdateTable, known: Sequence[str]) -> None:
    changed = [settings.region for settings in command.changed_replicas]
    for name in (*command.add_replicas, *command.remove_replicas, *changed):
        if name not in known:
            raise ValidationError(
                f"Region {name} is not supported. The latest version of global tables are only supported in the "
                f"following regions: [{', '.join(known)}]"
            )


def _check_members(definition: TableDefinition, command: UpdateTable) -> None:
    wanted = [*command.remove_replicas, *(settings.region for settings in command.changed_replicas)]
    strangers = [name for name in wanted if name not in definition.replicas]
    if strangers and len(definition.replicas) == 1:
        raise ValidationError(
            "Replica specified in the Replica Update or Replica Delete action of the request was not found."
        )
    if strangers:
        raise ValidationError(
            "Update global table operation failed because one or more replicas were not part of the global table. "
            f"Please retry the request without these replicas: [{', '.join(strangers)}]."
        )


def _with_keys(definition: TableDefinition, command: UpdateTable) -> TableDefinition:
    """Keys are changed in all replicas at once, that of this region among them."""
    keyed = {settings.region for settings in command.changed_replicas if settings.encryption_key is not None}
    if not keyed:
        return definition
    if keyed != set(definition.replicas):
        raise ValidationError(f"{invalid}KMSMasterKeyId must be specified for each replica.")
    return with_own_keys(definition)


def _check_overrides(definition: TableDefinition, command: UpdateTable) -> None:
    is_on_demand = definition.billing_mode is BillingMode.PAY_PER_REQUEST
    if is_on_demand and any(settings.read_capacity_units is not None for settings in command.changed_replicas):
        raise ValidationError(
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
        )
