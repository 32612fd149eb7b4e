"""Calls around a table: continuous backups, contributor insights, Kinesis destinations, scaling of its replicas."""

from typing import Any

from services.region.api.dynamodb import constraints
from services.region.api.dynamodb import members as shapes
from services.region.api.dynamodb.members import Members, Structure, TableName, Text, Whole, structure
from services.region.api.dynamodb.parameters import table_of
from services.region.commands.table_calls import (
    ChangeKinesisDestination,
    ListContributorInsights,
    TableCall,
    UpdateContributorInsights,
)
from shared.errors import ValidationError

_table_name = TableName(of_calls_on_tables=True)
_table = structure("DescribeContinuousBackupsInput", "TableName", TableName=_table_name)
_recovery = structure(
    "PointInTimeRecoverySpecification",
    "PointInTimeRecoveryEnabled",
    PointInTimeRecoveryEnabled=shapes.flag,
    RecoveryPeriodInDays=Whole("Integer", min=1, max=35),
)
_change_backups = structure(
    "UpdateContinuousBackupsInput",
    *("TableName", "PointInTimeRecoverySpecification"),
    TableName=_table_name,
    PointInTimeRecoverySpecification=_recovery,
)
_insights = structure("DescribeContributorInsightsInput", "TableName", TableName=_table_name, IndexName=shapes.text)
_change_insights = structure(
    "UpdateContributorInsightsInput",
    *("TableName", "ContributorInsightsAction"),
    TableName=_table_name,
    IndexName=shapes.text,
    ContributorInsightsAction=Text(enum=("ENABLE", "DISABLE")),
    ContributorInsightsMode=Text(enum=("THROTTLED_KEYS", "ACCESSED_AND_THROTTLED_KEYS")),
)
_list_insights = structure(
    "ListContributorInsightsInput",
    TableName=_table_name,
    NextToken=shapes.text,
    MaxResults=Whole("Integer", min=1, max=100),
)
_precision = structure(
    "EnableKinesisStreamingConfiguration",
    ApproximateCreationDateTimePrecision=Text(enum=("MILLISECOND", "MICROSECOND")),
)
_kinesis = structure(
    "KinesisStreamingDestinationInput",
    *("TableName", "StreamArn"),
    TableName=_table_name,
    StreamArn=Text(length_min=37, length_max=1024),
    EnableKinesisStreamingConfiguration=_precision,
    UpdateKinesisStreamingConfiguration=_precision,
)


def parse_table_call(request: dict[str, Any]) -> TableCall:
    return TableCall(table_of(_checked(request, _table)))


def parse_update_backups(request: dict[str, Any]) -> TableCall:
    """Recovery is always off, and tools turn it off in every replica they make."""
    members = _checked(request, _change_backups)
    recovery = members["PointInTimeRecoverySpecification"]
    if recovery["PointInTimeRecoveryEnabled"]:
        raise ValidationError("PointInTimeRecoveryEnabled is not supported yet")
    if "RecoveryPeriodInDays" in recovery:
        raise ValidationError(
            "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery."
        )
    return TableCall(table_of(members))


def parse_describe_insights(request: dict[str, Any]) -> TableCall:
    members = _checked(request, _insights)
    return TableCall(table_of(members), _index_of(members))


def parse_update_insights(request: dict[str, Any]) -> UpdateContributorInsights:
    members = _checked(request, _change_insights)
    return UpdateContributorInsights(
        table_of(members),
        _index_of(members),
        enable=members["ContributorInsightsAction"] == "ENABLE",
        mode=members.get("ContributorInsightsMode"),
    )


def parse_list_insights(request: dict[str, Any]) -> ListContributorInsights:
    members = _checked(request, _list_insights)
    table = table_of(members) if "TableName" in members else None
    return ListContributorInsights(table, members.get("MaxResults", 100), members.get("NextToken"))


def parse_kinesis_destination(request: dict[str, Any]) -> ChangeKinesisDestination:
    members = _checked(request, _kinesis)
    wanted = members.get("EnableKinesisStreamingConfiguration", {})
    return ChangeKinesisDestination(
        table_of(members), members["StreamArn"], wanted.get("ApproximateCreationDateTimePrecision")
    )


def parse_disable_kinesis_destination(request: dict[str, Any]) -> ChangeKinesisDestination:
    if request.get("EnableKinesisStreamingConfiguration"):
        raise ValidationError("Stream cannot be disabled using EnableKinesisStreamingConfiguration parameters")
    return parse_kinesis_destination(request)


def parse_update_kinesis_destination(request: dict[str, Any]) -> ChangeKinesisDestination:
    members = _checked(request, _kinesis)
    wanted = members.get("UpdateKinesisStreamingConfiguration")
    if not wanted:
        raise ValidationError(
            "Streaming destination cannot be updated with given parameters: "
            "UpdateKinesisStreamingConfiguration cannot be null or contain only null values"
        )
    return ChangeKinesisDestination(
        table_of(members), members["StreamArn"], wanted["ApproximateCreationDateTimePrecision"]
    )


def _checked(request: dict[str, Any], shape: Structure) -> Members:
    members = shape.read(request)
    constraints.check(members, shape)
    return members


def _index_of(members: Members) -> str:
    name: str | None = members.get("IndexName")
    if name is not None and not 3 <= len(name) <= 255:
        raise ValidationError("IndexName must be at least 3 characters long and at most 255 characters long")
    return name or ""
