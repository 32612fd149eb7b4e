"""Answers of the calls around tables: tags, policies, insights, Kinesis destinations, limits and endpoints."""

from collections.abc import Mapping
from typing import Any

import orjson

from services.region.commands.table_calls import (
    ChangeKinesisDestination,
    DestinationDescription,
    DestinationsOfTable,
    InsightsDescription,
    InsightsPage,
)
from services.region.commands.tables import TableDescription
from services.region.rules.replica_facts import ResourcePolicy
from services.region.rules.resource_policies import shown_policy
from shared.limits import account_capacity_units_max, table_capacity_units_max

_endpoint_minutes = 1440
_no_scaling: dict[str, Any] = {"AutoScalingDisabled": True, "ScalingPolicies": []}


def nothing(_result: object, _command: object) -> bytes:
    """Calls for tags answer without a body."""
    return b""


def tags(result: Mapping[str, str], _command: object) -> bytes:
    return orjson.dumps({"Tags": [{"Key": key, "Value": value} for key, value in result.items()]})


def policy_revision(result: ResourcePolicy | None, _command: object) -> bytes:
    return orjson.dumps({} if result is None else {"RevisionId": result.revision})


def policy(result: ResourcePolicy, _command: object) -> bytes:
    return orjson.dumps({"Policy": shown_policy(result.document), "RevisionId": result.revision})


def continuous_backups(_result: object, _command: object) -> bytes:
    return orjson.dumps(
        {
            "ContinuousBackupsDescription": {
                "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
            }
        }
    )


def insights(result: InsightsDescription, _command: object) -> bytes:
    members = _insights(result)
    if result.rules:
        members["ContributorInsightsRuleList"] = list(result.rules)
    if result.changed_us is not None:
        members["LastUpdateDateTime"] = result.changed_us / 1_000_000
    return orjson.dumps(members)


def insights_changed(result: InsightsDescription, _command: object) -> bytes:
    return orjson.dumps(_insights(result))


def insights_page(result: InsightsPage, _command: object) -> bytes:
    members: dict[str, Any] = {"ContributorInsightsSummaries": [_insights(each) for each in result.insights]}
    if result.last is not None:
        members["NextToken"] = result.last
    return orjson.dumps(members)


def destinations(result: DestinationsOfTable, _command: object) -> bytes:
    return orjson.dumps(
        {
            "TableName": result.table,
            "KinesisDataStreamDestinations": [_destination(each) for each in result.destinations],
        }
    )


def destination_enabled(result: DestinationsOfTable, command: ChangeKinesisDestination) -> bytes:
    [enabling] = result.destinations
    configuration = {} if command.precision is None else {"ApproximateCreationDateTimePrecision": command.precision}
    return orjson.dumps(
        {
            "TableName": result.table,
            "StreamArn": enabling.stream_arn,
            "DestinationStatus": enabling.status,
            "EnableKinesisStreamingConfiguration": configuration,
        }
    )


def replica_scaling(result: TableDescription, _command: object) -> bytes:
    replicas: list[dict[str, Any]] = [
        {
            "RegionName": region,
            "GlobalSecondaryIndexes": [],
            "ReplicaProvisionedReadCapacityAutoScalingSettings": _no_scaling,
            "ReplicaProvisionedWriteCapacityAutoScalingSettings": _no_scaling,
            "ReplicaStatus": state.status.value,
        }
        for region, state in result.replicas.items()
    ]
    description = {
        "TableName": result.definition.name,
        "TableStatus": result.status.value,
        "Replicas": replicas,
    }
    return orjson.dumps({"TableAutoScalingDescription": description})


def limits(_result: object, _command: object) -> bytes:
    return orjson.dumps(
        {
            "AccountMaxReadCapacityUnits": account_capacity_units_max,
            "AccountMaxWriteCapacityUnits": account_capacity_units_max,
            "TableMaxReadCapacityUnits": table_capacity_units_max,
            "TableMaxWriteCapacityUnits": table_capacity_units_max,
        }
    )


def endpoints(_result: object, _command: object, *, address: str) -> bytes:
    """`address` is this endpoint's own, host and port."""
    return orjson.dumps({"Endpoints": [{"Address": address, "CachePeriodInMinutes": _endpoint_minutes}]})


def no_global_tables(_result: object, _command: object) -> bytes:
    return orjson.dumps({"GlobalTables": []})


def _insights(result: InsightsDescription) -> dict[str, Any]:
    members: dict[str, Any] = {"TableName": result.table, "ContributorInsightsStatus": result.status}
    if result.index:
        members["IndexName"] = result.index
    if result.mode is not None:
        members["ContributorInsightsMode"] = result.mode
    return members


def _destination(destination: DestinationDescription) -> dict[str, Any]:
    members: dict[str, Any] = {"StreamArn": destination.stream_arn, "DestinationStatus": destination.status}
    if destination.reason is not None:
        members["DestinationStatusDescription"] = destination.reason
    if destination.precision is not None:
        members["ApproximateCreationDateTimePrecision"] = destination.precision
    return members
