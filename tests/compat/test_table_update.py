"""UpdateTable: one change at a time, what each answers, what DescribeTable says then, and what is refused."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.compat.tables import attribute, invalid, made_table, refused, unique

keys = {
    "AttributeDefinitions": [attribute("p", "S")],
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
}
on_demand = {"BillingMode": "PAY_PER_REQUEST"}


def units(read: int, write: int) -> dict[str, Any]:
    return {"ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write}}


@pytest.fixture
def mine(resource: Any) -> Iterator[Any]:
    """An on-demand table of the test's own."""
    with made_table(resource, attribute("p", "S")) as made:
        yield made


@pytest.fixture
def provisioned(client: Any) -> Iterator[str]:
    name = unique("compat")
    client.create_table(TableName=name, **keys, **units(10, 10))
    wait(client, name)
    yield name
    wait(client, name)
    client.delete_table(TableName=name)


def wait(client: Any, name: str) -> dict[str, Any]:
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 0.1})
    described: dict[str, Any] = client.describe_table(TableName=name)["Table"]
    return described


def updated(client: Any, name: str, **change: Any) -> dict[str, Any]:
    """What the table is after the change has been made."""
    client.update_table(TableName=name, **change)
    return wait(client, name)


def test_capacity_rises_and_falls_and_is_counted(client: Any, provisioned: str) -> None:
    answer = client.update_table(TableName=provisioned, **units(11, 10))["TableDescription"]
    assert answer["TableStatus"] == "UPDATING"
    assert answer["ProvisionedThroughput"]["ReadCapacityUnits"] == 10
    assert "LastIncreaseDateTime" in answer["ProvisionedThroughput"]
    risen = wait(client, provisioned)["ProvisionedThroughput"]
    assert (risen["ReadCapacityUnits"], risen["WriteCapacityUnits"], risen["NumberOfDecreasesToday"]) == (11, 10, 0)
    assert isinstance(risen["LastIncreaseDateTime"], datetime)
    assert "LastDecreaseDateTime" not in risen
    fallen = updated(client, provisioned, **units(4, 5))["ProvisionedThroughput"]
    assert (fallen["ReadCapacityUnits"], fallen["WriteCapacityUnits"], fallen["NumberOfDecreasesToday"]) == (4, 5, 1)
    assert fallen["LastDecreaseDateTime"] >= fallen["LastIncreaseDateTime"] == risen["LastIncreaseDateTime"]


def test_capacity_falls_four_times_a_day_and_then_once_an_hour(client: Any, provisioned: str) -> None:
    for read in (9, 8, 7, 6):
        updated(client, provisioned, **units(read, 10))
    with refused(
        "LimitExceededException",
        "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. After the "
        "first 4 decreases, each subsequent decrease in the same UTC day can be performed at most once every 3600 "
        "seconds. Number of decreases today: 4. Last decrease at ",
    ):
        client.update_table(TableName=provisioned, **units(5, 10))
    assert updated(client, provisioned, **units(20, 10))["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 4


def test_capacity_that_is_as_it_was_is_refused(client: Any, provisioned: str) -> None:
    message = (
        "The provisioned throughput for the table will not change. The requested value equals the current value. "
        "Current ReadCapacityUnits provisioned for the table: 10. Requested ReadCapacityUnits: 10. "
        "Current WriteCapacityUnits provisioned for the table: 10. Requested WriteCapacityUnits: 10. "
        "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
    )
    for change in (units(10, 10), {"BillingMode": "PROVISIONED", **units(10, 10)}):
        with invalid(message):
            client.update_table(TableName=provisioned, **change)


def test_billing_mode_is_switched_there_and_back(client: Any, provisioned: str) -> None:
    answer = client.update_table(TableName=provisioned, **on_demand)["TableDescription"]
    assert (answer["TableStatus"], answer["BillingModeSummary"]) == ("UPDATING", {"BillingMode": "PAY_PER_REQUEST"})
    assert "LastDecreaseDateTime" in answer["ProvisionedThroughput"]
    switched = wait(client, provisioned)
    assert isinstance(switched["BillingModeSummary"]["LastUpdateToPayPerRequestDateTime"], datetime)
    assert switched["ProvisionedThroughput"]["ReadCapacityUnits"] == 0
    assert switched["WarmThroughput"]["ReadUnitsPerSecond"] == 12_000
    again = client.update_table(TableName=provisioned, **on_demand)["TableDescription"]
    assert again["TableStatus"] == "UPDATING"
    back = updated(client, provisioned, BillingMode="PROVISIONED", **units(1, 2))
    assert back["BillingModeSummary"]["BillingMode"] == "PROVISIONED"
    assert back["ProvisionedThroughput"]["WriteCapacityUnits"] == 2
    assert back["WarmThroughput"] == {"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 4_000, "Status": "ACTIVE"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled,"),
        (
            {"BillingMode": "PROVISIONED"},
            "ProvisionedThroughput must be specified when BillingMode is PROVISIONED",
        ),
        (
            units(1, 1),
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
        ),
        (units(0, 1), "Value '0' at 'provisionedThroughput.readCapacityUnits' failed to satisfy constraint"),
        ({"SSESpecification": {"Enabled": False}}, "Table is already encrypted by default"),
        ({"StreamSpecification": {"StreamEnabled": False}}, "Table has no stream to disable"),
        (
            {"WarmThroughput": {"ReadUnitsPerSecond": 11_999}},
            (
                "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than current WarmThroughput, "
                "decreasing WarmThroughput is not supported"
            ),
        ),
        (
            {"OnDemandThroughput": {"MaxWriteRequestUnits": 0}},
            "Requested MaxWriteRequestUnits for OnDemandThroughput for table is outside of valid range",
        ),
        (
            {"DeletionProtectionEnabled": True, "TableClass": "STANDARD"},
            "TableClass modification must be the only operation in the request",
        ),
        ({"ReplicaUpdates": [{}]}, "There are no actions specified in the Replica Update Action of the request."),
        (
            {"ReplicaUpdates": [{"Create": {"RegionName": "nowhere-1"}}]},
            "Region nowhere-1 is not supported. The latest version of global tables are only supported in",
        ),
        (
            {"ReplicaUpdates": [{"Create": {"RegionName": "us-east-1"}}]},
            "Cannot add or delete the local region through ReplicaUpdates.",
        ),
    ],
)
def test_changes_that_cannot_be(client: Any, mine: Any, change: dict[str, Any], message: str) -> None:
    before = client.describe_table(TableName=mine.name)["Table"]
    with invalid(message):
        client.update_table(TableName=mine.name, **change)
    assert client.describe_table(TableName=mine.name)["Table"] == before


def test_limits_of_an_on_demand_table_merge_and_are_taken_away_by_minus_one(client: Any, mine: Any) -> None:
    def limited(**limits: int) -> Any:
        described = updated(client, mine.name, OnDemandThroughput=limits)
        return described.get("OnDemandThroughput")

    assert limited(MaxReadRequestUnits=20, MaxWriteRequestUnits=15) == {
        "MaxReadRequestUnits": 20,
        "MaxWriteRequestUnits": 15,
    }
    assert limited(MaxReadRequestUnits=40) == {"MaxReadRequestUnits": 40, "MaxWriteRequestUnits": 15}
    answer = client.update_table(TableName=mine.name, OnDemandThroughput={"MaxReadRequestUnits": -1})
    assert answer["TableDescription"]["OnDemandThroughput"]["MaxReadRequestUnits"] == -1
    assert answer["TableDescription"]["TableStatus"] == "ACTIVE"
    assert limited(MaxWriteRequestUnits=15) == {"MaxWriteRequestUnits": 15}
    assert limited(MaxWriteRequestUnits=-1) is None


def test_limits_end_with_on_demand(client: Any, mine: Any) -> None:
    updated(client, mine.name, OnDemandThroughput={"MaxReadRequestUnits": 20})
    assert "OnDemandThroughput" not in updated(client, mine.name, BillingMode="PROVISIONED", **units(1, 1))
    with invalid(
        "MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED"
    ):
        client.update_table(TableName=mine.name, OnDemandThroughput={"MaxReadRequestUnits": 20})


def test_warmth_only_rises(client: Any, provisioned: str) -> None:
    assert wait(client, provisioned)["WarmThroughput"]["ReadUnitsPerSecond"] == 10
    assert updated(client, provisioned, **units(3, 30))["WarmThroughput"] == {
        "ReadUnitsPerSecond": 10,
        "WriteUnitsPerSecond": 30,
        "Status": "ACTIVE",
    }
    answer = client.update_table(TableName=provisioned, WarmThroughput={"ReadUnitsPerSecond": 50})["TableDescription"]
    assert (answer["TableStatus"], answer["WarmThroughput"]["Status"]) == ("ACTIVE", "UPDATING")


def test_the_table_class_is_changed(client: Any, mine: Any) -> None:
    assert "TableClassSummary" not in wait(client, mine.name)
    summary = updated(client, mine.name, TableClass="STANDARD_INFREQUENT_ACCESS")["TableClassSummary"]
    assert summary["TableClass"] == "STANDARD_INFREQUENT_ACCESS"
    assert isinstance(summary["LastUpdateDateTime"], datetime)
    again = client.update_table(TableName=mine.name, TableClass="STANDARD_INFREQUENT_ACCESS")
    assert again["TableDescription"]["TableStatus"] == "UPDATING"
    assert updated(client, mine.name, TableClass="STANDARD")["TableClassSummary"]["TableClass"] == "STANDARD"


def test_a_protected_table_is_not_deleted(client: Any, resource: Any) -> None:
    with made_table(resource, attribute("p", "S")) as made:
        answer = client.update_table(TableName=made.name, DeletionProtectionEnabled=True)["TableDescription"]
        assert (answer["TableStatus"], answer["DeletionProtectionEnabled"]) == ("ACTIVE", True)
        with invalid(
            "Resource cannot be deleted as it is currently protected against deletion. "
            "Disable deletion protection first."
        ):
            client.delete_table(TableName=made.name)
        assert client.describe_table(TableName=made.name)["Table"]["DeletionProtectionEnabled"] is True
        client.update_table(TableName=made.name, DeletionProtectionEnabled=False)


def test_encryption_is_turned_on_and_off(client: Any, mine: Any) -> None:
    answer = client.update_table(TableName=mine.name, SSESpecification={"Enabled": True})["TableDescription"]
    assert (answer["TableStatus"], answer["SSEDescription"]["Status"]) == ("ACTIVE", "UPDATING")
    encrypted = wait(client, mine.name)["SSEDescription"]
    assert (encrypted["Status"], encrypted["SSEType"]) == ("ENABLED", "KMS")
    assert encrypted["KMSMasterKeyArn"].startswith("arn:aws:kms:us-east-1:")
    with invalid("Table is already encrypted with given KMSMasterKeyId."):
        client.update_table(
            TableName=mine.name,
            SSESpecification={"SSEType": "KMS", "KMSMasterKeyId": encrypted["KMSMasterKeyArn"]},
        )
    assert "SSEDescription" not in updated(client, mine.name, SSESpecification={"Enabled": False})


def test_an_update_of_what_is_not_there_is_checked_for_its_form_first(client: Any) -> None:
    name = unique("nowhere")
    with invalid("failed to satisfy constraint"):
        client.update_table(TableName=name, **units(0, 0))
    with refused("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found"):
        client.update_table(TableName=name, DeletionProtectionEnabled=True)
