"""ExecuteStatement with INSERT, UPDATE and DELETE."""

from typing import Any

import pytest

from tests.compat.tables import condition_failed, invalid, refused, unique


@pytest.fixture
def run(client: Any, sorted_table: Any) -> Any:
    """Runs a statement in which `t` is a table with the keys `p` and `c`; answers its items."""

    def execute(statement: str, *parameters: dict[str, Any], **request: Any) -> list[dict[str, Any]]:
        if parameters:
            request["Parameters"] = list(parameters)
        answer = client.execute_statement(Statement=statement.replace("{t}", f'"{sorted_table.name}"'), **request)
        items: list[dict[str, Any]] = answer["Items"]
        return items

    return execute


@pytest.fixture
def p(sorted_table: Any) -> str:
    """The partition key of an item with the sort key "c"."""
    name = unique()
    sorted_table.put_item(Item={"p": name, "c": "c", "n": 1, "l": [1, 2], "m": {"k": "v"}, "s": {"x", "y"}})
    return name


def _stored(table: Any, p: str) -> dict[str, Any]:
    item: dict[str, Any] = table.get_item(Key={"p": p, "c": "c"}, ConsistentRead=True).get("Item", {})
    return {name: value for name, value in item.items() if name not in ("p", "c")}


def test_insert_puts_an_item(run: Any, sorted_table: Any) -> None:
    p = unique()
    answer = run(
        "INSERT INTO {t} VALUE {'p': ?, 'c': 'c', 'text': 'it''s', 'n': -1.50e1, 'yes': true, 'nul': null,"
        " 'l': [1, ['x', {'k': 2}]], 'm': {'a.b': 1}, 'ss': <<'a', 'b'>>, 'ns': <<1, 2.0>>, 'b': ?}",
        {"S": p},
        {"B": b"\x00\x01"},
    )
    assert answer == []
    stored = _stored(sorted_table, p)
    assert stored.pop("b").value == b"\x00\x01"
    assert stored == {
        "text": "it's",
        "n": -15,
        "yes": True,
        "nul": None,
        "l": [1, ["x", {"k": 2}]],
        "m": {"a.b": 1},
        "ss": {"a", "b"},
        "ns": {1, 2},
    }


def test_insert_takes_no_key_twice(run: Any, p: str, sorted_table: Any) -> None:
    before = _stored(sorted_table, p)
    with refused("DuplicateItemException", "Duplicate primary key exists in table"):
        run("INSERT INTO {t} VALUE {'p': ?, 'c': 'c'}", {"S": p})
    assert _stored(sorted_table, p) == before


bag = "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{'p': 'x'}", "Missing the key c in the item"),
        ("{'p': 'x', 'c': 1}", "Key attribute's data type should match its data type in table's schema: Key c"),
        ("{'p': 'x', 'c': 'c', 's': <<>>}", "Empty bags are not supported"),
        ("{'p': 'x', 'c': 'c', 's': <<1, 'a'>>}", bag),
        ("{'p': 'x', 'c': 'c', 's': <<'a', 1>>}", f"{bag} at 1:"),
        ("{'p': 'x', 'c': 'c', 's': <<true>>}", f"{bag} at 1:"),
        ("{'p': 'x', 'c': 'c', 'm': {'s': <<1, null>>}}", "Numeric sets may not contain null under root.s"),
        ("{'p': 'x', 'c': 'c', 's': <<'a', ?>>}", "Unsupported data type: Parameter under key root at 1:"),
        ("{'p': 'x', 'c': 'c', 'm': {'': 1}}", "Path component cannot be an empty string"),
        ("{'p': 'x', 'c': 'c', 'l': [?]}", "Unsupported data type: Parameter under key root[0]"),
    ],
)
def test_insert_refusals(run: Any, value: str, message: str) -> None:
    with invalid(message):
        run(f"INSERT INTO {{t}} VALUE {value}", {"S": "?"})


@pytest.mark.parametrize(
    ("edits", "changed"),
    [
        ("SET n=2", {"n": 2}),
        ("SET n=n+41 SET added='x'", {"n": 42, "added": "x"}),
        ("SET n=n-1, m.k2=[1]", {"n": 0, "m": {"k": "v", "k2": [1]}}),
        ("SET l[0]=7 REMOVE m.k", {"l": [7, 2], "m": {}}),
        ("REMOVE l[0] REMOVE n", {"l": [2], "n": None}),
        ("SET l=list_append(l, [3])", {"l": [1, 2, 3]}),
        ("SET Only=1", {"Only": 1}),
        ("SET l=list_append([0], l)", {"l": [0, 1, 2]}),
        ("SET s=set_add(s, <<'z'>>)", {"s": {"x", "y", "z"}}),
        ("SET s=set_delete(s, <<'x'>>)", {"s": {"y"}}),
        ("SET s=set_delete(s, <<'x', 'y'>>)", {"s": None}),
        ("SET fresh=set_add(fresh, <<1>>)", {"fresh": {1}}),
        ('SET n=l[1], "odd name"=m', {"n": 2, "odd name": {"k": "v"}}),
    ],
)
def test_update(run: Any, p: str, sorted_table: Any, edits: str, changed: dict[str, Any]) -> None:
    expected = _stored(sorted_table, p) | changed
    run(f"UPDATE {{t}} {edits} WHERE p=? AND c='c'", {"S": p})
    assert _stored(sorted_table, p) == {name: value for name, value in expected.items() if value is not None}


@pytest.mark.parametrize(
    ("returning", "expected"),
    [
        ("", []),
        ("ALL OLD *", [{"n": 1, "l": 2}]),
        ("ALL NEW *", [{"n": 2, "l": 1}]),
        ("MODIFIED OLD *", [{"n": 1, "l": 1}]),
        ("MODIFIED NEW *", [{"n": 2, "l": 1}]),
    ],
)
def test_update_returning(run: Any, p: str, returning: str, expected: list[dict[str, int]]) -> None:
    clause = f"RETURNING {returning}" if returning else ""
    items = run(f"UPDATE {{t}} SET n=2 REMOVE l[0] WHERE p=? AND c='c' {clause}", {"S": p})
    assert [{"n": int(item["n"]["N"]), "l": len(item["l"]["L"])} for item in items] == expected
    assert all(("s" in item) == returning.startswith("ALL") for item in items)


def test_update_returning_nothing_modified_answers_no_item(run: Any, p: str) -> None:
    assert run("UPDATE {t} REMOVE n WHERE p=? AND c='c' RETURNING MODIFIED NEW *", {"S": p}) == []


def test_update_and_delete_judge_the_rest_of_the_condition(run: Any, p: str, sorted_table: Any) -> None:
    before = _stored(sorted_table, p)
    for statement in ("UPDATE {t} SET n=2", "DELETE FROM {t}"):
        with condition_failed() as refusal:
            run(f"{statement} WHERE p=? AND c='c' AND n=7", {"S": p}, ReturnValuesOnConditionCheckFailure="ALL_OLD")
        assert refusal.value.response["Item"]["n"] == {"N": "1"}
    assert _stored(sorted_table, p) == before
    run("UPDATE {t} SET n=2 WHERE n=1 AND p=? AND m.k IN ['v'] AND c='c'", {"S": p})
    assert _stored(sorted_table, p)["n"] == 2


def test_update_makes_no_item_and_delete_needs_none(run: Any, sorted_table: Any) -> None:
    p = unique()
    with condition_failed():
        run("UPDATE {t} SET n=1 WHERE p=? AND c='c'", {"S": p})
    assert run("DELETE FROM {t} WHERE p=? AND c='c' AND n=1", {"S": p}) == []
    assert run("DELETE FROM {t} WHERE p=? AND c='c' RETURNING ALL OLD *", {"S": p}) == []
    assert _stored(sorted_table, p) == {}


def test_delete(run: Any, p: str, sorted_table: Any) -> None:
    [old] = run("DELETE FROM {t} WHERE p=? AND c='c' AND size(l)=2 RETURNING ALL OLD *", {"S": p})
    assert old["n"] == {"N": "1"}
    assert _stored(sorted_table, p) == {}


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE {t} SET n=1", "Where clause does not contain a mandatory equality on all key attributes"),
        ("UPDATE {t} SET n=1 WHERE p='x'", "Where clause does not contain a mandatory equality on all key attributes"),
        (
            "DELETE FROM {t} WHERE p='x' AND c>'c'",
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        (
            "UPDATE {t} SET n=1 WHERE p='x' AND c='c' AND p='y'",
            "Multiple conditions on same key p. Only single item Update/Insert/Delete are supported",
        ),
        (
            "UPDATE {t} REMOVE l[2147483648] WHERE p='x' AND c='c'",
            "List index is not within the allowable range; index:",
        ),
        (
            f"UPDATE {{t}} SET d={'[' * 32}1{']' * 32} WHERE p='x' AND c='c'",
            f"Nesting Levels have exceeded supported limits under root{'[0]' * 32}",
        ),
        ("INSERT INTO {t} VALUE {'p': set_add('x', 'y')}", "Unsupported data type: set_add under key root at 1:"),
        ("p IS INT4", "Unsupported operation: IsType"),
        ("DELETE FROM {t}", "Where clause does not contain a mandatory equality on all key attributes"),
        (
            "UPDATE {t} SET n=1 WHERE p='x' AND c=1",
            "Key attribute's data type should match its data type in table's schema: Key c",
        ),
        ("UPDATE {t} SET c='d' WHERE p='x' AND c='c'", "Cannot update attribute c. This attribute is part of the key"),
        (
            "UPDATE {t} WHERE p='x' AND c='c'",
            "Statement wasn't well formed, can't be processed: Expected data manipulation",
        ),
        ("UPDATE {t}.\"i\" SET n=1 WHERE p='x' AND c='c'", "This operation is not supported on an index"),
        ('DELETE FROM "no-such-table"."i" WHERE p=\'x\'', "This operation is not supported on an index"),
        (
            "INSERT INTO {t}.\"i\" VALUE {'p': 'x', 'c': 'c'}",
            "FROM clause may only contain a single table name in data manipulation statements at 1:13:",
        ),
        (
            "DELETE FROM {t} WHERE p='x' AND c='c' RETURNING ALL NEW *",
            "Only RETURNING ALL OLD * is allowed in DELETE statements.",
        ),
        ("UPDATE {t} SET n=1, n=2 WHERE p='x' AND c='c'", "Two document paths overlap with each other"),
        (
            "EXISTS(SELECT * FROM {t} WHERE p='x' AND c='c')",
            "EXISTS can only be used in ExecuteTransaction write requests.",
        ),
    ],
)
def test_refusals(run: Any, statement: str, message: str) -> None:
    with invalid(message):
        run(statement)


def test_tables_that_are_not_there(client: Any) -> None:
    for statement in (
        'SELECT * FROM "no-such-table"',
        "INSERT INTO \"no-such-table\" VALUE {'p': 'x'}",
        "UPDATE \"no-such-table\" SET a=1 WHERE p='x'",
        "DELETE FROM \"no-such-table\" WHERE p='x'",
    ):
        with refused("ResourceNotFoundException", "Requested resource not found"):
            client.execute_statement(Statement=statement)


def test_consumed_capacity(client: Any, table: Any) -> None:
    p = unique()
    for statement in (
        f"INSERT INTO \"{table.name}\" VALUE {{'p': '{p}', 'a': '{'x' * 1500}'}}",
        f"UPDATE \"{table.name}\" SET b=1 WHERE p='{p}'",
        f"DELETE FROM \"{table.name}\" WHERE p='{p}'",
    ):
        answer = client.execute_statement(Statement=statement, ReturnConsumedCapacity="TOTAL")
        assert answer["ConsumedCapacity"] == {"TableName": table.name, "CapacityUnits": 2.0}
