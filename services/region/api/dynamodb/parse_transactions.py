"""TransactWriteItems and TransactGetItems: each parser's statements stand in DynamoDB's order of checks.

The constraints of all actions are told at once. What else is wrong is told of the first action that has something,
by itself, before any table is looked at.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import orjson

from services.region.api.dynamodb import constraints
from services.region.api.dynamodb import members as shapes
from services.region.api.dynamodb.attribute_values import Attributes
from services.region.api.dynamodb.members import ListOf, Members, Shape, Structure, structure
from services.region.api.dynamodb.parameters import (
    capacity_wish,
    check_item_size,
    collection_wish,
    condition_of,
    item_of,
    projection_of,
    substitutions_in_bare_words,
    table_of,
)
from services.region.commands.items import DeleteItem, GetItem, Guard, PutItem, UpdateItem, no_guard
from services.region.commands.transactions import (
    Action,
    ClientToken,
    ConditionCheck,
    TransactGet,
    TransactWrite,
    parameters_bytes,
)
from services.region.expressions.substitutions import Substitutions
from services.region.expressions.updates import bind_update
from services.region.rules.transactions import too_large
from shared import limits
from shared.errors import ValidationError
from shared.model.sizes import item_size_bytes
from shared.model.values import Item

_several_actions = "TransactItems can only contain one of Check, Put, Update or Delete"
_no_action = "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request"
_deep_attributes = shapes.AttributeMap(limits.operand_levels_max)


def _action(name: str, *required: str, **members: Shape) -> Structure:
    return structure(
        name,
        *("TableName", *required),
        TableName=shapes.table_name,
        **members,
        ReturnValuesOnConditionCheckFailure=shapes.return_values_on_failure,
        ConditionExpression=shapes.text,
        ExpressionAttributeValues=_deep_attributes,
        ExpressionAttributeNames=shapes.texts_by_name,
    )


_transact_write_items = structure(
    "TransactWriteItemsInput",
    "TransactItems",
    ClientRequestToken=shapes.Text(length_min=1, length_max=limits.transaction_token_chars_max),
    ReturnConsumedCapacity=shapes.return_consumed_capacity,
    ReturnItemCollectionMetrics=shapes.return_item_collection_metrics,
    TransactItems=ListOf(
        structure(
            "TransactWriteItem",
            ConditionCheck=_action("ConditionCheck", "Key", "ConditionExpression", Key=shapes.attributes),
            Put=_action("Put", "Item", Item=shapes.attributes),
            Delete=_action("Delete", "Key", Key=shapes.attributes),
            Update=_action("Update", "Key", "UpdateExpression", Key=shapes.attributes, UpdateExpression=shapes.text),
        ),
        length_min=1,
        length_max=limits.transaction_actions_max,
    ),
)
_transact_get_items = structure(
    "TransactGetItemsInput",
    "TransactItems",
    ReturnConsumedCapacity=shapes.return_consumed_capacity,
    TransactItems=ListOf(
        structure(
            "TransactGetItem",
            "Get",
            Get=structure(
                "Get",
                *("TableName", "Key"),
                TableName=shapes.table_name,
                Key=shapes.attributes,
                ProjectionExpression=shapes.text,
                ExpressionAttributeNames=shapes.texts_by_name,
            ),
        ),
        length_min=1,
        length_max=limits.transaction_actions_max,
    ),
)


def parse_transact_write_items(request: dict[str, Any]) -> TransactWrite:
    members = _transact_write_items.read(request)
    constraints.check(members, _transact_write_items)
    actions = [_action_of(item) for item in members["TransactItems"]]
    _check_size(members["TransactItems"])
    return TransactWrite(
        actions,
        _client_token_of(members),
        capacity_wish(members),
        return_collection_size=collection_wish(members),
    )


def parse_transact_get_items(request: dict[str, Any]) -> TransactGet:
    members = _transact_get_items.read(request)
    constraints.check(members, _transact_get_items)
    return TransactGet([_get_of(item["Get"]) for item in members["TransactItems"]], capacity_wish(members))


def _client_token_of(members: Members) -> ClientToken | None:
    """Requests are the same whatever the order of their members and however they write a number."""
    token = members.get("ClientRequestToken")
    if token is None:
        return None
    items = orjson.dumps(members["TransactItems"], _plain, orjson.OPT_SORT_KEYS)
    return ClientToken(token, blake2b(items, digest_size=parameters_bytes).digest())


def _plain(attributes: Attributes) -> Item:
    return attributes.item


def _action_of(item: Members) -> Action:
    if len(item) != 1:
        raise ValidationError(_several_actions if item else _no_action)
    [(kind, members)] = item.items()
    if kind == "Put":
        return _put_of(members)
    if kind == "Update":
        return _update_of(members)
    guard = _only_guard_of(members)
    key = item_of(members["Key"])
    if kind == "Delete":
        return DeleteItem(table_of(members), key, guard)
    return ConditionCheck(table_of(members), key, guard)


def _put_of(members: Members) -> PutItem:
    item = item_of(members["Item"])
    check_item_size(members["Item"])
    return PutItem(table_of(members), item, _only_guard_of(members))


def _update_of(members: Members) -> UpdateItem:
    substitutions = substitutions_in_bare_words(members)
    update = bind_update(members["UpdateExpression"], substitutions)
    guard = _guard_of(members, substitutions)
    substitutions.check_all_used()
    return UpdateItem(table_of(members), item_of(members["Key"]), update, guard)


def _only_guard_of(members: Members) -> Guard:
    """The guard of an action without other expressions; unlike elsewhere, placeholders may stand without any."""
    substitutions = substitutions_in_bare_words(members)
    guard = _guard_of(members, substitutions)
    if guard.condition is not None:
        substitutions.check_all_used()
    return guard


def _guard_of(members: Members, substitutions: Substitutions) -> Guard:
    condition = condition_of(members, "ConditionExpression", substitutions)
    if condition is None:
        return no_guard
    return Guard(condition, return_item_on_failure=members.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD")


def _get_of(members: Members) -> GetItem:
    key = item_of(members["Key"])
    substitutions = substitutions_in_bare_words(members)
    projection = projection_of(members, substitutions)
    if projection is not None:
        substitutions.check_all_used()
    return GetItem(table_of(members), key, projection, consistent=True)


def _check_size(items: Sequence[Members]) -> None:
    """What counts is what the request brings along, not the items that it aims at."""
    brought = [
        attributes
        for item in items
        for members in item.values()
        for name in ("Item", "Key", "ExpressionAttributeValues")
        if (attributes := members.get(name)) is not None
    ]
    if sum(attributes.size_max_bytes for attributes in brought) > limits.transaction_bytes_max:
        size_bytes = sum(item_size_bytes(attributes.item) for attributes in brought)
        if size_bytes > limits.transaction_bytes_max:
            raise ValidationError(too_large(size_bytes))
