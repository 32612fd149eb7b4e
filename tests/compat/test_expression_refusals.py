"""What no expression may say: syntax, names, functions, operands and paths, each in its words and order of checks."""

import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.compat.tables import unique

every_type = {
    ":s": {"S": "a"},
    ":n": {"N": "1"},
    ":b": {"B": b"a"},
    ":t": {"BOOL": True},
    ":z": {"NULL": True},
    ":ss": {"SS": ["a"]},
    ":ns": {"NS": ["1"]},
    ":bs": {"BS": [b"a"]},
    ":m": {"M": {}},
    ":l": {"L": []},
}
kinds = {
    ":s": "S",
    ":n": "N",
    ":b": "B",
    ":t": "BOOL",
    ":z": "NULL",
    ":ss": "SS",
    ":ns": "NS",
    ":bs": "BS",
    ":m": "M",
    ":l": "L",
}
syntax_errors = [
    "things are not gonna be ok",
    "a > 4",
    "attribute_exists(Pictures-RearView)",
    'attribute_exists("Pictures.RearView")',
    "attribute_exists(Pictures..RearView)",
    "attribute_exists(Pi#ctures.RearView)",
    "attribute_exists(asdf[a])",
    "a in b, c",
    "a > between",
    "a in b",
    "a in (b,c,)",
    "(a)between(b.(c.d))and(c)",
    "(a)between(b.c.d)and((c)",
    "#$.b > a",
    "a > :things.stuff",
    "b[:a] > a",
    "b[#_] > a",
    "ü > a",
    "(a)between(b.c[4.5].#d)and(:a)",
    "size(a).b > a",
    "(size(a)).b > a",
    "size(a)[0] > a",
    "(size(a))[0] > a",
]
update_syntax_errors = [
    "whatever",
    "set a",
    "add a",
    "delete a",
    "set a=set",
    "remove a = b",
    "add a = b",
    "delete a b",
    "delete a if_not_exist(b)",
    "add abort b",
    "remove a b",
    "set a b",
    "set :a = b",
    "add :a b",
    "delete :a b",
    "remove :a",
    "set a = b / c",
    "set a = b * c",
    'set a[1] = "eight"',
    "set a[1] = 1",
    "SET a = if_not_exist(a, 100)",
    "SET if_not_exist(a, b) = a",
    "set (a = (b + c))",
    "set a = (b.c).d + e",
    "set a = (b.c)[0] + e",
    "set a = b + c + d",
]
redundant = "The expression has redundant parentheses;"
function = "Invalid function name; function: {}"
misused = "The function is not allowed to be used this way in an expression; function: {}"
reserved = "Attribute name is a reserved keyword; reserved keyword: {}"
no_name = "An expression attribute name used in the document path is not defined; attribute name: {}"
no_value = "An expression attribute value used in expression is not defined; attribute value: {}"
operands = "Incorrect number of operands for operator or function; operator or function: {}, number of operands: {}"
kind = "Incorrect operand type for operator or function; operator or function: {}, operand type: {}"
path = "Operator or function requires a document path; operator or function: {}"
distinct = (
    "The first operand must be distinct from the remaining operands for this operator or function; "
    "operator: {}, first operand: {}"
)
overlap = "Two document paths {} with each other; must remove or rewrite one of these paths; path one: {}, path two: {}"
conditions: list[tuple[str, str]] = [
    ("a=a and a > ((views))", redundant),
    ("(a)between(((b.c)).d)and(c)", redundant),
    ("a > whatever((:things), ((a)))", redundant),
    ("a=a AND ((a=a AND a=a)) AND a=a", redundant),
    ("a=a OR ((a=a OR (a=a OR a=a)))", redundant),
    ("a=a and whatever((:things)) > a", function.format("whatever")),
    ("attRIbute_exIsts((views), #a)", function.format("attRIbute_exIsts")),
    ("a=a and attribute_exists((views), (#a)) > b", misused.format("attribute_exists")),
    ("attribute_not_exists(things) > b", misused.format("attribute_not_exists")),
    ("attribute_type(things, :a) > b", misused.format("attribute_type")),
    ("begins_with(things, a) > b", misused.format("begins_with")),
    ("contains(:things, c) > b", misused.format("contains")),
    ("size(contains(a, b)) > a", misused.format("contains")),
    ("size(things)", misused.format("size")),
    ("a between b and attribute_exists(things)", misused.format("attribute_exists")),
    ("a in (b, attribute_exists(things))", misused.format("attribute_exists")),
    ("attribute_exists(views, #a)", reserved.format("views")),
    (":a < abOrT", reserved.format("abOrT")),
    ("attribute_exists(#Pictures.RearView, :a) and a=a", no_name.format("#Pictures")),
    ("begins_with(Pictures.#RearView)", no_name.format("#RearView")),
    ("(#P between :lo and :hi) and (#PC in (:cat1, :cat2))", no_name.format("#P")),
    ("(a)between(b.c[45].#d)and(:a)", no_name.format("#d")),
    ("begins_with(:hello, #a, #b)", no_value.format(":hello")),
    (":a < :b", no_value.format(":a")),
    ("attribute_exists(things, a) and a=a", operands.format("attribute_exists", 2)),
    ("attribute_not_exists(things, b)", operands.format("attribute_not_exists", 2)),
    ("attribute_type(things)", operands.format("attribute_type", 1)),
    ("begins_with(things, size(a), b)", operands.format("begins_with", 3)),
    ("contains(things)", operands.format("contains", 1)),
    ("size(things, a) > b", operands.format("size", 2)),
    ("a = a AND b = c", distinct.format("=", "[a]")),
    ("((a=a) OR (a=a))", distinct.format("=", "[a]")),
    ("contains(ab.bc[1].a, ab.bc[1].a)", distinct.format("contains", "[ab, bc, [1], a]")),
    ("attribute_type(ab.bc[1].a, ab.bc[1].a)", distinct.format("attribute_type", "[ab, bc, [1], a]")),
]
judged_conditions: list[tuple[str, str, str]] = [
    *(("attribute_type(a, {})", each, kind.format("attribute_type", kinds[each])) for each in kinds if each != ":s"),
    *(
        (text, each, kind.format("begins_with", kinds[each]))
        for text in ("begins_with(a, {})", "begins_with({}, a)")
        for each in kinds
        if each not in (":s", ":b")
    ),
    *(
        (text, each, kind.format(operator, kinds[each]))
        for text, operator in (("a < {}", "<"), ("{} >= a", ">="), ("a between {0} and {0}", "BETWEEN"))
        for each in kinds
        if each not in (":s", ":n", ":b")
    ),
    *(("size({}) > a", each, kind.format("size", kinds[each])) for each in (":n", ":t", ":z")),
    ("begins_with(a, size({}))", ":s", kind.format("begins_with", "N")),
    ("attribute_exists({}) and a=b", ":s", path.format("attribute_exists")),
    ("attribute_not_exists(size({}))", ":s", path.format("attribute_not_exists")),
]
updates: list[tuple[str, str]] = [
    (" set #c = :c set abOrt = true ", reserved.format("abOrt")),
    (" remove Absolute ", reserved.format("Absolute")),
    ("set #c = if_not_exist(:c) set c = d", function.format("if_not_exist")),
    ("set a = #c set c = :d", 'The "SET" section can only be used once in an update expression;'),
    ("remove #d set a = b remove e", 'The "REMOVE" section can only be used once in an update expression;'),
    ("add #d :e set a = b add e :f", 'The "ADD" section can only be used once in an update expression;'),
    ("SET #c = if_not_exists(:c)", no_name.format("#c")),
    ("SET a = if_not_exists(:c)", no_value.format(":c")),
    (
        "set d[1] = a, d.b = a, c[1].a = a, c = if_not_exists(a)",
        overlap.format("overlap", "[c, [1], a]", "[c]"),
    ),
    ("remove a.c set a[1] = d", overlap.format("conflict", "[a, c]", "[a, [1]]")),
    ("set a = if_not_exists(c)", operands.format("if_not_exists", 1)),
    ("set a = list_append(c)", operands.format("list_append", 1)),
    ("set a = list_append(list_append(a, :b), c)", misused.format("list_append")),
    ("set a = if_not_exists(b, list_append(:c))", misused.format("list_append")),
    ("set a = if_not_exists(if_not_exists(a, b), c)", path.format("if_not_exists")),
]
judged_updates: list[tuple[str, str, str]] = [
    *(("set a = list_append({}, a)", each, kind.format("list_append", kinds[each])) for each in kinds if each != ":l"),
    *(
        (text, each, kind.format(operator, kinds[each]))
        for text, operator in (("set a = a + {}", "+"), ("set a = {} - a", "-"))
        for each in kinds
        if each != ":n"
    ),
    ("set a = if_not_exists({}, c)", ":s", path.format("if_not_exists")),
]


def message_of(operation: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as refusal:
        operation(**request)
    error = refusal.value.response["Error"]
    assert error["Code"] == "ValidationException"
    return str(error["Message"])


@pytest.mark.parametrize("expression", syntax_errors)
def test_the_syntax_of_conditions(client: Any, expression: str) -> None:
    told = message_of(client.scan, TableName=unique(), FilterExpression=expression)
    assert re.fullmatch('Invalid FilterExpression: Syntax error; token: ".+", near: ".+"', told)


@pytest.mark.parametrize("expression", update_syntax_errors)
def test_the_syntax_of_updates(client: Any, expression: str) -> None:
    told = message_of(client.update_item, TableName=unique(), Key={}, UpdateExpression=expression)
    prefix = "1 validation error detected: Invalid UpdateExpression: "
    assert re.fullmatch(prefix + 'Syntax error; token: ".+", near: ".+"', told)


@pytest.mark.parametrize(("expression", "message"), conditions)
def test_conditions_that_no_value_mends(client: Any, expression: str, message: str) -> None:
    told = message_of(client.scan, TableName=unique(), FilterExpression=expression)
    assert told == f"Invalid FilterExpression: {message}"


@pytest.mark.parametrize(("expression", "placeholder", "message"), judged_conditions)
def test_values_of_conditions(client: Any, expression: str, placeholder: str, message: str) -> None:
    """Operands are judged before a value that nothing uses is told."""
    told = message_of(
        client.scan,
        TableName=unique(),
        FilterExpression=expression.format(placeholder),
        ExpressionAttributeValues={placeholder: every_type[placeholder], ":unused": {"S": "x"}},
    )
    assert told == f"Invalid FilterExpression: {message}"


def test_the_name_of_a_type(client: Any) -> None:
    told = message_of(
        client.scan,
        TableName=unique(),
        FilterExpression="attribute_type(a, :a)",
        ExpressionAttributeValues={":a": {"S": "1"}},
    )
    assert re.fullmatch(
        "Invalid FilterExpression: Invalid attribute type name found; type: 1, valid types: "
        "{((B|NULL|SS|BOOL|L|BS|N|NS|S|M),?){10}}",
        told,
    )


@pytest.mark.parametrize(("expression", "message"), updates)
def test_updates_that_no_value_mends(client: Any, expression: str, message: str) -> None:
    told = message_of(client.update_item, TableName=unique(), Key={}, UpdateExpression=expression)
    assert told == f"1 validation error detected: Invalid UpdateExpression: {message}"


@pytest.mark.parametrize(("expression", "placeholder", "message"), judged_updates)
def test_values_of_updates(client: Any, expression: str, placeholder: str, message: str) -> None:
    told = message_of(
        client.update_item,
        TableName=unique(),
        Key={},
        UpdateExpression=expression.format(placeholder),
        ExpressionAttributeValues={placeholder: every_type[placeholder], ":unused": {"S": "x"}},
    )
    assert told == f"1 validation error detected: Invalid UpdateExpression: {message}"


@pytest.mark.parametrize("action", ["ADD", "DELETE"])
@pytest.mark.parametrize(
    ("placeholder", "word"),
    [(":s", "STRING"), (":b", "BINARY"), (":t", "BOOL"), (":z", "NULL"), (":m", "MAP"), (":l", "LIST")],
)
def test_add_and_delete_take_sets(client: Any, action: str, placeholder: str, word: str) -> None:
    told = message_of(
        client.update_item,
        TableName=unique(),
        Key={},
        UpdateExpression=f"{action} a.b {placeholder}",
        ExpressionAttributeValues={placeholder: every_type[placeholder]},
    )
    assert told == (
        "1 validation error detected: Invalid UpdateExpression: Incorrect operand type for operator or function; "
        f"operator: {action}, operand type: {word}, typeSet: ALLOWED_FOR_ADD_OPERAND"
    )
