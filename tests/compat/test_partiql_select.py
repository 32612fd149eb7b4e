"""ExecuteStatement with SELECT: what is read, what is shown of it, in which order and in which pages."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.compat.tables import attribute, invalid, made_table, unique


@pytest.fixture(scope="module")
def songs(resource: Any) -> Iterator[Any]:
    """Partition key `p`, sort key `c` (a number); two collections, "a" with five items and "b" with two."""
    with made_table(resource, attribute("p", "S"), attribute("c", "N")) as made:
        for p, count in (("a", 5), ("b", 2)):
            for c in range(count):
                item = {"p": p, "c": c, "n": c * 10, "s": {"x", f"{c}"}, "l": [c, {"deep": "down"}]}
                made.put_item(Item=item | ({"nul": None} if c % 2 else {"m": {"k": {"z": c}}}))
        yield made


@pytest.fixture
def keys(client: Any, songs: Any) -> Any:
    """The keys of all that `SELECT … FROM songs {rest}` answers, as text."""

    def select(rest: str, *parameters: dict[str, Any]) -> str:
        return " ".join(
            item["p"]["S"] + item["c"]["N"] for item in _items(client, f'* FROM "{songs.name}" {rest}', *parameters)
        )

    return select


def _items(client: Any, rest: str, *parameters: dict[str, Any], **request: Any) -> list[dict[str, Any]]:
    """The items of all pages."""
    if parameters:
        request["Parameters"] = list(parameters)
    page = client.execute_statement(Statement=f"SELECT {rest}", **request)
    items: list[dict[str, Any]] = page["Items"]
    while "NextToken" in page:
        page = client.execute_statement(Statement=f"SELECT {rest}", NextToken=page["NextToken"], **request)
        items += page["Items"]
    return items


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("p='b'", "b0 b1"),
        ("p='a' AND c=3", "a3"),
        ("p='a' AND c>2", "a3 a4"),
        ("p='a' AND c>=2 AND n<40", "a2 a3"),
        ("p='a' AND c BETWEEN 1 AND 3", "a1 a2 a3"),
        ("p='a' AND 3 > c", "a0 a1 a2"),
        ("p='none'", ""),
        ("p='a' AND c=99", ""),
        ("p IN ['b', 'a'] AND c=1", "b1 a1"),
        ("p IN ('b')", "b0 b1"),
        ("p='a' AND c IN [4, 0, 7]", "a4 a0"),
        ("p='a' AND (n=10 OR n=30)", "a1 a3"),
        ("p='a' AND (c<1 OR c>3 OR c=2)", "a0 a4 a2"),
        ("p='a' AND c>0 AND c<3", "a1 a2"),
        ("p='a' AND c<>1 AND NOT c>2", "a0 a2"),
        ("p='a' AND c=1 OR p='a' AND NOT c=3", "a0 a1 a2 a4"),
        ("p='a' AND attribute_exists(p) AND c<1", "a0"),
        ("(p='b' AND c=1) OR (p='a' AND n=20)", "b1 a2"),
        ("p='b' AND attribute_exists(m) = true", "b0"),
        ("p='b' AND (c=0 OR n=10) = false", ""),
        ("p='b' AND attribute_exists(m) = attribute_exists(nul)", ""),
        ("p='b' AND attribute_exists(m) IN [true, false]", "b0 b1"),
        ("p='b' AND attribute_exists(m) <> 1", "b0 b1"),
        ("p='b' AND true IN [attribute_exists(m)]", "b0"),
        ("p='a' AND c>0 AND c<3 OR p='a' AND c=2", "a1 a2"),
        ("p='a' AND NOT n=10 AND n<>30", "a0 a2 a4"),
        ("p='a' AND n IN [0, 40]", "a0 a4"),
        ("p='a' AND n NOT BETWEEN 10 AND 30", "a0 a4"),
        ("p='a' AND contains(s, '2')", "a2"),
        ("p='a' AND size(l)=2 AND l[0]=4", "a4"),
        ("p='a' AND m.k.z=2", "a2"),
        ("p='a' AND l[1].deep='down' AND nul IS NULL", "a1 a3"),
        ("p='a' AND nul IS NOT NULL", "a0 a2 a4"),
        ("p='a' AND nul IS MISSING", "a0 a2 a4"),
        ("p='a' AND nul IS NOT MISSING", "a1 a3"),
        ("p='a' AND attribute_type(m, 'M')", "a0 a2 a4"),
        ("p='a' AND begins_with(m.k.z, 'x')", ""),
        ("p='a' AND c=1 AND c='x'", ""),
        ("p='a' AND c>0 AND c<'x'", ""),
        ("p='a' AND p=5 OR p=6", ""),
        ("c=true AND n=10", ""),
    ],
)
def test_conditions(keys: Any, condition: str, expected: str) -> None:
    assert keys(f"WHERE {condition}") == expected


def test_parameters_stand_for_values(keys: Any) -> None:
    assert keys("WHERE p=? AND c IN [?, ?]", {"S": "a"}, {"N": "1"}, {"N": "2"}) == "a1 a2"
    assert keys("WHERE p=? AND contains(s, ?)", {"S": "a"}, {"S": "3"}) == "a3"


def test_without_the_partition_key_everything_is_looked_at(keys: Any) -> None:
    assert sorted(keys("").split()) == ["a0", "a1", "a2", "a3", "a4", "b0", "b1"]
    assert sorted(keys("WHERE n=10").split()) == ["a1", "b1"]
    assert sorted(keys("WHERE p>'a'").split()) == ["b0", "b1"]
    assert sorted(keys("WHERE p='b' OR n=40").split()) == ["a4", "b0", "b1"]
    assert sorted(keys("WHERE c=1").split()) == ["a1", "b1"]


def test_columns_go_by_the_last_name_of_their_path(client: Any, songs: Any) -> None:
    [item] = _items(client, f"n, m.k.z, l[1].deep, l[0], absent FROM \"{songs.name}\" WHERE p='a' AND c=2")
    assert item == {"n": {"N": "20"}, "z": {"N": "2"}, "deep": {"S": "down"}, "l[0]": {"N": "2"}}
    assert _items(client, f"absent FROM \"{songs.name}\" WHERE p='a' AND c=2") == [{}]


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("WHERE p='a' ORDER BY c", "a0 a1 a2 a3 a4"),
        ("WHERE p='a' ORDER BY c DESC", "a4 a3 a2 a1 a0"),
        ("WHERE p='a' AND c<2 ORDER BY c DESC NULLS LAST", "a1 a0"),
        ("WHERE p='a' AND c<2 ORDER BY p, c ASC", "a0 a1"),
        ("WHERE p IN ['b','a'] AND c<2 ORDER BY p, c", "a0 a1 b0 b1"),
        ("WHERE p IN ['b','a'] AND c<2 ORDER BY p DESC, c DESC", "b1 b0 a1 a0"),
    ],
)
def test_order(keys: Any, rest: str, expected: str) -> None:
    assert keys(rest) == expected


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "WHERE n>10",
        "WHERE p='a'",
        "WHERE p='a' ORDER BY c DESC",
        "WHERE p IN ['b','a']",
        "WHERE p='a' AND (c<2 OR c>3) OR p='b' AND c<>1",
        "WHERE p='a' AND c>0 OR p='a' AND NOT c=3",
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_come_to_the_whole(client: Any, songs: Any, condition: str, limit: int) -> None:
    rest = f'p, c FROM "{songs.name}" {condition}'
    assert _items(client, rest, Limit=limit) == _items(client, rest)


def test_limit_counts_what_is_looked_at(client: Any, songs: Any) -> None:
    statement = f"SELECT * FROM \"{songs.name}\" WHERE p='a' AND n>30"
    page = client.execute_statement(Statement=statement, Limit=2)
    assert page["Items"] == []
    assert page["NextToken"]
    for statement in (
        f"SELECT c FROM \"{songs.name}\" WHERE p='a' AND {both}" for both in ("c<=3 AND c>=2", "c>=2 AND c<=3")
    ):
        assert client.execute_statement(Statement=statement, Limit=2)["Items"] == [{"c": {"N": "2"}}, {"c": {"N": "3"}}]


def test_several_keys_come_in_pages_of_ten(client: Any, table: Any) -> None:
    names = [unique() for _ in range(12)]
    for name in names:
        table.put_item(Item={"p": name})
    wanted = ",".join(f"'{name}'" for name in names)
    statement = f'SELECT p FROM "{table.name}" WHERE p IN [{wanted}]'
    first = client.execute_statement(Statement=statement)
    second = client.execute_statement(Statement=statement, NextToken=first["NextToken"])
    assert [item["p"]["S"] for item in first["Items"]] == names[:10]
    assert [item["p"]["S"] for item in second["Items"]] == names[10:]
    assert "NextToken" not in second


def test_a_token_is_good_for_its_statement_only(client: Any, songs: Any) -> None:
    statement = f'SELECT * FROM "{songs.name}" WHERE p=?'
    page = client.execute_statement(Statement=statement, Parameters=[{"S": "a"}], Limit=1)
    token = page["NextToken"]
    client.execute_statement(Statement=statement, Parameters=[{"S": "a"}], Limit=3, NextToken=token)
    with invalid("NextToken does not match request"):
        client.execute_statement(Statement=statement, Parameters=[{"S": "b"}], NextToken=token)
    with invalid("Invalid NextToken"):
        client.execute_statement(Statement=statement, Parameters=[{"S": "a"}], NextToken="none of yours")


def test_consumed_capacity(client: Any, songs: Any) -> None:
    for consistent, units in ((False, 0.5), (True, 1.0)):
        for condition in ("p='a' AND c=1", "p='a'", "p='none'"):
            answer = client.execute_statement(
                Statement=f'SELECT * FROM "{songs.name}" WHERE {condition}',
                ConsistentRead=consistent,
                ReturnConsumedCapacity="TOTAL",
            )
            assert answer["ConsumedCapacity"] == {"TableName": songs.name, "CapacityUnits": units}


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("WHERE p=1", "Key attribute's data type should match its data type in table's schema: Key p"),
        ("WHERE p='a' AND (c=1 OR n=0)", "Overlapping conditions with range keys are not supported in where clause"),
        ("WHERE p='a' OR p='a'", "Overlapping conditions with range keys are not supported in where clause"),
        (f"WHERE p='a' AND c IN {list(range(51))}", "Too many decomposed read operations for a given query."),
        (
            "WHERE p='a' AND n=1e126",
            "Number overflow. Attempting to store a number with magnitude larger than supported range under root",
        ),
        ("WHERE p='a' AND n=1e2147483648", "Statement wasn't well formed, can't be processed: "),
        ("WHERE p='a' AND attribute_exists(n) > true", "operator or function: >, operand type: BOOL"),
        ("WHERE p='a' AND set_add(s, 1)", "Unrecognized function: set_add at 1:"),
        ("ORDER BY c", "Must have WHERE clause in the statement when using ORDER BY clause."),
        (
            "WHERE n=1 ORDER BY c",
            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
        ),
        ("WHERE p='a' ORDER BY n", "Attribute n in ORDER BY clause must be part of the primary key"),
        ("WHERE p='a' ORDER BY m.x", "Argument to ORDER BY must be of type VariableReference. Type: PATH at 1:"),
        (
            "WHERE p='a' AND p='b' ORDER BY c",
            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
        ),
        ("WHERE n=0 OR p=1", "Key attribute's data type should match its data type in table's schema: Key p"),
        ("WHERE p=true OR p>'a'", "Key value must be of type S, N, or B. Key name: p, Key type: BOOL"),
        ("WHERE p='a' AND c=true OR p='b' AND c=1 AND c=2", "Key value must be of type S, N, or B. Key name: c,"),
        ("WHERE p IN ['a', 1] AND p IN [1, 'a']", "data type should match its data type in table's schema: Key p"),
        ("WHERE p={'a': 1}", "Key value must be of type S, N, or B. Key name: p, Key type: M"),
        (f"WHERE p='{'x' * 2049}'", "Size of hashkey has exceeded the maximum size limit of2048 bytes"),
        ("WHERE n=MISSING", "MISSING must be compared using IS operator"),
        ("WHERE n IS VARCHAR(10)", "Unsupported data type for IS operator: CharacterVaryingType."),
        ("WHERE size(s)", "WHERE clause must contain an expression that resolves to a boolean"),
        (
            "WHERE p='a' AND NOT size(s)",
            "Incorrect operand type for operator or function; operator or function: NOT, operand type: N",
        ),
        (
            f"WHERE n IN [n, {', '.join('1' * 100)}]",
            "The first operand must be distinct from the remaining operands for this operator or function;",
        ),
        (
            "WHERE p='a' AND n < true",
            "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
        ),
        ("WHERE p=?", "Number of parameters in request and statement don't match."),
        ("LIMIT 2", "Unsupported clause: LIMIT"),
        ("WHERE p='a' garbage", "Statement wasn't well formed, can't be processed: Unexpected token after expression"),
    ],
)
def test_refusals(client: Any, songs: Any, rest: str, message: str) -> None:
    with invalid(message):
        client.execute_statement(Statement=f'SELECT * FROM "{songs.name}" {rest}')


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ({"N": "abc"}, "The parameter cannot be converted to a numeric value: abc"),
        ({"M": {"x": {"N": ""}}}, "The parameter cannot be converted to a numeric value"),
        (
            {"L": [{"N": "1"}, {"N": "1e2147483648"}]},
            "The parameter cannot be converted to a numeric value: 1e2147483648",
        ),
        ({"SS": ["a", "a"]}, "One or more parameter values were invalid: Input collection [a, a] contains duplicates."),
    ],
)
def test_a_wrong_parameter_is_told_before_the_statement_is_read(
    client: Any, parameter: dict[str, Any], message: str
) -> None:
    for statement in ("SELECT * FROM t WHERE", "SELECT * FROM t WHERE p=?"):
        request = {"Statement": statement, "Parameters": [parameter]}
        with invalid(message):
            client.execute_statement(**request)
        with invalid(message):
            client.execute_transaction(TransactStatements=[request])
        [response] = client.batch_execute_statement(Statements=[request])["Responses"]
        assert response["Error"] == {"Code": "ValidationError", "Message": message}


def test_constraints_of_the_request(client: Any) -> None:
    with invalid("Value null at 'statement' failed to satisfy constraint: Member must not be null"):
        client.execute_statement()
    with invalid(
        "Value '' at 'statement' failed to satisfy constraint: Member must have length greater than or equal to 1"
    ):
        client.execute_statement(Statement="")
    with invalid("at 'statement' failed to satisfy constraint: Member must have length less than or equal to 8192"):
        client.execute_statement(Statement="SELECT * FROM t" + " " * 8192)
    with invalid(
        "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"
    ):
        client.execute_statement(Statement="SELECT * FROM t", Limit=0)
    with invalid("at 'parameters' failed to satisfy constraint: Member must have length greater than or equal to 1"):
        client.execute_statement(Statement="SELECT * FROM t", Parameters=[])


@pytest.mark.parametrize(
    "statement", ["SELECT p FROM {t} WHERE p=? AND n < ?", "UPDATE {t} SET a=1 WHERE p=? AND n < ?"]
)
def test_an_operand_without_order_is_told_before_the_table_is_looked_for(client: Any, statement: str) -> None:
    with invalid("Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"):
        client.execute_statement(
            Statement=statement.replace("{t}", f'"{unique()}"'), Parameters=[{"S": "a"}, {"BOOL": True}]
        )
