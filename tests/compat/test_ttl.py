"""Time to live: turning it on and off, and what expires."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.compat.tables import attribute, invalid, refused, unique

patience_s = 60.0
year_s = 365 * 24 * 3600


@pytest.fixture
def name(client: Any) -> Iterator[str]:
    made = unique("ttl")
    client.create_table(
        TableName=made,
        AttributeDefinitions=[attribute("p", "S")],
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    client.get_waiter("table_exists").wait(TableName=made, WaiterConfig={"Delay": 1})
    yield made
    client.delete_table(TableName=made)


def change(client: Any, name: str, attribute_name: str, *, enabled: bool) -> dict[str, Any]:
    wanted = {"Enabled": enabled, "AttributeName": attribute_name}
    answer = client.update_time_to_live(TableName=name, TimeToLiveSpecification=wanted)
    specification: dict[str, Any] = answer["TimeToLiveSpecification"]
    return specification


def described(client: Any, name: str) -> dict[str, Any]:
    answer = client.describe_time_to_live(TableName=name)
    description: dict[str, Any] = answer["TimeToLiveDescription"]
    return description


def put(client: Any, name: str, key: str, value: Any = None) -> None:
    client.put_item(TableName=name, Item={"p": {"S": key}, **({} if value is None else {"ends": value})})


def keys_of(client: Any, name: str) -> set[str]:
    return {item["p"]["S"] for item in client.scan(TableName=name, ConsistentRead=True)["Items"]}


def ago(seconds: float) -> dict[str, str]:
    return {"N": str(int(time.time() - seconds))}


def until(holds: Callable[[], bool]) -> None:
    """Expiry is the service's own doing, so a test can only look again."""
    deadline_s = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline_s, "nothing has happened"
        time.sleep(0.1)


def test_a_table_has_no_time_to_live_until_it_gets_one(client: Any, name: str) -> None:
    assert described(client, name) == {"TimeToLiveStatus": "DISABLED"}
    with invalid("TimeToLive is already disabled"):
        change(client, name, "ends", enabled=False)


def test_time_to_live_is_turned_on_and_off(client: Any, name: str) -> None:
    assert change(client, name, "ends", enabled=True) == {"Enabled": True, "AttributeName": "ends"}
    assert described(client, name) == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ends"}
    with invalid("TimeToLive is already enabled"):
        change(client, name, "ends", enabled=True)
    for enabled in (True, False):
        with invalid("TimeToLive is active on a different AttributeName: current AttributeName is ends"):
            change(client, name, "other", enabled=enabled)
    assert change(client, name, "ends", enabled=False) == {"Enabled": False, "AttributeName": "ends"}
    assert described(client, name) == {"TimeToLiveStatus": "DISABLED"}
    assert change(client, name, "other", enabled=True) == {"Enabled": True, "AttributeName": "other"}


def test_a_key_attribute_may_be_named(client: Any, name: str) -> None:
    put(client, name, "1")
    change(client, name, "p", enabled=True)
    assert described(client, name) == {"TimeToLiveStatus": "ENABLED", "AttributeName": "p"}
    assert keys_of(client, name) == {"1"}


@pytest.mark.parametrize(
    ("specification", "message"),
    [
        (None, "Value null at 'timeToLiveSpecification' failed to satisfy constraint: Member must not be null"),
        ({"Enabled": True}, "Value null at 'timeToLiveSpecification.attributeName' failed to satisfy constraint"),
        ({"AttributeName": "a"}, "Value null at 'timeToLiveSpecification.enabled' failed to satisfy constraint"),
        ({"Enabled": True, "AttributeName": ""}, "Member must have length greater than or equal to 1"),
        ({"Enabled": True, "AttributeName": "a" * 256}, "Member must have length less than or equal to 255"),
    ],
)
def test_a_specification_is_whole(client: Any, name: str, specification: Any, message: str) -> None:
    members = {} if specification is None else {"TimeToLiveSpecification": specification}
    with invalid(message):
        client.update_time_to_live(TableName=name, **members)


def test_a_table_that_is_not_there_is_not_found(client: Any) -> None:
    with refused("ResourceNotFoundException", "Requested resource not found: Table: nothing-here not found"):
        described(client, "nothing-here")
    with refused("ResourceNotFoundException", "Requested resource not found: Table: nothing-here not found"):
        change(client, "nothing-here", "ends", enabled=True)


def test_what_has_outlived_its_time_goes_and_all_else_stays(client: Any, name: str, streams_client: Any) -> None:
    put(client, name, "before", ago(10))
    change(client, name, "ends", enabled=True)
    put(client, name, "after", ago(10))
    put(client, name, "fraction", {"N": f"{time.time() - 100:.3f}"})
    put(client, name, "nearly five years", ago(5 * year_s - 1000))
    put(client, name, "more than five years", ago(5 * year_s + 1000))
    put(client, name, "coming", ago(-1000))
    put(client, name, "milliseconds", {"N": str(int(time.time() * 1000))})
    put(client, name, "text", {"S": ago(10)["N"]})
    put(client, name, "list", {"L": [ago(10)]})
    put(client, name, "set", {"NS": [ago(10)["N"]]})
    put(client, name, "negative", {"N": "-5"})
    put(client, name, "zero", {"N": "0"})
    put(client, name, "huge", {"N": "9.9e125"})
    put(client, name, "nothing")
    expected = {"before", "after", "fraction", "nearly five years"}
    stay = {
        "more than five years",
        "coming",
        "milliseconds",
        "text",
        "list",
        "set",
        "negative",
        "zero",
        "huge",
        "nothing",
    }
    until(lambda: not keys_of(client, name) & expected)
    assert keys_of(client, name) == stay
    removals = _removals(client, streams_client, name)
    assert {record["dynamodb"]["Keys"]["p"]["S"] for record in removals} == expected
    for record in removals:
        assert record["userIdentity"] == {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
        assert "OldImage" in record["dynamodb"]


def test_an_item_that_is_given_more_time_stays(client: Any, name: str) -> None:
    change(client, name, "ends", enabled=True)
    for key in ("moved", "cleared", "left"):
        put(client, name, key, ago(-1))
    put(client, name, "moved", ago(-1000))
    client.update_item(TableName=name, Key={"p": {"S": "cleared"}}, UpdateExpression="REMOVE ends")
    until(lambda: "left" not in keys_of(client, name))
    assert keys_of(client, name) == {"moved", "cleared"}


def test_nothing_expires_any_more_when_it_is_turned_off(client: Any, name: str) -> None:
    """Two attributes, one after the other: what has expired by the second shows that the sweep was there."""
    change(client, name, "ends", enabled=True)
    change(client, name, "ends", enabled=False)
    put(client, name, "kept", ago(10))
    change(client, name, "then", enabled=True)
    client.put_item(TableName=name, Item={"p": {"S": "gone"}, "then": ago(10)})
    until(lambda: "gone" not in keys_of(client, name))
    assert keys_of(client, name) == {"kept"}


def test_many_items_expire(client: Any, name: str) -> None:
    change(client, name, "ends", enabled=True)
    for start in range(0, 500, 25):
        items = [{"p": {"S": str(number)}, "ends": ago(10)} for number in range(start, start + 25)]
        client.batch_write_item(RequestItems={name: [{"PutRequest": {"Item": item}} for item in items]})
    until(lambda: keys_of(client, name) == set())


def _removals(client: Any, streams_client: Any, name: str) -> list[dict[str, Any]]:
    arn = client.describe_table(TableName=name)["Table"]["LatestStreamArn"]
    records: list[dict[str, Any]] = []
    for shard in streams_client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator = streams_client.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records += streams_client.get_records(ShardIterator=iterator)["Records"]
    return [record for record in records if record["eventName"] == "REMOVE"]
