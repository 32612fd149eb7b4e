"""The throughput of a table: what may be asked for, how often it may fall, and how warm the table is.

A table is never less warm than it ever was. Capacity may fall four times on a UTC day, and then once an hour.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

from services.region.commands.tables import Units
from shared.errors import LimitExceededError, ValidationError
from shared.limits import (
    capacity_decreases_max,
    on_demand_read_units,
    on_demand_write_units,
    partition_read_units,
    partition_write_units,
    partitions_default,
    table_capacity_units_max,
)
from shared.model.tables import BillingMode, TableDefinition

invalid = "One or more parameter values were invalid: "
initially = (
    "initial throughput for OnDemand. See: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
    "on-demand-capacity-mode.html#on-demand-capacity-mode-initial"
)
as_provisioned = ("ReadCapacityUnits of ProvisionedThroughput", "WriteCapacityUnits of ProvisionedThroughput")
currently = "current WarmThroughput, decreasing WarmThroughput is not supported"
_decrease_interval = timedelta(hours=1)
guide = "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."


@dataclass(frozen=True, slots=True)
class CapacityChange:
    """Of a table or an index: its units and when they rose and fell, as they are after a change."""

    read_units: int
    write_units: int
    increased_us: int | None
    decreased_us: int | None
    decreases: int


def changed_capacity(present: CapacityChange, *, read: int, write: int, of: str, now_us: int) -> CapacityChange:
    """Raises for units that are as they were, and for one decrease too many; `of` is "table" or "index NAME"."""
    if (read, write) == (present.read_units, present.write_units):
        current_of = "the table" if of == "table" else of
        raise ValidationError(
            f"The provisioned throughput for the {of} will not change. The requested value equals the current value. "
            f"Current ReadCapacityUnits provisioned for {current_of}: {present.read_units}. "
            f"Requested ReadCapacityUnits: {read}. "
            f"Current WriteCapacityUnits provisioned for {current_of}: {present.write_units}. "
            f"Requested WriteCapacityUnits: {write}. {guide}"
        )
    increased_us, decreased_us, decreases = present.increased_us, present.decreased_us, present.decreases
    if read > present.read_units or write > present.write_units:
        increased_us = now_us
    if read < present.read_units or write < present.write_units:
        decreases = decreases_today(present.decreased_us, decreases, now_us) + 1
        _check_decrease(decreases - 1, decreased_us, now_us)
        decreased_us = now_us
    return CapacityChange(read, write, increased_us, decreased_us, decreases)


def decreases_today(last_us: int | None, count: int, now_us: int) -> int:
    """How many decreases there were on this UTC day; `count` is of the day of the last one."""
    return count if last_us is not None and _moment(last_us).date() == _moment(now_us).date() else 0


def check_capacity(read: int, write: int, *, region: str) -> None:
    """What no table gets."""
    for name, units in (("ReadCapacityUnits", read), ("WriteCapacityUnits", write)):
        if units > table_capacity_units_max:
            raise LimitExceededError(
                f"The requested {name}, {units}, is above the per table maximum for the account in {region}. "
                f"Per table maximum: {table_capacity_units_max}. {guide}"
            )


def check_max_request_units(units: Units, *, lowest: tuple[int, ...], region: str, of: str = "table") -> None:
    """Limits of what is on-demand; `lowest` are values below 1 that mean something."""
    for name, value in (("MaxReadRequestUnits", units.read), ("MaxWriteRequestUnits", units.write)):
        if value is None or value in lowest:
            continue
        if value < 1:
            raise ValidationError(
                f"{invalid}Requested {name} for OnDemandThroughput for {of} is outside of valid range"
            )
        if value > table_capacity_units_max:
            raise _above_account(f"OnDemandThroughput for {of}", name, region)


def check_on_demand(units: Units, billing_mode: BillingMode, *, ending: str) -> None:
    """`ending` is how the operation at hand ends the sentence."""
    if billing_mode is BillingMode.PAY_PER_REQUEST:
        return
    for name, value in (("MaxReadRequestUnits", units.read), ("MaxWriteRequestUnits", units.write)):
        if value is not None:
            raise ValidationError(f"{invalid}{name} for OnDemandThroughput cannot be specified when {ending}")


def warm_units(definition: TableDefinition) -> tuple[int, int]:
    """What a table serves at once, read and write units a second."""
    settings = definition.settings
    read, write = definition.read_capacity_units, definition.write_capacity_units
    if definition.billing_mode is BillingMode.PAY_PER_REQUEST:
        read, write = on_demand_read_units, on_demand_write_units
    return max(read, settings.warm_read_units), max(write, settings.warm_write_units)


def partitions_of(read: int, write: int) -> int:
    """How many partitions serve that many units a second."""
    wanted = max(ceil(read / partition_read_units), ceil(write / partition_write_units), 1)
    return min(wanted, partitions_default)


def check_warm_units(
    wanted: Units, *, present: tuple[int, int], lower: tuple[str, str], region: str, of: str = "table"
) -> None:
    """`lower` says what values of reading and of writing are too low in comparison with."""
    names = ("ReadUnitsPerSecond", "WriteUnitsPerSecond")
    for name, value, least, words in zip(names, (wanted.read, wanted.write), present, lower, strict=True):
        if value is None:
            continue
        if value < least:
            raise ValidationError(f"{invalid}Requested {name} for WarmThroughput for {of} is lower than {words}")
        if value > table_capacity_units_max:
            raise _above_account(f"WarmThroughput for {of}", name, region)


def _above_account(what: str, name: str, region: str) -> LimitExceededError:
    kind = "Read" if "Read" in name else "Write"
    return LimitExceededError(
        f"Subscriber limit exceeded: Requested {name} for {what} exceeds TableMax{kind}CapacityUnits "
        f"of the account in region {region}"
    )


def _check_decrease(count: int, last_us: int | None, now_us: int) -> None:
    if count < capacity_decreases_max or last_us is None:
        return
    last, now = _moment(last_us), _moment(now_us)
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
    following = min(last + _decrease_interval, midnight)
    if now < following:
        raise LimitExceededError(
            "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. After the "
            f"first {capacity_decreases_max} decreases, each subsequent decrease in the same UTC day can be performed "
            f"at most once every {_decrease_interval.seconds} seconds. Number of decreases today: {count}. "
            f"Last decrease at {_in_words(last)}. Next decrease can be made at {_in_words(following)}"
        )


def _moment(time_us: int) -> datetime:
    return datetime.fromtimestamp(time_us / 1_000_000, UTC)


def _in_words(moment: datetime) -> str:
    hour = moment.hour % 12 or 12
    return f"{moment:%A, %B} {moment.day}, {moment.year} at {hour}:{moment:%M:%S %p} Coordinated Universal Time"
