"""BatchExecuteStatement: every statement on its own, with its own error."""

from typing import Any

import pytest

from tests.compat.tables import invalid, unique


@pytest.fixture
def p(sorted_table: Any) -> str:
    name = unique()
    for c in ("1", "2"):
        sorted_table.put_item(Item={"p": name, "c": c, "n": 1, "m": {"k": c}})
    return name


def _batch(client: Any, table: Any, *statements: str | dict[str, Any], **request: Any) -> Any:
    written = [{"Statement": each} if isinstance(each, str) else each for each in statements]
    named = [each | {"Statement": each["Statement"].replace("{t}", f'"{table.name}"')} for each in written]
    return client.batch_execute_statement(Statements=named, **request)


def test_reads_answer_an_item_each(client: Any, sorted_table: Any, p: str) -> None:
    responses = _batch(
        *(client, sorted_table),
        f"SELECT m.k FROM {{t}} WHERE p='{p}' AND c='2'",
        {"Statement": "SELECT n FROM {t} WHERE p=? AND c='1'", "Parameters": [{"S": p}], "ConsistentRead": True},
        f"SELECT * FROM {{t}} WHERE p='{p}' AND c='none'",
    )["Responses"]
    name = sorted_table.name
    assert responses == [
        {"TableName": name, "Item": {"k": {"S": "2"}}},
        {"TableName": name, "Item": {"n": {"N": "1"}}},
        {"TableName": name},
    ]


def test_what_an_update_does_to_its_item_is_told_with_the_table(client: Any, sorted_table: Any, p: str) -> None:
    deep: dict[str, Any] = {"S": "x"}
    for _ in range(31):
        deep = {"M": {"a": deep}}
    responses = _batch(
        *(client, sorted_table),
        {"Statement": f"UPDATE {{t}} SET m.deep=? WHERE p='{p}' AND c='1'", "Parameters": [deep]},
        f"UPDATE {{t}} SET n=1 WHERE p='{p}'",
    )["Responses"]
    message = "Nesting Levels have exceeded supported limits"
    assert responses[0] == {"Error": {"Code": "ValidationError", "Message": message}, "TableName": sorted_table.name}
    assert "TableName" not in responses[1]


def test_reads_must_name_whole_keys_and_nothing_else(client: Any, sorted_table: Any, p: str) -> None:
    responses = _batch(
        *(client, sorted_table),
        f"SELECT * FROM {{t}} WHERE p='{p}'",
        f"SELECT * FROM {{t}} WHERE p='{p}' AND c='1' AND n=1",
        "SELECT * FROM {t}",
    )["Responses"]
    assert {response["Error"]["Code"] for response in responses} == {"ValidationError"}
    assert {response["Error"]["Message"] for response in responses} == {
        "Select statements within BatchExecuteStatement must specify the primary key in the where clause."
    }


def test_each_write_has_its_own_outcome(client: Any, sorted_table: Any, p: str) -> None:
    responses = _batch(
        *(client, sorted_table),
        {
            "Statement": f"INSERT INTO {{t}} VALUE {{'p': '{p}', 'c': '1'}}",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        },
        f"INSERT INTO {{t}} VALUE {{'p': '{p}', 'c': '3'}}",
        {
            "Statement": f"UPDATE {{t}} SET n=2 WHERE p='{p}' AND c='2' AND n=7",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        },
        f"DELETE FROM {{t}} WHERE p='{p}' AND c='4'",
        "UPDATE nowhere SET n=1 WHERE p='x'",
        "nonsense",
        f"UPDATE {{t}} SET n=5 WHERE p='{p}' AND c='5' RETURNING ALL NEW *",
    )["Responses"]
    errors = [response.get("Error", {}) for response in responses]
    assert [error.get("Code") for error in errors] == [
        *("DuplicateItem", None, "ConditionalCheckFailed", None),
        *("ResourceNotFound", "ValidationError", "ConditionalCheckFailed"),
    ]
    assert {number for number, response in enumerate(responses) if "TableName" in response} == {0, 1, 2, 3, 4, 6}
    assert errors[0] == {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"}
    assert errors[2]["Item"]["c"] == {"S": "2"}
    assert "Item" not in errors[6]
    assert errors[5]["Message"] == "Unsupported operation: Id"
    assert sorted_table.get_item(Key={"p": p, "c": "3"})["Item"] == {"p": p, "c": "3"}


def test_returned_items(client: Any, sorted_table: Any, p: str) -> None:
    responses = _batch(
        *(client, sorted_table),
        f"UPDATE {{t}} SET n=5 WHERE p='{p}' AND c='1' RETURNING MODIFIED NEW *",
        f"DELETE FROM {{t}} WHERE p='{p}' AND c='2' RETURNING ALL OLD *",
    )["Responses"]
    assert responses[0]["Item"] == {"n": {"N": "5"}}
    assert responses[1]["Item"]["m"] == {"M": {"k": {"S": "2"}}}


def test_what_the_batch_as_a_whole_may_not_be(client: Any, sorted_table: Any, p: str) -> None:
    read, write = f"SELECT * FROM {{t}} WHERE p='{p}' AND c='1'", f"DELETE FROM {{t}} WHERE p='{p}' AND c='1'"
    with invalid("Read and write requests together in the same batch is not supported."):
        _batch(client, sorted_table, read, write)
    with invalid("Provided list of item keys contains duplicates"):
        _batch(client, sorted_table, read, read)
    with invalid("Provided list of item keys contains duplicates"):
        _batch(client, sorted_table, write, f"UPDATE {{t}} SET n=1 WHERE c='1' AND p='{p}'")
    with invalid("at 'statements' failed to satisfy constraint: Member must have length greater than or equal to 1"):
        _batch(client, sorted_table)
    with invalid("at 'statements' failed to satisfy constraint: Member must have length less than or equal to 25"):
        _batch(client, sorted_table, *[read] * 26)
    assert "Item" in sorted_table.get_item(Key={"p": p, "c": "1"})


def test_capacity_is_that_of_all_statements_of_a_table_that_some_reached(
    client: Any, sorted_table: Any, p: str
) -> None:
    reads = [f"SELECT * FROM {{t}} WHERE p='{p}' AND c='{c}'" for c in ("1", "2", "3")]
    answer = _batch(client, sorted_table, *reads, ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == [{"TableName": sorted_table.name, "CapacityUnits": 1.5}]
    answer = _batch(client, sorted_table, "nonsense", ReturnConsumedCapacity="TOTAL")
    assert "ConsumedCapacity" not in answer


def test_a_write_that_its_condition_stops_is_charged_beside_others(client: Any, sorted_table: Any, p: str) -> None:
    """By the larger of the item that is there and the one that it brings: in the total, in no part of it."""
    sorted_table.put_item(Item={"p": p, "c": "large", "a": "x" * 2500})
    stopped: list[str | dict[str, Any]] = [
        {
            "Statement": "INSERT INTO {t} VALUE {'p': ?, 'c': '1', 'a': ?}",
            "Parameters": [{"S": p}, {"S": "x" * 1500}],
        },
        f"UPDATE {{t}} SET n=2 WHERE p='{p}' AND c='large' AND n=7",
        f"UPDATE {{t}} SET n=2 WHERE p='{p}' AND c='none'",
    ]
    answer = _batch(client, sorted_table, *stopped, ReturnConsumedCapacity="TOTAL")
    assert "ConsumedCapacity" not in answer
    answer = _batch(
        *(client, sorted_table, *stopped, f"DELETE FROM {{t}} WHERE p='{p}' AND c='2'", "nonsense"),
        ReturnConsumedCapacity="INDEXES",
    )
    assert answer["ConsumedCapacity"] == [
        {"TableName": sorted_table.name, "CapacityUnits": 2 + 3 + 1 + 1.0, "Table": {"CapacityUnits": 1.0}}
    ]
