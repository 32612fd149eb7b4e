"""Indexes that come to a table with items, and go: UpdateTable, statuses meanwhile, and what is refused."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from boto3.dynamodb.conditions import Key

from tests.compat.tables import attribute, invalid, items_of, refused, unique
from tests.compat.tables_with_indexes import composite_index, global_index, local_index, made_with_indexes

_prefix = "One or more parameter values were invalid: "
_patience_s = 600.0


@pytest.fixture
def table(resource: Any) -> Iterator[Any]:
    """Partition key `p`, and nothing else."""
    with made(resource) as table:
        yield table


@contextmanager
def made(resource: Any, **settings: Any) -> Iterator[Any]:
    with made_with_indexes(resource, ["p"], [attribute("p", "S")], **settings) as table:
        yield table
        settled(table)


def update(table: Any, *updates: dict[str, Any], defined: str = "x", **settings: Any) -> dict[str, Any]:
    if defined:
        settings["AttributeDefinitions"] = [attribute(name, "S") for name in defined]
    description: dict[str, Any] = table.meta.client.update_table(
        TableName=table.name, GlobalSecondaryIndexUpdates=list(updates), **settings
    )["TableDescription"]
    return description


def added(table: Any, index: dict[str, Any], **settings: Any) -> None:
    update(table, {"Create": index}, **settings)
    settled(table)


def settled(table: Any) -> dict[str, Any]:
    """The description once neither the table nor an index of it is being changed."""

    def is_settled(description: dict[str, Any]) -> bool:
        indexes = description.get("GlobalSecondaryIndexes", [])
        return all(index["IndexStatus"] == "ACTIVE" for index in indexes) and description["TableStatus"] == "ACTIVE"

    return described_until(table, is_settled)


def described_until(table: Any, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    patience = time.monotonic() + _patience_s
    while time.monotonic() < patience:
        description: dict[str, Any] = table.meta.client.describe_table(TableName=table.name)["Table"]
        if holds(description):
            return description
    raise AssertionError("the table does not settle")


def query(table: Any, index: str, **key: Any) -> list[dict[str, Any]]:
    [(name, value)] = key.items()
    return items_of(table.query, IndexName=index, KeyConditionExpression=Key(name).eq(value))


def by_p(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(items, key=lambda item: item["p"])


def test_an_added_index_has_the_items_that_were_there(table: Any) -> None:
    items = [{"p": unique(), "x": f"x{number % 3}"} for number in range(300)]
    with table.batch_writer() as batch:
        for item in items:
            batch.put_item(item)
        batch.put_item({"p": unique(), "x": 1})
        batch.put_item({"p": unique()})
    added(table, global_index("later", "x"))
    assert by_p(items_of(table.scan, IndexName="later")) == by_p(items)
    assert by_p(query(table, "later", x="x1")) == by_p([item for item in items if item["x"] == "x1"])


def test_an_added_index_follows_later_writes(table: Any) -> None:
    table.put_item(Item={"p": "p", "x": "before"})
    added(table, global_index("later", "x"))
    table.put_item(Item={"p": "p", "x": "after"})
    assert query(table, "later", x="before") == []
    assert query(table, "later", x="after") == [{"p": "p", "x": "after"}]


def test_an_added_index_is_shown_as_it_comes(table: Any) -> None:
    description = update(table, {"Create": global_index("later", "x")})
    assert description["TableStatus"] == "UPDATING"
    [index] = description["GlobalSecondaryIndexes"]
    assert (index["IndexName"], index["IndexStatus"], index["Backfilling"]) == ("later", "CREATING", False)
    description = settled(table)
    [index] = description["GlobalSecondaryIndexes"]
    assert "Backfilling" not in index
    assert [each["AttributeName"] for each in description["AttributeDefinitions"]] == ["p", "x"]


def test_a_removed_index_is_gone_with_its_attribute(table: Any) -> None:
    added(table, global_index("first", "x"))
    added(table, global_index("second", "y"), defined="y")
    description = update(table, {"Delete": {"IndexName": "first"}}, defined="")
    assert description["TableStatus"] == "UPDATING"
    statuses = {index["IndexName"]: index["IndexStatus"] for index in description["GlobalSecondaryIndexes"]}
    assert statuses == {"first": "DELETING", "second": "ACTIVE"}
    description = settled(table)
    assert [index["IndexName"] for index in description["GlobalSecondaryIndexes"]] == ["second"]
    assert [each["AttributeName"] for each in description["AttributeDefinitions"]] == ["p", "y"]
    with invalid("The table does not have the specified index: first"):
        query(table, "first", x="x")
    table.put_item(Item={"p": "p", "x": 1})


def test_an_index_may_come_again_under_its_name(table: Any) -> None:
    table.put_item(Item={"p": "p", "x": "x", "y": "y"})
    added(table, global_index("index", "x"))
    update(table, {"Delete": {"IndexName": "index"}}, defined="")
    settled(table)
    added(table, global_index("index", "y", projection="KEYS_ONLY"), defined="y")
    assert query(table, "index", y="y") == [{"p": "p", "y": "y"}]
    assert items_of(table.scan, IndexName="index") == [{"p": "p", "y": "y"}]


def test_a_composite_index_can_be_added(table: Any) -> None:
    table.put_item(Item={"p": "p", "x": "x", "y": "y"})
    added(table, composite_index("wide", "xy"), defined="xy")
    condition = Key("x").eq("x") & Key("y").eq("y")
    assert items_of(table.query, IndexName="wide", KeyConditionExpression=condition) == [{"p": "p", "x": "x", "y": "y"}]


def test_one_index_comes_or_goes_at_a_time(table: Any) -> None:
    message = "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
    with refused("LimitExceededException", message):
        update(table, {"Create": global_index("one", "x")}, {"Create": global_index("two", "x")})
    added(table, global_index("one", "x"))
    with refused("LimitExceededException", message):
        update(table, {"Create": global_index("two", "x")}, {"Delete": {"IndexName": "one"}})


def test_an_index_that_is_not_there_is_not_found(table: Any) -> None:
    message = f"Requested resource not found: Index nothing for table {table.name}"
    with refused("ResourceNotFoundException", message):
        update(table, {"Delete": {"IndexName": "nothing"}}, defined="")
    with refused("ResourceNotFoundException", message):
        limits = {"MaxReadRequestUnits": 5}
        update(table, {"Update": {"IndexName": "nothing", "OnDemandThroughput": limits}}, defined="")


def test_local_indexes_stay(resource: Any) -> None:
    definitions = [attribute(name, "S") for name in "pcx"]
    indexes = [local_index("local", "p", "x")]
    named = {"IndexName": "local"}
    change = named | {"OnDemandThroughput": {"MaxReadRequestUnits": 5}}
    with made_with_indexes(resource, ["p", "c"], definitions, LocalSecondaryIndexes=indexes) as table:
        with invalid("Cannot delete an index that is not a GlobalSecondaryIndex: local"):
            update(table, {"Delete": named}, defined="")
        with invalid("Cannot update an index that is not a GlobalSecondaryIndex: local"):
            update(table, {"Update": change}, defined="")


def test_attributes_are_defined_again_for_a_new_index(table: Any) -> None:
    with invalid("Invalid KeySchema: Some index key attribute have no definition"):
        update(table, {"Create": global_index("one", "x", "p")}, defined="x")


def test_an_attribute_has_one_type_in_all_keys(table: Any) -> None:
    definitions = [attribute("p", "N")]
    with invalid(
        f"{_prefix}Attributes cannot be redefined. Please check that your attribute has the same type as previously"
        " defined. Existing schema: Schema:[SchemaElement: key{p:S:HASH}] New schema: Schema:[SchemaElement:"
        " key{p:N:HASH}]"
    ):
        update(table, {"Create": global_index("one", "p")}, defined="", AttributeDefinitions=definitions)


@pytest.mark.parametrize(
    ("updates", "defined", "message"),
    [
        ([{}], "x", "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "),
        (
            [{"Create": global_index("one", "x"), "Delete": {"IndexName": "two"}}],
            "x",
            "Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object",
        ),
        (
            [{"Create": global_index("one", "x")}, {"Delete": {"IndexName": "one"}}],
            "x",
            "Only one global secondary index update per index is allowed simultaneously. Index: one",
        ),
        ([{"Create": global_index("one", "x")}], "", "AttributeDefinitions is not specified for index: one"),
        (
            [{"Create": global_index("one", "x")}],
            "y",
            "Some index key attributes are not defined in AttributeDefinitions. Keys: [x], AttributeDefinitions: [y]",
        ),
        (
            [{"Create": global_index("one", "x", "p")}],
            "xy",
            "Some index key attributes are not defined in AttributeDefinitions. Keys: [x, p], AttributeDefinitions: [",
        ),
        ([{"Create": {**global_index("one", "x"), "Projection": {}}}], "x", "Unknown ProjectionType: null"),
        (
            [{"Update": {"IndexName": "one", "WarmThroughput": {}}}, {}],
            "x",
            "WarmThroughput must have at least one of ReadUnitsPerSecond or WriteUnitsPerSecond specified for index:",
        ),
        (
            [
                {
                    "Create": {
                        **global_index("one", "x"),
                        "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
                    }
                }
            ],
            "x",
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: one when BillingMode is",
        ),
    ],
)
def test_wrong_updates_are_refused(table: Any, updates: list[dict[str, Any]], defined: str, message: str) -> None:
    with invalid(_prefix + message):
        update(table, *updates, defined=defined)


def test_a_name_that_is_taken_is_refused(table: Any) -> None:
    added(table, global_index("one", "x"))
    with invalid("Attempting to create an index which already exists"):
        update(table, {"Create": global_index("one", "x")})


@pytest.mark.parametrize("updates", ["GlobalSecondaryIndexUpdates", "VectorIndexUpdates"])
def test_an_empty_list_changes_nothing(table: Any, updates: str) -> None:
    with invalid("At least one of ProvisionedThroughput, BillingMode"):
        table.meta.client.update_table(TableName=table.name, **{updates: []})


def test_an_empty_list_is_refused_beside_a_change(table: Any) -> None:
    with invalid(_prefix + "List of GlobalSecondaryIndexUpdates is empty"):
        update(table, defined="", BillingMode="PAY_PER_REQUEST")


def test_throughput_of_an_index_can_be_changed(resource: Any) -> None:
    index = {**global_index("index", "x"), "ProvisionedThroughput": _units(1, 1)}
    settings = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": _units(1, 1)}
    definitions = [attribute("p", "S"), attribute("x", "S")]
    with made_with_indexes(resource, ["p"], definitions, GlobalSecondaryIndexes=[index], **settings) as table:
        change = {"Update": {"IndexName": "index", "ProvisionedThroughput": _units(2, 1)}}
        [shown] = update(table, change, defined="")["GlobalSecondaryIndexes"]
        assert (shown["IndexStatus"], shown["ProvisionedThroughput"]["ReadCapacityUnits"]) == ("UPDATING", 1)
        [shown] = settled(table)["GlobalSecondaryIndexes"]
        throughput = shown["ProvisionedThroughput"]
        assert (throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]) == (2, 1)
        assert "LastIncreaseDateTime" in throughput
        with invalid(
            "The provisioned throughput for the index index will not change. The requested value equals the current"
            " value. Current ReadCapacityUnits provisioned for index index: 2. Requested ReadCapacityUnits: 2. Current"
            " WriteCapacityUnits provisioned for index index: 1. Requested WriteCapacityUnits: 1."
        ):
            update(table, change, defined="")
        with invalid(f"{_prefix}At least one of ProvisionedThroughput, OnDemandThroughput or WarmThroughput must be"):
            update(table, {"Update": {"IndexName": "index"}}, defined="")
        for name in ("index", "nothing"):
            with invalid("info: Action Blocked: IndexUpdate"):
                beyond = {"IndexName": name, "ProvisionedThroughput": _units(10**12 + 1, 1)}
                update(table, {"Update": beyond}, defined="")
        with invalid(_prefix + "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: other"):
            update(table, {"Create": global_index("other", "x")})
        settled(table)


def test_a_change_of_the_billing_mode_speaks_of_every_index(resource: Any) -> None:
    definitions = [attribute("p", "S"), attribute("x", "S")]
    index = global_index("index", "x")
    with made_with_indexes(resource, ["p"], definitions, GlobalSecondaryIndexes=[index]) as table:
        change = {"Update": {"IndexName": "index", "ProvisionedThroughput": _units(5, 6)}}
        with invalid(
            _prefix + "The only Updates for index: index when TableThroughputMode is PAY_PER_REQUEST can be to"
            " OnDemandThroughput, WarmThroughput"
        ):
            update(table, change, defined="")
        with invalid(f"{_prefix}The only Updates for index: index when TableThroughputMode is PAY_PER_REQUEST can be"):
            update(table, {"Update": {"IndexName": "index"}}, defined="")
        provisioned = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": _units(1, 1)}
        with invalid(_prefix + "ProvisionedThroughput must be specified for index: index"):
            table.meta.client.update_table(TableName=table.name, **provisioned)
        update(table, change, defined="", **provisioned)
        [shown] = settled(table)["GlobalSecondaryIndexes"]
        assert shown["ProvisionedThroughput"]["WriteCapacityUnits"] == 6


def _units(read: int, write: int) -> dict[str, int]:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}
