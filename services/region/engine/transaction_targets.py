"""Where the actions of a transaction aim: the table, the partition and the item of each, or what is wrong with them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from services.region.commands.items import GetItem
from services.region.commands.transactions import Action
from services.region.engine.registry import Table
from services.region.engine.transaction_views import Place
from services.region.rules.keys import check_key_paths, check_key_values, key_of_request
from services.region.rules.transactions import check_values, key_of, reason_of_one, several_on_one_item
from services.region.storage.partitions import Partition
from shared.errors import TransactionCanceledError, ValidationError
from shared.model.keys import ItemKey


class Target(NamedTuple):
    table: Table
    partition: Partition
    place: Place


def targets_of_write(tables: Sequence[Table], actions: Sequence[Action]) -> Sequence[Target]:
    for table, action in zip(tables, actions, strict=True):
        check_values(table.schema, table.indexes, action)

    def key_at(position: int) -> ItemKey:
        table = tables[position]
        return key_of(table.schema, table.indexes, actions[position])

    return _targets(tables, key_at)


def targets_of_read(tables: Sequence[Table], gets: Sequence[GetItem]) -> Sequence[Target]:
    for table, get in zip(tables, gets, strict=True):
        check_key_values(table.schema, get.key)

    def key_at(position: int) -> ItemKey:
        schema, get = tables[position].schema, gets[position]
        if get.projection is not None:
            check_key_paths(schema, get.projection.nested)
        return key_of_request(schema, get.key)

    return _targets(tables, key_at)


def _targets(tables: Sequence[Table], key_at: Callable[[int], ItemKey]) -> Sequence[Target]:
    """Where each action aims at; the first one that does not fit its table cancels the transaction.

    That two aim at one item is told only after that.
    """
    targets = []
    for position, table in enumerate(tables):
        try:
            key = key_at(position)
        except ValidationError as error:
            raise TransactionCanceledError(reason_of_one(position, len(tables), error)) from error
        partition = table.partition(key.slot)
        targets.append(Target(table, partition, Place(partition.lane, key)))
    if len({target.place for target in targets}) < len(targets):
        raise ValidationError(several_on_one_item)
    return targets
