"""ExecuteTransaction: all statements or none."""

from typing import Any

import pytest

from tests.compat.tables import invalid, refused, unique


@pytest.fixture
def p(sorted_table: Any) -> str:
    name = unique()
    for c in ("1", "2"):
        sorted_table.put_item(Item={"p": name, "c": c, "n": 1})
    return name


def _run(client: Any, table: Any, *statements: str, **request: Any) -> Any:
    named = [{"Statement": each.replace("{t}", f'"{table.name}"')} for each in statements]
    return client.execute_transaction(TransactStatements=named, **request)


def _values(table: Any, p: str) -> list[int]:
    query = {"KeyConditionExpression": "p = :p", "ExpressionAttributeValues": {":p": p}, "ConsistentRead": True}
    return [int(item.get("n", 0)) for item in table.query(**query)["Items"]]


def test_writes_happen_together(client: Any, sorted_table: Any, p: str) -> None:
    answer = _run(
        *(client, sorted_table),
        f"INSERT INTO {{t}} VALUE {{'p': '{p}', 'c': '3', 'n': 3}}",
        f"UPDATE {{t}} SET n=n+1 WHERE p='{p}' AND c='2'",
        f"DELETE FROM {{t}} WHERE p='{p}' AND c='1' AND n=1",
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer["Responses"] == []
    assert answer["ConsumedCapacity"] == [
        {"TableName": sorted_table.name, "CapacityUnits": 6.0, "WriteCapacityUnits": 6.0}
    ]
    assert _values(sorted_table, p) == [2, 3]


def test_a_refusal_leaves_everything_as_it_was(client: Any, sorted_table: Any, p: str) -> None:
    reasons = "[None, DuplicateItem, ConditionalCheckFailed, ConditionalCheckFailed, None]"
    with refused("TransactionCanceledException", reasons) as refusal:
        _run(
            *(client, sorted_table),
            f"UPDATE {{t}} SET n=7 WHERE p='{p}' AND c='2'",
            f"INSERT INTO {{t}} VALUE {{'p': '{p}', 'c': '1', 'n': 3}}",
            f"UPDATE {{t}} SET n=7 WHERE p='{p}' AND c='none'",
            f"DELETE FROM {{t}} WHERE p='{p}' AND c='nothing' AND n=1",
            f"DELETE FROM {{t}} WHERE p='{p}' AND c='nowhere'",
        )
    assert refusal.value.response["CancellationReasons"] == [
        {"Code": "None"},
        {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"},
        {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
        {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
        {"Code": "None"},
    ]
    assert _values(sorted_table, p) == [1, 1]


def test_a_token_is_of_statements_or_of_actions(client: Any, sorted_table: Any, p: str) -> None:
    token = unique()[:36]
    key = {"p": {"S": p}, "c": {"S": "1"}}
    check = {"TableName": sorted_table.name, "Key": key, "ConditionExpression": "attribute_exists(p)"}
    _run(client, sorted_table, f"UPDATE {{t}} SET n=7 WHERE p='{p}' AND c='1'", ClientRequestToken=token)
    client.transact_write_items(TransactItems=[{"ConditionCheck": check}], ClientRequestToken=token)


def test_exists_is_a_condition(client: Any, sorted_table: Any, p: str) -> None:
    write = f"UPDATE {{t}} SET n=7 WHERE p='{p}' AND c='2'"
    _run(client, sorted_table, f"EXISTS(SELECT * FROM {{t}} WHERE p='{p}' AND c='1' AND n=1)", write)
    assert _values(sorted_table, p) == [1, 7]
    with refused("TransactionCanceledException", "[ConditionalCheckFailed, None]"):
        _run(client, sorted_table, f"EXISTS(SELECT * FROM {{t}} WHERE p='{p}' AND c='1' AND n=2)", write)
    with invalid(
        "Validation failed in TransactStatements[1]: EXISTS() must contain a single item read with additional condition"
    ):
        _run(client, sorted_table, write, f"EXISTS(SELECT * FROM {{t}} WHERE p='{p}' AND c='1')")


def test_reads_show_one_moment(client: Any, sorted_table: Any, p: str) -> None:
    answer = _run(
        *(client, sorted_table),
        f"SELECT n FROM {{t}} WHERE p='{p}' AND c='1'",
        f"SELECT * FROM {{t}} WHERE p='{p}' AND c='none'",
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer["Responses"] == [{"Item": {"n": {"N": "1"}}}, {}]
    assert answer["ConsumedCapacity"] == [
        {"TableName": sorted_table.name, "CapacityUnits": 4.0, "ReadCapacityUnits": 4.0}
    ]


_mismatch = "The provided key element does not match the schema"
_missing_table = "Requested resource not found"


@pytest.mark.parametrize(
    ("statements", "reasons"),
    [
        (["UPDATE {t} SET n=1 WHERE p='x'", "DELETE FROM {t} WHERE p='y' AND c='1'"], [_mismatch, None]),
        (["UPDATE {t} SET n=1 WHERE p IN ['x'] AND c='1'"], [_mismatch]),
        (["DELETE FROM {t} WHERE p='x' AND c='1' AND p='y'"], [_mismatch]),
        (["DELETE FROM {t} WHERE p='x' AND c=1"], [_mismatch]),
        (
            ["INSERT INTO {t} VALUE {'p':'x'}", "DELETE FROM {t} WHERE c='1'"],
            ["One or more parameter values were invalid: Missing the key c in the item", _mismatch],
        ),
        (
            ["SELECT * FROM {t} WHERE p='x' AND c='1'"] * 2 + ["SELECT * FROM {t} WHERE p='x' AND c=1"],
            [None, None, _mismatch],
        ),
        (
            ['UPDATE "missing" SET n=1 WHERE p=1', "DELETE FROM \"missing\" WHERE p='x'"],
            [_missing_table, _missing_table],
        ),
        (["SELECT * FROM {t} WHERE p='x' AND c='1'", 'SELECT * FROM "missing"."i"'], [None, _missing_table]),
    ],
)
def test_a_missing_table_and_a_key_that_does_not_fit_are_reasons(
    client: Any, sorted_table: Any, statements: list[str], reasons: list[str | None]
) -> None:
    with refused("TransactionCanceledException") as refusal:
        _run(client, sorted_table, *statements)
    codes = {None: "None", _missing_table: "ResourceNotFound"}
    assert refusal.value.response["CancellationReasons"] == [
        {"Code": codes.get(each, "ValidationError")} | ({} if each is None else {"Message": each}) for each in reasons
    ]


@pytest.mark.parametrize(
    "writing", ["UPDATE {t} SET deep=? WHERE p='{p}' AND c='1'", "INSERT INTO {t} VALUE {'p':'{p}','c':'3','deep':?}"]
)
def test_a_parameter_nests_one_level_deeper_than_an_item(client: Any, sorted_table: Any, p: str, writing: str) -> None:
    """So it can be compared with; what would have to be stored is told of the item."""
    deep: Any = {"S": "x"}
    for _ in range(32):
        deep = {"M": {"a": deep}}
    texts = ["UPDATE {t} SET n=2 WHERE p='{p}' AND c='2'", writing, "SELECT * FROM {t} WHERE p='{p}' AND deep=?"]
    plain, write, read = (each.replace("{t}", f'"{sorted_table.name}"').replace("{p}", p) for each in texts)
    assert client.execute_statement(Statement=read, Parameters=[deep])["Items"] == []
    message = "Nesting Levels have exceeded supported limits"
    with refused("ValidationException") as refusal:
        client.execute_statement(Statement=write, Parameters=[deep])
    assert refusal.value.response["Error"]["Message"] == message
    with refused("TransactionCanceledException") as refusal:
        client.execute_transaction(
            TransactStatements=[{"Statement": plain}, {"Statement": write, "Parameters": [deep]}]
        )
    reasons = [{"Code": "None"}, {"Code": "ValidationError", "Message": message}]
    assert refusal.value.response["CancellationReasons"] == reasons
    with invalid(f"{message}: Attributes in the item have nested levels beyond supported limit"):
        client.execute_statement(Statement=read, Parameters=[{"L": [deep]}])
    assert _values(sorted_table, p) == [1, 1]


def test_a_client_token_makes_a_transaction_happen_once(client: Any, sorted_table: Any, p: str) -> None:
    token = unique()[:36]
    statement = f"UPDATE {{t}} SET n=n+1 WHERE p='{p}' AND c='1'"
    for _ in range(2):
        _run(client, sorted_table, statement, ClientRequestToken=token)
    assert _values(sorted_table, p) == [2, 1]
    with refused("IdempotentParameterMismatchException"):
        _run(client, sorted_table, f"{statement} AND n=1", ClientRequestToken=token)


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (
            ["SELECT * FROM {t} WHERE p='x' AND c='1'", "DELETE FROM {t} WHERE p='x' AND c='2'"],
            "ExecuteTransaction API does not support both read and write operations in the same request.",
        ),
        (
            ["DELETE FROM {t} WHERE p='x' AND c='1'", "UPDATE {t} SET n=1 WHERE p='x' AND c='1'"],
            "Transaction request cannot include multiple operations on one item",
        ),
        (
            ["DELETE FROM {t} WHERE p='x' AND c='1' RETURNING ALL OLD *"],
            "Validation failed in TransactStatements[0]: RETURNING clause is not supported in ExecuteTransaction.",
        ),
        (
            ["SELECT * FROM {t}.\"i\" WHERE p='x' AND c='1'"],
            "Validation failed in TransactStatements[0]: Reads on indices are not supported within transactions.",
        ),
        (["SELECT * FROM {t} WHERE p='x'"], "must specify the primary key in the where clause."),
        (
            ["SELECT * FROM {t} WHERE p='x' AND c='1'", "nonsense"],
            "Validation failed in TransactStatements[1]: Unsupported operation: Id",
        ),
        (
            ["UPDATE \"missing\" SET n=1 WHERE p='x'", "UPDATE {t} SET n=1 WHERE p='x' AND c='1' RETURNING ALL NEW *"],
            "Validation failed in TransactStatements[1]: RETURNING clause is not supported in ExecuteTransaction.",
        ),
        (
            ["SELECT * FROM {t} WHERE p IN ['x','x'] AND c='1'"],
            "Validation failed in TransactStatements[0]: Overlapping conditions with range keys are not supported in",
        ),
        (
            [],
            "at 'transactStatements' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
        (
            ["DELETE FROM {t} WHERE p='x' AND c='1'"] * 101,
            "at 'transactStatements' failed to satisfy constraint: Member must have length less than or equal to 100",
        ),
    ],
)
def test_refusals(client: Any, sorted_table: Any, statements: list[str], message: str) -> None:
    with invalid(message):
        _run(client, sorted_table, *statements)
