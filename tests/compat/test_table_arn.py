"""A table's ARN stands wherever its name does; ARNs of other regions, accounts and things are refused."""

from typing import Any

import pytest

from tests.compat.tables import refused, unique


@pytest.fixture
def arn(client: Any, table: Any) -> str:
    described: str = client.describe_table(TableName=table.name)["Table"]["TableArn"]
    return described


def test_items_are_written_and_read_by_arn(client: Any, arn: str) -> None:
    key = {"p": {"S": unique()}}
    client.put_item(TableName=arn, Item=key)
    assert client.get_item(TableName=arn, Key=key)["Item"] == key
    update = {"UpdateExpression": "SET a = :a", "ExpressionAttributeValues": {":a": {"N": "1"}}}
    client.update_item(TableName=arn, Key=key, **update)
    found = client.query(TableName=arn, KeyConditionExpression="p = :p", ExpressionAttributeValues={":p": key["p"]})
    assert found["Count"] == 1
    assert client.batch_get_item(RequestItems={arn: {"Keys": [key]}})["Responses"][arn] == found["Items"]
    client.batch_write_item(RequestItems={arn: [{"DeleteRequest": {"Key": key}}]})
    assert "Item" not in client.get_item(TableName=arn, Key=key)


@pytest.mark.parametrize("by_arn_first", [True, False])
def test_a_table_read_by_name_and_arn_answers_once(client: Any, table: Any, arn: str, by_arn_first: bool) -> None:
    one, two = ({"p": {"S": unique()}} for _ in range(2))
    for key in (one, two):
        client.put_item(TableName=arn, Item=key)
    names = (arn, table.name) if by_arn_first else (table.name, arn)
    asked = dict(zip(names, ({"Keys": [one]}, {"Keys": [one, two]}), strict=True))
    [items] = client.batch_get_item(RequestItems=asked)["Responses"].values()
    assert sorted(item["p"]["S"] for item in items) == sorted(key["p"]["S"] for key in (one, two))


def test_consumed_capacity_names_the_table_as_the_request_did(client: Any, table: Any, arn: str) -> None:
    key = {"p": {"S": unique()}}
    for given in (table.name, arn):
        found = client.get_item(TableName=given, Key=key, ReturnConsumedCapacity="TOTAL")
        assert found["ConsumedCapacity"]["TableName"] == given


def test_a_table_is_described_by_arn_under_its_name(client: Any, table: Any, arn: str) -> None:
    assert client.describe_table(TableName=arn)["Table"]["TableName"] == table.name
    assert client.update_table(TableName=arn, DeletionProtectionEnabled=False)["TableDescription"]["TableArn"] == arn
    assert client.describe_continuous_backups(TableName=arn)
    assert client.describe_contributor_insights(TableName=arn)["TableName"] == table.name
    assert client.describe_kinesis_streaming_destination(TableName=arn)["TableName"] == table.name


def test_the_arn_says_region_account_and_name(client: Any, table: Any, arn: str) -> None:
    _, partition, service, region, account, resource = arn.split(":", 5)
    assert (partition, service, region) == ("aws", "dynamodb", client.meta.region_name)
    assert account.isdigit()
    assert len(account) == 12
    assert resource == f"table/{table.name}"


@pytest.mark.parametrize("operation", ["describe_table", "delete_table", "scan", "describe_continuous_backups"])
def test_arns_of_somewhere_else_are_refused(client: Any, arn: str, operation: str) -> None:
    call = getattr(client, operation)
    elsewhere = arn.replace("us-east-1", "eu-north-1")
    with refused("ValidationException", f"1 validation error detected: Invalid AWS region in '{elsewhere}'"):
        call(TableName=elsewhere)
    foreign = arn.replace("arn:aws:", "arn:aws-cn:")
    with refused("ValidationException", f"1 validation error detected: Invalid AWS partition in '{foreign}'"):
        call(TableName=foreign)
    account = arn.split(":")[4]
    with refused("AccessDeniedException", "Access is denied"):
        call(TableName=arn.replace(account, "999999999999"))


@pytest.mark.parametrize("ending", ["/index/by-date", "/stream/2026-01-01T00:00:00.000", "/", "/index"])
def test_arns_of_other_things_are_no_tables(client: Any, arn: str, ending: str) -> None:
    with refused("ValidationException"):
        client.describe_table(TableName=arn + ending)


def test_a_missing_table_is_named_without_its_arn(client: Any, table: Any, arn: str) -> None:
    missing = unique("nowhere")
    with refused("ResourceNotFoundException", f"Requested resource not found: Table: {missing} not found"):
        client.describe_table(TableName=arn.replace(table.name, missing))


def test_a_table_is_created_by_arn(client: Any, table: Any, arn: str) -> None:
    name = unique("by-arn")
    made = client.create_table(
        TableName=arn.replace(table.name, name),
        AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )["TableDescription"]
    assert (made["TableName"], made["TableArn"]) == (name, arn.replace(table.name, name))
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    assert client.delete_table(TableName=made["TableArn"])["TableDescription"]["TableName"] == name
