"""CreateTable, DescribeTable, ListTables, UpdateTable and DeleteTable."""

from typing import Any

import pytest

from tests.compat.connection import ask, check_error
from tests.compat.tables import attribute, invalid, made_table, refused, unique

hash_key = [{"AttributeName": "p", "KeyType": "HASH"}]
on_demand = {"BillingMode": "PAY_PER_REQUEST"}
simple = {"AttributeDefinitions": [attribute("p", "S")], "KeySchema": hash_key, **on_demand}


def test_a_new_table_is_described(client: Any) -> None:
    name = unique("table")
    made = client.create_table(TableName=name, **simple)["TableDescription"]
    assert made["TableStatus"] in ("CREATING", "ACTIVE")
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 0.1})
    described = client.describe_table(TableName=name)["Table"]
    assert described["TableName"] == name
    assert described["TableStatus"] == "ACTIVE"
    assert described["KeySchema"] == hash_key
    assert described["AttributeDefinitions"] == [attribute("p", "S")]
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert described["TableArn"].endswith(f":table/{name}")
    assert described["TableId"] == made["TableId"]
    assert described["CreationDateTime"] == made["CreationDateTime"]
    assert (described["ItemCount"], described["TableSizeBytes"]) == (0, 0)
    client.delete_table(TableName=name)


def test_provisioned_throughput_is_kept_and_changed(client: Any) -> None:
    name = unique("table")
    provisioned = {"ReadCapacityUnits": 3, "WriteCapacityUnits": 4}
    definition = {"AttributeDefinitions": [attribute("p", "S")], "KeySchema": hash_key}
    client.create_table(TableName=name, **definition, ProvisionedThroughput=provisioned)
    described = client.describe_table(TableName=name)["Table"]["ProvisionedThroughput"]
    assert (described["ReadCapacityUnits"], described["WriteCapacityUnits"]) == (3, 4)
    changed = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 4}
    client.update_table(TableName=name, ProvisionedThroughput=changed)
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 0.1})
    assert client.describe_table(TableName=name)["Table"]["ProvisionedThroughput"]["ReadCapacityUnits"] == 5
    client.update_table(TableName=name, **on_demand)
    client.delete_table(TableName=name)


def test_a_name_is_taken_once(client: Any, table: Any) -> None:
    with refused("ResourceInUseException", "Table already exists"):
        client.create_table(TableName=table.name, **simple)


def test_a_deleted_table_is_gone_with_its_items(client: Any, resource: Any) -> None:
    with made_table(resource, attribute("p", "S")) as first:
        first.put_item(Item={"p": "x"})
    client.get_waiter("table_not_exists").wait(TableName=first.name, WaiterConfig={"Delay": 0.1})
    with refused("ResourceNotFoundException"):
        client.describe_table(TableName=first.name)
    client.create_table(TableName=first.name, **simple)
    assert client.scan(TableName=first.name)["Items"] == []
    client.delete_table(TableName=first.name)


@pytest.mark.parametrize("operation", ["describe_table", "delete_table", "update_table"])
def test_a_table_that_is_not_there_is_not_found(client: Any, operation: str) -> None:
    with refused("ResourceNotFoundException"):
        getattr(client, operation)(TableName=unique("nowhere"), **(on_demand if operation == "update_table" else {}))


@pytest.mark.parametrize(
    "operation",
    [
        *("CreateTable", "DescribeTable", "UpdateTable", "DeleteTable", "UpdateTimeToLive", "DescribeTimeToLive"),
        *("DescribeContinuousBackups", "DescribeContributorInsights", "DescribeKinesisStreamingDestination"),
    ],
)
def test_a_table_has_to_be_named(url: str, operation: str) -> None:
    reply = ask(url, operation, b"{}")
    check_error(
        reply, "ValidationException", "The parameter 'TableName' is required but was not present in the request"
    )


def test_tables_are_listed_by_name_in_pages(client: Any) -> None:
    prefix = unique("list")
    names = [f"{prefix}.{number}" for number in range(5)]
    for name in reversed(names):
        client.create_table(TableName=name, **simple)
    found: list[str] = []
    page = client.list_tables(ExclusiveStartTableName=prefix, Limit=2)
    while len(found) < len(names):
        assert len(page["TableNames"]) == 2 or "LastEvaluatedTableName" not in page
        found += page["TableNames"]
        page = client.list_tables(ExclusiveStartTableName=found[-1], Limit=2)
    assert found[: len(names)] == names
    for name in names:
        client.delete_table(TableName=name)


@pytest.mark.parametrize("name", ["", "ab", "a" * 256, "with space", "sla/sh", "ümlaut"])
def test_names_that_cannot_be(client: Any, name: str) -> None:
    with invalid():
        client.create_table(TableName=name, **simple)


@pytest.mark.parametrize("name", ["a-b", "A.b_c", "a" * 255])
def test_names_that_can_be(client: Any, name: str) -> None:
    client.create_table(TableName=name, **simple)
    client.delete_table(TableName=name)


@pytest.mark.parametrize(
    "definition",
    [
        {"AttributeDefinitions": [], "KeySchema": hash_key},
        {"AttributeDefinitions": [attribute("q", "S")], "KeySchema": hash_key},
        {"AttributeDefinitions": [attribute("p", "S"), attribute("unused", "S")], "KeySchema": hash_key},
        {"AttributeDefinitions": [attribute("p", "BOOL")], "KeySchema": hash_key},
        {"AttributeDefinitions": [attribute("p", "S")], "KeySchema": []},
        {
            "AttributeDefinitions": [attribute("p", "S")],
            "KeySchema": [{"AttributeName": "p", "KeyType": "RANGE"}],
        },
        {
            "AttributeDefinitions": [attribute("p", "S"), attribute("q", "S")],
            "KeySchema": [*hash_key, {"AttributeName": "q", "KeyType": "HASH"}],
        },
        {"AttributeDefinitions": [attribute("p", "S")], "KeySchema": hash_key + hash_key},
        {
            "AttributeDefinitions": [attribute(name, "S") for name in "pqr"],
            "KeySchema": [*hash_key, *({"AttributeName": name, "KeyType": "RANGE"} for name in "qr")],
        },
    ],
)
def test_key_schemas_that_cannot_be(client: Any, definition: dict[str, Any]) -> None:
    name = unique("never")
    with invalid():
        client.create_table(TableName=name, **definition, **on_demand)
    with refused("ResourceNotFoundException"):
        client.describe_table(TableName=name)


def test_provisioned_tables_need_their_throughput(client: Any) -> None:
    definition = {"AttributeDefinitions": [attribute("p", "S")], "KeySchema": hash_key}
    with invalid():
        client.create_table(TableName=unique("never"), **definition)
    with invalid():
        client.create_table(
            TableName=unique("never"),
            **definition,
            ProvisionedThroughput={"ReadCapacityUnits": 0, "WriteCapacityUnits": 1},
        )


def test_a_stream_specification_is_described(client: Any) -> None:
    name = unique("stream")
    wanted = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    client.create_table(TableName=name, **simple, StreamSpecification=wanted)
    assert client.describe_table(TableName=name)["Table"]["StreamSpecification"] == wanted
    with invalid("Table already has an enabled stream"):
        client.update_table(TableName=name, StreamSpecification=wanted)
    client.delete_table(TableName=name)


def test_the_region_that_is_asked_cannot_be_added_as_a_replica(client: Any, table: Any) -> None:
    with invalid():
        client.update_table(TableName=table.name, ReplicaUpdates=[{"Create": {"RegionName": client.meta.region_name}}])
