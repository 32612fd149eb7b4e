"""TransactWriteItems and TransactGetItems: what is done, or read, of up to a hundred items as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.region.commands.items import (
    DeleteItem,
    GetItem,
    Guard,
    IndexUnits,
    ItemCollection,
    PutItem,
    ReturnConsumedCapacity,
    UpdateItem,
    no_guard,
)
from shared.model.values import Item

parameters_bytes = 16


class ClientToken(NamedTuple):
    """A request's own name for itself, and a digest of what it asks for: `parameters_bytes` long."""

    token: str
    parameters: bytes


class ConditionCheck(NamedTuple):
    table: str
    key: Item
    guard: Guard = no_guard


Action = ConditionCheck | PutItem | UpdateItem | DeleteItem


@dataclass(frozen=True, slots=True)
class TransactWrite:
    """What single actions say of return values and capacity does not count."""

    actions: Sequence[Action]
    client_token: ClientToken | None = None
    return_consumed_capacity: ReturnConsumedCapacity = ReturnConsumedCapacity.NONE
    return_collection_size: bool = False


@dataclass(frozen=True, slots=True)
class TransactGet:
    gets: Sequence[GetItem]
    return_consumed_capacity: ReturnConsumedCapacity = ReturnConsumedCapacity.NONE


@dataclass(frozen=True, slots=True)
class TransactionWritten:
    """By table what was consumed; by reading, when the transaction was done by an earlier request of the same token."""

    capacity_units: Mapping[str, float]
    index_units: Mapping[str, IndexUnits] = field(default_factory=dict)
    collections: Mapping[str, Sequence[ItemCollection]] = field(default_factory=dict)
    was_done: bool = False


@dataclass(frozen=True, slots=True)
class TransactionRead:
    images: Sequence[bytes | None]  # in the order of the gets
    capacity_units: Mapping[str, float]
