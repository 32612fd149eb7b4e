"""CreateTable with secondary indexes: what is described afterwards, and what is refused in which words."""

from typing import Any

import pytest

from tests.compat.tables import attribute, invalid, unique
from tests.compat.tables_with_indexes import (
    composite_index,
    global_index,
    key_schema,
    local_index,
    made_with_indexes,
)

_prefix = "One or more parameter values were invalid: "


def create(client: Any, definitions: str = "pc", keys: str = "pc", **settings: Any) -> None:
    client.create_table(
        TableName=unique("compat"),
        KeySchema=key_schema(*keys),
        AttributeDefinitions=[attribute(name, "S") for name in definitions],
        **{"BillingMode": "PAY_PER_REQUEST", **settings},
    )


def test_the_description_names_the_indexes(resource: Any) -> None:
    definitions = [attribute(name, kind) for name, kind in (("z", "S"), ("p", "S"), ("a", "N"))]
    indexes = [global_index("second", "z", "a", included=["y", "b"]), global_index("first", "a")]
    with made_with_indexes(resource, ["p"], definitions, GlobalSecondaryIndexes=indexes) as table:
        table.put_item(Item={"p": "p", "a": 1})
        description = table.meta.client.describe_table(TableName=table.name)["Table"]
        assert [each["AttributeName"] for each in description["AttributeDefinitions"]] == ["a", "p", "z"]
        second, first = description["GlobalSecondaryIndexes"]
        assert second == {
            "IndexName": "second",
            "KeySchema": key_schema("z", "a"),
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["b", "y"]},
            "IndexStatus": "ACTIVE",
            "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
            "IndexSizeBytes": 0,
            "ItemCount": 0,
            "IndexArn": f"{description['TableArn']}/index/second",
            "WarmThroughput": {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"},
        }
        assert (first["ItemCount"], first["IndexSizeBytes"]) == (1, 5)


def test_provisioned_indexes_have_their_own_throughput(resource: Any) -> None:
    indexes = [{**global_index("index", "a"), "ProvisionedThroughput": _units(3, 4)}]
    settings = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": _units(1, 2)}
    definitions = [attribute("p", "S"), attribute("a", "S")]
    with made_with_indexes(resource, ["p"], definitions, GlobalSecondaryIndexes=indexes, **settings) as table:
        [index] = table.meta.client.describe_table(TableName=table.name)["Table"]["GlobalSecondaryIndexes"]
        assert index["ProvisionedThroughput"] == {**_units(3, 4), "NumberOfDecreasesToday": 0}
        assert index["WarmThroughput"] == {"ReadUnitsPerSecond": 3, "WriteUnitsPerSecond": 4, "Status": "ACTIVE"}


def test_keys_may_have_four_attributes_of_each_kind(resource: Any) -> None:
    definitions = [attribute(name, "S") for name in "pabcdefgh"]
    indexes = [composite_index("wide", "abcd", "efgh")]
    with made_with_indexes(resource, ["p"], definitions, GlobalSecondaryIndexes=indexes) as table:
        [index] = table.meta.client.describe_table(TableName=table.name)["Table"]["GlobalSecondaryIndexes"]
        assert index["KeySchema"] == indexes[0]["KeySchema"]


@pytest.mark.parametrize(
    ("definitions", "settings", "message"),
    [
        ("pc", {"GlobalSecondaryIndexes": []}, _prefix + "List of GlobalSecondaryIndexes is empty"),
        ("pc", {"LocalSecondaryIndexes": []}, _prefix + "List of LocalSecondaryIndexes is empty"),
        ("pca", {"GlobalSecondaryIndexes": []}, _prefix + "List of GlobalSecondaryIndexes is empty"),
        (
            "pc",
            {"GlobalSecondaryIndexes": [global_index("index", "q")]},
            _prefix + "Some index key attributes are not defined in AttributeDefinitions. "
            "Keys: [q], AttributeDefinitions: [p, c]",
        ),
        (
            "pca",
            {"GlobalSecondaryIndexes": [composite_index("index", "p", ["a", "zz"])]},
            _prefix + "Some index key attributes are not defined in AttributeDefinitions. "
            "Keys: [p, zz, a], AttributeDefinitions: [p, a, c]",
        ),
        (
            "pc",
            {"GlobalSecondaryIndexes": [composite_index("index", "p", "ab")]},
            "Invalid KeySchema: Some index key attribute have no definition",
        ),
        (
            "pcab",
            {"GlobalSecondaryIndexes": [global_index("index", "a")]},
            _prefix + "Some AttributeDefinitions are not used. AttributeDefinitions: [p, a, b, c], "
            "keys used: [p, a, c]",
        ),
        ("pcp", {}, "Attribute Name is duplicated: p"),
        (
            "pca",
            {"GlobalSecondaryIndexes": [global_index("index", "a", "a")]},
            "The KeySchema contains multiple key attributes with the same name",
        ),
        (
            "pca",
            {"LocalSecondaryIndexes": [local_index("index", "p", "p"), local_index("other", "p", "a")]},
            "Both the Hash Key and the Range Key element in the KeySchema have the same name",
        ),
        (
            "pca",
            {"LocalSecondaryIndexes": [local_index("index", "p"), local_index("other", "p", "a")]},
            _prefix + "Index KeySchema does not have a range key for index: index",
        ),
        (
            "pca",
            {"LocalSecondaryIndexes": [local_index("index", "a", "p")]},
            _prefix + "Index KeySchema does not have the same leading hash key as table KeySchema for index: index. "
            "index hash key: a, table hash key: p",
        ),
        (
            "pca",
            {"GlobalSecondaryIndexes": [{**global_index("index", "a"), "Projection": {}}]},
            _prefix + "Unknown ProjectionType: null",
        ),
        (
            "pca",
            {"GlobalSecondaryIndexes": [global_index("index", "a", projection="INCLUDE")]},
            _prefix + "ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
        ),
        (
            "pca",
            {
                "GlobalSecondaryIndexes": [
                    {
                        **global_index("index", "a"),
                        "Projection": {"ProjectionType": "ALL", "NonKeyAttributes": ["x"]},
                    }
                ]
            },
            _prefix + "ProjectionType is ALL, but NonKeyAttributes is specified",
        ),
        (
            "pca",
            {"GlobalSecondaryIndexes": [global_index("index", "a", included=["x", "x"])]},
            _prefix + "Duplicate element in NonKeyAttributes: x",
        ),
        (
            "pca",
            {"GlobalSecondaryIndexes": [global_index("same", "a"), global_index("same", "a")]},
            _prefix + "Duplicate index name: same",
        ),
        (
            "pca",
            {
                "LocalSecondaryIndexes": [local_index("same", "p", "a")],
                "GlobalSecondaryIndexes": [global_index("same", "a")],
            },
            _prefix + "Duplicate index name: same",
        ),
        (
            "pca",
            {"LocalSecondaryIndexes": [local_index(f"index{number}", "p", "a") for number in range(6)]},
            _prefix + "Number of LocalSecondaryIndexes exceeds per-table limit of 5",
        ),
        (
            "pca",
            {"GlobalSecondaryIndexes": [global_index(f"index{number}", "a") for number in range(21)]},
            _prefix + "GlobalSecondaryIndex count exceeds the per-table limit of 20",
        ),
        (
            "pca",
            {
                "GlobalSecondaryIndexes": [
                    {
                        **global_index("index", "a"),
                        "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
                    }
                ]
            },
            _prefix + "ProvisionedThroughput should not be specified for index: index when BillingMode is "
            "PAY_PER_REQUEST",
        ),
        (
            "pca",
            {
                "BillingMode": "PROVISIONED",
                "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
                "GlobalSecondaryIndexes": [global_index("index", "a")],
            },
            _prefix + "ProvisionedThroughput is not specified for index: index",
        ),
        (
            "pcabde",
            {"GlobalSecondaryIndexes": [composite_index("index", "pcabd", "e")]},
            "The KeySchema exceeds the maximum allowed number of HASH key attributes",
        ),
        (
            "pcabde",
            {"GlobalSecondaryIndexes": [composite_index("index", "p", "cabde")]},
            "The KeySchema exceeds the maximum allowed number of RANGE key attributes",
        ),
        (
            "pca",
            {"GlobalSecondaryIndexes": [composite_index("index", "", "a")]},
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ),
    ],
)
def test_wrong_indexes_are_refused(client: Any, definitions: str, settings: dict[str, Any], message: str) -> None:
    with invalid(message):
        create(client, definitions, **settings)


def test_partition_key_attributes_come_first(client: Any) -> None:
    index = composite_index("index", "a", "c")
    index["KeySchema"].append({"AttributeName": "p", "KeyType": "HASH"})
    with invalid("All HASH key attributes must precede RANGE key attributes in the KeySchema"):
        create(client, "pca", GlobalSecondaryIndexes=[index])


def test_local_indexes_need_a_sort_key_of_the_table(client: Any) -> None:
    with invalid(
        _prefix + "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"
    ):
        create(client, "pa", "p", LocalSecondaryIndexes=[local_index("index", "p", "undefined")])


def test_no_more_than_100_attributes_are_included(client: Any) -> None:
    indexes = [
        global_index(f"index{number}", "a", included=[f"{number}x{each}" for each in range(20)]) for number in range(6)
    ]
    with invalid("100"):
        create(client, "pca", GlobalSecondaryIndexes=indexes)


def test_members_are_judged_first(client: Any) -> None:
    index = {**global_index("an index", "a", projection="SOME"), "KeySchema": []}
    with invalid("3 validation errors detected: Value 'an index' at 'globalSecondaryIndexes.1.member.indexName'"):
        create(client, "pca", GlobalSecondaryIndexes=[index])
    with invalid("' at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2"):
        create(client, "pca", LocalSecondaryIndexes=[composite_index("index", "p", "ca")])
    with invalid("' at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 8"):
        create(client, "pc", GlobalSecondaryIndexes=[composite_index("index", "abcd", "efghi")])
    with invalid("Member must have length less than or equal to 20"):
        included = [f"x{number}" for number in range(21)]
        create(client, "pca", GlobalSecondaryIndexes=[global_index("index", "a", included=included)])


def test_names_of_global_indexes_are_told_before_those_of_local_ones(client: Any) -> None:
    short = "Value '{}' at '{}SecondaryIndexes.1.member.indexName' failed to satisfy constraint: {}".format
    longer = "Member must have length greater than or equal to 3"
    with invalid(f"2 validation errors detected: {short('zz', 'global', longer)}; {short('aa', 'local', longer)}"):
        create(
            *(client, "pca"),
            LocalSecondaryIndexes=[local_index("aa", "p", "a")],
            GlobalSecondaryIndexes=[global_index("zz", "a")],
        )


def _units(read: int, write: int) -> dict[str, int]:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}
