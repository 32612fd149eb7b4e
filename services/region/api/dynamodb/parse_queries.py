"""Query and Scan: each parser's statements stand in DynamoDB's order of checks."""

import re
from typing import Any

from services.region.api.dynamodb import constraints
from services.region.api.dynamodb import members as shapes
from services.region.api.dynamodb.attribute_values import Attributes
from services.region.api.dynamodb.legacy_conditions import check_conditional_operator, filter_of, key_condition_of
from services.region.api.dynamodb.members import Members, Whole, structure
from services.region.api.dynamodb.parameters import (
    capacity_wish,
    check_attributes_to_get,
    check_combination,
    condition_of,
    projection_of,
    substitutions_in_bare_words,
    substitutions_of,
    table_of,
)
from services.region.api.dynamodb.unsupported import refuse_unsupported
from services.region.commands.queries import Query, Scan
from services.region.expressions.key_conditions import bind_key_condition
from shared import limits
from shared.errors import ValidationError
from shared.model.values import Item

_query = structure(
    "QueryInput",
    "TableName",
    Select=shapes.select,
    IndexName=shapes.index_name,
    ReturnConsumedCapacity=shapes.return_consumed_capacity,
    QueryFilter=shapes.conditions,
    TableName=shapes.table_name,
    ConditionalOperator=shapes.conditional_operator,
    AttributesToGet=shapes.attributes_to_get,
    Limit=Whole("Integer", min=1),
    KeyConditions=shapes.conditions,
    ExclusiveStartKey=shapes.attributes,
    ConsistentRead=shapes.flag,
    ScanIndexForward=shapes.flag,
    KeyConditionExpression=shapes.text,
    FilterExpression=shapes.text,
    ProjectionExpression=shapes.text,
    ExpressionAttributeValues=shapes.attributes,
    ExpressionAttributeNames=shapes.texts_by_name,
)
_scan = structure(
    "ScanInput",
    "TableName",
    Select=shapes.select,
    IndexName=shapes.index_name,
    TotalSegments=Whole("Integer", min=1, max=limits.scan_segments_max),
    ReturnConsumedCapacity=shapes.return_consumed_capacity,
    TableName=shapes.table_name,
    ConditionalOperator=shapes.conditional_operator,
    ScanFilter=shapes.conditions_in_older_words,
    Segment=Whole("Integer", min=0, max=limits.scan_segments_max - 1),
    Limit=Whole("Integer", min=1),
    AttributesToGet=shapes.attributes_to_get,
    ExclusiveStartKey=shapes.attributes_in_older_words,
    ConsistentRead=shapes.flag,
    FilterExpression=shapes.text,
    ProjectionExpression=shapes.text,
    ExpressionAttributeValues=shapes.attributes_in_older_words,
    ExpressionAttributeNames=shapes.texts_by_name,
)
_stands_alone = re.compile(r"contains duplicates|number set|numeric value|significant digits|number with magnitude")
_choices = {"COUNT": "only the Count"}


def parse_query(request: dict[str, Any]) -> Query:
    members = _query.read(request)
    constraints.check_read(members, _query, bare="ConditionalOperator")
    check_combination(
        members,
        ("ProjectionExpression", "FilterExpression", "KeyConditionExpression"),
        ("AttributesToGet", "QueryFilter", "ConditionalOperator", *_key_conditions_beside(members)),
    )
    check_conditional_operator(members, "QueryFilter")
    refuse_unsupported(members)
    query_filter = filter_of(members, "QueryFilter")
    check_attributes_to_get(members)
    start_key = _start_key(members)
    if "KeyConditionExpression" not in members and "KeyConditions" not in members:
        raise ValidationError(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
        )
    _check_select(members)
    substitutions = substitutions_in_bare_words(members)
    text = members.get("KeyConditionExpression")
    written = None if text is None else bind_key_condition(text, substitutions)
    condition = condition_of(members, "FilterExpression", substitutions)
    projection = projection_of(members, substitutions)
    substitutions.check_all_used()
    key_condition = key_condition_of(members) if written is None else written
    key_condition.comparisons()
    return Query(
        table=table_of(members),
        key_condition=key_condition,
        filter=condition or query_filter,
        filter_name="Filter Expression" if query_filter is None else "QueryFilter",
        projection=projection,
        count_only=members.get("Select") == "COUNT",
        forward=members.get("ScanIndexForward", True),
        limit=members.get("Limit"),
        start_key=start_key,
        consistent=members.get("ConsistentRead", False),
        return_consumed_capacity=capacity_wish(members),
        index=members.get("IndexName"),
        all_attributes=members.get("Select") == "ALL_ATTRIBUTES",
    )


def parse_scan(request: dict[str, Any]) -> Scan:
    members = _scan.read(request)
    constraints.check_read(members, _scan)
    check_combination(
        members,
        ("ProjectionExpression", "FilterExpression"),
        ("AttributesToGet", "ScanFilter", "ConditionalOperator"),
    )
    check_conditional_operator(members, "ScanFilter")
    refuse_unsupported(members)
    check_attributes_to_get(members)
    scan_filter = filter_of(members, "ScanFilter")
    start_key = _start_key(members)
    segment, total_segments = _segments(members)
    _check_select(members)
    substitutions = substitutions_of(members)
    condition = condition_of(members, "FilterExpression", substitutions) or scan_filter
    projection = projection_of(members, substitutions)
    substitutions.check_all_used()
    return Scan(
        table=table_of(members),
        filter=condition,
        projection=projection,
        count_only=members.get("Select") == "COUNT",
        limit=members.get("Limit"),
        start_key=start_key,
        segment=segment,
        total_segments=total_segments,
        consistent=members.get("ConsistentRead", False),
        return_consumed_capacity=capacity_wish(members),
        index=members.get("IndexName"),
        all_attributes=members.get("Select") == "ALL_ATTRIBUTES",
    )


def _key_conditions_beside(members: Members) -> tuple[str, ...]:
    """KeyConditions may go with other expressions, only not with the one that takes its place."""
    return ("KeyConditions",) if "KeyConditionExpression" in members else ()


def _start_key(members: Members) -> Item | None:
    key: Attributes | None = members.get("ExclusiveStartKey")
    if key is None:
        return None
    if key.problem is not None:
        message = key.problem.message
        prefix = "" if _stands_alone.search(message) else "The provided starting key is invalid: "
        raise ValidationError(prefix + message)
    return key.item


def _segments(members: Members) -> tuple[int, int]:
    segment, total = members.get("Segment"), members.get("TotalSegments")
    if segment is None and total is None:
        return 0, 1
    if total is None:
        raise ValidationError(
            "The TotalSegments parameter is required but was not present in the request "
            "when Segment parameter is present"
        )
    if segment is None:
        raise ValidationError(
            "The Segment parameter is required but was not present in the request "
            "when parameter TotalSegments is present"
        )
    if segment >= total:
        raise ValidationError("The Segment parameter is zero-based and must be less than parameter TotalSegments")
    return segment, total


def _check_select(members: Members) -> None:
    """What Select and a projection choose must agree."""
    select = members.get("Select")
    projection = next((name for name in ("AttributesToGet", "ProjectionExpression") if name in members), None)
    if select == "SPECIFIC_ATTRIBUTES" and projection is None:
        raise constraints.errors_detected(
            ["Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"]
        )
    if select not in (None, "SPECIFIC_ATTRIBUTES") and projection is not None:
        raise constraints.errors_detected(
            [f"Cannot specify the {projection} when choosing to get {_choices.get(select, select)}"]
        )
    if select == "ALL_PROJECTED_ATTRIBUTES" and "IndexName" not in members:
        raise constraints.errors_detected(
            ["ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"]
        )
