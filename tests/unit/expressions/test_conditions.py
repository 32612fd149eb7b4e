"""Conditions: which are refused before any item is read, and what the accepted ones say of an item."""

from typing import Any

import pytest

from services.region.expressions.conditions import Condition, bind_condition, condition_from
from services.region.expressions.nodes import Call, Comparison, Conjunction, Literal, Path
from services.region.expressions.substitutions import Substitutions
from shared.errors import ValidationError

_kind_of: dict[str, Any] = {
    ":s": {"S": "a"},
    ":n": {"N": "1"},
    ":b": {"B": "YQ=="},
    ":bool": {"BOOL": True},
    ":null": {"NULL": True},
    ":ss": {"SS": ["a"]},
    ":ns": {"NS": ["1"]},
    ":bs": {"BS": ["YQ=="]},
    ":l": {"L": []},
    ":m": {"M": {}},
}


def _bind(text: str, values: dict[str, Any] | None = None, names: dict[str, str] | None = None) -> Condition:
    return bind_condition(text, Substitutions(names, values), parameter="ConditionExpression")


def _refusal(text: str, values: dict[str, Any] | None = None, names: dict[str, str] | None = None) -> str:
    with pytest.raises(ValidationError) as refusal:
        _bind(text, values, names)
    assert refusal.value.message.startswith("Invalid ConditionExpression: ")
    return refusal.value.message.removeprefix("Invalid ConditionExpression: ")


@pytest.mark.parametrize(
    ("text", "function"),
    [("a=b and whatever((:things)) > a", "whatever"), ("attRIbute_exIsts((views), #a)", "attRIbute_exIsts")],
)
def test_unknown_functions_are_refused(text: str, function: str) -> None:
    assert _refusal(text) == f"Invalid function name; function: {function}"


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("a=a and attribute_exists((views), (#a)) > b", "attribute_exists"),
        ("attribute_not_exists(things) > b", "attribute_not_exists"),
        ("attribute_type(things, :a) > b", "attribute_type"),
        ("begins_with(things, a) > b", "begins_with"),
        ("contains(:things, c) > b", "contains"),
        ("size(contains(a, b)) > a", "contains"),
        ("size(things)", "size"),
        ("NOT size(things)", "size"),
        ("a between b and attribute_exists(things)", "attribute_exists"),
        ("a in (b, attribute_exists(things))", "attribute_exists"),
    ],
)
def test_functions_in_the_wrong_place_are_refused(text: str, function: str) -> None:
    assert _refusal(text) == (f"The function is not allowed to be used this way in an expression; function: {function}")


def test_functions_of_updates_are_refused_in_conditions() -> None:
    assert _refusal("if_not_exists(a, b) = c") == (
        "The function is not allowed in a condition expression; function: if_not_exists"
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("attribute_exists(#Pictures.RearView, :a) and a=a", "#Pictures"),
        ("begins_with(Pictures.#RearView)", "#RearView"),
        ("(#P between :lo and :hi) and (#PC in (:cat1, :cat2))", "#P"),
        ("#_ > a", "#_"),
        ("(a)between(b.c[45].#d)and(:a)", "#d"),
    ],
)
def test_undefined_names_are_refused(text: str, name: str) -> None:
    assert _refusal(text) == (
        f"An expression attribute name used in the document path is not defined; attribute name: {name}"
    )


@pytest.mark.parametrize(
    ("text", "value"), [("begins_with(:hello, #a, #b)", ":hello"), (":a < :b", ":a"), (":_ > a", ":_")]
)
def test_undefined_values_are_refused(text: str, value: str) -> None:
    assert _refusal(text) == (
        f"An expression attribute value used in expression is not defined; attribute value: {value}"
    )


@pytest.mark.parametrize(
    ("text", "function", "count"),
    [
        ("attribute_exists(things, a) and a=a", "attribute_exists", 2),
        ("attribute_not_exists(things, b)", "attribute_not_exists", 2),
        ("attribute_type(things)", "attribute_type", 1),
        ("begins_with(things)", "begins_with", 1),
        ("begins_with(things, size(a), b)", "begins_with", 3),
        ("contains(things)", "contains", 1),
        ("size(things, a) > b", "size", 2),
    ],
)
def test_a_wrong_number_of_operands_is_refused(text: str, function: str, count: int) -> None:
    assert _refusal(text) == (
        "Incorrect number of operands for operator or function; "
        f"operator or function: {function}, number of operands: {count}"
    )


def test_reserved_words_are_told_before_a_wrong_number_of_operands() -> None:
    assert _refusal("attribute_exists(views, #a)") == ("Attribute name is a reserved keyword; reserved keyword: views")


@pytest.mark.parametrize(
    ("text", "operator", "kind"),
    [
        *((f"attribute_type(a, {value})", "attribute_type", value) for value in _kind_of if value != ":s"),
        *((f"begins_with(a, {value})", "begins_with", value) for value in _kind_of if value not in (":s", ":b")),
        *((f"begins_with({value}, a)", "begins_with", value) for value in _kind_of if value not in (":s", ":b")),
        *((f"size({value}) > a", "size", value) for value in (":n", ":bool", ":null")),
        *(
            (f"a {operator} {value}", operator, value)
            for operator in ("<", "<=", ">", ">=")
            for value in (":bool", ":null", ":ss", ":ns", ":bs", ":l", ":m")
        ),
        (":m < a", "<", ":m"),
        ("a between :bool and :bool", "BETWEEN", ":bool"),
        (":l between a and b", "BETWEEN", ":l"),
        ("a = b and NOT (c = d OR e < :m)", "<", ":m"),
    ],
)
def test_values_of_a_type_that_no_item_could_match_are_refused(text: str, operator: str, kind: str) -> None:
    values = {kind: _kind_of[kind]}
    assert _refusal(text, values) == (
        "Incorrect operand type for operator or function; "
        f"operator or function: {operator}, operand type: {next(iter(_kind_of[kind]))}"
    )


@pytest.mark.parametrize(
    ("text", "operator"),
    [
        ("attribute_type(a, size(a)) and a=a", "attribute_type"),
        ("begins_with(a, size(a)) and a=b", "begins_with"),
        ("size(size(a)) > b", "size"),
    ],
)
def test_size_is_a_number_wherever_it_stands(text: str, operator: str) -> None:
    assert _refusal(text) == (
        f"Incorrect operand type for operator or function; operator or function: {operator}, operand type: N"
    )


def test_attribute_type_wants_the_name_of_a_type() -> None:
    assert _refusal("attribute_type(a, :t)", {":t": {"S": "X"}}) == (
        "Invalid attribute type name found; type: X, valid types: {N,BS,L,B,NULL,M,S,SS,NS,BOOL}"
    )
    assert _refusal("attribute_type(a, b)") == (
        "Incorrect operand type for operator or function; "
        "operator or function: attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}"
    )


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("attribute_exists(:s) and a=a", "attribute_exists"),
        ("attribute_not_exists(size(:s))", "attribute_not_exists"),
    ],
)
def test_some_functions_want_a_document_path(text: str, function: str) -> None:
    assert _refusal(text, {":s": {"S": "S"}}) == (
        f"Operator or function requires a document path; operator or function: {function}"
    )


@pytest.mark.parametrize(
    ("text", "operator", "path"),
    [
        ("a = a AND #a = b AND :views > a", "=", "[a]"),
        ("#a <> a", "<>", "[a]"),
        ("a > #a", ">", "[a]"),
        ("((a=a) OR (a=a))", "=", "[a]"),
        ("contains(ab.bc[1].a, ab.bc[1].#a)", "contains", "[ab, bc, [1], a]"),
        ("attribute_type(ab.bc[1].#a, ab.bc[1].a)", "attribute_type", "[ab, bc, [1], a]"),
        ("begins_with(ab.bc[1].a, ab.bc[1].#a)", "begins_with", "[ab, bc, [1], a]"),
        ("a between b and #a", "BETWEEN", "[a]"),
        ("a in (b, a)", "IN", "[a]"),
    ],
)
def test_an_attribute_is_not_compared_with_itself(text: str, operator: str, path: str) -> None:
    assert _refusal(text, names={"#a": "a"}) == (
        "The first operand must be distinct from the remaining operands for this operator or function; "
        f"operator: {operator}, first operand: {path}"
    )


def test_bounds_of_between_have_one_type_and_are_in_order() -> None:
    assert _refusal("a between :n and :s", {":n": {"N": "1"}, ":s": {"S": "a"}}) == (
        "The BETWEEN operator requires same data type for lower and upper bounds; "
        "lower bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:a}"
    )
    assert _refusal("a between :hi and :lo", {":hi": {"N": "10"}, ":lo": {"N": "9"}}) == (
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
        "lower bound operand: AttributeValue: {N:10}, upper bound operand: AttributeValue: {N:9}"
    )
    assert _bind("a between :v and :v", {":v": {"N": "1"}}).holds({"a": {"N": "1"}})


def test_in_takes_a_hundred_operands() -> None:
    values = {f":v{n}": {"N": str(n)} for n in range(101)}
    assert _refusal(f"a in ({', '.join(values)})", values) == (
        "The IN operator is provided with too many operands; number of operands: 101"
    )
    values.pop(":v100")
    assert _bind(f"a in ({', '.join(values)})", values).holds({"a": {"N": "99"}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a = :missing AND begins_with(b, :n)",
            "An expression attribute value used in expression is not defined; attribute value: :missing",
        ),
        (
            "begins_with(b, :n) AND a = :missing",
            "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
        ),
    ],
)
def test_the_first_problem_as_written_is_told(text: str, message: str) -> None:
    assert _refusal(text, {":n": {"N": "1"}}) == message


_item: dict[str, Any] = {
    "s": {"S": "banana"},
    "n": {"N": "10"},
    "b": {"B": "AwQ="},
    "yes": {"BOOL": True},
    "nothing": {"NULL": True},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2.5"]},
    "bs": {"BS": ["AwQ="]},
    "l": {"L": [{"N": "1"}, {"M": {"x": {"S": "deep"}}}, {"L": []}]},
    "m": {"M": {"x": {"N": "1"}, "y": {"L": [{"S": "q"}]}}},
}
_values: dict[str, Any] = {
    ":banana": {"S": "banana"},
    ":ban": {"S": "ban"},
    ":nan": {"S": "nan"},
    ":empty": {"S": ""},
    ":9": {"N": "9"},
    ":10": {"N": "10"},
    ":100": {"N": "100"},
    ":three": {"B": "Aw=="},
    ":four": {"B": "BA=="},
    ":true": {"BOOL": True},
    ":ba": {"SS": ["b", "a"]},
    ":a": {"S": "a"},
    ":2.5": {"N": "2.5"},
    ":map": {"M": {"y": {"L": [{"S": "q"}]}, "x": {"N": "1"}}},
    ":x": {"M": {"x": {"S": "deep"}}},
    ":S": {"S": "S"},
    ":L": {"S": "L"},
    ":NULL": {"S": "NULL"},
    ":2": {"N": "2"},
    ":3": {"N": "3"},
    ":6": {"N": "6"},
    ":0": {"N": "0"},
}
_values = {name.replace(".", "_"): value for name, value in _values.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s = :banana", True),
        ("s <> :banana", False),
        ("n > :9", True),  # by value, not as text
        ("n < :100", True),
        ("n <= :10", True),
        ("n > :10", False),
        ("s > :ban", True),
        ("s > :9", False),  # other types have no order
        ("s < :9", False),
        ("s <> :9", True),
        ("b > :three", True),
        ("b < :four", True),
        ("yes = :true", True),
        ("ss = :ba", True),  # sets have no order
        ("m = :map", True),
        ("absent = :9", False),
        ("absent <> :9", True),
        ("absent < :9", False),
        ("absent = gone", False),
        ("absent <> gone", True),
        ("NOT absent = :9", True),
        ("m.x < l[0]", False),
        ("m.x = l[0]", True),
        ("n between :9 and :100", True),
        ("n between :10 and :10", True),
        ("absent between :9 and :100", False),
        ("n in (:9, :10)", True),
        ("n in (:9, s)", False),
        ("absent in (:9)", False),
        ("attribute_exists(m.y[0])", True),
        ("attribute_exists(m.y[1])", False),
        ("attribute_exists(s.x)", False),
        ("attribute_not_exists(m.z)", True),
        ("attribute_exists(nothing)", True),
        ("attribute_type(s, :S)", True),
        ("attribute_type(l, :L)", True),
        ("attribute_type(nothing, :NULL)", True),
        ("attribute_type(absent, :S)", False),
        ("begins_with(s, :ban)", True),
        ("begins_with(s, :nan)", False),
        ("begins_with(s, :empty)", True),
        ("begins_with(b, :three)", True),
        ("begins_with(n, :ban)", False),
        ("begins_with(:banana, s)", True),
        ("contains(s, :nan)", True),
        ("contains(ss, :a)", True),
        ("contains(ss, :nan)", False),
        ("contains(ns, :2_5)", True),
        ("contains(ns, :a)", False),
        ("contains(bs, b)", True),
        ("contains(b, :four)", True),
        ("contains(l, :x)", True),
        ("contains(l, :9)", False),
        ("contains(m, :a)", False),
        ("contains(n, :a)", False),
        ("contains(absent, :a)", False),
        ("size(s) = :6", True),
        ("size(b) = :2", True),
        ("size(ss) = :2", True),
        ("size(l) = :3", True),
        ("size(m) = :2", True),
        ("size(n) = :2", False),  # a number has no size
        ("size(absent) = :0", False),
        ("n = :9 OR s = :banana AND n = :10", True),  # AND binds tighter
        ("(n = :10 OR s = :banana) AND n = :9", False),
        ("NOT n = :9 AND s = :banana", True),  # NOT binds tighter still
        ("NOT (n = :10 AND s = :banana)", False),
        ("NOT NOT n = :10", True),
    ],
)
def test_a_condition_judges_an_item(text: str, *, expected: bool) -> None:
    used = {name: value for name, value in _values.items() if name in text}
    assert _bind(text, used or None).holds(_item) is expected


def test_size_of_a_string_counts_utf16_units() -> None:
    item: dict[str, Any] = {"s": {"S": "é\U0001d11e"}}
    assert _bind("size(s) = :n", {":n": {"N": "3"}}).holds(item)


def test_strings_are_ordered_by_their_utf8_bytes() -> None:
    """UTF-16 would put U+1D11E, a surrogate pair, before U+FFFD."""
    assert _bind("s > :v", {":v": {"S": "\ufffd"}}).holds({"s": {"S": "\U0001d11e"}})


def test_an_absent_item_has_no_attributes() -> None:
    assert _bind("attribute_not_exists(pk)").holds(None)
    assert not _bind("attribute_exists(pk)").holds(None)
    assert _bind("a <> :v", {":v": {"S": "x"}}).holds(None)


def test_a_condition_tells_which_attributes_it_mentions() -> None:
    condition = _bind("#a.b = c AND size(d[1]) > e AND #a = f", names={"#a": "a"})
    assert condition.paths == ("a", "c", "d", "e", "f")
    assert condition.nested == ("a", "d")


def test_the_longest_chain_of_conditions_is_judged() -> None:
    text = "NOT (" * 149 + "a = b" + ")" * 149
    assert not _bind(text).holds({"a": {"S": "x"}, "b": {"S": "x"}})


def test_a_tree_can_be_built_without_a_text() -> None:
    """As translators of DynamoDB's older parameters do; no reserved word or placeholder is in their way."""
    tree = Conjunction(
        (Comparison("=", Path(("status",)), Literal({"S": "x"})), Call("attribute_exists", (Path(("#odd name",)),)))
    )
    condition = condition_from(tree, Substitutions(None, None))
    assert condition.holds({"status": {"S": "x"}, "#odd name": {"N": "1"}})
    assert not condition.holds({"status": {"S": "x"}})
