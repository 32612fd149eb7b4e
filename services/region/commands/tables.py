"""Commands on tables: create, describe, list, update, delete, and the description that they answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from services.region.commands.indexes import IndexDescription, IndexUpdate
from shared.model.indexes import SecondaryIndex
from shared.model.keys import KeySchema
from shared.model.tables import (
    BillingMode,
    Encryption,
    RegionName,
    ReplicaSettings,
    ReplicaState,
    StreamSpecification,
    TableClass,
    TableDefinition,
)


class TableStatus(StrEnum):
    CREATING = "CREATING"
    ACTIVE = "ACTIVE"
    UPDATING = "UPDATING"
    DELETING = "DELETING"


class Pending(StrEnum):
    """What an answer says is under way when the table as such is not UPDATING, or is but shows what it had."""

    CREATION = "CREATION"
    ENCRYPTION = "ENCRYPTION"
    WARMTH = "WARMTH"


@dataclass(frozen=True, slots=True)
class Units:
    """Of reading and of writing; what is None is not spoken of."""

    read: int | None = None
    write: int | None = None


@dataclass(frozen=True, slots=True)
class EncryptionChange:
    """To a key, or (None) to what tables have unless they say otherwise."""

    encryption: Encryption | None


@dataclass(frozen=True, slots=True)
class CreateTable:
    name: str
    key_schema: KeySchema
    billing_mode: BillingMode = BillingMode.PROVISIONED
    read_capacity_units: int = 0
    write_capacity_units: int = 0
    stream: StreamSpecification | None = None
    indexes: tuple[SecondaryIndex, ...] = ()
    table_class: TableClass | None = None
    encryption: Encryption | None = None
    max_request_units: Units = Units()
    warm_units: Units = Units()
    is_protected: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    policy: str | None = None


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
    index_updates: Sequence[IndexUpdate] = ()
    replica_settings: Sequence[ReplicaSettings] = ()  # of replicas that are added
    changed_replicas: Sequence[ReplicaSettings] = ()
    table_class: TableClass | None = None
    encryption: EncryptionChange | None = None
    max_request_units: Units | None = None  # -1: unlimited
    warm_units: Units | None = None
    is_protected: bool | None = None


@dataclass(frozen=True, slots=True)
class TableDescription:
    """A table as this region sees it; `replicas` is empty for a table that was never global."""

    definition: TableDefinition
    status: TableStatus
    replicas: Mapping[RegionName, ReplicaState]
    item_count: int
    size_bytes: int
    is_protected: bool = False
    pending: Pending | None = None
    now_us: int = 0  # decides how many decreases were today
    indexes: Sequence[IndexDescription] = ()


@dataclass(frozen=True, slots=True)
class TableNames:
    names: Sequence[str]
    last: str | None  # where the next page starts after
