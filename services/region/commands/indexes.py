"""What UpdateTable asks of a table's global indexes: to add or remove one, to change throughput; and how one stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.model.indexes import OnDemandLimits, ProjectionType, SecondaryIndex


class IndexStatus(StrEnum):
    CREATING = "CREATING"
    UPDATING = "UPDATING"
    DELETING = "DELETING"
    ACTIVE = "ACTIVE"


@dataclass(frozen=True, slots=True)
class IndexDescription:
    """An index as this region sees it; `backfilling` is told of one that is being added to a table."""

    index: SecondaryIndex
    status: IndexStatus
    backfilling: bool | None = None
    item_count: int = 0
    size_bytes: int = 0
    is_warming: bool = False


@dataclass(frozen=True, slots=True)
class IndexThroughput:
    """What is None is not spoken of."""

    read_capacity_units: int | None = None
    write_capacity_units: int | None = None
    on_demand: OnDemandLimits | None = None
    warm_read_units: int | None = None
    warm_write_units: int | None = None

    @property
    def speaks_of_warmth_alone(self) -> bool:
        return self.read_capacity_units is None and self.on_demand is None


@dataclass(frozen=True, slots=True)
class AddIndex:
    name: str
    partition: tuple[str, ...]
    sort: tuple[str, ...]
    types: Mapping[str, str]  # of attributes that the request defines
    projection: ProjectionType
    included: tuple[str, ...] = ()
    throughput: IndexThroughput = IndexThroughput()


@dataclass(frozen=True, slots=True)
class ChangeIndex:
    name: str
    throughput: IndexThroughput


@dataclass(frozen=True, slots=True)
class RemoveIndex:
    name: str


IndexUpdate = AddIndex | ChangeIndex | RemoveIndex
