"""PutItem, GetItem, UpdateItem and DeleteItem: each parser's statements stand in DynamoDB's order of checks.

The plain forms of PutItem and GetItem, which are most of all requests, are told apart first and skip the walk over the
request's shape; whatever is unusual about a request sends it the whole way.
"""

from typing import Any

from services.region.api.dynamodb import constraints
from services.region.api.dynamodb import members as shapes
from services.region.api.dynamodb.attribute_values import read_attributes
from services.region.api.dynamodb.legacy_conditions import check_conditional_operator, expected_of
from services.region.api.dynamodb.legacy_updates import attribute_updates_of
from services.region.api.dynamodb.members import Members, structure
from services.region.api.dynamodb.parameters import (
    capacity_wish,
    check_attributes_to_get,
    check_combination,
    check_item_size,
    collection_wish,
    condition_of,
    is_update_too_large,
    item_of,
    projection_of,
    substitutions_in_bare_words,
    substitutions_of,
    table_of,
)
from services.region.api.dynamodb.table_names import table_name_of
from services.region.commands.items import (
    DeleteItem,
    GetItem,
    Guard,
    PutItem,
    ReturnValues,
    UpdateItem,
    no_guard,
)
from services.region.expressions.conditions import Condition
from services.region.expressions.updates import bind_update
from shared.errors import ValidationError

_put_item = structure(
    "PutItemInput",
    *("TableName", "Item"),
    ReturnConsumedCapacity=shapes.return_consumed_capacity,
    TableName=shapes.table_name,
    Item=shapes.attributes,
    ConditionalOperator=shapes.conditional_operator,
    Expected=shapes.expected,
    ReturnValues=shapes.return_values,
    ReturnItemCollectionMetrics=shapes.return_item_collection_metrics,
    ReturnValuesOnConditionCheckFailure=shapes.return_values_on_failure,
    ConditionExpression=shapes.text,
    ExpressionAttributeValues=shapes.attributes,
    ExpressionAttributeNames=shapes.texts_by_name,
)
_get_item = structure(
    "GetItemInput",
    *("TableName", "Key"),
    ReturnConsumedCapacity=shapes.return_consumed_capacity,
    AttributesToGet=shapes.attributes_to_get,
    TableName=shapes.table_name,
    Key=shapes.attributes,
    ConsistentRead=shapes.flag,
    ProjectionExpression=shapes.text,
    ExpressionAttributeNames=shapes.texts_by_name,
)
_update_item = structure(
    "UpdateItemInput",
    *("TableName", "Key"),
    ReturnConsumedCapacity=shapes.return_consumed_capacity,
    TableName=shapes.table_name,
    ReturnItemCollectionMetrics=shapes.return_item_collection_metrics,
    ReturnValues=shapes.return_values,
    ReturnValuesOnConditionCheckFailure=shapes.return_values_on_failure,
    ConditionalOperator=shapes.conditional_operator,
    Key=shapes.attributes,
    Expected=shapes.expected,
    AttributeUpdates=shapes.attribute_updates,
    ConditionExpression=shapes.text,
    UpdateExpression=shapes.text,
    ExpressionAttributeValues=shapes.attributes,
    ExpressionAttributeNames=shapes.texts_by_name,
)
_older_conditions = ("Expected", "ConditionalOperator")
_told_alone_by_update_item = (
    *("TableName", "ReturnValues", "ReturnConsumedCapacity", "ReturnValuesOnConditionCheckFailure"),
    *("ConditionalOperator", "ReturnItemCollectionMetrics"),
)
_told_bare_by_update_item = ("ReturnConsumedCapacity", "ReturnValuesOnConditionCheckFailure")
_delete_item = structure(
    "DeleteItemInput",
    *("TableName", "Key"),
    ReturnConsumedCapacity=shapes.return_consumed_capacity,
    TableName=shapes.table_name,
    ReturnValues=shapes.return_values,
    ReturnItemCollectionMetrics=shapes.return_item_collection_metrics,
    ReturnValuesOnConditionCheckFailure=shapes.return_values_on_failure,
    Key=shapes.attributes,
    ConditionalOperator=shapes.conditional_operator,
    Expected=shapes.expected,
    ConditionExpression=shapes.text,
    ExpressionAttributeValues=shapes.attributes,
    ExpressionAttributeNames=shapes.texts_by_name,
)


def parse_put_item(request: dict[str, Any]) -> PutItem:
    try:
        if len(request) == 2 and (table := _plain_table(request, "Item")) is not None:
            attributes = read_attributes(request["Item"])
            item = item_of(attributes)
            check_item_size(attributes)
            return PutItem(table, item)
        return _put_item_of(request)
    except constraints.BareError:
        raise
    except ValidationError as error:
        raise constraints.in_envelope(error) from None


def _put_item_of(request: dict[str, Any]) -> PutItem:
    members = _put_item.read(request)
    constraints.check_write(members, _put_item, alone=("TableName",))
    check_combination(members, ("ConditionExpression",), _older_conditions, names_missing=False)
    check_conditional_operator(members, "Expected")
    item = item_of(members["Item"])
    values = _returning_old(members)
    check_item_size(members["Item"])
    expected = expected_of(members)
    substitutions = substitutions_in_bare_words(members)
    condition = condition_of(members, "ConditionExpression", substitutions) or expected
    substitutions.check_all_used()
    guard = _guard(condition, members)
    return PutItem(table_of(members), item, guard, values, capacity_wish(members), collection_wish(members))


def parse_get_item(request: dict[str, Any]) -> GetItem:
    consistent = request.get("ConsistentRead")
    if (len(request) == 2 if consistent is None else len(request) == 3 and type(consistent) is bool) and (
        table := _plain_table(request, "Key")
    ) is not None:
        return GetItem(table, item_of(read_attributes(request["Key"])), consistent=consistent is True)
    members = _get_item.read(request)
    constraints.check(members, _get_item)
    check_combination(members, ("ProjectionExpression",), ("AttributesToGet",))
    key = item_of(members["Key"])
    check_attributes_to_get(members)
    substitutions = substitutions_of(members)
    projection = projection_of(members, substitutions)
    substitutions.check_all_used()
    return GetItem(table_of(members), key, projection, members.get("ConsistentRead", False), capacity_wish(members))


def parse_update_item(request: dict[str, Any]) -> UpdateItem:
    try:
        return _update_item_of(request)
    except constraints.BareError:
        raise
    except ValidationError as error:
        raise constraints.in_envelope(error) from None


def _update_item_of(request: dict[str, Any]) -> UpdateItem:
    members = _update_item.read(request)
    constraints.check_write(members, _update_item, alone=_told_alone_by_update_item, bare=_told_bare_by_update_item)
    check_combination(
        members,
        ("UpdateExpression", "ConditionExpression"),
        ("AttributeUpdates", *_older_conditions),
        names_missing=False,
    )
    check_conditional_operator(members, "Expected")
    key = item_of(members["Key"])
    updates = attribute_updates_of(members)
    expected = expected_of(members)
    substitutions = substitutions_in_bare_words(members)
    condition = condition_of(members, "ConditionExpression", substitutions) or expected
    update_text = members.get("UpdateExpression")
    update = updates if update_text is None else bind_update(update_text, substitutions)
    substitutions.check_all_used()
    return UpdateItem(
        table=table_of(members),
        key=key,
        update=update,
        guard=_guard(condition, members),
        return_values=ReturnValues(members.get("ReturnValues", "NONE")),
        return_consumed_capacity=capacity_wish(members),
        return_collection_size=collection_wish(members),
        is_too_large=update_text is not None and is_update_too_large(update_text, members, substitutions),
    )


def parse_delete_item(request: dict[str, Any]) -> DeleteItem:
    try:
        return _delete_item_of(request)
    except constraints.BareError:
        raise
    except ValidationError as error:
        raise constraints.in_envelope(error) from None


def _delete_item_of(request: dict[str, Any]) -> DeleteItem:
    members = _delete_item.read(request)
    constraints.check_write(members, _delete_item, alone=("TableName",))
    check_combination(members, ("ConditionExpression",), _older_conditions, names_missing=False)
    check_conditional_operator(members, "Expected")
    key = item_of(members["Key"])
    values = _returning_old(members)
    expected = expected_of(members)
    substitutions = substitutions_in_bare_words(members)
    condition = condition_of(members, "ConditionExpression", substitutions) or expected
    substitutions.check_all_used()
    guard = _guard(condition, members)
    return DeleteItem(table_of(members), key, guard, values, capacity_wish(members), collection_wish(members))


def _plain_table(request: dict[str, Any], member: str) -> str | None:
    """The table of a request whose TableName and attributes are what they should be."""
    name = request.get("TableName")
    return table_name_of(name) if type(name) is str and type(request.get(member)) is dict else None


def _returning_old(members: Members) -> ReturnValues:
    values = ReturnValues(members.get("ReturnValues", "NONE"))
    if values not in (ReturnValues.NONE, ReturnValues.ALL_OLD):
        refused = constraints.BareError if constraints.nests_very_deep(members) else ValidationError
        raise refused("ReturnValues can only be ALL_OLD or NONE")
    return values


def _guard(condition: Condition | None, members: Members) -> Guard:
    if condition is None:
        return no_guard
    return Guard(condition, return_item_on_failure=members.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD")
