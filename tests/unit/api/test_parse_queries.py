"""Query and Scan: the commands they become, and DynamoDB's words for parameters that do not go together."""

from collections.abc import Callable
from typing import Any

import pytest

from services.region.api.dynamodb.parse_queries import parse_query, parse_scan
from shared.errors import ValidationError

_query = {
    "TableName": "orders",
    "KeyConditionExpression": "pk = :p",
    "ExpressionAttributeValues": {":p": {"S": "a"}},
}
_scan = {"TableName": "orders"}


def _refusal(parse: Callable[[dict[str, Any]], Any], request: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as raised:
        parse(request)
    return raised.value.message


def test_all_parameters_of_a_query_arrive_in_the_command() -> None:
    command = parse_query(
        _query
        | {
            "FilterExpression": "n > :n",
            "ProjectionExpression": "n, pk",
            "ExpressionAttributeValues": {":p": {"S": "a"}, ":n": {"N": "1.0"}},
            "ScanIndexForward": False,
            "Limit": 7,
            "ExclusiveStartKey": {"pk": {"S": "a"}, "sk": {"N": "01"}},
            "ConsistentRead": True,
            "ReturnConsumedCapacity": "TOTAL",
        }
    )
    assert (command.table, command.limit, command.forward, command.consistent) == ("orders", 7, False, True)
    assert command.start_key == {"pk": {"S": "a"}, "sk": {"N": "1"}}
    assert command.filter is not None
    assert command.filter.holds({"n": {"N": "2"}})
    assert command.projection is not None
    assert not command.count_only


def test_a_bare_query_looks_forward_without_a_limit() -> None:
    command = parse_query(dict(_query))
    assert (command.forward, command.limit, command.start_key, command.filter) == (True, None, None, None)


def test_a_scan_is_one_segment_unless_it_says_otherwise() -> None:
    command = parse_scan(dict(_scan))
    assert (command.segment, command.total_segments) == (0, 1)
    command = parse_scan(_scan | {"Segment": 2, "TotalSegments": 4})
    assert (command.segment, command.total_segments) == (2, 4)


def test_select_count_asks_for_no_items() -> None:
    assert parse_query(_query | {"Select": "COUNT"}).count_only
    assert parse_scan(_scan | {"Select": "COUNT"}).count_only


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"Segment": 0},
            (
                "The TotalSegments parameter is required but was not present in the request "
                "when Segment parameter is present"
            ),
        ),
        (
            {"TotalSegments": 2},
            (
                "The Segment parameter is required but was not present in the request "
                "when parameter TotalSegments is present"
            ),
        ),
        (
            {"Segment": 2, "TotalSegments": 2},
            "The Segment parameter is zero-based and must be less than parameter TotalSegments",
        ),
        (
            {"Segment": 0, "TotalSegments": 1_000_001},
            (
                "1 validation error detected: Value at 'TotalSegments' failed to satisfy constraint: "
                "Member must have value less than or equal to 1000000"
            ),
        ),
        (
            {"ExclusiveStartKey": {"pk": {}}},
            (
                "The provided starting key is invalid: Supplied AttributeValue is empty, must contain exactly one "
                "of the supported datatypes"
            ),
        ),
        ({"ExclusiveStartKey": {"pk": {"N": "x"}}}, "The parameter cannot be converted to a numeric value: x"),
        (
            {"ProjectionExpression": "a", "AttributesToGet": ["a"]},
            (
                "Can not use both expression and non-expression parameters in the same request: "
                "Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}"
            ),
        ),
        (
            {"Select": "SPECIFIC_ATTRIBUTES"},
            (
                "1 validation error detected: "
                "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
            ),
        ),
        (
            {"Select": "ALL_ATTRIBUTES", "ProjectionExpression": "a"},
            "1 validation error detected: Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES",
        ),
        (
            {"Select": "COUNT", "AttributesToGet": ["a"]},
            "1 validation error detected: Cannot specify the AttributesToGet when choosing to get only the Count",
        ),
        (
            {"Select": "ALL_PROJECTED_ATTRIBUTES"},
            "1 validation error detected: ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
        ),
    ],
)
def test_parameters_of_a_scan_that_do_not_go_together(parameters: dict[str, Any], message: str) -> None:
    assert _refusal(parse_scan, _scan | parameters) == message


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"KeyConditionExpression": None, "ExpressionAttributeValues": None},
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
        ),
        (
            {"Select": "SPECIFIC_ATTRIBUTES"},
            (
                "1 validation error detected: "
                "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
            ),
        ),
        (
            {"KeyConditionExpression": None},
            (
                "ExpressionAttributeValues can only be specified when using expressions: "
                "FilterExpression and KeyConditionExpression are null"
            ),
        ),
        (
            {"QueryFilter": {}, "ConditionalOperator": "AND"},
            (
                "Can not use both expression and non-expression parameters in the same request: "
                "Non-expression parameters: {QueryFilter, ConditionalOperator} "
                "Expression parameters: {KeyConditionExpression}"
            ),
        ),
        (
            {"Limit": 0},
            (
                "1 validation error detected: Value at 'Limit' failed to satisfy constraint: "
                "Member must have value greater than or equal to 1"
            ),
        ),
        (
            {"ExpressionAttributeValues": {":p": {"S": "a"}, ":q": {"S": "a"}}},
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:q}",
        ),
    ],
)
def test_parameters_of_a_query_that_do_not_go_together(parameters: dict[str, Any], message: str) -> None:
    assert _refusal(parse_query, _query | parameters) == message


def test_reads_of_an_index_name_it_and_may_ask_for_what_it_projects() -> None:
    index = {"IndexName": "by-date", "Select": "ALL_PROJECTED_ATTRIBUTES"}
    for command in (parse_query({**_query, **index}), parse_scan({**_scan, **index})):
        assert command.index == "by-date"
        assert not command.all_attributes
    assert parse_query({**_query, "IndexName": "by-date", "Select": "ALL_ATTRIBUTES"}).all_attributes
