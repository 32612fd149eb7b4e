"""Which items have outlived their time: those whose attribute is a number, a time in the last five years."""

from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from services.region.rules.stored import StoredItem
from shared.errors import ValidationError
from shared.limits import expiry_age_max_s, expiry_patience_s
from shared.model.indexes import number_of_added
from shared.model.keys import number_key_bytes
from shared.model.numbers import decimal_of
from shared.model.tables import TableDefinition, TimeToLive
from shared.model.values import decode_item


class DueTimes(NamedTuple):
    """Key bytes of the times, first and last, at which items that are to expire now had their end."""

    first: bytes
    last: bytes


def with_time_to_live(
    definition: TableDefinition, attribute: str, *, enabled: bool, now_us: int, region: int
) -> TableDefinition:
    """The definition with expiry turned on or off; refuses what would change nothing, as DynamoDB does.

    `region` is the number of the region that changes it.
    """
    current = definition.ttl
    if current is None and not enabled:
        raise ValidationError("TimeToLive is already disabled")
    if current is not None and current.attribute != attribute:
        raise ValidationError(
            f"TimeToLive is active on a different AttributeName: current AttributeName is {current.attribute}"
        )
    if current is not None and enabled:
        raise ValidationError("TimeToLive is already enabled")
    number = number_of_added(definition.kept_indexes, now_ms=now_us // 1000, region=region)
    return replace(
        definition,
        ttl=TimeToLive(attribute, number) if enabled else None,
        index_changes=definition.index_changes + 1,
    )


def due_times(now_us: int) -> DueTimes:
    now_s = now_us // 1_000_000
    return DueTimes(number_key_bytes(str(now_s - expiry_age_max_s)), number_key_bytes(str(now_s)))


def is_to_expire(stored: StoredItem | None, attribute: str, *, region: int, now_us: int) -> bool:
    """Decided on the row just read. Where another region wrote it last, that region has the first go."""
    if stored is None or stored.image is None:
        return False
    number = decode_item(stored.image).get(attribute, {}).get("N")
    if number is None:
        return False
    now_s = now_us // 1_000_000
    age_s = now_s - decimal_of(number)
    patience_s = Decimal(0) if stored.region == region else Decimal(expiry_patience_s)
    return bool(patience_s <= age_s <= expiry_age_max_s)
