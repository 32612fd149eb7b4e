"""Secondary indexes as a table's definition names them: their keys, what they project, their throughput.

`number` stands for an index inside partition files. It is given once in a table's life, so that an index that is
removed and made again under its old name has nothing in common with the earlier one. What a region's files hold of an
index, and so its status there, is theirs to say.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import orjson

from shared.errors import CorruptRecordError
from shared.model.keys import KeyAttribute

_regions = 256  # a region's number is 1..255
format_number = 1


class ProjectionType(StrEnum):
    ALL = "ALL"
    KEYS_ONLY = "KEYS_ONLY"
    INCLUDE = "INCLUDE"


@dataclass(frozen=True, slots=True)
class OnDemandLimits:
    """The most request units of an index; None: unlimited."""

    read_units: int | None = None
    write_units: int | None = None


@dataclass(frozen=True, slots=True)
class SecondaryIndex:
    number: int
    name: str
    is_global: bool
    partition: tuple[KeyAttribute, ...]
    sort: tuple[KeyAttribute, ...]
    table_keys: tuple[str, ...]  # the key attributes of the table, which every index holds as well
    projection: ProjectionType = ProjectionType.ALL
    included: tuple[str, ...] = ()  # attributes besides all keys, with INCLUDE
    read_capacity_units: int = 0
    write_capacity_units: int = 0
    on_demand: OnDemandLimits | None = None
    warm_read_units: int | None = None
    warm_write_units: int | None = None
    capacity_increased_us: int | None = None
    capacity_decreased_us: int | None = None
    capacity_decreases: int = 0  # on the UTC day of the last one

    @property
    def key_attributes(self) -> tuple[KeyAttribute, ...]:
        return self.partition + self.sort

    @property
    def key_names(self) -> tuple[str, ...]:
        return tuple(attribute.name for attribute in self.key_attributes)

    @property
    def projected(self) -> frozenset[str] | None:
        """The attributes that it holds; None: all of them."""
        if self.projection is ProjectionType.ALL:
            return None
        return frozenset((*self.table_keys, *self.key_names, *self.included))

    @property
    def is_of_times(self) -> bool:
        """Whether it is no index of the API's but the order in which items expire."""
        return not self.name

    @property
    def was_added(self) -> bool:
        """Whether it came to a table that was there already, whose files have to be filled with it."""
        return self.number >= _regions


def index_of_times(attribute: str, number: int, *, table_keys: tuple[str, ...]) -> SecondaryIndex:
    """The items with a number in this attribute, by that number."""
    keys = (KeyAttribute(attribute, "N"),)
    return SecondaryIndex(number, "", True, keys, (), table_keys, ProjectionType.KEYS_ONLY)


def numbers_of_new_table(indexes: int) -> Sequence[int]:
    """The numbers of indexes that are made together with their table."""
    return range(1, indexes + 1)


def number_of_added(known: Iterable[SecondaryIndex], *, now_ms: int, region: int) -> int:
    """A number that no region has given or will give again, whatever it knows of the others' changes."""
    highest = max((index.number // _regions for index in known), default=0)
    return max(now_ms, highest + 1) * _regions + region


def encode_index(index: SecondaryIndex) -> bytes:
    return orjson.dumps(asdict(index) | {"format": format_number})


def decode_index(document: bytes) -> SecondaryIndex:
    """Raises `CorruptRecordError` for bytes that are no index of a known format."""
    fields = orjson.loads(document)
    if fields.pop("format") != format_number:
        raise CorruptRecordError("an index of an unknown format")
    return index_of(fields)


def index_of(fields: dict[str, Any]) -> SecondaryIndex:
    """An index from the members that `asdict` makes of it."""
    limits = fields["on_demand"]
    return SecondaryIndex(
        **fields
        | {
            "partition": tuple(KeyAttribute(**attribute) for attribute in fields["partition"]),
            "sort": tuple(KeyAttribute(**attribute) for attribute in fields["sort"]),
            "projection": ProjectionType(fields["projection"]),
            "table_keys": tuple(fields["table_keys"]),
            "included": tuple(fields["included"]),
            "on_demand": None if limits is None else OnDemandLimits(**limits),
        }
    )
