"""Limits, endpoints, continuous backups, contributor insights, Kinesis, scaling of replicas, earlier global tables."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from tests.compat.tables import attribute, invalid, made_table, refused, unique

stream_arn = "arn:aws:kinesis:us-east-1:111122223333:stream/nowhere"


@pytest.fixture
def mine(resource: Any) -> Iterator[Any]:
    with made_table(resource, attribute("p", "S"), attribute("c", "S")) as made:
        yield made


def members(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def test_the_account_has_limits(client: Any) -> None:
    assert members(client.describe_limits()) == {
        "AccountMaxReadCapacityUnits": 80_000,
        "AccountMaxWriteCapacityUnits": 80_000,
        "TableMaxReadCapacityUnits": 40_000,
        "TableMaxWriteCapacityUnits": 40_000,
    }


def test_the_endpoint_is_the_one_that_was_asked(client: Any, url: str) -> None:
    [endpoint] = client.describe_endpoints()["Endpoints"]
    assert endpoint["CachePeriodInMinutes"] > 0
    if url.startswith("http://127.0.0.1"):
        assert endpoint["Address"] == url.removeprefix("http://")


def test_continuous_backups_of_a_table_without_recovery(client: Any, mine: Any) -> None:
    off: dict[str, Any] = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False}}
    missing = unique("nowhere")
    for call in (client.describe_continuous_backups, partial(client.update_continuous_backups, **off)):
        assert call(TableName=mine.name)["ContinuousBackupsDescription"] == {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
        }
        with refused("TableNotFoundException", f"Table not found: {missing}"):
            call(TableName=missing)
    off["PointInTimeRecoverySpecification"]["RecoveryPeriodInDays"] = 7
    with invalid("Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery."):
        client.update_continuous_backups(TableName=mine.name, **off)


def test_insights_are_enabled_and_disabled(client: Any, mine: Any) -> None:
    name = mine.name
    fresh = {"TableName": name, "ContributorInsightsStatus": "DISABLED"}
    assert members(client.describe_contributor_insights(TableName=name)) == fresh
    assert client.list_contributor_insights(TableName=name)["ContributorInsightsSummaries"] == []
    answer = client.update_contributor_insights(TableName=name, ContributorInsightsAction="ENABLE")
    assert answer["ContributorInsightsStatus"] == "ENABLING"
    enabled = client.describe_contributor_insights(TableName=name)
    assert enabled["ContributorInsightsStatus"] in ("ENABLING", "ENABLED")
    assert enabled["ContributorInsightsMode"] == "ACCESSED_AND_THROTTLED_KEYS"
    assert isinstance(enabled["LastUpdateDateTime"], datetime)
    assert len(enabled["ContributorInsightsRuleList"]) == 4
    [listed] = client.list_contributor_insights(TableName=name)["ContributorInsightsSummaries"]
    assert listed["TableName"] == name
    answer = client.update_contributor_insights(TableName=name, ContributorInsightsAction="DISABLE")
    assert answer["ContributorInsightsStatus"] == "DISABLING"
    assert "ContributorInsightsRuleList" not in client.describe_contributor_insights(TableName=name)


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        ({"IndexName": "none"}, "ResourceNotFoundException", "Requested resource not found: Index: none not found"),
        ({"IndexName": ""}, "ValidationException", "IndexName must be at least 3 characters long"),
    ],
)
def test_insights_of_what_is_not_there(
    client: Any, mine: Any, request_: dict[str, str], code: str, message: str
) -> None:
    with refused(code, message):
        client.describe_contributor_insights(TableName=mine.name, **request_)
    with refused(code, message):
        client.update_contributor_insights(TableName=mine.name, ContributorInsightsAction="ENABLE", **request_)


def test_a_kinesis_stream_that_cannot_be_reached_fails(client: Any, mine: Any) -> None:
    name = mine.name
    assert client.describe_kinesis_streaming_destination(TableName=name)["KinesisDataStreamDestinations"] == []
    answer = client.enable_kinesis_streaming_destination(TableName=name, StreamArn=stream_arn)
    assert members(answer) == {
        "TableName": name,
        "StreamArn": stream_arn,
        "DestinationStatus": "ENABLING",
        "EnableKinesisStreamingConfiguration": {},
    }
    with invalid("Stream cannot be disabled using EnableKinesisStreamingConfiguration parameters"):
        client.disable_kinesis_streaming_destination(
            TableName=name,
            StreamArn=stream_arn,
            EnableKinesisStreamingConfiguration={"ApproximateCreationDateTimePrecision": "MICROSECOND"},
        )
    with invalid("KinesisStreamingDestination must be ACTIVE to perform DISABLE operation."):
        client.disable_kinesis_streaming_destination(TableName=name, StreamArn=stream_arn)
    configuration = {"ApproximateCreationDateTimePrecision": "MICROSECOND"}
    with invalid("Kinesis streaming is not in ACTIVE state. Updates are only allowed in ACTIVE state."):
        client.update_kinesis_streaming_destination(
            TableName=name, StreamArn=stream_arn, UpdateKinesisStreamingConfiguration=configuration
        )
    with invalid("UpdateKinesisStreamingConfiguration cannot be null or contain only null values"):
        client.update_kinesis_streaming_destination(TableName=name, StreamArn=stream_arn)
    [failed] = client.describe_kinesis_streaming_destination(TableName=name)["KinesisDataStreamDestinations"]
    assert failed["DestinationStatus"] in ("ENABLING", "ENABLE_FAILED")


@pytest.mark.parametrize(
    "operation",
    [
        *("describe_table", "delete_table", "describe_contributor_insights", "list_contributor_insights"),
        "describe_kinesis_streaming_destination",
    ],
)
def test_a_table_that_is_not_there_is_not_found(client: Any, operation: str) -> None:
    name = unique("nowhere")
    with refused("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found"):
        getattr(client, operation)(TableName=name)


def test_a_table_of_one_region_has_no_scaling_of_replicas(client: Any, mine: Any) -> None:
    for name in (mine.name, unique("nowhere")):
        with refused("ResourceNotFoundException", f"Global table with name: '{name}' does not exist."):
            client.describe_table_replica_auto_scaling(TableName=name)
        with refused("ResourceNotFoundException", f"Global table with name: '{name}' does not exist."):
            client.update_table_replica_auto_scaling(TableName=name)


def test_global_tables_of_the_earlier_version_are_no_more(client: Any, mine: Any) -> None:
    name = mine.name
    with invalid("DynamoDB global tables version 2017.11.29 is not supported."):
        client.create_global_table(GlobalTableName=name, ReplicationGroup=[{"RegionName": "us-east-1"}])
    missing = f"Global table with name: '{name}' does not exist."
    with refused("GlobalTableNotFoundException", missing):
        client.describe_global_table(GlobalTableName=name)
    with refused("GlobalTableNotFoundException", missing):
        client.update_global_table(GlobalTableName=name, ReplicaUpdates=[{"Create": {"RegionName": "eu-west-1"}}])
    with refused("GlobalTableNotFoundException", missing):
        client.describe_global_table_settings(GlobalTableName=name)
    with refused("GlobalTableNotFoundException", missing):
        client.update_global_table_settings(GlobalTableName=name, GlobalTableBillingMode="PAY_PER_REQUEST")
    assert client.list_global_tables()["GlobalTables"] == []


@pytest.mark.parametrize("name", ["", "ab", "a" * 256])
def test_names_of_earlier_global_tables_have_a_length(client: Any, name: str) -> None:
    with invalid("TableName must be at least 3 characters long and at most 255 characters long"):
        client.describe_global_table(GlobalTableName=name)
