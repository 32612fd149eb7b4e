"""The throughput of a global index: what may be asked for, and what changes make of it.

An index is as warm as it ever was, like a table, and its capacity falls as often as a table's.
"""

from dataclasses import replace

from services.region.commands.indexes import IndexThroughput
from services.region.commands.tables import Units
from services.region.rules import throughput
from services.region.rules.throughput import CapacityChange, changed_capacity, decreases_today, invalid
from shared.errors import LimitExceededError, ValidationError
from shared.limits import (
    capacity_units_told_max,
    on_demand_read_units,
    on_demand_write_units,
    table_capacity_units_max,
)
from shared.model.indexes import OnDemandLimits, SecondaryIndex
from shared.model.tables import BillingMode


def warm_units(index: SecondaryIndex, mode: BillingMode) -> tuple[int, int]:
    """What an index serves at once, read and write units a second."""
    is_on_demand = mode is BillingMode.PAY_PER_REQUEST
    return (
        max(index.warm_read_units or 0, index.read_capacity_units, on_demand_read_units if is_on_demand else 1),
        max(index.warm_write_units or 0, index.write_capacity_units, on_demand_write_units if is_on_demand else 1),
    )


def check_new(index: SecondaryIndex, mode: BillingMode, *, region: str) -> None:
    """What no new index gets; a local one asks for nothing."""
    _check_capacity(index.name, index.read_capacity_units, index.write_capacity_units, region=region)
    _check_limits(index.name, index.on_demand, lowest=(), region=region)
    is_on_demand = mode is BillingMode.PAY_PER_REQUEST
    throughput.check_warm_units(
        Units(index.warm_read_units, index.warm_write_units),
        present=warm_units(replace(index, warm_read_units=None, warm_write_units=None), mode),
        lower=(throughput.initially,) * 2 if is_on_demand else throughput.as_provisioned,
        region=region,
        of=f"index {index.name}",
    )


def check_mode(name: str, wanted: IndexThroughput, mode: BillingMode, *, is_new: bool) -> None:
    """Whether what is asked for goes with the billing mode."""
    if mode is BillingMode.PAY_PER_REQUEST:
        if is_new and wanted.read_capacity_units is not None:
            raise ValidationError(
                f"{invalid}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: {name} when"
                " BillingMode is PAY_PER_REQUEST"
            )
        if not is_new and (wanted.read_capacity_units is not None or wanted == IndexThroughput()):
            raise ValidationError(
                f"{invalid}The only Updates for index: {name} when TableThroughputMode is PAY_PER_REQUEST can be"
                " to OnDemandThroughput, WarmThroughput"
            )
        return
    if wanted == IndexThroughput() and not is_new:
        raise ValidationError(
            f"{invalid}At least one of ProvisionedThroughput, OnDemandThroughput or WarmThroughput must be"
            f" specified for index: {name}"
        )
    if is_new and wanted.read_capacity_units is None:
        raise ValidationError(
            f"{invalid}Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: {name}"
        )
    if wanted.on_demand is not None:
        member = "MaxWriteRequestUnits" if wanted.on_demand.read_units is None else "MaxReadRequestUnits"
        raise ValidationError(
            f"{invalid}{member} for OnDemandThroughput for index : {name} cannot be specified when the table"
            " BillingMode is PROVISIONED"
        )


def check_in_bounds(wanted: IndexThroughput) -> None:
    """Looked at before the index."""
    units = (wanted.read_capacity_units or 0, wanted.write_capacity_units or 0)
    if max(units) > capacity_units_told_max:
        raise ValidationError(
            "This operation cannot be performed with given input values. Please contact DynamoDB service team for more"
            " info: Action Blocked: IndexUpdate"
        )


def changed(
    index: SecondaryIndex, wanted: IndexThroughput, mode: BillingMode, *, now_us: int, region: str
) -> SecondaryIndex:
    check_mode(index.name, wanted, mode, is_new=False)
    read, write = wanted.read_capacity_units, wanted.write_capacity_units
    if read is not None and write is not None:
        _check_capacity(index.name, read, write, region=region)
        index = _with_capacity(index, read, write, now_us=now_us)
    if wanted.on_demand is not None:
        _check_limits(index.name, wanted.on_demand, lowest=(-1,), region=region)
        index = replace(index, on_demand=_merged(index.on_demand or OnDemandLimits(), wanted.on_demand))
    warm = Units(wanted.warm_read_units, wanted.warm_write_units)
    throughput.check_warm_units(
        warm,
        present=warm_units(index, mode),
        lower=(throughput.currently,) * 2,
        region=region,
        of=f"index {index.name}",
    )
    return _kept_warm(index, warm.read or 0, warm.write or 0)


def rebilled(index: SecondaryIndex, mode: BillingMode, *, is_spoken_of: bool, now_us: int) -> SecondaryIndex:
    """An index of a table whose billing mode has become `mode`; going on demand counts as a decrease."""
    if mode is BillingMode.PAY_PER_REQUEST:
        index = _kept_warm(index, index.read_capacity_units, index.write_capacity_units)
        decreases = decreases_today(index.capacity_decreased_us, index.capacity_decreases, now_us) + 1
        return replace(
            index,
            read_capacity_units=0,
            write_capacity_units=0,
            capacity_decreased_us=now_us,
            capacity_decreases=decreases,
        )
    if not is_spoken_of and not index.read_capacity_units:
        raise ValidationError(f"{invalid}ProvisionedThroughput must be specified for index: {index.name}")
    return replace(_kept_warm(index, on_demand_read_units, on_demand_write_units), on_demand=None)


def as_begun(before: SecondaryIndex, after: SecondaryIndex, now_us: int) -> SecondaryIndex:
    """What the answer shows of a change: capacity and warmth are what they were, times and limits are new."""
    return replace(
        after,
        read_capacity_units=before.read_capacity_units,
        write_capacity_units=before.write_capacity_units,
        capacity_decreases=decreases_today(before.capacity_decreased_us, before.capacity_decreases, now_us),
        warm_read_units=before.warm_read_units,
        warm_write_units=before.warm_write_units,
    )


def _check_capacity(name: str, read: int, write: int, *, region: str) -> None:
    for member, units in (("ReadCapacityUnits", read), ("WriteCapacityUnits", write)):
        if units > table_capacity_units_max:
            raise LimitExceededError(
                f"The requested {member} for index {name}, {units}, is above the per index maximum for the account in"
                f" {region}. Per table maximum: {table_capacity_units_max}. {throughput.guide}"
            )


def _check_limits(name: str, wanted: OnDemandLimits | None, *, lowest: tuple[int, ...], region: str) -> None:
    if wanted is not None:
        units = Units(wanted.read_units, wanted.write_units)
        throughput.check_max_request_units(units, lowest=lowest, region=region, of=f"index : {name}")


def _with_capacity(index: SecondaryIndex, read: int, write: int, *, now_us: int) -> SecondaryIndex:
    present = CapacityChange(
        index.read_capacity_units,
        index.write_capacity_units,
        index.capacity_increased_us,
        index.capacity_decreased_us,
        index.capacity_decreases,
    )
    change = changed_capacity(present, read=read, write=write, of=f"index {index.name}", now_us=now_us)
    return replace(
        _kept_warm(index, index.read_capacity_units, index.write_capacity_units),
        read_capacity_units=read,
        write_capacity_units=write,
        capacity_increased_us=change.increased_us,
        capacity_decreased_us=change.decreased_us,
        capacity_decreases=change.decreases,
    )


def _merged(present: OnDemandLimits, wanted: OnDemandLimits) -> OnDemandLimits | None:
    """-1 takes a limit away."""
    read = present.read_units if wanted.read_units is None else wanted.read_units
    write = present.write_units if wanted.write_units is None else wanted.write_units
    merged = OnDemandLimits(None if read == -1 else read, None if write == -1 else write)
    return None if merged == OnDemandLimits() else merged


def _kept_warm(index: SecondaryIndex, read: int, write: int) -> SecondaryIndex:
    return replace(
        index,
        warm_read_units=max(index.warm_read_units or 0, read) or None,
        warm_write_units=max(index.warm_write_units or 0, write) or None,
    )
