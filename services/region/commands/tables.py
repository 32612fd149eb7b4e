"""Commands on tables: create, describe, list, update, delete, and the description that they answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.model.keys import KeySchema
from shared.model.tables import BillingMode, RegionName, ReplicaState, StreamSpecification, TableDefinition


class TableStatus(StrEnum):
    CREATING = "CREATING"
    ACTIVE = "ACTIVE"
    UPDATING = "UPDATING"
    DELETING = "DELETING"


@dataclass(frozen=True, slots=True)
class CreateTable:
    name: str
    key_schema: KeySchema
    billing_mode: BillingMode = BillingMode.PROVISIONED
    read_capacity_units: int = 0
    write_capacity_units: int = 0
    stream: StreamSpecification | None = None


@dataclass(frozen=True, slots=True)
class DescribeTable:
    name: str


@dataclass(frozen=True, slots=True)
class ListTables:
    limit: int = 100
    start_after: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteTable:
    name: str


@dataclass(frozen=True, slots=True)
class UpdateTable:
    """What is None or empty stays as it is."""

    name: str
    add_replicas: Sequence[RegionName] = ()
    remove_replicas: Sequence[RegionName] = ()
    billing_mode: BillingMode | None = None
    read_capacity_units: int | None = None
    write_capacity_units: int | None = None
    stream: StreamSpecification | None = None


@dataclass(frozen=True, slots=True)
class TableDescription:
    """A table as this region sees it; `replicas` is empty for a table that was never global."""

    definition: TableDefinition
    status: TableStatus
    replicas: Mapping[RegionName, ReplicaState]
    item_count: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class TableNames:
    names: Sequence[str]
    last: str | None  # where the next page starts after
