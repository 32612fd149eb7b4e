"""Table definitions: what every replica of a table agrees on, and how it is written down.

A definition is versioned and replicated like an item. `generation` names one life of a table: changes of a deleted
table never enter a new one of the same name. What a replica has for itself (its status) is a `ReplicaState`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any, NewType, cast

import orjson

from shared.errors import CorruptRecordError
from shared.model.indexes import SecondaryIndex, index_of, index_of_times
from shared.model.keys import KeyAttribute, KeySchema

Generation = NewType("Generation", bytes)  # 16 bytes
RegionName = NewType("RegionName", str)

catalog_generation = Generation(bytes(16))  # the lane that carries definitions and replica states
format_number = 1


class ReplicaStatus(StrEnum):
    CREATING = "CREATING"
    CREATION_FAILED = "CREATION_FAILED"
    ACTIVE = "ACTIVE"
    DELETING = "DELETING"


class BillingMode(StrEnum):
    PROVISIONED = "PROVISIONED"
    PAY_PER_REQUEST = "PAY_PER_REQUEST"


@dataclass(frozen=True, slots=True)
class StreamSpecification:
    enabled: bool
    view_type: str | None = None


@dataclass(frozen=True, slots=True)
class TimeToLive:
    """Items expire at the time that this attribute names; `number` stands for its order inside partition files."""

    attribute: str
    number: int


class TableClass(StrEnum):
    STANDARD = "STANDARD"
    STANDARD_INFREQUENT_ACCESS = "STANDARD_INFREQUENT_ACCESS"


@dataclass(frozen=True, slots=True)
class Encryption:
    """With a key of the key management service: one's own, or (None) the one that it keeps for tables."""

    key: str | None = None


@dataclass(frozen=True, slots=True)
class ReplicaIndexSettings:
    name: str
    read_capacity_units: int | None = None
    max_read_request_units: int | None = None


@dataclass(frozen=True, slots=True)
class ReplicaSettings:
    """What the replica in one region has otherwise than its table; None is as the table has it."""

    region: RegionName
    table_class: TableClass | None = None
    read_capacity_units: int | None = None
    max_read_request_units: int | None = None
    encryption_key: str | None = None
    indexes: tuple[ReplicaIndexSettings, ...] = ()


@dataclass(frozen=True, slots=True)
class TableSettings:
    """What a table has beside its keys, and since when; wall times are microseconds since 1970."""

    table_class: TableClass = TableClass.STANDARD
    table_class_changed_us: int | None = None
    encryption: Encryption | None = None
    on_demand_since_us: int | None = None  # of the last time that it became on-demand
    max_read_request_units: int | None = None
    max_write_request_units: int | None = None
    warm_read_units: int = 0  # at least; a table is never less warm than it was
    warm_write_units: int = 0
    capacity_increased_us: int | None = None
    capacity_decreased_us: int | None = None
    capacity_decreases: int = 0  # on the UTC day of the last one
    replicas: tuple[ReplicaSettings, ...] = ()

    def of_replica(self, region: RegionName) -> ReplicaSettings:
        return next((each for each in self.replicas if each.region == region), ReplicaSettings(region))


@dataclass(frozen=True, slots=True)
class TableDefinition:
    generation: Generation
    name: str
    key_schema: KeySchema
    partition_count: int
    replicas: tuple[RegionName, ...]  # the regions that have, or are to have, a copy
    created_us: int  # wall time in microseconds since 1970
    billing_mode: BillingMode = BillingMode.PROVISIONED
    read_capacity_units: int = 0
    write_capacity_units: int = 0
    stream: StreamSpecification | None = None
    global_since_us: int | None = None  # set when the second replica is added, and kept
    indexes: tuple[SecondaryIndex, ...] = ()
    index_changes: int = 0  # additions and removals since the table was made
    settings: TableSettings = TableSettings()
    stream_since_us: int | None = None  # of the latest stream, also when it is off; None: there was none
    ttl: TimeToLive | None = None  # None: items don't expire

    @property
    def is_global(self) -> bool:
        return self.global_since_us is not None

    @property
    def kept_indexes(self) -> tuple[SecondaryIndex, ...]:
        """What partition files keep in order: the table's indexes, and its items by their time to live."""
        if self.ttl is None:
            return self.indexes
        times = index_of_times(self.ttl.attribute, self.ttl.number, table_keys=self.key_schema.names)
        return (*self.indexes, times)

    @property
    def key_attributes(self) -> tuple[KeyAttribute, ...]:
        """The key attributes of the table and of its indexes, by name."""
        attributes = {attribute.name: attribute for index in self.indexes for attribute in index.key_attributes}
        keys = self.key_schema
        attributes |= {keys.partition.name: keys.partition}
        if keys.sort is not None:
            attributes |= {keys.sort.name: keys.sort}
        return tuple(attributes[name] for name in sorted(attributes))

    def with_replicas(self, replicas: tuple[RegionName, ...]) -> "TableDefinition":
        return replace(self, replicas=replicas)


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """What one region tells the others about its replica; only that region writes it."""

    status: ReplicaStatus
    percent: int = 100  # of the copy, while CREATING
    description: str | None = None  # the real error, if there is one


def encode_definition(definition: TableDefinition) -> bytes:
    return orjson.dumps(asdict(definition) | {"generation": definition.generation.hex(), "format": format_number})


@lru_cache(maxsize=4096)
def decode_definition(document: bytes) -> TableDefinition:
    """Raises `CorruptRecordError` for bytes that are no definition of a known format."""
    with _decoding("table definition"):
        members = _members(document)
        keys, stream, ttl = members["key_schema"], members["stream"], members["ttl"]
        converted = {
            "generation": Generation(bytes.fromhex(members["generation"])),
            "key_schema": KeySchema(
                KeyAttribute(**keys["partition"]), None if keys["sort"] is None else KeyAttribute(**keys["sort"])
            ),
            "replicas": tuple(map(RegionName, members["replicas"])),
            "billing_mode": BillingMode(members["billing_mode"]),
            "stream": None if stream is None else StreamSpecification(**stream),
            "indexes": tuple(map(index_of, members["indexes"])),
            "settings": _settings(members["settings"]),
            "ttl": None if ttl is None else TimeToLive(**ttl),
        }
        return TableDefinition(**(members | converted))


def encode_replica_state(state: ReplicaState) -> bytes:
    return orjson.dumps(asdict(state) | {"format": format_number})


def decode_replica_state(document: bytes) -> ReplicaState:
    """Raises `CorruptRecordError` for bytes that are no replica state of a known format."""
    with _decoding("replica state"):
        members = _members(document)
        return ReplicaState(**(members | {"status": ReplicaStatus(members["status"])}))


@contextmanager
def _decoding(what: str) -> Iterator[None]:
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CorruptRecordError(f"{what} can't be decoded: {error}") from error


def _members(document: bytes) -> dict[str, Any]:
    members = orjson.loads(document)
    number = members.pop("format")
    if number != format_number:
        raise CorruptRecordError(f"table document of unknown format {number}")
    return cast("dict[str, Any]", members)


def _settings(members: dict[str, Any]) -> TableSettings:
    encryption = members["encryption"]
    converted = {
        "table_class": TableClass(members["table_class"]),
        "encryption": None if encryption is None else Encryption(**encryption),
        "replicas": tuple(map(_replica_settings, members["replicas"])),
    }
    return TableSettings(**(members | converted))


def _replica_settings(members: dict[str, Any]) -> ReplicaSettings:
    table_class = members["table_class"]
    converted = {
        "table_class": None if table_class is None else TableClass(table_class),
        "indexes": tuple(ReplicaIndexSettings(**index) for index in members["indexes"]),
    }
    return ReplicaSettings(**(members | converted))
