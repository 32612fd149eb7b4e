"""Replies: the JSON that clients see."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from services.region.api.dynamodb import replies
from services.region.api.dynamodb.parse_batches import parse_batch_get_item
from services.region.commands.batches import BatchWriteItem, ItemsFound, ItemsWritten
from services.region.commands.items import GetItem, ItemFound, ItemWritten, PutItem, ReturnConsumedCapacity
from services.region.commands.queries import Page, Scan
from services.region.commands.tables import TableDescription, TableNames, TableStatus
from services.region.rules.arns import Arns
from shared.errors import (
    ConditionalCheckFailedError,
    ResourceNotFoundError,
    SerializationError,
    ServiceError,
    UnknownOperationError,
    ValidationError,
)
from shared.model.keys import KeyAttribute, KeySchema
from shared.model.tables import (
    BillingMode,
    Generation,
    RegionName,
    ReplicaState,
    ReplicaStatus,
    StreamSpecification,
    TableDefinition,
    TableSettings,
)

_image = b'{"pk":{"S":"a"}}'
_arns = Arns("eu-west-1", "000000000000")
_definition = TableDefinition(
    generation=Generation(bytes(range(16))),
    name="orders",
    key_schema=KeySchema(KeyAttribute("pk", "S"), KeyAttribute("sk", "N")),
    partition_count=4,
    replicas=(RegionName("eu-west-1"),),
    created_us=1_700_000_000_123_456,
    read_capacity_units=5,
    write_capacity_units=6,
)
_described = TableDescription(_definition, TableStatus.ACTIVE, {}, item_count=3, size_bytes=99)


def _table(described: TableDescription) -> Any:
    return orjson.loads(replies.table(described, None, arns=_arns))["Table"]


def test_a_found_item_is_spliced_in() -> None:
    assert replies.item_found(ItemFound(_image, None, 0.5), GetItem("orders", {})) == b'{"Item":{"pk":{"S":"a"}}}'


def test_an_absent_item_is_an_empty_object() -> None:
    assert replies.item_found(ItemFound(None, None, 0.5), GetItem("orders", {})) == b"{}"


@pytest.mark.parametrize(
    ("wish", "capacity"),
    [
        (ReturnConsumedCapacity.TOTAL, {"TableName": "orders", "CapacityUnits": 0.5}),
        (
            ReturnConsumedCapacity.INDEXES,
            {"TableName": "orders", "CapacityUnits": 0.5, "Table": {"CapacityUnits": 0.5}},
        ),
    ],
)
def test_consumed_capacity_is_shown_as_wished(wish: ReturnConsumedCapacity, capacity: dict[str, Any]) -> None:
    command = GetItem("orders", {}, return_consumed_capacity=wish)
    assert orjson.loads(replies.item_found(ItemFound(None, None, 0.5), command)) == {"ConsumedCapacity": capacity}
    found = orjson.loads(replies.item_found(ItemFound(_image, None, 0.5), command))
    assert found == {"Item": {"pk": {"S": "a"}}, "ConsumedCapacity": capacity}


def test_a_write_shows_the_attributes_that_it_returns() -> None:
    command = PutItem("orders", {})
    assert replies.item_written(ItemWritten(None, None, created=True, capacity_units=1), command) == b"{}"
    written = ItemWritten(_image, None, created=False, capacity_units=1)
    assert replies.item_written(written, command) == b'{"Attributes":{"pk":{"S":"a"}}}'
    wish = command._replace(return_consumed_capacity=ReturnConsumedCapacity.TOTAL)
    assert orjson.loads(replies.item_written(written, wish)) == {
        "Attributes": {"pk": {"S": "a"}},
        "ConsumedCapacity": {"TableName": "orders", "CapacityUnits": 1.0},
    }


def test_a_page_joins_its_items() -> None:
    page = Page([_image, b"{}"], count=2, scanned_count=5, last_key={"pk": {"S": "z"}}, capacity_units=1.5)
    assert orjson.loads(replies.page(page, Scan("orders"))) == {
        "Items": [{"pk": {"S": "a"}}, {}],
        "Count": 2,
        "ScannedCount": 5,
        "LastEvaluatedKey": {"pk": {"S": "z"}},
    }


def test_the_last_page_has_no_key_and_a_count_no_items() -> None:
    page = Page([], count=2, scanned_count=5, last_key=None, capacity_units=1.5)
    assert replies.page(page, Scan("orders")) == b'{"Items":[],"Count":2,"ScannedCount":5}'
    assert replies.page(page, Scan("orders", count_only=True)) == b'{"Count":2,"ScannedCount":5}'


def test_a_batch_answers_under_the_names_of_the_request() -> None:
    arn = "arn:aws:dynamodb:eu-west-1:000000000000:table/items"
    wanted = {"Keys": [{"pk": {"S": "a"}}], "ConsistentRead": True, "AttributesToGet": ["pk"]}
    command = parse_batch_get_item({"RequestItems": {"orders": {"Keys": [{"pk": {"S": "a"}}]}, arn: wanted}})
    found = ItemsFound({"orders": [_image], "items": []}, {"items": [{"pk": {"S": "a"}}]}, {"orders": 0.5})
    assert orjson.loads(replies.items_found(found, command)) == {
        "Responses": {"orders": [{"pk": {"S": "a"}}], arn: []},
        "UnprocessedKeys": {arn: wanted},
    }


def test_a_written_batch_leaves_nothing_unprocessed() -> None:
    command = BatchWriteItem({}, ReturnConsumedCapacity.TOTAL)
    assert orjson.loads(replies.items_written(ItemsWritten({"orders": 2}), command)) == {
        "UnprocessedItems": {},
        "ConsumedCapacity": [{"TableName": "orders", "CapacityUnits": 2.0}],
    }


def test_a_provisioned_table_is_described() -> None:
    assert _table(_described) == {
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "N"},
        ],
        "TableName": "orders",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "TableStatus": "ACTIVE",
        "CreationDateTime": 1_700_000_000.123,
        "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 5, "WriteCapacityUnits": 6},
        "TableSizeBytes": 99,
        "ItemCount": 3,
        "TableArn": "arn:aws:dynamodb:eu-west-1:000000000000:table/orders",
        "TableId": "00010203-0405-4607-8809-0a0b0c0d0e0f",
        "DeletionProtectionEnabled": False,
        "WarmThroughput": {"ReadUnitsPerSecond": 5, "WriteUnitsPerSecond": 6, "Status": "ACTIVE"},
    }


def test_an_on_demand_table_shows_its_billing_mode() -> None:
    settings = TableSettings(on_demand_since_us=1_700_000_000_123_000)
    definition = replace(_definition, billing_mode=BillingMode.PAY_PER_REQUEST, settings=settings)
    table = _table(replace(_described, definition=definition))
    assert table["BillingModeSummary"] == {
        "BillingMode": "PAY_PER_REQUEST",
        "LastUpdateToPayPerRequestDateTime": 1_700_000_000.123,
    }


def test_a_stream_is_described_with_its_arn() -> None:
    stream = StreamSpecification(enabled=True, view_type="NEW_AND_OLD_IMAGES")
    definition = replace(_definition, stream=stream, stream_since_us=1_700_000_000_123_456)
    table = _table(replace(_described, definition=definition))
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["LatestStreamLabel"] == "2023-11-14T22:13:20.123"
    assert table["LatestStreamArn"] == f"{_arns.of_table('orders')}/stream/2023-11-14T22:13:20.123"


def test_a_stream_that_is_off_is_not_described() -> None:
    table = _table(replace(_described, definition=replace(_definition, stream=StreamSpecification(enabled=False))))
    assert not table.keys() & {"StreamSpecification", "LatestStreamLabel", "LatestStreamArn"}


def test_a_global_table_lists_its_replicas_in_other_regions() -> None:
    replicas = {
        RegionName(_arns.region): ReplicaState(ReplicaStatus.ACTIVE),
        RegionName("ap-south-1"): ReplicaState(ReplicaStatus.ACTIVE),
        RegionName("us-east-1"): ReplicaState(ReplicaStatus.CREATING, percent=40, description="copying"),
    }
    definition = replace(_definition, replicas=tuple(replicas), global_since_us=1_700_000_001_000_000)
    table = _table(replace(_described, definition=definition, replicas=replicas))
    assert table["GlobalTableVersion"] == "2019.11.21"
    assert table["Replicas"] == [
        {"RegionName": "ap-south-1", "ReplicaStatus": "ACTIVE"},
        {
            "RegionName": "us-east-1",
            "ReplicaStatus": "CREATING",
            "ReplicaStatusPercentProgress": "40",
            "ReplicaStatusDescription": "copying",
        },
    ]


def test_a_changed_table_has_a_name_of_its_own_in_the_reply() -> None:
    reply = orjson.loads(replies.table_description(_described, None, arns=_arns))
    assert reply == {"TableDescription": _table(_described)}


def test_tables_are_listed_with_where_the_next_page_starts() -> None:
    assert orjson.loads(replies.table_names(TableNames(("a", "b"), None), None)) == {"TableNames": ["a", "b"]}
    reply = orjson.loads(replies.table_names(TableNames(("a",), "a"), None))
    assert reply == {"TableNames": ["a"], "LastEvaluatedTableName": "a"}


@pytest.mark.parametrize(
    ("error", "body"),
    [
        (
            ValidationError("no"),
            {"__type": "com.amazon.coral.validate#ValidationException", "message": "no"},
        ),
        (
            SerializationError("no"),
            {"__type": "com.amazon.coral.service#SerializationException", "Message": "no"},
        ),
        (SerializationError(), {"__type": "com.amazon.coral.service#SerializationException"}),
        (UnknownOperationError(), {"__type": "com.amazon.coral.service#UnknownOperationException"}),
        (
            ResourceNotFoundError(),
            {
                "__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
                "message": "Requested resource not found",
            },
        ),
        (
            ConditionalCheckFailedError(item=_image),
            {
                "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
                "message": "The conditional request failed",
                "Item": {"pk": {"S": "a"}},
            },
        ),
    ],
)
def test_errors_name_their_type(error: ServiceError, body: dict[str, Any]) -> None:
    assert orjson.loads(replies.error(error)) == body
