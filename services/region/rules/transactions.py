"""What the actions of a transaction aim at and what they decide, each on the row that it finds. Pure.

DynamoDB tells the first action whose key does not fit its table before it looks at any item; what items decide is
told of every action.
"""

from collections.abc import Mapping, Sequence

from services.region.commands.items import DeleteItem, PutItem, UpdateItem
from services.region.commands.transactions import Action
from services.region.rules.indexes import (
    check_assigned_index_keys,
    check_index_key_paths,
    check_index_keys,
    check_updated_index_keys,
)
from services.region.rules.keys import KeyUpdateError, check_key_paths, check_key_values, key_of_item, key_of_request
from services.region.rules.stored import StoredItem
from services.region.rules.writes import Decision, check_guard, decide_delete, decide_put, decide_update
from shared.errors import (
    CancellationReason,
    ConditionalCheckFailedError,
    ItemCollectionSizeLimitExceededError,
    ServiceError,
)
from shared.model.indexes import SecondaryIndex
from shared.model.keys import ItemKey, KeySchema
from shared.model.values import AttributeValue, Item, encode_item
from shared.versions.versions import Version, covers

several_on_one_item = "Transaction request cannot include multiple operations on one item"


def too_large(size_bytes: int) -> str:
    """What is said of more than 4 MB; the service says it twice."""
    problem = "Transaction payload size cannot exceed 4MB. Payload Size: "
    return f"{problem}: {problem}{size_bytes}"


no_reason = CancellationReason()
_conflict = CancellationReason("TransactionConflict", "Transaction is ongoing for the item")
_only_checked = Decision(None, None, None)


def check_values(schema: KeySchema, indexes: Sequence[SecondaryIndex], action: Action) -> None:
    """No key attribute of the table or of an index may be empty; this refuses the whole request."""
    if isinstance(action, PutItem):
        check_key_values(schema, action.item)
        if indexes and (empty := _empty_keys(indexes, action.item)):
            check_index_keys(indexes, empty)
        return
    check_key_values(schema, action.key)
    if not indexes or not isinstance(action, UpdateItem) or action.update is None:
        return
    if empty := _empty_keys(indexes, action.update.assigned):
        check_updated_index_keys(indexes, empty, empty)


def attributes_of(action: Action) -> Item:
    """What holds the key attributes of the item that an action aims at."""
    return action.item if isinstance(action, PutItem) else action.key


def key_of(schema: KeySchema, indexes: Sequence[SecondaryIndex], action: Action) -> ItemKey:
    """The key of the item that an action aims at; a `ValidationError` becomes the action's reason."""
    if isinstance(action, PutItem):
        key = key_of_item(schema, action.item)
        check_index_keys(indexes, action.item)
        return key
    key = key_of_request(schema, action.key)
    if isinstance(action, UpdateItem) and action.update is not None:
        for name in schema.names:
            if name in action.update.paths:
                raise KeyUpdateError(name)
        check_assigned_index_keys(indexes, action.update.assigned_types)
        check_key_paths(schema, action.update.nested)
        check_index_key_paths(indexes, action.update.nested)
    return key


def decide(action: Action, stored: StoredItem | None, *, indexes: Sequence[SecondaryIndex]) -> Decision:
    """Raises `ConditionalCheckFailedError` or `ValidationError`."""
    if isinstance(action, PutItem):
        image = encode_item(action.item)
        return decide_put(image, stored, guard=action.guard, wanted=action.return_values)
    if isinstance(action, UpdateItem):
        return decide_update(action, stored, indexes=indexes)
    if isinstance(action, DeleteItem):
        return decide_delete(action, stored)
    check_guard(action.guard, stored)
    return _only_checked


def reason_of(refusal: ServiceError) -> CancellationReason:
    if isinstance(refusal, ConditionalCheckFailedError):
        return CancellationReason("ConditionalCheckFailed", refusal.message, refusal.item)
    if isinstance(refusal, ItemCollectionSizeLimitExceededError):
        return CancellationReason("ItemCollectionSizeLimitExceeded", refusal.message)
    return CancellationReason("ValidationError", refusal.message)


def reason_of_one(position: int, actions: int, refusal: ServiceError) -> list[CancellationReason]:
    """Of a transaction of which one action alone was looked at."""
    reasons = [no_reason] * actions
    reasons[position] = reason_of(refusal)
    return reasons


def conflicts(is_ongoing: list[bool]) -> list[CancellationReason]:
    """Of a transaction some of whose items another one has not finished with."""
    return [_conflict if ongoing else no_reason for ongoing in is_ongoing]


def is_done(version: Version, stored: StoredItem | None, *, collected_timestamp: int) -> bool:
    """Whether a decided change is in the row that is stored, or was in one that is collected since."""
    if stored is None:
        return version.timestamp <= collected_timestamp
    return covers(stored.seen_vector, version)


def _empty_keys(indexes: Sequence[SecondaryIndex], attributes: Mapping[str, AttributeValue]) -> Item:
    return {
        attribute.name: value
        for index in indexes
        for attribute in index.key_attributes
        if (value := attributes.get(attribute.name)) is not None and value.get(attribute.type) == ""
    }
