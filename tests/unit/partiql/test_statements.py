"""Text becomes the statement that it says, or is refused in the words of the service."""

import gc
from contextlib import suppress
from typing import Any

import pytest

from services.region.commands.items import ReturnValues
from services.region.commands.statements import Column, Delete, Exists, Insert, OrderTerm, Select, Source, Update
from services.region.expressions.nodes import (
    AddAction,
    Arithmetic,
    Between,
    Call,
    Comparison,
    Conjunction,
    DeleteAction,
    Disjunction,
    Literal,
    Membership,
    Negation,
    Path,
    RemoveAction,
    Section,
    SetAction,
    UpdateTree,
    ValuePlaceholder,
)
from services.region.partiql.statements import parse_statement
from shared.errors import ValidationError

a, b, c = Path(("a",)), Path(("b",)), Path(("c",))
one, two = Literal({"N": "1"}), Literal({"N": "2"})
a_is_one, b_is_two = Comparison("=", a, one), Comparison("=", b, two)


def where(text: str) -> Any:
    statement = parse_statement(f"SELECT * FROM t WHERE {text}").statement
    assert isinstance(statement, Select)
    return statement.where


def edits(text: str) -> UpdateTree:
    statement = parse_statement(f"UPDATE t {text} WHERE a = 1").statement
    assert isinstance(statement, Update)
    return statement.edits


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("SELECT * FROM t", Select(Source("t"), (), None, ())),
        ('select * from "my-table"."an.index";', Select(Source("my-table", "an.index"), (), None, ())),
        ("SELECT a FROM t -- all of it", Select(Source("t"), (Column("a", a),), None, ())),
        ("SELECT /* not b */ a\nFROM t.i", Select(Source("t", "i"), (Column("a", a),), None, ())),
        (
            'SELECT a.b[1][0], "a.b", c[0] FROM t',
            Select(
                Source("t"),
                (
                    Column("b[1][0]", Path(("a", "b", 1, 0))),
                    Column("a.b", Path(("a.b",))),
                    Column("c[0]", Path(("c", 0))),
                ),
                None,
                (),
            ),
        ),
        (
            "SELECT * FROM t WHERE a=1 ORDER BY b DESC, c",
            Select(Source("t"), (), a_is_one, (OrderTerm("b", True), OrderTerm("c", False))),
        ),
        (
            "INSERT INTO t VALUE {'a': ?, 'it''s': [1, {'b': null}], 'c': <<'x','y'>>}",
            Insert(
                "t",
                (
                    ("a", ValuePlaceholder(":1")),
                    ("it's", Literal({"L": [{"N": "1"}, {"M": {"b": {"NULL": True}}}]})),
                    ("c", Literal({"SS": ["x", "y"]})),
                ),
            ),
        ),
        ("DELETE FROM t WHERE a=1", Delete(Source("t"), a_is_one, ReturnValues.NONE)),
        ("DELETE FROM t WHERE a=1 RETURNING ALL OLD *", Delete(Source("t"), a_is_one, ReturnValues.ALL_OLD)),
        ("EXISTS(SELECT * FROM t WHERE a=1)", Exists(Select(Source("t"), (), a_is_one, ()))),
    ],
)
def test_statements_say_what_they_are_read_as(text: str, statement: Any) -> None:
    assert parse_statement(text).statement == statement


@pytest.mark.parametrize(
    ("text", "predicate"),
    [
        ("a = 1", a_is_one),
        ("1 = a", Comparison("=", one, a)),
        ("a != 1", Comparison("<>", a, one)),
        ("a = -1.50", Comparison("=", a, Literal({"N": "-1.5"}))),
        ("a = 'it''s'", Comparison("=", a, Literal({"S": "it's"}))),
        ("a = TRUE", Comparison("=", a, Literal({"BOOL": True}))),
        (
            "a = ? and b <= ?",
            Conjunction((Comparison("=", a, ValuePlaceholder(":1")), Comparison("<=", b, ValuePlaceholder(":2")))),
        ),
        ("a = 1 AND b = 2 OR c = 1", Disjunction((Conjunction((a_is_one, b_is_two)), Comparison("=", c, one)))),
        ("a = 1 AND (b = 2 OR c = 1)", Conjunction((a_is_one, Disjunction((b_is_two, Comparison("=", c, one)))))),
        ("NOT a = 1 AND b = 2", Conjunction((Negation(a_is_one), b_is_two))),
        ("a BETWEEN 1 AND 2 AND b = 2", Conjunction((Between(a, one, two), b_is_two))),
        ("a NOT BETWEEN 1 AND 2", Negation(Between(a, one, two))),
        ("a IN [1, 2]", Membership(a, (one, two))),
        ("a IN (1)", Membership(a, (one,))),
        ("a NOT IN <<1, 2>>", Negation(Membership(a, (one, two)))),
        ("a IS MISSING", Call("attribute_not_exists", (a,))),
        ("a IS NOT MISSING", Negation(Call("attribute_not_exists", (a,)))),
        ("a IS NULL", Call("attribute_type", (a, Literal({"S": "NULL"})))),
        ("a.b IS NOT STRING", Negation(Call("attribute_type", (Path(("a", "b")), Literal({"S": "S"}))))),
        ("begins_with(a, 'x')", Call("begins_with", (a, Literal({"S": "x"})))),
        ('Contains("a", 1) = false', Negation(Call("contains", (a, one)))),
        ("size(a) > 1", Comparison(">", Call("size", (a,)), one)),
    ],
)
def test_conditions_become_the_trees_of_expressions(text: str, predicate: Any) -> None:
    assert where(text) == predicate


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        ("SET a = 1", [Section("SET", (SetAction(a, one),))]),
        ("SET a = 1, b = 2", [Section("SET", (SetAction(a, one), SetAction(b, two)))]),
        (
            "SET a = 1 REMOVE c SET b = 2 REMOVE a.b[0]",
            [
                Section("SET", (SetAction(a, one), SetAction(b, two))),
                Section("REMOVE", (RemoveAction(c), RemoveAction(Path(("a", "b", 0))))),
            ],
        ),
        ("SET a = a + 1", [Section("SET", (SetAction(a, Arithmetic("+", a, one)),))]),
        (
            "SET a = list_append(a, ?)",
            [Section("SET", (SetAction(a, Call("list_append", (a, ValuePlaceholder(":1")))),))],
        ),
        (
            "SET a = set_add(a, <<1>>), b = SET_DELETE(b, ?)",
            [
                Section("ADD", (AddAction(a, Literal({"NS": ["1"]})),)),
                Section("DELETE", (DeleteAction(b, ValuePlaceholder(":1")),)),
            ],
        ),
    ],
)
def test_edits_become_the_tree_of_an_update(text: str, sections: list[Section]) -> None:
    assert edits(text) == UpdateTree(tuple(sections))


def test_returning_names_the_return_values() -> None:
    for text, values in (
        ("ALL OLD *", ReturnValues.ALL_OLD),
        ("all new *", ReturnValues.ALL_NEW),
        ("MODIFIED OLD *", ReturnValues.UPDATED_OLD),
        ("MODIFIED NEW *", ReturnValues.UPDATED_NEW),
    ):
        statement = parse_statement(f"UPDATE t SET a=1 WHERE b=2 RETURNING {text}").statement
        assert isinstance(statement, Update)
        assert statement.returning is values


def test_parameters_are_counted_in_their_order() -> None:
    assert parse_statement("SELECT * FROM t WHERE a = ? AND b IN [?, '?', ?]").parameters == 3


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("SELEC * FROM t", "Expected data manipulation"),
        ("UPDATE my-table SET a=1", "Expected data manipulation"),
        ("UPDATE t WHERE a=1", "Expected data manipulation"),
        ("NOT A STATEMENT", "Unexpected token after expression"),
        ("SELECT * FROM t; SELECT * FROM t", "Unexpected token after semicolon. (Only one query is allowed.)"),
        ("SELECT * FROM t WHERE a=1 garbage", "Unexpected token after expression"),
        ("SELECT * FRM t", "Expected FROM after SELECT list"),
        (
            "SELECT *, a FROM t",
            "Other expressions may not be present in the select list when '*' is used without dot notation.",
        ),
        ("SELECT * FROM t WHERE a=", "Missing right-hand side expression of infix operator"),
        ("SELECT * FROM t WHERE", "Unexpected term"),
        ("SELECT * FROM t WHERE key=1", "Unexpected keyword"),
        ("SELECT * FROM t WHERE (a=1", "Expected RIGHT_PAREN"),
        ("SELECT * FROM t WHERE a=[1", "Expected RIGHT_BRACKET"),
        ("SELECT * FROM t WHERE a IS BLUE", "Expected type name"),
        ("SELECT * FROM t WHERE a.[0]=1", "Invalid path dot component"),
        ("DELETE t WHERE a=1", "Expected FROM after DELETE"),
        ("DELETE FROM 't' WHERE a=1", "Expected identifier for simple path"),
        ("UPDATE t SET a 1", "Expected '='"),
        ("UPDATE t SET value=1", "Expected identifier for simple path"),
        ("INSERT INTO urls (key, b) VALUES (?, ?)", "Unexpected keyword"),
        ("INSERT INTO t VALUE {'a' 1}", "Expected COLON"),
        ("SELECT * FROM t WHERE a = 'open", ""),
        ("SELECT * FROM t WHERE a = §", ""),
        ("SELECT * FROM t /* open", ""),
    ],
)
def test_malformed_statements_are_refused(text: str, detail: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        parse_statement(text)
    assert refusal.value.message == f"Statement wasn't well formed, can't be processed: {detail}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT COUNT(*) FROM t", "Unexpected path component at 1:8:5"),
        ("SELECT a,\n  size(b) FROM t", "Unexpected path component at 2:3:4"),
        ("SELECT a x FROM t", "Aliasing is not supported"),
        ("SELECT * FROM t AS x", "Aliasing is not supported"),
        ("SELECT a, a FROM t", "Duplicate identifiers in select clause: a"),
        ("SELECT * FROM t LIMIT 1", "Unsupported clause: LIMIT"),
        ("SELECT * FROM t, u", "Unexpected from source"),
        ("SELECT * FROM [1]", "Unexpected from source"),
        ("SELECT * FROM my-tbl", "Unexpected from source"),
        ("SELECT * FROM a.b.c", "A path may contain at most 2 components in the FROM clause"),
        ('SELECT * FROM ""', "Path component cannot be an empty string"),
        (
            "DELETE FROM t WHERE a=1 RETURNING MODIFIED OLD *",
            (
                "Invalid returning clause: RETURNING MODIFIED OLD *."
                " Only RETURNING ALL OLD * is allowed in DELETE statements."
            ),
        ),
        (
            "INSERT INTO \"t\".i VALUE {'a':1}",
            "FROM clause may only contain a single table name in data manipulation statements at 1:13:3",
        ),
        ("INSERT INTO t VALUE {'a': [?]}", "Unsupported data type: Parameter under key root[0] at 1:28:1"),
        ("INSERT INTO t VALUE {'a': <<>>}", "Empty bags are not supported"),
        (
            "INSERT INTO t VALUE {'a': <<1, 'x'>>}",
            "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags",
        ),
        (
            "INSERT INTO t VALUE {'a': <<'x', 'x'>>}",
            "One or more parameter values were invalid: Input collection [x, x] contains duplicates.",
        ),
        (
            "INSERT INTO t VALUE {'a': 1e126}",
            "Number overflow. Attempting to store a number with magnitude larger than supported range under root",
        ),
        ("SELECT a[-1] FROM t", "List index is not within the allowable range; index: [-1] at 1:11:1"),
        ("SELECT * FROM t WHERE a LIKE 'x'", "Unsupported operator in Condition Expression. Operator: like"),
        ("SELECT * FROM t WHERE a = 1 + 1", "Unsupported operator in Condition Expression. Operator: +"),
        (
            "UPDATE t SET a = set_add(b, <<1>>) WHERE a=1",
            "The first argument to SET_ADD must equal the assignment value at 1:18:7",
        ),
        (
            "UPDATE t SET a = set_add(a, 1) WHERE a=1",
            "The second argument to SET_ADD must be a value with type SET at 1:26:1",
        ),
        (
            "SELECT * FROM t WHERE EXISTS(SELECT * FROM t)",
            "Unsupported token in expression: SELECT at 1:30:6",
        ),
    ],
)
def test_what_is_read_but_not_supported_is_refused_in_words_of_its_own(text: str, message: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        parse_statement(text)
    assert refusal.value.message == message


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("SELECT * FROM t WHERE a = 1{}", " AND a = 1" * 149),  # 1 + 2 * 149
        ("UPDATE t SET a = 1 WHERE NOT a = 1{}", " OR a BETWEEN 1 AND 2" * 149),
        ("DELETE FROM t WHERE size(a) > 1{}", " OR contains(a, 1)" * 149),
        ("SELECT * FROM t WHERE a IS MISSING{}", " AND a IN (1, 2, 3)" * 149),
    ],
)
def test_a_condition_has_the_bounds_of_an_expression(text: str, most: str) -> None:
    """It becomes one; and what is judged of every item that a Scan looks at should be bounded."""
    parse_statement(text.format(most))
    with pytest.raises(ValidationError, match="The expression contains too many operators; operator count: 301"):
        parse_statement(text.format(most + " AND b = 1"))


@pytest.mark.parametrize(
    "text", ["SELECT * FROM t WHERE a IN (1, 2) OR NOT size(b) > 1", "SELECT * FROM t WHERE a LIKE 1"]
)
def test_nothing_of_a_text_outlives_its_statement_in_a_cycle(text: str) -> None:
    """Thousands of tokens, if it is long: collecting them would stop the event loop for longer than parsing did."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        with suppress(ValidationError):
            parse_statement(text)
        gc.collect()
        assert not [each for each in gc.garbage if str(getattr(each, "__module__", "")).startswith("services.region.")]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
