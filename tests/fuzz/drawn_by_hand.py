"""What the service model describes too loosely, drawn by hand so that it fits the tables of `tests.fuzz.tables`."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.fuzz import attribute_values, expressions, older_parameters, statements, tables
from tests.fuzz.dice import Dice
from tests.fuzz.learned import learned

_names = [*tables.kinds]


def _table(dice: Dice) -> str:
    if dice.one_in(40):
        return dice.choice(["no-such-table", "ab", "x" * 255, "x" * 256, "sp ace", "arn:aws:dynamodb", "*"])
    name = dice.choice(tables.scratch_tables) if dice.one_in(6) else tables.main_table
    return tables.arn(name) if dice.one_in(12) else name


def _table_arn(dice: Dice) -> str:
    if dice.one_in(20):
        return _table(dice)
    return tables.arn(dice.choice([tables.main_table, *tables.scratch_tables]))


def _odd_stream_arn(dice: Dice) -> str:
    return dice.choice(
        [
            f"{tables.arn(tables.main_table)}/stream/2020-01-01T00:00:00.000",
            f"arn:aws:kinesis:{tables.region}:{tables.account}:stream/audit",
            "x" * 40,
        ]
    )


def _policy(dice: Dice) -> str:
    principal = {"AWS": "*" if dice.one_in(5) else f"arn:aws:iam::{tables.account}:role/reader"}
    allowed = {"Action": "dynamodb:GetItem", "Resource": _table_arn(dice)}
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, **allowed}]})


def _returned(dice: Dice) -> dict[str, Any]:
    """What PutItem and DeleteItem may return; others are for UpdateItem."""
    return {"ReturnValues": "UPDATED_NEW" if dice.one_in(30) else dice.choice([None, "NONE", "ALL_OLD"])}


def _query(dice: Dice) -> dict[str, Any]:
    return {**expressions.keyed_query(dice), **_page(dice)}


def _scan(dice: Dice) -> dict[str, Any]:
    if not dice.one_in(3):
        return {"Segment": None, "TotalSegments": None, **_page(dice)}
    total = dice.choice([1, 2, 4, 1_000_000])
    return {"Segment": dice.randrange(total), "TotalSegments": total, **_page(dice)}


def _page(dice: Dice) -> dict[str, Any]:
    """How much is shown of how many items, and now and then where to begin."""
    page = {
        "Limit": dice.choice([1, 2, 3, 100]) if dice.one_in(3) else None,
        "ExclusiveStartKey": attribute_values.key(dice) if dice.one_in(15) else None,
    }
    if dice.one_in(3):
        shown = {"ProjectionExpression": expressions.projection(dice), "AttributesToGet": dice.several(_names, most=4)}
        return {**page, "Select": "SPECIFIC_ATTRIBUTES", **shown}
    select = "ALL_PROJECTED_ATTRIBUTES" if dice.one_in(12) else dice.choice([None, "COUNT", "ALL_ATTRIBUTES"])
    return {**page, "Select": select, "ProjectionExpression": None, "AttributesToGet": None}


def _statement(dice: Dice) -> dict[str, Any]:
    limit = dice.choice([1, 2, 3]) if dice.one_in(3) else None
    return {"Parameters": None, "NextToken": None, "Limit": limit, **statements.statement(dice)}


def _iterator(dice: Dice) -> dict[str, Any]:
    kind = dice.choice(["TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "AT_TIMESTAMP"])
    return {
        "StreamArn": _odd_stream_arn(dice) if dice.one_in(15) else learned("StreamArn"),
        "ShardIteratorType": kind,
        "SequenceNumber": learned("SequenceNumber") if kind.endswith("SEQUENCE_NUMBER") else None,
        "Timestamp": dice.choice([0, 1_700_000_000, 4_000_000_000.5]) if kind == "AT_TIMESTAMP" else None,
    }


def _time_to_live(dice: Dice) -> dict[str, Any]:
    return {
        "TableName": dice.choice([tables.main_table, *tables.scratch_tables]),
        "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": dice.one_in(2)},
    }


members_by_hand: Mapping[str, Callable[[Dice], dict[str, Any]]] = {
    "CreateTableInput": tables.scratch_definition,
    "DeleteTableInput": lambda dice: {"TableName": dice.choice(tables.scratch_tables)},
    "DeleteItemInput": _returned,
    "ExecuteStatementInput": _statement,
    "GetShardIteratorInput": _iterator,
    "PutItemInput": _returned,
    "QueryInput": _query,
    "ScanInput": _scan,
    "UpdateTableInput": tables.change,
    "UpdateTimeToLiveInput": _time_to_live,
}
"""Members that make sense only together, by the structure they are in; None leaves a member out."""

values_by_hand: Mapping[str, Callable[[Dice], Any]] = {
    "AttributeDefinition": lambda dice: dict(
        zip(("AttributeName", "AttributeType"), dice.choice([("a", "S"), ("n", "N"), ("b", "B")]), strict=True)
    ),
    "AttributeName": lambda dice: dice.choice(_names),
    "AttributeUpdates": older_parameters.updates,
    "AttributeValue": attribute_values.any_value,
    "ClientRequestToken": lambda dice: f"token-{dice.randint(1, 200)}",
    "ConditionExpression": expressions.condition,
    "ExpectedAttributeMap": older_parameters.expectations,
    "FilterConditionMap": older_parameters.filters,
    "IndexName": lambda dice: "by-nothing" if dice.one_in(30) else dice.choice(["by-a", *tables.indexes]),
    "Key": attribute_values.key,
    "KeyConditions": older_parameters.key_conditions,
    "KeyExpression": lambda dice: expressions.key_condition(dice, tables.main_keys),
    "KeySchemaAttributeName": lambda dice: dice.choice(_names),
    "NonKeyAttributeName": lambda dice: dice.choice(_names),
    "ParameterizedStatements": statements.statements,
    "PartiQLBatchRequest": statements.statements,
    "PolicyRevisionId": lambda _: learned("RevisionId"),
    "ProjectionExpression": expressions.projection,
    "PutItemInputAttributeMap": attribute_values.item,
    "RegionName": lambda dice: dice.choice([tables.region, tables.other_region]),
    "ResourceArnString": _table_arn,
    "ResourcePolicy": _policy,
    "SequenceNumber": lambda _: learned("SequenceNumber"),
    "ShardId": lambda _: learned("ShardId"),
    "ShardIterator": lambda _: learned("ShardIterator"),
    "StreamArn": lambda dice: _odd_stream_arn(dice) if dice.one_in(15) else learned("LatestStreamArn"),
    "TableArn": _table,
    "TableName": _table,
    "UpdateExpression": expressions.update,
}
"""Values that the model describes too loosely, by the shape's name."""
