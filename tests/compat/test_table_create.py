"""CreateTable: what its answer and DescribeTable show for each setting, and which settings can't be."""

import json
from typing import Any

import pytest

from tests.compat.connection import ask, check_error
from tests.compat.tables import attribute, invalid, refused, unique

keys = {
    "AttributeDefinitions": [attribute("p", "S")],
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
}
on_demand = {"BillingMode": "PAY_PER_REQUEST"}
answered = {
    *("AttributeDefinitions", "TableName", "KeySchema", "TableStatus", "CreationDateTime", "ProvisionedThroughput"),
    *("TableSizeBytes", "ItemCount", "TableArn", "TableId", "DeletionProtectionEnabled"),
}


def created(client: Any, **settings: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The answer, and the description once the table is there; the table is gone after that."""
    name = unique("compat")
    answer = client.create_table(TableName=name, **keys, **settings)["TableDescription"]
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 0.1})
    described = client.describe_table(TableName=name)["Table"]
    client.update_table(TableName=name, DeletionProtectionEnabled=False)
    client.delete_table(TableName=name)
    return answer, described


def test_an_on_demand_table_shows_what_dynamodb_shows(client: Any) -> None:
    answer, described = created(client, **on_demand)
    assert answer["TableStatus"] == "CREATING"
    assert answer.keys() == answered | {"BillingModeSummary"}
    assert answer["BillingModeSummary"] == {"BillingMode": "PAY_PER_REQUEST"}
    assert described.keys() == answered | {"BillingModeSummary", "WarmThroughput"}
    assert described["BillingModeSummary"]["LastUpdateToPayPerRequestDateTime"] == described["CreationDateTime"]
    assert described["ProvisionedThroughput"] == {
        "NumberOfDecreasesToday": 0,
        "ReadCapacityUnits": 0,
        "WriteCapacityUnits": 0,
    }
    assert described["WarmThroughput"] == {
        "ReadUnitsPerSecond": 12_000,
        "WriteUnitsPerSecond": 4_000,
        "Status": "ACTIVE",
    }


def test_the_billing_mode_has_a_second_name_that_no_sdk_knows(url: str, client: Any) -> None:
    def create(**settings: Any) -> Any:
        return ask(url, "CreateTable", json.dumps({"TableName": unique("compat"), **keys, **settings}).encode())

    on_demand, provisioned = "PAY_PER_REQUEST", {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    named = create(TableThroughputMode=on_demand).document["TableDescription"]
    assert named["BillingModeSummary"] == {"BillingMode": on_demand}
    assert named["TableThroughputModeSummary"] == {"TableThroughputMode": on_demand}
    both = {"BillingMode": "PROVISIONED", "TableThroughputMode": on_demand}
    decided = create(**both, ProvisionedThroughput=provisioned).document["TableDescription"]
    assert "TableThroughputModeSummary" not in decided
    check_error(
        create(**both | {"TableThroughputMode": "NEITHER"}, ProvisionedThroughput=provisioned),
        "ValidationException",
        "1 validation error detected: Value 'NEITHER' at 'tableThroughputMode' failed to satisfy constraint: "
        "Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]",
    )
    for table in (named, decided):
        client.delete_table(TableName=table["TableName"])


def test_a_provisioned_table_is_as_warm_as_its_capacity(client: Any) -> None:
    answer, described = created(client, ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 6})
    assert answer.keys() == answered
    assert described.keys() == answered | {"WarmThroughput"}
    assert described["WarmThroughput"] == {"ReadUnitsPerSecond": 5, "WriteUnitsPerSecond": 6, "Status": "ACTIVE"}


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        (
            {"TableClass": "STANDARD_INFREQUENT_ACCESS"},
            {"TableClassSummary": {"TableClass": "STANDARD_INFREQUENT_ACCESS"}},
        ),
        ({"TableClass": "STANDARD"}, {"TableClassSummary": {"TableClass": "STANDARD"}}),
        ({"DeletionProtectionEnabled": True}, {"DeletionProtectionEnabled": True}),
        (
            {"OnDemandThroughput": {"MaxReadRequestUnits": 100}},
            {"OnDemandThroughput": {"MaxReadRequestUnits": 100}},
        ),
        (
            {"WarmThroughput": {"ReadUnitsPerSecond": 12_001}},
            {"WarmThroughput": {"ReadUnitsPerSecond": 12_001, "WriteUnitsPerSecond": 4_000, "Status": "ACTIVE"}},
        ),
    ],
)
def test_settings_are_described(client: Any, settings: dict[str, Any], shown: dict[str, Any]) -> None:
    _, described = created(client, **on_demand, **settings)
    assert described | shown == described


@pytest.mark.parametrize(
    ("specification", "key"),
    [
        ({"Enabled": True}, ""),
        ({"SSEType": "KMS"}, ""),
        ({"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "alias/orders"}, ""),
        (
            {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "0c8a0a8e-0000-4000-8000-000000000000"},
            ":key/0c8a0a8e-0000-4000-8000-000000000000",
        ),
    ],
)
def test_a_table_encrypted_with_a_key_names_it(client: Any, specification: dict[str, Any], key: str) -> None:
    _, described = created(client, **on_demand, SSESpecification=specification)
    encrypted = described["SSEDescription"]
    assert (encrypted["Status"], encrypted["SSEType"]) == ("ENABLED", "KMS")
    assert encrypted["KMSMasterKeyArn"].endswith(key)
    assert ":key/" in encrypted["KMSMasterKeyArn"]


def test_encryption_that_is_not_asked_for_is_not_described(client: Any) -> None:
    for specification in ({}, {"Enabled": False}):
        _, described = created(client, **on_demand, SSESpecification=specification)
        assert "SSEDescription" not in described


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}, **on_demand},
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
        ),
        ({}, "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"),
        (
            {
                "OnDemandThroughput": {"MaxReadRequestUnits": 1},
                "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
            },
            "MaxReadRequestUnits for OnDemandThroughput cannot be specified when table BillingMode is PROVISIONED.",
        ),
        (
            {"OnDemandThroughput": {"MaxWriteRequestUnits": -1}, **on_demand},
            "Requested MaxWriteRequestUnits for OnDemandThroughput for table is outside of valid range",
        ),
        (
            {"WarmThroughput": {"ReadUnitsPerSecond": 1}, **on_demand},
            "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than initial throughput for OnDemand.",
        ),
        (
            {
                "WarmThroughput": {"WriteUnitsPerSecond": 5},
                "ProvisionedThroughput": {"ReadCapacityUnits": 10, "WriteCapacityUnits": 10},
            },
            (
                "Requested WriteUnitsPerSecond for WarmThroughput for table is lower than "
                "WriteCapacityUnits of ProvisionedThroughput"
            ),
        ),
        ({"TableClass": "GLACIER", **on_demand}, "Invalid table-class parameter provided."),
        ({"SSESpecification": {"Enabled": True, "SSEType": "AES256"}, **on_demand}, "SSEType AES256 is not supported"),
        (
            {"SSESpecification": {"Enabled": True, "SSEType": "kms"}, **on_demand},
            (
                "Value 'kms' at 'sSESpecification.sSEType' failed to satisfy constraint: "
                "Member must satisfy enum value set: [AES256, KMS]"
            ),
        ),
        ({"Tags": [{"Key": "aws:x", "Value": ""}], **on_demand}, "Tag Key cannot be prefixed with aws:, Key: aws:x"),
        ({"ResourcePolicy": "nothing", **on_demand}, "Invalid policy document: This policy contains invalid Json"),
    ],
)
def test_settings_that_cannot_be(client: Any, settings: dict[str, Any], message: str) -> None:
    name = unique("never")
    with invalid(message):
        client.create_table(TableName=name, **keys, **settings)
    with refused("ResourceNotFoundException"):
        client.describe_table(TableName=name)


def test_no_table_gets_more_than_the_account_has(client: Any) -> None:
    with refused(
        "LimitExceededException",
        "The requested ReadCapacityUnits, 40001, is above the per table maximum for the account in us-east-1. "
        "Per table maximum: 40000.",
    ):
        client.create_table(
            TableName=unique("never"),
            **keys,
            ProvisionedThroughput={"ReadCapacityUnits": 40_001, "WriteCapacityUnits": 1},
        )


def test_tags_and_a_policy_come_with_the_table(client: Any) -> None:
    name = unique("compat")
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, '
        '"Action": ["dynamodb:GetItem"], "Resource": "*"}]}'
    )
    tags = [{"Key": "team", "Value": "blue"}, {"Key": "empty", "Value": ""}]
    arn = client.create_table(TableName=name, **keys, **on_demand, Tags=tags, ResourcePolicy=policy)[
        "TableDescription"
    ]["TableArn"]
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 0.1})
    assert client.list_tags_of_resource(ResourceArn=arn)["Tags"] == tags
    assert "dynamodb:GetItem" in client.get_resource_policy(ResourceArn=arn)["Policy"]
    client.delete_table(TableName=name)
    client.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig={"Delay": 0.1})
    client.create_table(TableName=name, **keys, **on_demand)
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 0.1})
    assert client.list_tags_of_resource(ResourceArn=arn)["Tags"] == []
    with refused("PolicyNotFoundException"):
        client.get_resource_policy(ResourceArn=arn)
    client.delete_table(TableName=name)
