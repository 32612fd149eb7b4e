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

    @property
    def is_global(self) -> bool:
        return self.global_since_us is not None

    def with_replicas(self, replicas: tuple[RegionName, ...]) -> "TableDefinition":
        return replace(self, replicas=replicas)


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """What one region tells the others about its replica; only that region writes it."""

    status: ReplicaStatus
    percent: int = 100  # of the copy, while CREATING
    description: str | None = None  # the real error, if there is one


def encode_definition(definition: TableDefinition) -> bytes:
    document = asdict(definition) | {"generation": definition.generation.hex(), "format": format_number}
    return orjson.dumps(document)


@lru_cache(maxsize=4096)
def decode_definition(document: bytes) -> TableDefinition:
    """Raises `CorruptRecordError` for bytes that are no definition of a known format."""
    with _decoding("table definition"):
        fields = _fields(document)
        keys, stream = fields["key_schema"], fields["stream"]
        fields |= {
            "generation": Generation(bytes.fromhex(fields["generation"])),
            "key_schema": KeySchema(
                KeyAttribute(**keys["partition"]), None if keys["sort"] is None else KeyAttribute(**keys["sort"])
            ),
            "replicas": tuple(map(RegionName, fields["replicas"])),
            "billing_mode": BillingMode(fields["billing_mode"]),
            "stream": None if stream is None else StreamSpecification(**stream),
        }
        return TableDefinition(**fields)


def encode_replica_state(state: ReplicaState) -> bytes:
    return orjson.dumps(asdict(state) | {"format": format_number})


def decode_replica_state(document: bytes) -> ReplicaState:
    """Raises `CorruptRecordError` for bytes that are no replica state of a known format."""
    with _decoding("replica state"):
        fields = _fields(document)
        return ReplicaState(**(fields | {"status": ReplicaStatus(fields["status"])}))


@contextmanager
def _decoding(what: str) -> Iterator[None]:
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CorruptRecordError(f"{what} can't be decoded: {error}") from error


def _fields(document: bytes) -> dict[str, Any]:
    fields = orjson.loads(document)
    number = fields.pop("format")
    if number != format_number:
        raise CorruptRecordError(f"table document of unknown format {number}")
    return cast("dict[str, Any]", fields)
