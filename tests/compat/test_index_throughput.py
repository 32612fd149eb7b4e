"""Capacity, on-demand limits and warmth of global indexes."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.compat.tables import attribute, invalid, refused, unique
from tests.compat.tables_with_indexes import global_index, key_schema, made_with_indexes

_prefix = "One or more parameter values were invalid: "
_definitions = [attribute("p", "S"), attribute("x", "S")]


def units(read: int, write: int) -> dict[str, int]:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


def limits(read: int, write: int) -> dict[str, int]:
    return {"MaxReadRequestUnits": read, "MaxWriteRequestUnits": write}


def warm(read: int, write: int) -> dict[str, int]:
    return {"ReadUnitsPerSecond": read, "WriteUnitsPerSecond": write}


@pytest.fixture
def on_demand(resource: Any) -> Iterator[Any]:
    with made_with_indexes(resource, ["p"], _definitions, GlobalSecondaryIndexes=[global_index("index", "x")]) as table:
        yield table


@pytest.fixture
def provisioned(resource: Any) -> Iterator[Any]:
    index = global_index("index", "x") | {"ProvisionedThroughput": units(10, 10)}
    settings = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(5, 5)}
    with made_with_indexes(resource, ["p"], _definitions, GlobalSecondaryIndexes=[index], **settings) as table:
        yield table


def change(table: Any, **wanted: Any) -> Any:
    """The index as the answer shows it."""
    update = {"Update": {"IndexName": "index", **wanted}}
    answer = table.meta.client.update_table(TableName=table.name, GlobalSecondaryIndexUpdates=[update])
    return answer["TableDescription"]["GlobalSecondaryIndexes"][0]


def described(table: Any) -> Any:
    client = table.meta.client
    client.get_waiter("table_exists").wait(TableName=table.name, WaiterConfig={"Delay": 0.1})
    return client.describe_table(TableName=table.name)["Table"]["GlobalSecondaryIndexes"][0]


def test_limits_merge_and_are_taken_away_by_minus_one(on_demand: Any) -> None:
    assert change(on_demand, OnDemandThroughput=limits(50, 40))["IndexStatus"] == "UPDATING"
    for wanted, shown in (
        ({"MaxReadRequestUnits": 60}, limits(60, 40)),
        ({"MaxReadRequestUnits": -1}, {"MaxWriteRequestUnits": 40}),
        ({"MaxWriteRequestUnits": -1}, None),
    ):
        change(on_demand, OnDemandThroughput=wanted)
        assert described(on_demand).get("OnDemandThroughput") == shown


def test_warmth_only_rises(on_demand: Any) -> None:
    with invalid(
        f"{_prefix}Requested ReadUnitsPerSecond for WarmThroughput for index index is lower than current"
        " WarmThroughput, decreasing WarmThroughput is not supported"
    ):
        change(on_demand, WarmThroughput=warm(100, 100))
    change(on_demand, WarmThroughput=warm(12_000, 4_000))
    answer = change(on_demand, WarmThroughput=warm(13_000, 4_001))
    assert (answer["IndexStatus"], answer["WarmThroughput"]) == ("ACTIVE", warm(12_000, 4_000) | {"Status": "UPDATING"})
    change(on_demand, WarmThroughput={"WriteUnitsPerSecond": 4_002})
    assert described(on_demand)["WarmThroughput"] == warm(13_000, 4_002) | {"Status": "ACTIVE"}


def test_an_answer_shows_capacity_as_it_was(provisioned: Any) -> None:
    answer = change(provisioned, ProvisionedThroughput=units(4, 4))["ProvisionedThroughput"]
    assert (answer["ReadCapacityUnits"], answer["NumberOfDecreasesToday"]) == (10, 0)
    assert "LastDecreaseDateTime" in answer
    shown = described(provisioned)
    assert shown["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 1
    assert shown["WarmThroughput"] == warm(10, 10) | {"Status": "ACTIVE"}


def test_an_index_stays_warm_when_the_billing_mode_changes(provisioned: Any) -> None:
    client, name = provisioned.meta.client, provisioned.name
    change(provisioned, WarmThroughput=warm(13_000, 10))
    client.update_table(TableName=name, BillingMode="PAY_PER_REQUEST")
    assert described(provisioned)["WarmThroughput"] == warm(13_000, 4_000) | {"Status": "ACTIVE"}
    client.update_table(
        TableName=name,
        BillingMode="PROVISIONED",
        ProvisionedThroughput=units(1, 1),
        GlobalSecondaryIndexUpdates=[{"Update": {"IndexName": "index", "ProvisionedThroughput": units(1, 1)}}],
    )
    assert described(provisioned)["WarmThroughput"] == warm(13_000, 4_000) | {"Status": "ACTIVE"}


@pytest.mark.parametrize(
    ("wanted", "code", "message"),
    [
        (
            {"OnDemandThroughput": limits(0, 1)},
            "ValidationException",
            "Requested MaxReadRequestUnits for OnDemandThroughput for index : {} is outside of valid range",
        ),
        (
            {"OnDemandThroughput": limits(1, 40_001)},
            "LimitExceededException",
            "Requested MaxWriteRequestUnits for OnDemandThroughput for index : {} exceeds TableMaxWriteCapacityUnits",
        ),
        (
            {"WarmThroughput": warm(40_001, 4_000)},
            "LimitExceededException",
            "Requested ReadUnitsPerSecond for WarmThroughput for index {} exceeds TableMaxReadCapacityUnits",
        ),
    ],
)
def test_what_no_index_gets(client: Any, on_demand: Any, wanted: dict[str, Any], code: str, message: str) -> None:
    with refused(code, message.format("index")):
        change(on_demand, **wanted)
    with refused(code, message.format("other")):
        client.update_table(
            TableName=on_demand.name,
            AttributeDefinitions=_definitions,
            GlobalSecondaryIndexUpdates=[{"Create": global_index("other", "x") | wanted}],
        )
    with refused(code, message.format("index")):
        create(client, global_index("index", "x") | wanted)


def test_a_new_on_demand_index_is_no_colder_than_others(client: Any) -> None:
    with invalid(
        f"{_prefix}Requested ReadUnitsPerSecond for WarmThroughput for index index is lower than initial throughput for"
        " OnDemand. See: https://docs.aws.amazon.com/"
    ):
        create(client, global_index("index", "x") | {"WarmThroughput": warm(100, 100)})
    with invalid("MaxReadRequestUnits for OnDemandThroughput for index : index is outside of valid range"):
        create(client, global_index("index", "x") | {"OnDemandThroughput": limits(-1, -1)})


@pytest.mark.parametrize(
    ("update", "others", "message"),
    [
        (
            "Delete",
            {"ProvisionedThroughput": units(6, 6)},
            "You cannot create or delete index while updating table IOPS",
        ),
        (
            "Delete",
            {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}},
            "You cannot create or delete index while changing stream status",
        ),
        (
            "Create",
            {"WarmThroughput": warm(13_000, 5_000)},
            "Create global secondary index cannot be specified when updating WarmThroughput",
        ),
        ("Delete", {"WarmThroughput": warm(13_000, 5_000)}, "WarmThroughput must be the only operation in the request"),
        (
            "Create",
            {"DeletionProtectionEnabled": True},
            "DeletionProtection modification must be the only operation in the request",
        ),
    ],
)
def test_indexes_come_and_go_alone(
    client: Any, provisioned: Any, update: str, others: dict[str, Any], message: str
) -> None:
    new = global_index("other", "x") | {"ProvisionedThroughput": units(1, 1)}
    index = new if update == "Create" else {"IndexName": "index"}
    with invalid(f"{_prefix}{message}"):
        client.update_table(
            TableName=provisioned.name,
            AttributeDefinitions=_definitions,
            GlobalSecondaryIndexUpdates=[{update: index}],
            **others,
        )


def create(client: Any, index: dict[str, Any]) -> None:
    client.create_table(
        TableName=unique("table"),
        KeySchema=key_schema("p"),
        AttributeDefinitions=_definitions,
        GlobalSecondaryIndexes=[index],
        BillingMode="PAY_PER_REQUEST",
    )
