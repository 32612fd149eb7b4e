"""UpdateTimeToLive and DescribeTimeToLive: statements in DynamoDB's order of checks."""

from typing import Any

from services.region.api.dynamodb import constraints
from services.region.api.dynamodb import members as shapes
from services.region.api.dynamodb.members import TableName, Text, structure
from services.region.api.dynamodb.parameters import table_of
from services.region.commands.time_to_live import DescribeTimeToLive, UpdateTimeToLive
from shared.limits import key_attribute_name_chars_max

_table_name = TableName(of_calls_on_tables=True)
_update = structure(
    "UpdateTimeToLiveInput",
    *("TableName", "TimeToLiveSpecification"),
    TableName=_table_name,
    TimeToLiveSpecification=structure(
        "TimeToLiveSpecification",
        *("Enabled", "AttributeName"),
        Enabled=shapes.flag,
        AttributeName=Text(length_min=1, length_max=key_attribute_name_chars_max),
    ),
)
_describe = structure("DescribeTimeToLiveInput", "TableName", TableName=_table_name)


def parse_update_time_to_live(request: dict[str, Any]) -> UpdateTimeToLive:
    members = _update.read(request)
    constraints.check(members, _update)
    specification = members["TimeToLiveSpecification"]
    return UpdateTimeToLive(table_of(members), specification["AttributeName"], specification["Enabled"])


def parse_describe_time_to_live(request: dict[str, Any]) -> DescribeTimeToLive:
    members = _describe.read(request)
    constraints.check(members, _describe)
    return DescribeTimeToLive(table_of(members))
