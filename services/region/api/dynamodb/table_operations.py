"""The operations around tables: what belongs to a table and is neither its items nor its definition."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from services.region.api.dynamodb import (
    parse_global_tables,
    parse_policies,
    parse_table_calls,
    parse_tags,
)
from services.region.api.dynamodb import table_call_replies as replies
from services.region.api.dynamodb.endpoint import Operation
from services.region.commands.table_calls import TableCall
from services.region.commands.tables import DescribeTable, TableDescription
from services.region.engine.insights import Insights
from services.region.engine.kinesis import KinesisDestinations
from services.region.engine.policies import Policies
from services.region.engine.tables import Tables
from services.region.engine.tags import Tags
from shared.errors import ResourceNotFoundError, TableNotFoundError, ValidationError


@dataclass(frozen=True, slots=True)
class TableExtras:
    """What a table has besides items."""

    tags: Tags
    policies: Policies
    insights: Insights
    kinesis: KinesisDestinations


def table_operations(tables: Tables, extras: TableExtras, *, address: str) -> Mapping[str, Operation]:
    """`address` is that of this endpoint, host and port."""
    tags, policies = extras.tags, extras.policies
    at_once = partial(Operation, waits=False)
    backed_up, scaling = partial(_backed_up, tables), partial(_described_replicas, tables)
    return {
        "TagResource": Operation(parse_tags.parse_tag_resource, tags.tag, replies.nothing),
        "UntagResource": Operation(parse_tags.parse_untag_resource, tags.untag, replies.nothing),
        "ListTagsOfResource": at_once(parse_tags.parse_list_tags_of_resource, tags.list, replies.tags),
        "PutResourcePolicy": Operation(parse_policies.parse_put_resource_policy, policies.put, replies.policy_revision),
        "GetResourcePolicy": at_once(parse_policies.parse_get_resource_policy, policies.get, replies.policy),
        "DeleteResourcePolicy": Operation(
            parse_policies.parse_delete_resource_policy, policies.delete, replies.policy_revision
        ),
        "DescribeContinuousBackups": at_once(parse_table_calls.parse_table_call, backed_up, replies.continuous_backups),
        "UpdateContinuousBackups": at_once(
            parse_table_calls.parse_update_backups, backed_up, replies.continuous_backups
        ),
        **_insights_and_kinesis(extras),
        "DescribeTableReplicaAutoScaling": at_once(
            parse_table_calls.parse_table_call, scaling, replies.replica_scaling
        ),
        "UpdateTableReplicaAutoScaling": at_once(
            parse_table_calls.parse_table_call, partial(_refuse_scaling, tables), replies.nothing
        ),
        "DescribeLimits": at_once(_no_parameters, _nothing, replies.limits),
        "DescribeEndpoints": at_once(_no_parameters, _nothing, partial(replies.endpoints, address=address)),
        **_global_tables(),
    }


def _insights_and_kinesis(extras: TableExtras) -> Mapping[str, Operation]:
    insights, kinesis = extras.insights, extras.kinesis
    at_once = partial(Operation, waits=False)
    return {
        "DescribeContributorInsights": at_once(
            parse_table_calls.parse_describe_insights, insights.describe, replies.insights
        ),
        "UpdateContributorInsights": Operation(
            parse_table_calls.parse_update_insights, insights.update, replies.insights_changed
        ),
        "ListContributorInsights": at_once(parse_table_calls.parse_list_insights, insights.list, replies.insights_page),
        "DescribeKinesisStreamingDestination": at_once(
            parse_table_calls.parse_table_call, kinesis.describe, replies.destinations
        ),
        "EnableKinesisStreamingDestination": Operation(
            parse_table_calls.parse_kinesis_destination, kinesis.enable, replies.destination_enabled
        ),
        "DisableKinesisStreamingDestination": at_once(
            parse_table_calls.parse_disable_kinesis_destination, kinesis.disable, replies.destinations
        ),
        "UpdateKinesisStreamingDestination": at_once(
            parse_table_calls.parse_update_kinesis_destination, kinesis.update, replies.destinations
        ),
    }


def _global_tables() -> Mapping[str, Operation]:
    """Of version 2017.11.29."""
    parse = parse_global_tables
    parsers = {
        "CreateGlobalTable": parse.parse_create_global_table,
        "DescribeGlobalTable": parse.parse_describe_global_table,
        "ListGlobalTables": parse.parse_list_global_tables,
        "UpdateGlobalTable": parse.parse_update_global_table,
        "DescribeGlobalTableSettings": parse.parse_describe_global_table_settings,
        "UpdateGlobalTableSettings": parse.parse_update_global_table_settings,
    }
    return {
        name: Operation(parser, _nothing, replies.no_global_tables, waits=False) for name, parser in parsers.items()
    }


def _backed_up(tables: Tables, command: TableCall) -> None:
    try:
        tables.describe(DescribeTable(command.table))
    except ResourceNotFoundError:
        raise TableNotFoundError(f"Table not found: {command.table}") from None


def _described_replicas(tables: Tables, command: TableCall) -> TableDescription:
    try:
        described = tables.describe(DescribeTable(command.table))
    except ResourceNotFoundError:
        raise _no_global_table(command) from None
    if not described.replicas:
        raise _no_global_table(command)
    return described


def _refuse_scaling(tables: Tables, command: TableCall) -> None:
    _described_replicas(tables, command)
    raise ValidationError("UpdateTableReplicaAutoScaling is not supported yet")


def _no_global_table(command: TableCall) -> ResourceNotFoundError:
    return ResourceNotFoundError(f"Global table with name: '{command.table}' does not exist.")


def _no_parameters(_request: dict[str, Any]) -> None:
    return None


def _nothing(_command: None) -> None:
    return None
