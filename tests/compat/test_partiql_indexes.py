"""ExecuteStatement on secondary indexes."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.compat.tables import invalid, unique


@pytest.fixture(scope="module")
def name(client: Any) -> Iterator[str]:
    """Keys `p` and `c`; "global" by `g` with its keys only, "local" by `p` and `l` with its keys and `shown`."""
    table = unique("compat")
    kinds = {"p": "S", "c": "N", "g": "S", "l": "N"}
    client.create_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": kind} for each, kind in kinds.items()],
        KeySchema=_key("p", "c"),
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[
            {"IndexName": "global", "KeySchema": _key("g", "l"), "Projection": {"ProjectionType": "KEYS_ONLY"}}
        ],
        LocalSecondaryIndexes=[
            {
                "IndexName": "local",
                "KeySchema": _key("p", "l"),
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["shown"]},
            }
        ],
    )
    client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
    for c in range(4):
        client.execute_statement(
            Statement=f"INSERT INTO \"{table}\" VALUE {{'p':'a','c':{c},'g':'g{c % 2}','l':{9 - c},'shown':1,'not':2}}"
        )
    client.execute_statement(Statement=f"INSERT INTO \"{table}\" VALUE {{'p':'a','c':9}}")
    yield table
    client.delete_table(TableName=table)


def _key(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": each, "KeyType": kind} for each, kind in zip(names, ("HASH", "RANGE"), strict=True)]


def _select(client: Any, statement: str, **request: Any) -> list[dict[str, Any]]:
    page = client.execute_statement(Statement=statement, **request)
    items: list[dict[str, Any]] = page["Items"]
    while "NextToken" in page:
        page = client.execute_statement(Statement=statement, NextToken=page["NextToken"], **request)
        items += page["Items"]
    return items


def _numbers(items: list[dict[str, Any]]) -> list[int]:
    return [int(item["c"]["N"]) for item in items]


@pytest.mark.parametrize("limit", [{}, {"Limit": 1}])
def test_an_index_is_read_by_its_own_key(client: Any, name: str, limit: dict[str, int]) -> None:
    assert _numbers(_select(client, f'SELECT * FROM "{name}"."global" WHERE g=\'g1\'', **limit)) == [3, 1]
    assert _numbers(_select(client, f'SELECT c FROM "{name}"."global" WHERE g=\'g1\' AND l=8', **limit)) == [1]
    descending = f'SELECT * FROM "{name}"."local" WHERE p=\'a\' AND l>6 ORDER BY l DESC'
    assert _numbers(_select(client, descending, **limit)) == [0, 1, 2]


def test_an_index_is_scanned_without_its_key(client: Any, name: str) -> None:
    assert sorted(_numbers(_select(client, f'SELECT * FROM "{name}"."global"'))) == [0, 1, 2, 3]
    assert _numbers(_select(client, f'SELECT * FROM "{name}"."local" WHERE shown=1 AND c=2')) == [2]


def test_what_an_index_has_of_an_item(client: Any, name: str) -> None:
    [item] = _select(client, f'SELECT * FROM "{name}"."global" WHERE g=\'g1\' AND l=8')
    assert set(item) == {"p", "c", "g", "l"}
    [item] = _select(client, f'SELECT * FROM "{name}"."local" WHERE p=\'a\' AND l=8')
    assert set(item) == {"p", "c", "l", "shown"}
    [item] = _select(client, f'SELECT "not", shown FROM "{name}"."local" WHERE p=\'a\' AND l=8')
    assert item == {"not": {"N": "2"}, "shown": {"N": "1"}}


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("shown=1", []),
        ("NOT shown=1", [0, 1, 2, 3]),
        ("(g='g1' AND shown=1) OR l=9", [0]),
        ("(g='g1' AND l=8) OR (g='g2' AND shown=1)", [1]),
        ("g='g1' AND (g='g2' OR shown=1)", []),
    ],
)
def test_where_not_every_read_of_an_index_asks_for_what_it_lacks_that_is_missing(
    client: Any, name: str, condition: str, found: list[int]
) -> None:
    items = _select(client, f'SELECT * FROM "{name}"."global" WHERE {condition}')
    assert sorted(_numbers(items)) == found


@pytest.mark.parametrize(
    ("statement", "message", "request_"),
    [
        ('SELECT * FROM {t}."none"', "The table does not have the specified index", {}),
        (
            "SELECT * FROM {t}.\"global\" WHERE g='g1'",
            "Strongly consistent read is not supported on Global Secondary Indexes",
            {"ConsistentRead": True},
        ),
        (
            'SELECT shown, c, "not" FROM {t}."global" WHERE g=\'g1\'',
            "One or more parameter values were invalid: Global secondary index global does not project [shown, not]",
            {},
        ),
        (
            "SELECT * FROM {t}.\"global\" WHERE g='g1' AND shown=1",
            "Secondary index global does not project one or more filter attributes: [shown]",
            {},
        ),
        (
            "SELECT * FROM {t}.\"global\" WHERE (g='b' AND b=1 AND a=2) OR (g='a' AND shown=1)",
            "Secondary index global does not project one or more filter attributes: [a, b]",
            {},
        ),
    ],
)
def test_refusals(client: Any, name: str, statement: str, message: str, request_: dict[str, Any]) -> None:
    with invalid(message):
        client.execute_statement(Statement=statement.replace("{t}", f'"{name}"'), **request_)


def test_consumed_capacity_names_the_index(client: Any, name: str) -> None:
    answer = client.execute_statement(
        Statement=f'SELECT * FROM "{name}"."global" WHERE g=\'g1\'', ReturnConsumedCapacity="INDEXES"
    )
    assert answer["ConsumedCapacity"] == {
        "TableName": name,
        "CapacityUnits": 0.5,
        "Table": {"CapacityUnits": 0.0},
        "GlobalSecondaryIndexes": {"global": {"CapacityUnits": 0.5}},
    }
