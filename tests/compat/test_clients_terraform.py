"""The calls that Terraform's AWS provider makes in a table's life, in its order, with what it reads of the answers."""

from collections.abc import Iterator
from contextlib import suppress
from time import monotonic
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.compat.tables import refused, unique

keys = [{"AttributeName": "id", "KeyType": "HASH"}]
attributes = [{"AttributeName": "id", "AttributeType": "S"}]


@pytest.fixture
def name(client: Any) -> Iterator[str]:
    name = unique("terraform")
    yield name
    with suppress(ClientError):
        client.update_table(TableName=name, DeletionProtectionEnabled=False)
        client.delete_table(TableName=name)


def until_active(client: Any, name: str) -> dict[str, Any]:
    """The provider asks until the table, all its indexes and their warmth are ACTIVE."""
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 0.1})
    table: dict[str, Any] = client.describe_table(TableName=name)["Table"]
    indexes = table.get("GlobalSecondaryIndexes", ())
    assert {index["IndexStatus"] for index in indexes} <= {"ACTIVE"}
    assert {each["WarmThroughput"]["Status"] for each in (table, *indexes)} == {"ACTIVE"}
    return table


def refreshed(client: Any, name: str) -> dict[str, Any]:
    """What `terraform refresh` reads, as one document; no call of it may fail."""
    table = client.describe_table(TableName=name)["Table"]
    arn = table["TableArn"]
    assert arn.count(":") == 5
    backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
    expiry = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    tags = client.list_tags_of_resource(ResourceArn=arn)["Tags"]
    state: dict[str, Any] = table | {
        "recovery": recovery,
        "expiry": expiry["TimeToLiveStatus"],
        "tags": {tag["Key"]: tag["Value"] for tag in tags},
    }
    return state


def test_a_table_is_created_read_changed_and_destroyed(client: Any, name: str) -> None:
    client.create_table(
        TableName=name,
        AttributeDefinitions=attributes,
        KeySchema=keys,
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
        TableClass="STANDARD",
        DeletionProtectionEnabled=False,
        Tags=[{"Key": "Name", "Value": "orders"}],
    )
    until_active(client, name)
    state = refreshed(client, name)
    assert (state["recovery"], state["expiry"], state["tags"]) == ("DISABLED", "DISABLED", {"Name": "orders"})
    assert state["ProvisionedThroughput"]["ReadCapacityUnits"] == 5
    assert "StreamSpecification" not in state
    assert "SSEDescription" not in state
    assert "Replicas" not in state

    client.update_table(TableName=name, BillingMode="PAY_PER_REQUEST")
    assert until_active(client, name)["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    client.update_table(TableName=name, StreamSpecification=stream)
    streamed = until_active(client, name)
    assert streamed["StreamSpecification"] == stream
    assert streamed["LatestStreamArn"] == f"{streamed['TableArn']}/stream/{streamed['LatestStreamLabel']}"
    client.update_table(TableName=name, SSESpecification={"Enabled": True, "SSEType": "KMS"})
    assert until_active(client, name)["SSEDescription"]["Status"] == "ENABLED"
    client.update_table(TableName=name, TableClass="STANDARD_INFREQUENT_ACCESS")
    assert until_active(client, name)["TableClassSummary"]["TableClass"] == "STANDARD_INFREQUENT_ACCESS"
    client.update_table(TableName=name, DeletionProtectionEnabled=True)
    arn = state["TableArn"]
    client.untag_resource(ResourceArn=arn, TagKeys=["Name"])
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "Owner", "Value": "team"}])
    state = refreshed(client, name)
    assert (state["DeletionProtectionEnabled"], state["tags"]) == (True, {"Owner": "team"})

    client.update_table(TableName=name, DeletionProtectionEnabled=False)
    client.delete_table(TableName=name)
    client.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig={"Delay": 0.1})
    with refused("ResourceNotFoundException"):
        client.describe_table(TableName=name)


def test_recovery_is_turned_off_where_it_never_was_on(client: Any, name: str) -> None:
    """The provider does so in each replica that it has made, unless its configuration turns recovery on."""
    client.create_table(TableName=name, AttributeDefinitions=attributes, KeySchema=keys, BillingMode="PAY_PER_REQUEST")
    until_active(client, name)
    off = {"PointInTimeRecoveryEnabled": False}
    client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=off)
    assert refreshed(client, name)["recovery"] == "DISABLED"


def test_resources_beside_the_table_are_read_where_there_are_none(client: Any, name: str) -> None:
    """aws_dynamodb_resource_policy, …_contributor_insights, …_kinesis_streaming_destination, …_tag."""
    client.create_table(TableName=name, AttributeDefinitions=attributes, KeySchema=keys, BillingMode="PAY_PER_REQUEST")
    arn = until_active(client, name)["TableArn"]
    with refused("PolicyNotFoundException"):
        client.get_resource_policy(ResourceArn=arn)
    insights = client.describe_contributor_insights(TableName=name)
    assert insights["ContributorInsightsStatus"] == "DISABLED"
    assert client.describe_kinesis_streaming_destination(TableName=name)["KinesisDataStreamDestinations"] == []
    assert client.list_tags_of_resource(ResourceArn=arn)["Tags"] == []


def until_indexed(client: Any, name: str, index_name: str) -> dict[str, Any]:
    """The provider asks until the index is ACTIVE and warm, whatever the table is."""
    for table in descriptions(client, name):
        for index in table["GlobalSecondaryIndexes"]:
            if index["IndexName"] == index_name and index["IndexStatus"] == "ACTIVE":
                assert index["WarmThroughput"]["Status"] == "ACTIVE"
                return table
    pytest.fail("the index is never ready")


def until_gone(client: Any, name: str, index_name: str) -> None:
    for table in descriptions(client, name):
        indexes = table.get("GlobalSecondaryIndexes", ())
        left = [index["IndexStatus"] for index in indexes if index["IndexName"] == index_name]
        if not left:
            return
        assert left[0] in ("ACTIVE", "DELETING", "UPDATING")
    pytest.fail("the index stays")


def descriptions(client: Any, name: str) -> Iterator[dict[str, Any]]:
    """What the table is, again and again."""
    until_s = monotonic() + 60
    while monotonic() < until_s:
        yield client.describe_table(TableName=name)["Table"]


def test_indexes_are_replaced_one_after_the_other(client: Any, name: str) -> None:
    """The provider waits for the index that it has made or removed, then changes the table again at once."""

    def update(change: dict[str, Any], date_type: str = "S") -> None:
        client.update_table(
            TableName=name,
            AttributeDefinitions=[*attributes, {"AttributeName": "date", "AttributeType": date_type}],
            GlobalSecondaryIndexUpdates=[change],
        )

    def index(index_name: str) -> dict[str, Any]:
        date = [{"AttributeName": "date", "KeyType": "HASH"}]
        return {"IndexName": index_name, "KeySchema": date, "Projection": {"ProjectionType": "ALL"}}

    client.create_table(TableName=name, AttributeDefinitions=attributes, KeySchema=keys, BillingMode="PAY_PER_REQUEST")
    until_active(client, name)
    update({"Create": index("by-date")})
    until_indexed(client, name, "by-date")
    update({"Create": index("by-day")})
    table = until_indexed(client, name, "by-day")
    arns = {each["IndexArn"] for each in table["GlobalSecondaryIndexes"]}
    assert arns == {f"{table['TableArn']}/index/by-date", f"{table['TableArn']}/index/by-day"}
    for index_name in ("by-date", "by-day"):
        update({"Delete": {"IndexName": index_name}})
        until_gone(client, name, index_name)
    update({"Create": index("by-date")}, date_type="N")
    until_indexed(client, name, "by-date")
