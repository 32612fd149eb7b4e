"""A text that is no expression is refused with the token that does not fit, and what stands around it."""

import pytest

from services.region.expressions.condition_parser import parse_condition
from services.region.expressions.conditions import bind_condition
from services.region.expressions.projections import bind_projection, parse_projection
from services.region.expressions.reserved_words import _words, is_reserved
from services.region.expressions.substitutions import Substitutions
from services.region.expressions.update_parser import parse_update
from services.region.expressions.updates import bind_update
from shared.errors import ValidationError
from shared.limits import cached_expressions_max, expression_bytes_max

_parens = "The expression has redundant parentheses;"


def _refusal_of_condition(text: str) -> str:
    with pytest.raises(ValidationError) as refusal:
        bind_condition(text, Substitutions(None, None), parameter="FilterExpression")
    return refusal.value.message.removeprefix("Invalid FilterExpression: ")


def _refusal_of_update(text: str) -> str:
    with pytest.raises(ValidationError) as refusal:
        bind_update(text, Substitutions(None, None))
    return refusal.value.message.removeprefix("Invalid UpdateExpression: ")


def _refusal_of_projection(text: str) -> str:
    with pytest.raises(ValidationError) as refusal:
        bind_projection(text, Substitutions(None, None))
    return refusal.value.message.removeprefix("Invalid ProjectionExpression: ")


@pytest.mark.parametrize(
    ("text", "token", "near"),
    [
        ("a-b", "-", "a-b"),
        ("a = = b", "=", "= = b"),
        ("foo", "<EOF>", "foo"),
        ("attribute_not_exists(", "<EOF>", "("),
        ("attribute_exists()", ")", "()"),
        ("a > 4", "4", "> 4"),
        ("things are not gonna be ok", "are", "things are not"),
        ("attribute_exists(Pictures-RearView)", "-", "Pictures-RearView"),
        ('attribute_exists("Pictures.RearView")', '"', '("Pictures'),
        ("attribute_exists(Pictures..RearView)", ".", "..RearView"),
        ("attribute_exists(asdf[a])", "a", "[a]"),
        ("a.:a < b", ":a", ".:a <"),
        ("a in b, c", "b", "in b,"),
        ("a > between", "between", "> between"),
        ("a in (b,c,)", ")", ",)"),
        ("#$.b > a", "#", "#$"),
        ("b[:a] > a", ":a", "[:a]"),
        ("ü > a", "ü", "ü >"),
        ("b.c[4.5] > a", ".", "4.5"),
        ("l[01] = b", "1", "01]"),
        ("size(a).b > a", ".", ").b"),
        ("(size(a))[0] > a", "[", ")[0"),
        ("(a)between(b.(c.d))and(c)", "(", ".(c"),
        ("(a)between(b.c.d)and((c)", "<EOF>", ")"),
        ("a = b)", ")", "b)"),
        ("(a = b", "<EOF>", "b"),
        ("(a) AND b = c", "AND", ") AND b"),
        ("set = b", "set", "set ="),
        ("a = b AND __type = c", "_", "AND __"),
        ("a = b c = d", "c", "b c ="),
        ("(" * 2000 + "a", "<EOF>", "a"),
    ],
)
def test_a_condition_that_can_not_be_read_names_the_token_where_reading_stopped(
    text: str, token: str, near: str
) -> None:
    assert _refusal_of_condition(text) == f'Syntax error; token: "{token}", near: "{near}"'


@pytest.mark.parametrize(
    ("text", "token", "near"),
    [
        ("INVALID SYNTAX HERE", "INVALID", "INVALID SYNTAX"),
        ("ADD hits : incr", ":", "hits : incr"),
        ("SET  REMOVE #Options", "REMOVE", "SET  REMOVE #Options"),
        ("SET", "<EOF>", "SET"),
        ("SET a = :v,", "<EOF>", ","),
        ("set a", "<EOF>", "a"),
        ("set a=set", "set", "=set"),
        ("set a = b / c", "/", "b / c"),
        ("set a[1] = 1", "1", "= 1"),
        ("set :a = b", ":a", "set :a ="),
        ("set (a = (b + c))", "(", "set (a"),
        ("set a = (b.c).d + e", ".", ").d"),
        ("set a = b + c + d", "+", "c + d"),
        ("set a = (b + c) + d", "+", ") + d"),
        ("remove a = b", "=", "a = b"),
        ("remove a b", "b", "a b"),
        ("add a b", "b", "a b"),
        ("add a = :b", "=", "a = :b"),
        ("add a (:b)", "(", "a (:b"),
        ("delete a if_not_exist(b)", "if_not_exist", "a if_not_exist("),
    ],
)
def test_an_update_that_can_not_be_read_names_the_token_where_reading_stopped(text: str, token: str, near: str) -> None:
    assert _refusal_of_update(text) == f'Syntax error; token: "{token}", near: "{near}"'


@pytest.mark.parametrize(
    ("text", "token", "near"),
    [
        ("!!! INVALID !!!", "!", "!!"),
        ("a,", "<EOF>", ","),
        ("a b", "b", "a b"),
        ("a.", "<EOF>", "."),
        ("a[]", "]", "[]"),
        (":a", ":a", ":a"),
        ("(a)", "(", "(a"),
    ],
)
def test_a_projection_that_can_not_be_read_names_the_token_where_reading_stopped(
    text: str, token: str, near: str
) -> None:
    assert _refusal_of_projection(text) == f'Syntax error; token: "{token}", near: "{near}"'


@pytest.mark.parametrize(
    "text",
    [
        "((a = b))",
        "((attribute_exists(a)))",
        "((NOT a = b))",
        "a=a and a > ((views))",
        "(a)between(((b.c)).d)and(c)",
        "a > whatever((:things), ((a)))",
        "a=a AND ((a=a AND a=a)) AND a=a",
        "a=a OR ((a=a OR (a=a OR a=a)))",
        "((a)) = b !",
    ],
)
def test_two_pairs_of_parentheses_around_one_thing_are_refused_before_anything_later(text: str) -> None:
    assert _refusal_of_condition(text) == _parens


@pytest.mark.parametrize("text", ["set a = ((b))", "set a = ((b + c))", "set a = (b + ((c)))"])
def test_redundant_parentheses_are_refused_in_updates(text: str) -> None:
    assert _refusal_of_update(text) == _parens


@pytest.mark.parametrize(
    "text",
    [
        "((a) = (b))",
        "(a = b)",
        "((a = b) AND (c = d))",
        "(size(a)) > b",
        "NOT (NOT a = b)",
        "NOT NOT a = b",
        "(NOT (a = b))",
        "a\tIn\r\n( b , c )",
        "(a BETWEEN (b) AND c)",
    ],
)
def test_parentheses_with_a_purpose_are_accepted(text: str) -> None:
    bind_condition(text, Substitutions(None, None), parameter="FilterExpression")


@pytest.mark.parametrize("text", ["set a = (b)", "set a = (b + c)", "set a = ((b.c.d)+(e))", "set a = (b) - (c)"])
def test_parentheses_around_operands_and_sums_are_accepted_in_updates(text: str) -> None:
    bind_update(text, Substitutions(None, None))


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_an_empty_expression_is_refused(text: str) -> None:
    assert _refusal_of_condition(text) == "The expression can not be empty;"
    assert _refusal_of_update(text) == "The expression can not be empty;"
    assert _refusal_of_projection(text) == "The expression can not be empty;"


def test_expressions_are_measured_in_bytes_as_they_were_sent() -> None:
    longest = "a" * expression_bytes_max
    bind_projection(longest, Substitutions(None, None))
    too_long = "Expression size has exceeded the maximum allowed size;"
    assert _refusal_of_condition("ü" * 2049) == f"{too_long} expression size: 4098"
    assert _refusal_of_projection(longest + "a") == too_long
    assert _refusal_of_update(longest + "a") == too_long


def test_the_301st_operator_or_function_is_refused() -> None:
    at_the_limit = " or ".join(["a<b"] * 150)
    assert _refusal_of_condition(at_the_limit + " or b<a") == (
        "The expression contains too many operators; operator count: 301"
    )
    bind_condition(at_the_limit, Substitutions(None, None), parameter="FilterExpression")
    assert _refusal_of_condition("f(" * 2000).startswith("The expression contains too many operators")


@pytest.mark.parametrize(
    ("text", "word"), [("views = a", "views"), ("a < abOrT", "abOrT"), ("a.b.Status = c", "Status")]
)
def test_reserved_words_are_refused_as_they_were_written(text: str, word: str) -> None:
    assert _refusal_of_condition(text) == f"Attribute name is a reserved keyword; reserved keyword: {word}"


def test_reserved_words_are_refused_in_updates_and_projections() -> None:
    reserved = "Attribute name is a reserved keyword; reserved keyword: "
    assert _refusal_of_update(" set #c = :c set abOrt = true ") == reserved + "abOrt"
    assert _refusal_of_update("remove Absolute") == reserved + "Absolute"
    assert _refusal_of_projection("pk, status") == reserved + "status"


def test_all_573_reserved_words_are_known() -> None:
    assert len(_words) == 573
    assert is_reserved("ZONE")
    assert is_reserved("ttl")
    assert not is_reserved("remove")


def test_a_position_in_a_list_is_bounded() -> None:
    bind_projection("a[4294967294]", Substitutions(None, None))
    assert _refusal_of_projection("a[4294967295]") == (
        "List index is not within the allowable range; index: [4294967295]"
    )


def test_a_path_has_at_most_32_levels() -> None:
    bind_projection(".".join("x" * 32), Substitutions(None, None))
    assert _refusal_of_projection(".".join("x" * 33)) == (
        "The document path has too many nesting levels; nesting levels: 33"
    )


def test_keeping_trees_is_bounded() -> None:
    """Texts come from clients: what is kept of them must not grow without end."""
    for parse in (parse_condition, parse_projection, parse_update):
        assert parse.cache_parameters()["maxsize"] == cached_expressions_max
