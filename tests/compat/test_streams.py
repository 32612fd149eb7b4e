"""DynamoDB Streams: streams of tables, their shards and iterators, and the records of what was changed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import pairwise
from typing import Any

import pytest

from tests.compat.tables import attribute, invalid, refused, unique

view_types = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
MakeTable = Callable[..., AbstractContextManager[str]]


@pytest.fixture
def made(client: Any) -> MakeTable:
    """Makes a table with partition key `p` and sort key `c`; without a view type it has no stream."""

    @contextmanager
    def make(view_type: str | None = None, **settings: Any) -> Iterator[str]:
        name = unique("streams")
        stream = {} if view_type is None else {"StreamSpecification": enabled(view_type)}
        client.create_table(
            TableName=name,
            AttributeDefinitions=[attribute("p", "S"), attribute("c", "N")],
            KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "c", "KeyType": "RANGE"}],
            **({"BillingMode": "PAY_PER_REQUEST"} | stream | settings),
        )
        client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        yield name
        client.delete_table(TableName=name)

    return make


@pytest.fixture
def full(made: MakeTable) -> Iterator[str]:
    """A table whose stream shows both images."""
    with made("NEW_AND_OLD_IMAGES") as name:
        yield name


@pytest.fixture
def stream(client: Any, full: str) -> str:
    return arn_of(client, full)


disabled = {"StreamEnabled": False}


def enabled(view_type: str) -> dict[str, Any]:
    return {"StreamEnabled": True, "StreamViewType": view_type}


def arn_of(client: Any, table: str) -> str:
    arn: str = client.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    return arn


def item(p: str, c: int, **attributes: str) -> dict[str, Any]:
    return {"p": {"S": p}, "c": {"N": str(c)}, **{name: {"S": text} for name, text in attributes.items()}}


def shards_of(streams: Any, arn: str) -> list[dict[str, Any]]:
    shards: list[dict[str, Any]] = []
    page = streams.describe_stream(StreamArn=arn)["StreamDescription"]
    shards += page["Shards"]
    while "LastEvaluatedShardId" in page:
        last = page["LastEvaluatedShardId"]
        page = streams.describe_stream(StreamArn=arn, ExclusiveStartShardId=last)["StreamDescription"]
        shards += page["Shards"]
    return shards


def iterators(streams: Any, arn: str, kind: str = "TRIM_HORIZON") -> list[str]:
    return [
        streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType=kind)["ShardIterator"]
        for shard in shards_of(streams, arn)
    ]


def read(streams: Any, iterator: str | None, **request: Any) -> list[dict[str, Any]]:
    """All records of a shard that there are now, page by page."""
    records: list[dict[str, Any]] = []
    while iterator is not None:
        page = streams.get_records(ShardIterator=iterator, **request)
        records += page["Records"]
        if not page["Records"]:
            break
        iterator = page.get("NextShardIterator")
    return records


def records_of(streams: Any, arn: str, **request: Any) -> list[dict[str, Any]]:
    return [record for iterator in iterators(streams, arn) for record in read(streams, iterator, **request)]


def shard_with_records(streams: Any, arn: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    for shard in shards_of(streams, arn):
        given = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
        if records := read(streams, given["ShardIterator"]):
            return shard, records
    raise AssertionError("no shard has records")


def names_of(records: Sequence[dict[str, Any]]) -> list[str]:
    return [record["eventName"] for record in records]


# Streams of a table


def test_every_answer_about_a_table_names_its_stream(client: Any, streams_client: Any) -> None:
    name = unique("streams")
    created = client.create_table(
        TableName=name,
        AttributeDefinitions=[attribute("p", "S")],
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification=enabled("KEYS_ONLY"),
    )["TableDescription"]
    described = client.describe_table(TableName=name)["Table"]
    updated = client.update_table(TableName=name, BillingMode="PAY_PER_REQUEST")["TableDescription"]
    [listed] = streams_client.list_streams(TableName=name)["Streams"]
    client.delete_table(TableName=name)
    assert listed["TableName"] == name
    assert listed["StreamArn"] == f"{created['TableArn']}/stream/{listed['StreamLabel']}"
    for table in (created, described, updated):
        assert table["StreamSpecification"] == enabled("KEYS_ONLY")
        assert table["LatestStreamArn"] == listed["StreamArn"]
        assert table["LatestStreamLabel"] == listed["StreamLabel"]


def test_a_table_without_a_stream_has_none(client: Any, streams_client: Any, made: MakeTable) -> None:
    with made() as name:
        assert streams_client.list_streams(TableName=name)["Streams"] == []
        assert "LatestStreamArn" not in client.describe_table(TableName=name)["Table"]
        with invalid(f"Table has no stream to disable: TableName: {name}"):
            client.update_table(TableName=name, StreamSpecification=disabled)


def test_a_stream_that_is_created_disabled_is_none(client: Any) -> None:
    name = unique("streams")
    table = client.create_table(
        TableName=name,
        AttributeDefinitions=[attribute("p", "S")],
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification=disabled,
    )["TableDescription"]
    client.delete_table(TableName=name)
    assert not table.keys() & {"StreamSpecification", "LatestStreamArn", "LatestStreamLabel"}


@pytest.mark.parametrize("view_type", ["KEYS_ONLY", "NEW_IMAGE"])
def test_an_enabled_stream_can_not_be_enabled_or_changed(client: Any, full: str, view_type: str) -> None:
    with invalid(f"Table already has an enabled stream: TableName: {full}"):
        client.update_table(TableName=full, StreamSpecification=enabled(view_type))


@pytest.mark.parametrize(
    ("specification", "message"),
    [
        ({"StreamEnabled": True}, "If stream is being enabled then UpdateViewType is required"),
        (
            {"StreamEnabled": False, "StreamViewType": "KEYS_ONLY"},
            "If stream is being disabled, then UpdateViewType must not be specified",
        ),
        ({"StreamViewType": "KEYS_ONLY"}, "Value null at 'streamSpecification.streamEnabled' failed to satisfy"),
        (
            {"StreamEnabled": True, "StreamViewType": "ALL"},
            "Member must satisfy enum value set: [OLD_IMAGE, KEYS_ONLY, NEW_AND_OLD_IMAGES, NEW_IMAGE]",
        ),
    ],
)
def test_a_stream_is_specified_whole(client: Any, full: str, specification: dict[str, Any], message: str) -> None:
    with invalid(message):
        client.update_table(TableName=full, StreamSpecification=specification)


def test_a_disabled_stream_can_be_read_to_its_end(client: Any, streams_client: Any, full: str, stream: str) -> None:
    client.put_item(TableName=full, Item=item("a", 1))
    open_iterators = iterators(streams_client, stream)
    table = client.update_table(TableName=full, StreamSpecification=disabled)["TableDescription"]
    client.put_item(TableName=full, Item=item("b", 1))
    assert "StreamSpecification" not in table
    assert table["LatestStreamArn"] == stream
    description = streams_client.describe_stream(StreamArn=stream)["StreamDescription"]
    assert (description["StreamStatus"], description["StreamViewType"]) == ("DISABLED", "NEW_AND_OLD_IMAGES")
    for shard in description["Shards"]:
        span = shard["SequenceNumberRange"]
        assert int(span["EndingSequenceNumber"]) >= int(span["StartingSequenceNumber"])
    for begun in (open_iterators, iterators(streams_client, stream)):
        records = []
        for iterator in begun:
            page = streams_client.get_records(ShardIterator=iterator)
            assert "NextShardIterator" not in page
            records += page["Records"]
        assert [record["dynamodb"]["Keys"]["p"]["S"] for record in records] == ["a"]
    for iterator in iterators(streams_client, stream, "LATEST"):
        assert streams_client.get_records(ShardIterator=iterator)["Records"] == []


def test_the_stream_of_a_deleted_table_can_be_read_to_its_end(
    client: Any, streams_client: Any, made: MakeTable
) -> None:
    with made("NEW_AND_OLD_IMAGES") as name:
        client.put_item(TableName=name, Item=item("a", 1))
        stream = arn_of(client, name)
        begun = iterators(streams_client, stream)
    client.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    description = streams_client.describe_stream(StreamArn=stream)["StreamDescription"]
    assert (description["StreamStatus"], description["TableName"]) == ("DISABLED", name)
    assert all("EndingSequenceNumber" in shard["SequenceNumberRange"] for shard in description["Shards"])
    assert [each["StreamArn"] for each in streams_client.list_streams(TableName=name)["Streams"]] == [stream]
    pages = [streams_client.get_records(ShardIterator=each) for each in begun]
    assert [record["eventName"] for page in pages for record in page["Records"]] == ["INSERT"]
    assert not any("NextShardIterator" in page for page in pages)


def test_a_stream_that_is_enabled_again_is_another_one(
    client: Any, streams_client: Any, full: str, stream: str
) -> None:
    client.put_item(TableName=full, Item=item("before", 1))
    client.update_table(TableName=full, StreamSpecification=disabled)
    client.put_item(TableName=full, Item=item("between", 1))
    client.update_table(TableName=full, StreamSpecification=enabled("KEYS_ONLY"))
    client.put_item(TableName=full, Item=item("after", 1))
    again = arn_of(client, full)
    listed = [each["StreamArn"] for each in streams_client.list_streams(TableName=full)["Streams"]]
    assert sorted(listed) == sorted([stream, again])
    assert stream != again
    for arn, key in ((stream, "before"), (again, "after")):
        assert [record["dynamodb"]["Keys"]["p"]["S"] for record in records_of(streams_client, arn)] == [key]
    assert not {shard["ShardId"] for shard in shards_of(streams_client, stream)} & {
        shard["ShardId"] for shard in shards_of(streams_client, again)
    }


def test_a_stream_shows_nothing_from_before_it_was_enabled(client: Any, streams_client: Any, made: MakeTable) -> None:
    with made() as name:
        client.put_item(TableName=name, Item=item("a", 1, text="old"))
        client.update_table(TableName=name, StreamSpecification=enabled("NEW_AND_OLD_IMAGES"))
        arn = arn_of(client, name)
        assert records_of(streams_client, arn) == []
        client.put_item(TableName=name, Item=item("a", 1, text="new"))
        [record] = records_of(streams_client, arn)
        assert record["eventName"] == "MODIFY"
        assert record["dynamodb"]["OldImage"] == item("a", 1, text="old")


def test_streams_are_listed_page_by_page(client: Any, streams_client: Any, made: MakeTable) -> None:
    with made("KEYS_ONLY") as one, made("KEYS_ONLY") as other:
        found: list[str] = []
        page = streams_client.list_streams(Limit=1)
        while True:
            assert len(page["Streams"]) <= 1
            found += [each["TableName"] for each in page["Streams"]]
            if "LastEvaluatedStreamArn" not in page:
                break
            page = streams_client.list_streams(Limit=1, ExclusiveStartStreamArn=page["LastEvaluatedStreamArn"])
        assert found.count(one) == found.count(other) == 1
        [listed] = streams_client.list_streams(TableName=one)["Streams"]
        assert listed["StreamArn"] == arn_of(client, one)
        behind = streams_client.list_streams(TableName=one, ExclusiveStartStreamArn=listed["StreamArn"])
        assert behind["Streams"] == []


@pytest.mark.parametrize("limit", [0, 101])
def test_lists_have_a_limit_between_1_and_100(streams_client: Any, stream: str, limit: int) -> None:
    with invalid("limit"):
        streams_client.list_streams(Limit=limit)
    with invalid("limit"):
        streams_client.describe_stream(StreamArn=stream, Limit=limit)


def test_a_name_that_no_table_can_have_is_refused(streams_client: Any) -> None:
    with invalid("Value 'a!' at 'tableName' failed to satisfy constraint"):
        streams_client.list_streams(TableName="a!")


@pytest.mark.parametrize("arn", ["nothing", "x" * 50, "arn:aws:dynamodb:us-east-1:000000000000:table/abc"])
def test_what_is_no_arn_of_a_stream_is_refused(streams_client: Any, stream: str, arn: str) -> None:
    shard = shards_of(streams_client, stream)[0]["ShardId"]
    with invalid("Invalid StreamArn"):
        streams_client.list_streams(ExclusiveStartStreamArn=arn)
    with invalid("Invalid StreamArn"):
        streams_client.describe_stream(StreamArn=arn)
    with invalid("Invalid StreamArn"):
        streams_client.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="LATEST")


def test_a_stream_that_is_not_there_is_not_found(client: Any, streams_client: Any, made: MakeTable) -> None:
    with made("KEYS_ONLY") as name:
        gone = arn_of(client, name)
        shard = shards_of(streams_client, gone)[0]["ShardId"]
        elsewhere = gone.replace("us-east-1", "xx-west-9")
        other = gone[: gone.rindex("/")] + "/2001-01-01T00:00:00.000"
    for arn in (elsewhere, other):
        with refused("ResourceNotFoundException", f"Requested resource not found: Stream: {arn} not found"):
            streams_client.describe_stream(StreamArn=arn)
        with refused("ResourceNotFoundException", f"Requested resource not found: Stream: {arn} not found"):
            streams_client.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="LATEST")


# Shards


def test_a_stream_is_described_with_its_open_shards(client: Any, streams_client: Any, full: str, stream: str) -> None:
    description = streams_client.describe_stream(StreamArn=stream)["StreamDescription"]
    assert description["StreamArn"] == stream
    assert description["StreamArn"].endswith(description["StreamLabel"])
    assert description["StreamStatus"] == "ENABLED"
    assert description["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert description["TableName"] == full
    assert description["KeySchema"] == client.describe_table(TableName=full)["Table"]["KeySchema"]
    assert description["CreationRequestDateTime"].strftime("%Y-%m-%dT%H:%M:%S") in description["StreamLabel"]
    assert "LastEvaluatedShardId" not in description
    names = [shard["ShardId"] for shard in description["Shards"]]
    assert names == sorted(set(names))
    for shard in description["Shards"]:
        assert 28 <= len(shard["ShardId"]) <= 65
        assert shard["ShardId"].startswith("shardId-")
        assert "ParentShardId" not in shard
        assert shard["SequenceNumberRange"].keys() == {"StartingSequenceNumber"}
        assert 21 <= len(shard["SequenceNumberRange"]["StartingSequenceNumber"]) <= 40


def test_shards_are_described_page_by_page(streams_client: Any, stream: str) -> None:
    names = [shard["ShardId"] for shard in shards_of(streams_client, stream)]
    found = []
    page = streams_client.describe_stream(StreamArn=stream, Limit=1)["StreamDescription"]
    while "LastEvaluatedShardId" in page:
        assert [shard["ShardId"] for shard in page["Shards"]] == [page["LastEvaluatedShardId"]]
        found.append(page["LastEvaluatedShardId"])
        page = streams_client.describe_stream(StreamArn=stream, Limit=1, ExclusiveStartShardId=found[-1])[
            "StreamDescription"
        ]
    found += [shard["ShardId"] for shard in page["Shards"]]
    assert found == names
    for last in (names[-1], "zzzzzzzzzzzzzzzzzzzzzzzzsfasdgagadfadfgagkjsdfsfsdjfjks"):
        behind = streams_client.describe_stream(StreamArn=stream, ExclusiveStartShardId=last)["StreamDescription"]
        assert behind["Shards"] == []


def test_a_small_provisioned_table_has_one_shard_in_the_order_of_all_writes(
    client: Any, streams_client: Any, made: MakeTable
) -> None:
    capacity = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
    with made("KEYS_ONLY", BillingMode="PROVISIONED", ProvisionedThroughput=capacity) as name:
        stream = arn_of(client, name)
        assert len(shards_of(streams_client, stream)) == 1
        keys = [{"p": {"S": unique()}, "c": {"N": str(number)}} for number in range(5)]
        for key in keys:
            client.put_item(TableName=name, Item=key)
        assert [record["dynamodb"]["Keys"] for record in records_of(streams_client, stream)] == keys


def test_an_open_shard_has_no_children(streams_client: Any, stream: str) -> None:
    parent = shards_of(streams_client, stream)[0]["ShardId"]
    found = streams_client.describe_stream(StreamArn=stream, ShardFilter={"Type": "CHILD_SHARDS", "ShardId": parent})[
        "StreamDescription"
    ]
    assert found["Shards"] == []
    with invalid("Member must satisfy enum value set: [CHILD_SHARDS]"):
        streams_client.describe_stream(StreamArn=stream, ShardFilter={"Type": "ALL", "ShardId": parent})
    with invalid():
        streams_client.describe_stream(StreamArn=stream, ShardFilter={"Type": "CHILD_SHARDS"})


# Iterators


@pytest.mark.parametrize("kind", ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"])
def test_an_iterator_by_number_needs_one(streams_client: Any, stream: str, kind: str) -> None:
    shard = shards_of(streams_client, stream)[0]
    first = shard["SequenceNumberRange"]["StartingSequenceNumber"]
    request = {"StreamArn": stream, "ShardId": shard["ShardId"], "ShardIteratorType": kind}
    assert streams_client.get_shard_iterator(**request, SequenceNumber=first)["ShardIterator"]
    with invalid("SequenceNumber"):
        streams_client.get_shard_iterator(**request)
    with invalid("SequenceNumber"):
        streams_client.get_shard_iterator(**request, SequenceNumber="x" * 30)
    with invalid("Value '1' at 'sequenceNumber' failed to satisfy constraint: Member must have length greater than or"):
        streams_client.get_shard_iterator(**request, SequenceNumber="1")


@pytest.mark.parametrize("kind", ["TRIM_HORIZON", "LATEST"])
def test_other_iterators_take_no_number(streams_client: Any, stream: str, kind: str) -> None:
    shard = shards_of(streams_client, stream)[0]
    first = shard["SequenceNumberRange"]["StartingSequenceNumber"]
    with invalid("SequenceNumber"):
        streams_client.get_shard_iterator(
            StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType=kind, SequenceNumber=first
        )


@pytest.mark.parametrize("kind", ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"])
def test_all_shards_can_be_asked_for_a_number_of_one(
    client: Any, streams_client: Any, full: str, stream: str, kind: str
) -> None:
    for n in range(3):
        client.put_item(TableName=full, Item=item("a", n))
    shard, records = shard_with_records(streams_client, stream)
    number = records[1]["dynamodb"]["SequenceNumber"]
    found = {}
    for each in shards_of(streams_client, stream):
        iterator = streams_client.get_shard_iterator(
            StreamArn=stream, ShardId=each["ShardId"], ShardIteratorType=kind, SequenceNumber=number
        )["ShardIterator"]
        found[each["ShardId"]] = streams_client.get_records(ShardIterator=iterator)["Records"]
    assert found.pop(shard["ShardId"]) == records[1 if kind == "AT_SEQUENCE_NUMBER" else 2 :]
    assert not any(found.values())


def test_an_iterator_names_a_shard_and_a_type(streams_client: Any, stream: str) -> None:
    shard = shards_of(streams_client, stream)[0]["ShardId"]
    with refused("ResourceNotFoundException"):
        streams_client.get_shard_iterator(StreamArn=stream, ShardId="x" * 40, ShardIteratorType="LATEST")
    with invalid("at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum value set"):
        streams_client.get_shard_iterator(StreamArn=stream, ShardId=shard, ShardIteratorType="LAST")
    with invalid("2 validation errors detected: Value null at 'shardId'"):
        streams_client.get_shard_iterator(StreamArn=stream)


def test_a_made_up_iterator_is_refused(streams_client: Any, stream: str) -> None:
    iterator = iterators(streams_client, stream)[0]
    spoilt = iterator[:-6] + ("A" if iterator[-6] != "A" else "B") + iterator[-5:]
    for given in ("x" * 60, spoilt, iterator[: iterator.rindex("|") + 1], "ä" * 10):
        with invalid("Invalid ShardIterator"):
            streams_client.get_records(ShardIterator=given)


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_records_are_asked_for_by_the_thousand_at_most(streams_client: Any, stream: str, limit: int) -> None:
    with invalid("limit"):
        streams_client.get_records(ShardIterator=iterators(streams_client, stream)[0], Limit=limit)


def test_latest_begins_behind_what_is_there(client: Any, streams_client: Any, full: str, stream: str) -> None:
    client.put_item(TableName=full, Item=item("a", 1))
    latest = iterators(streams_client, stream, "LATEST")
    client.put_item(TableName=full, Item=item("a", 2))
    records = [record for iterator in latest for record in read(streams_client, iterator)]
    assert [record["dynamodb"]["Keys"] for record in records] == [item("a", 2)]


def test_an_iterator_begins_at_or_after_a_record(client: Any, streams_client: Any, full: str, stream: str) -> None:
    for c in range(3):
        client.put_item(TableName=full, Item=item("a", c))
    shard, records = shard_with_records(streams_client, stream)
    number = records[1]["dynamodb"]["SequenceNumber"]
    for kind, expected in (("AT_SEQUENCE_NUMBER", records[1:]), ("AFTER_SEQUENCE_NUMBER", records[2:])):
        given = streams_client.get_shard_iterator(
            StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType=kind, SequenceNumber=number
        )
        assert read(streams_client, given["ShardIterator"]) == expected
    first = shard["SequenceNumberRange"]["StartingSequenceNumber"]
    given = streams_client.get_shard_iterator(
        StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="AT_SEQUENCE_NUMBER", SequenceNumber=first
    )
    assert read(streams_client, given["ShardIterator"]) == records


def test_an_iterator_begins_at_a_time(client: Any, streams_client: Any, full: str, stream: str) -> None:
    client.put_item(TableName=full, Item=item("a", 1))
    shard, records = shard_with_records(streams_client, stream)
    request = {"StreamArn": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "AT_TIMESTAMP"}
    for time, expected in ((1_000_000_000, records), (4_000_000_000, [])):
        given = streams_client.get_shard_iterator(**request, Timestamp=time)
        assert read(streams_client, given["ShardIterator"]) == expected
    with invalid("Timestamp"):
        streams_client.get_shard_iterator(**request)


# Records


@pytest.mark.parametrize("view_type", view_types)
def test_a_view_type_decides_what_a_record_shows(
    client: Any, streams_client: Any, made: MakeTable, view_type: str
) -> None:
    with made(view_type) as name:
        client.put_item(TableName=name, Item=item("a", 1, text="one"))
        client.put_item(TableName=name, Item=item("a", 1, text="two!"))
        client.delete_item(TableName=name, Key=item("a", 1))
        records = records_of(streams_client, arn_of(client, name))
    one, two = item("a", 1, text="one"), item("a", 1, text="two!")
    expected = [("INSERT", None, one), ("MODIFY", one, two), ("REMOVE", two, None)]
    sizes = {"KEYS_ONLY": [5, 5, 5], "NEW_IMAGE": [17, 18, 5], "OLD_IMAGE": [5, 17, 18]}
    assert names_of(records) == [name for name, _, _ in expected]
    for record, (_, old, new) in zip(records, expected, strict=True):
        change = record["dynamodb"]
        assert change["Keys"] == item("a", 1)
        assert change["StreamViewType"] == view_type
        assert change.get("OldImage") == (old if view_type in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES") else None)
        assert change.get("NewImage") == (new if view_type in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES") else None)
    assert [record["dynamodb"]["SizeBytes"] for record in records] == sizes.get(view_type, [17, 30, 18])


def test_a_record_tells_where_it_comes_from(client: Any, streams_client: Any, full: str, stream: str) -> None:
    client.put_item(TableName=full, Item=item("a", 1))
    client.put_item(TableName=full, Item=item("b", 1))
    records = records_of(streams_client, stream)
    assert len({record["eventID"] for record in records}) == len(records) == 2
    assert records_of(streams_client, stream) == records
    for record in records:
        assert record.keys() == {
            "eventID",
            "eventName",
            "eventVersion",
            "eventSource",
            "awsRegion",
            "dynamodb",
        }
        assert (record["eventVersion"], record["eventSource"]) == ("1.1", "aws:dynamodb")
        assert record["awsRegion"] == "us-east-1"
        assert record["dynamodb"]["ApproximateCreationDateTime"].microsecond == 0


def test_writes_of_every_kind_make_records_in_order(client: Any, streams_client: Any, full: str, stream: str) -> None:
    key = item("a", 1)
    client.update_item(
        TableName=full, Key=key, UpdateExpression="SET x = :x", ExpressionAttributeValues={":x": {"S": "1"}}
    )
    client.batch_write_item(RequestItems={full: [{"PutRequest": {"Item": item("a", 1, y="2")}}]})
    client.update_item(TableName=full, Key=key, UpdateExpression="REMOVE y")
    client.batch_write_item(RequestItems={full: [{"DeleteRequest": {"Key": key}}]})
    client.update_item(TableName=full, Key=key)
    records = records_of(streams_client, stream)
    images = [(each["dynamodb"].get("OldImage"), each["dynamodb"].get("NewImage")) for each in records]
    assert names_of(records) == ["INSERT", "MODIFY", "MODIFY", "REMOVE", "INSERT"]
    steps = [None, item("a", 1, x="1"), item("a", 1, y="2"), key, None, key]
    assert images == list(pairwise(steps))


def test_a_write_that_changes_nothing_makes_no_record(client: Any, streams_client: Any, full: str, stream: str) -> None:
    same = {**item("a", 1), "set": {"SS": ["x", "y"]}, "number": {"N": "1.50"}, "map": {"M": {"i": {"S": "j"}}}}
    client.put_item(TableName=full, Item=same)
    client.put_item(TableName=full, Item=same)
    shuffled = {name: same[name] for name in reversed(same)} | {"set": {"SS": ["y", "x"]}, "number": {"N": "1.5"}}
    client.put_item(TableName=full, Item=shuffled)
    client.update_item(
        TableName=full,
        Key=item("a", 1),
        UpdateExpression="SET #n = :n",
        ExpressionAttributeNames={"#n": "number"},
        ExpressionAttributeValues={":n": {"N": "1.5"}},
    )
    client.delete_item(TableName=full, Key=item("nothing", 1))
    with refused("ConditionalCheckFailedException"):
        client.put_item(TableName=full, Item=item("a", 1), ConditionExpression="attribute_not_exists(p)")
    assert names_of(records_of(streams_client, stream)) == ["INSERT"]


def test_sequence_numbers_sort_as_numbers_and_as_text(client: Any, streams_client: Any, full: str, stream: str) -> None:
    for c in range(12):
        client.put_item(TableName=full, Item=item("a", c))
    shard, records = shard_with_records(streams_client, stream)
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    assert numbers == sorted(set(numbers))
    assert [int(number) for number in numbers] == sorted(map(int, numbers))
    assert int(shard["SequenceNumberRange"]["StartingSequenceNumber"]) <= int(numbers[0])


def test_pages_concatenate_to_the_shard(client: Any, streams_client: Any, full: str, stream: str) -> None:
    for c in range(10):
        client.put_item(TableName=full, Item=item("a", c))
    for limit in (1, 3, 10, 1000):
        records = records_of(streams_client, stream, Limit=limit)
        assert [record["dynamodb"]["Keys"] for record in records] == [item("a", c) for c in range(10)]


def test_a_page_holds_a_megabyte_at_most(client: Any, streams_client: Any, full: str, stream: str) -> None:
    for c in range(4):
        client.put_item(TableName=full, Item=item("a", c, text="x" * 390_000))
    shard, records = shard_with_records(streams_client, stream)
    assert len(records) == 4
    begin = streams_client.get_shard_iterator(
        StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    assert len(streams_client.get_records(ShardIterator=begin)["Records"]) == 2


def test_a_poller_at_the_end_of_an_open_shard_goes_on(client: Any, streams_client: Any, full: str, stream: str) -> None:
    places = dict(enumerate(iterators(streams_client, stream)))
    seen = []
    for c in range(5):
        client.put_item(TableName=full, Item=item("a", c))
        for number, iterator in places.items():
            page = streams_client.get_records(ShardIterator=iterator, Limit=100)
            seen += [record["dynamodb"]["Keys"]["c"]["N"] for record in page["Records"]]
            places[number] = page["NextShardIterator"]
    assert seen == ["0", "1", "2", "3", "4"]
    assert len(set(places.values())) == len(places)
