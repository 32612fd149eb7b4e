"""Which keys a condition names, and what of it is left to be judged by items."""

import pytest

from services.region.commands.statements import Select
from services.region.expressions.nodes import Comparison, Literal, Path, Predicate
from services.region.expressions.substitutions import Substitutions
from services.region.partiql.planner import SelectPlan, plan_point_read, plan_select, plan_write
from services.region.partiql.statements import parse_statement
from shared.errors import ValidationError
from shared.model.keys import KeyAttribute, KeySchema

overlapping = "Overlapping conditions with range keys are not supported in where clause"
too_many = "Too many decomposed read operations for a given query."
schema = KeySchema(KeyAttribute("p", "S"), KeyAttribute("c", "N"))
values = Substitutions(None, {":1": {"S": "x"}, ":2": {"N": "7"}})


def select(rest: str) -> Select:
    statement = parse_statement(f"SELECT * FROM t {rest}").statement
    assert isinstance(statement, Select)
    return statement


def plan(rest: str) -> SelectPlan:
    return plan_select(select(rest), schema, values)


def read(rest: str) -> list[str] | None:
    """The collections that are read, as text; what is left of the condition is counted."""
    reads = plan(rest).reads
    if reads is None:
        return None
    return [
        " ".join(
            f"{each.name}{each.operator}{','.join(str(*value.values()) for value in each.values)}"
            for each in collection
        )
        + (" …" if judged else "")
        for collection, judged in reads
    ]


@pytest.mark.parametrize(
    ("condition", "collections"),
    [
        ("p = 'x'", ["p=x"]),
        ("? = p AND c = ?", ["p=x c=7"]),
        ("p = 'x' AND c BETWEEN 1 AND 2 AND a = 1", ["p=x cBETWEEN1,2 …"]),
        ("p = 'x' AND 5 > c", ["p=x c<5"]),
        ("(p = 'x' AND a = 1) AND (c >= 1)", ["p=x c>=1 …"]),
        ("p IN ['y', 'x']", ["p=y", "p=x"]),
        ("p = 'y' OR p = 'x'", ["p=y", "p=x"]),
        ("p IN ['y', 'x'] AND c IN [2, 1]", ["p=y c=2", "p=y c=1", "p=x c=2", "p=x c=1"]),
        ("p = 'x' AND p = 'x' AND c > 1 AND c = 2", ["p=x cBETWEEN2,2 …"]),
        ("p = 'x' AND c < 7 AND c >= 2 AND c > 1", ["p=x cBETWEEN2,7 …"]),
        ("p = 'x' AND c > 2 AND c >= 1", ["p=x c>2 …"]),
        ("p = 'x' AND c > 2 AND c < 2", []),
        ("p = 'x' AND (c < 1 OR c > 1 OR c = 1)", ["p=x c<1", "p=x c>1", "p=x c=1"]),
        ("p = 'x' AND (c = 1 OR c = 2 AND a = 1)", ["p=x c=1", "p=x c=2 …"]),
        ("p = 'x' AND (a = 1 OR b = 1)", ["p=x …"]),
        ("p = 'x' AND c <> 1", ["p=x …"]),
        ("p = 'x' OR p = 'x' AND NOT c = 1", ["p=x …"]),
        ("p = 'x' AND c = 2 OR p = 'x' AND c <> 1 OR p = 'y'", ["p=x …", "p=y"]),
        ("p = 'x' AND (p = 'y' OR a = 1)", ["p=x …", "p=x …"]),
        ("(p = 'x' AND c = 1) OR (p = 'y' AND a = 1)", ["p=x c=1", "p=y …"]),
        ("p IN []", []),
        ("p > 'x'", None),
        ("p <> 'x'", None),
        ("c = 1", None),
        ("p = 'x' OR a = 1", None),
        ("NOT p = 'x'", None),
        ("p.q = 'x'", None),
        ("p = a", None),
    ],
)
def test_the_partition_key_by_equality_or_in_makes_a_query(condition: str, collections: list[str] | None) -> None:
    assert read(f"WHERE {condition}") == collections


def test_what_the_key_does_not_say_is_left_as_a_filter() -> None:
    [read] = plan("WHERE a=1 AND p='x' AND c=1").reads or ()
    assert read.filter == Comparison("=", Path(("a",)), Literal({"N": "1"}))


@pytest.mark.parametrize(
    ("order", "forward"),
    [("", True), ("ORDER BY c", True), ("ORDER BY c DESC", False), ("ORDER BY p", False), ("ORDER BY p, c", True)],
)
def test_without_a_term_of_its_own_the_sort_key_descends(order: str, forward: bool) -> None:
    assert plan(f"WHERE p = 'x' {order}").forward is forward


def test_collections_are_read_in_the_order_that_is_asked_for() -> None:
    assert read("WHERE p IN ['y', 'x', 'z'] ORDER BY p") == ["p=x", "p=y", "p=z"]
    assert read("WHERE p IN ['y', 'x', 'z'] ORDER BY p DESC, c") == ["p=z", "p=y", "p=x"]
    assert read("WHERE p='x' AND c IN [3, 1, 2] ORDER BY c DESC") == ["p=x c=3", "p=x c=2", "p=x c=1"]


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("ORDER BY p", "Must have WHERE clause in the statement when using ORDER BY clause."),
        ("WHERE p='x' ORDER BY a", "Attribute a in ORDER BY clause must be part of the primary key"),
        (
            "WHERE c=1 ORDER BY c",
            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
        ),
        (
            "WHERE p IN ['x','y'] ORDER BY c",
            "Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause.",
        ),
        ("WHERE p=1", "Key attribute's data type should match its data type in table's schema: Key p"),
        ("WHERE p='x' AND c='x'", "Key attribute's data type should match its data type in table's schema: Key c"),
        (
            "WHERE p='x' OR p='y' AND c='x'",
            "Key attribute's data type should match its data type in table's schema: Key c",
        ),
        ("WHERE p IN ['y','x','y']", overlapping),
        ("WHERE p='x' AND c IN [1, 1.0]", overlapping),
        ("WHERE p='x' AND (c > 1 OR c < 5)", overlapping),
        ("WHERE p='x' AND (c BETWEEN 1 AND 3 OR c = 3)", overlapping),
        ("WHERE p='x' AND (c = 1 OR a = 1)", overlapping),
        ("WHERE p='x' AND a = 1 OR p='x' AND b = 1", overlapping),
        (f"WHERE p IN [{','.join(repr(str(n)) for n in range(51))}]", too_many),
        (f"WHERE p IN [{','.join(repr(str(n)) for n in range(26))}] AND (c = 1 OR c = 2)", too_many),
    ],
)
def test_selects_that_fit_no_key_are_refused(rest: str, message: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        plan(rest)
    assert refusal.value.message == message


def condition(text: str) -> Predicate | None:
    return select(f"WHERE {text}").where


def test_a_write_names_one_item_and_may_say_more_of_it() -> None:
    key, rest = plan_write(condition("a=1 AND c=1 AND p='x'"), schema, values)
    assert list(key.items()) == [("p", {"S": "x"}), ("c", {"N": "1"})]
    assert rest == condition("a=1")


def test_a_write_says_one_thing_of_each_attribute_of_its_key() -> None:
    assert plan_write(condition("p='x' AND c=1 AND p='x'"), schema, values)[1] is None
    with pytest.raises(ValidationError, match="Multiple conditions on same key p"):
        plan_write(condition("p='x' AND c=1 AND p='y'"), schema, values)
    assert plan_write(condition("p='x' AND c=1 AND p='y'"), schema, values, one_value=False)[1] == condition("p='y'")


@pytest.mark.parametrize(
    "text", ["p='x'", "p='x' AND c>1", "p='x' OR c=1", "p IN ['x'] AND c=1", "NOT (p='x' AND c=1)"]
)
def test_a_write_without_its_whole_key_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="does not contain a mandatory equality on all key attributes"):
        plan_write(condition(text), schema, values)


def test_a_point_read_says_nothing_but_its_key() -> None:
    assert plan_point_read(condition("c IN [1] AND p='x'"), schema, values) == {"p": {"S": "x"}, "c": {"N": "1"}}
    assert plan_point_read(condition("c=1 AND (p='x') AND p='x'"), schema, values) is not None
    for text in ("p='x'", "p='x' AND c=1 AND a=1", "p='x' AND c IN [1,2]", "p='x' AND c=1 AND p='y'"):
        assert plan_point_read(condition(text), schema, values) is None
