"""What CreateTable and UpdateTable make of a table's settings: billing mode, throughput, class and encryption.

Everything here is decided on the definition as it is; what depends on the request alone was checked before.
"""

from collections.abc import Sequence
from dataclasses import replace

from services.region.commands.tables import CreateTable, EncryptionChange, Units, UpdateTable
from services.region.rules import throughput
from services.region.rules.arns import Arns
from services.region.rules.throughput import CapacityChange, decreases_today, invalid
from shared.errors import ValidationError
from shared.limits import on_demand_read_units, on_demand_write_units
from shared.model.tables import (
    BillingMode,
    Encryption,
    RegionName,
    ReplicaSettings,
    TableClass,
    TableDefinition,
    TableSettings,
)


def settings_of_new_table(command: CreateTable, *, now_us: int, region: str) -> TableSettings:
    is_on_demand = command.billing_mode is BillingMode.PAY_PER_REQUEST
    limits, warm = command.max_request_units, command.warm_units
    throughput.check_on_demand(limits, command.billing_mode, ending="table BillingMode is PROVISIONED.")
    throughput.check_max_request_units(limits, lowest=(), region=region)
    throughput.check_capacity(command.read_capacity_units, command.write_capacity_units, region=region)
    present = (command.read_capacity_units, command.write_capacity_units)
    if is_on_demand:
        present = (on_demand_read_units, on_demand_write_units)
    lower = (throughput.initially,) * 2 if is_on_demand else throughput.as_provisioned
    throughput.check_warm_units(warm, present=present, lower=lower, region=region)
    return TableSettings(
        table_class=command.table_class or TableClass.STANDARD,
        table_class_changed_us=None if command.table_class is None else now_us,
        encryption=command.encryption,
        on_demand_since_us=now_us if is_on_demand else None,
        max_read_request_units=limits.read,
        max_write_request_units=limits.write,
        warm_read_units=warm.read or 0,
        warm_write_units=warm.write or 0,
    )


def partitions_of_new_table(command: CreateTable) -> int:
    """As many as its throughput needs; a table keeps its number for life."""
    read, write = command.read_capacity_units, command.write_capacity_units
    if command.billing_mode is BillingMode.PAY_PER_REQUEST:
        read, write = on_demand_read_units, on_demand_write_units
    return throughput.partitions_of(max(read, command.warm_units.read or 0), max(write, command.warm_units.write or 0))


def with_changed_settings(
    definition: TableDefinition, command: UpdateTable, *, now_us: int, arns: Arns
) -> TableDefinition:
    """Raises what the table refuses; a request that changes nothing of all this gives the definition itself."""
    definition = _with_throughput(definition, command, now_us=now_us, region=arns.region)
    if command.max_request_units is not None:
        definition = _with_limits(definition, command.max_request_units, region=arns.region)
    if command.warm_units is not None:
        definition = _warmed(definition, command.warm_units, region=arns.region)
    if command.table_class is not None:
        definition = _with_class(definition, command.table_class, now_us=now_us)
    if command.encryption is not None:
        definition = _encrypted(definition, command.encryption, arns=arns)
    return definition


def capacity_as_begun(before: TableDefinition, after: TableDefinition, now_us: int) -> TableDefinition:
    """What the answer shows of a change of capacity: units and count are what they were, times are new."""
    was, settings = before.settings, after.settings
    return _with(
        before,
        capacity_increased_us=settings.capacity_increased_us,
        capacity_decreased_us=settings.capacity_decreased_us,
        capacity_decreases=decreases_today(was.capacity_decreased_us, was.capacity_decreases, now_us),
    )


def demand_as_begun(before: TableDefinition, after: TableDefinition, now_us: int) -> TableDefinition:
    """What the answer shows of a table that goes on demand: since when it was so before, and a decrease just now."""
    was = before.settings
    return _with(
        after,
        on_demand_since_us=was.on_demand_since_us,
        capacity_decreased_us=now_us,
        capacity_decreases=decreases_today(was.capacity_decreased_us, was.capacity_decreases, now_us),
    )


def with_replica_settings(definition: TableDefinition, wanted: ReplicaSettings) -> TableDefinition:
    """What is None in `wanted` stays as it is; what equals the table's own is no setting of the replica's."""
    present = definition.settings.of_replica(wanted.region)
    indexes = {index.name: index for index in (*present.indexes, *wanted.indexes)}
    table_class = wanted.table_class or present.table_class
    read = present.read_capacity_units if wanted.read_capacity_units is None else wanted.read_capacity_units
    limit = present.max_read_request_units if wanted.max_read_request_units is None else wanted.max_read_request_units
    kept = ReplicaSettings(
        wanted.region,
        table_class=None if table_class is definition.settings.table_class else table_class,
        read_capacity_units=None if read == definition.read_capacity_units else read,
        max_read_request_units=None if limit in (-1, definition.settings.max_read_request_units) else limit,
        encryption_key=wanted.encryption_key or present.encryption_key,
        indexes=tuple(indexes.values()),
    )
    others = without_replica(definition, wanted.region).settings.replicas
    replicas = others if kept == ReplicaSettings(wanted.region) else (*others, kept)
    return _with(definition, replicas=replicas)


def with_own_keys(definition: TableDefinition) -> TableDefinition:
    return _with(definition, encryption=definition.settings.encryption or Encryption())


def without_replica(definition: TableDefinition, region: RegionName) -> TableDefinition:
    return _with(definition, replicas=tuple(each for each in definition.settings.replicas if each.region != region))


def _with_throughput(definition: TableDefinition, command: UpdateTable, *, now_us: int, region: str) -> TableDefinition:
    present, wanted = definition.billing_mode, command.billing_mode or definition.billing_mode
    read, write = command.read_capacity_units, command.write_capacity_units
    if wanted is BillingMode.PAY_PER_REQUEST:
        if read is not None or write is not None:
            raise ValidationError(
                f"{invalid}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified "
                "when BillingMode is PAY_PER_REQUEST"
            )
        return definition if present is wanted else _on_demand(definition, now_us)
    if read is None or write is None:
        return definition
    throughput.check_capacity(read, write, region=region)
    if present is BillingMode.PAY_PER_REQUEST:
        definition = replace(definition, billing_mode=wanted, read_capacity_units=read, write_capacity_units=write)
        definition = _with(definition, max_read_request_units=None, max_write_request_units=None)
        return _kept_warm(definition, on_demand_read_units, on_demand_write_units)
    return _with_capacity(definition, read=read, write=write, now_us=now_us)


def _on_demand(definition: TableDefinition, now_us: int) -> TableDefinition:
    definition = _kept_warm(definition, definition.read_capacity_units, definition.write_capacity_units)
    definition = replace(
        definition, billing_mode=BillingMode.PAY_PER_REQUEST, read_capacity_units=0, write_capacity_units=0
    )
    return _with(definition, on_demand_since_us=now_us)


def _with_capacity(definition: TableDefinition, *, read: int, write: int, now_us: int) -> TableDefinition:
    settings = definition.settings
    present = CapacityChange(
        definition.read_capacity_units,
        definition.write_capacity_units,
        settings.capacity_increased_us,
        settings.capacity_decreased_us,
        settings.capacity_decreases,
    )
    changed = throughput.changed_capacity(present, read=read, write=write, of="table", now_us=now_us)
    definition = _kept_warm(definition, definition.read_capacity_units, definition.write_capacity_units)
    definition = replace(definition, read_capacity_units=read, write_capacity_units=write)
    return _with(
        definition,
        capacity_increased_us=changed.increased_us,
        capacity_decreased_us=changed.decreased_us,
        capacity_decreases=changed.decreases,
    )


def _kept_warm(definition: TableDefinition, read: int, write: int) -> TableDefinition:
    settings = definition.settings
    return _with(
        definition,
        warm_read_units=max(settings.warm_read_units, read),
        warm_write_units=max(settings.warm_write_units, write),
    )


def _with_limits(definition: TableDefinition, units: Units, *, region: str) -> TableDefinition:
    throughput.check_on_demand(units, definition.billing_mode, ending="the table BillingMode is PROVISIONED")
    throughput.check_max_request_units(units, lowest=(-1,), region=region)
    settings = definition.settings
    read = settings.max_read_request_units if units.read is None else units.read
    write = settings.max_write_request_units if units.write is None else units.write
    return _with(
        definition,
        max_read_request_units=None if read == -1 else read,
        max_write_request_units=None if write == -1 else write,
    )


def _warmed(definition: TableDefinition, wanted: Units, *, region: str) -> TableDefinition:
    present = throughput.warm_units(definition)
    throughput.check_warm_units(wanted, present=present, lower=(throughput.currently,) * 2, region=region)
    return _kept_warm(definition, wanted.read or 0, wanted.write or 0)


def _with_class(definition: TableDefinition, wanted: TableClass, *, now_us: int) -> TableDefinition:
    """A class that is given to the table is every replica's."""
    replicas = tuple(replace(each, table_class=None) for each in definition.settings.replicas)
    definition = _with(definition, replicas=_unlike_the_table(replicas))
    if wanted is definition.settings.table_class:
        return definition
    return _with(definition, table_class=wanted, table_class_changed_us=now_us)


def _encrypted(definition: TableDefinition, change: EncryptionChange, *, arns: Arns) -> TableDefinition:
    """What is given to the table is every replica's."""
    present, wanted = definition.settings.encryption, change.encryption
    if wanted is None and present is None:
        raise ValidationError(f"{invalid}Table is already encrypted by default")
    if wanted is not None and present is not None and wanted.key == arns.of_key(present.key):
        raise ValidationError(
            f"{invalid}Table is already encrypted with given KMSMasterKeyId. "
            "Use KMSMasterKeyId parameter if you want to change Master Key"
        )
    replicas = tuple(replace(each, encryption_key=None) for each in definition.settings.replicas)
    return _with(definition, encryption=wanted, replicas=_unlike_the_table(replicas))


def _unlike_the_table(replicas: Sequence[ReplicaSettings]) -> tuple[ReplicaSettings, ...]:
    return tuple(each for each in replicas if each != ReplicaSettings(each.region))


def _with(definition: TableDefinition, **changes: object) -> TableDefinition:
    return replace(definition, settings=replace(definition.settings, **changes))  # type: ignore[arg-type]
