"""Updates: which are refused before an item is read, which with the item at hand, and what the others make of it."""

from copy import deepcopy
from typing import Any

import pytest

from services.region.expressions.nodes import AddAction, Literal, Path, RemoveAction, Section, SetAction, UpdateTree
from services.region.expressions.substitutions import Substitutions
from services.region.expressions.updates import Update, bind_update, update_from, updated_attributes
from shared.errors import ValidationError
from shared.model.values import Item

_invalid_path = "The document path provided in the update expression is invalid for update"
_wrong_type = "An operand in the update expression has an incorrect data type"
_missing = "The provided expression refers to an attribute that does not exist in the item"


def _bind(text: str, values: dict[str, Any] | None = None, names: dict[str, str] | None = None) -> Update:
    return bind_update(text, Substitutions(names, values))


def _refusal(text: str, values: dict[str, Any] | None = None, names: dict[str, str] | None = None) -> str:
    with pytest.raises(ValidationError) as refusal:
        _bind(text, values, names)
    assert refusal.value.message.startswith("Invalid UpdateExpression: ")
    return refusal.value.message.removeprefix("Invalid UpdateExpression: ")


def _refusal_for(item: Item, text: str, values: dict[str, Any] | None = None) -> str:
    update = _bind(text, values)
    with pytest.raises(ValidationError) as refusal:
        update.apply(item)
    return refusal.value.message


def _after(item: Item, text: str, values: dict[str, Any] | None = None) -> Item:
    return _bind(text, values).apply(item).item


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("set a = #c set c = :d", "SET"),
        ("remove #d set a = b remove e", "REMOVE"),
        ("add #d :e set a = b add e :f", "ADD"),
        ("delete #d :e set a = b delete #e :f", "DELETE"),
    ],
)
def test_each_section_is_used_once(text: str, keyword: str) -> None:
    assert _refusal(text) == f'The "{keyword}" section can only be used once in an update expression;'


def test_unknown_functions_are_told_before_a_repeated_section() -> None:
    assert _refusal("set #c = if_not_exist(:c) set c = d") == "Invalid function name; function: if_not_exist"


def test_functions_of_conditions_are_refused_in_updates() -> None:
    assert _refusal("set a = size(b)") == "The function is not allowed in an update expression; function: size"


def test_undefined_names_are_told_before_undefined_values_and_these_before_a_wrong_count() -> None:
    names = {"#a": "a"}
    assert _refusal("SET #c = if_not_exists(:c)", names=names) == (
        "An expression attribute name used in the document path is not defined; attribute name: #c"
    )
    assert _refusal("SET #a = if_not_exists(:c)", names=names) == (
        "An expression attribute value used in expression is not defined; attribute value: :c"
    )
    assert _refusal("SET b = :c, d = #e", names=names) == (
        "An expression attribute name used in the document path is not defined; attribute name: #e"
    )


@pytest.mark.parametrize(
    ("text", "one", "two"),
    [
        ("set d[1] = a, d.b = a, c[1].a = a, #c = if_not_exists(a)", "[c, [1], a]", "[c]"),
        ("set a = b remove a", "[a]", "[a]"),
        ("set #c[3].#d = a, #c[3] = a", "[c, [3], [3]]", "[c, [3]]"),
        ("remove c, #c.a", "[c]", "[c, a]"),
        ("set a.b = :v, a.b.c = :v", "[a, b]", "[a, b, c]"),
    ],
)
def test_paths_that_overlap_are_refused(text: str, one: str, two: str) -> None:
    assert _refusal(text, names={"#c": "c", "#d": "[3]"}) == (
        "Two document paths overlap with each other; must remove or rewrite one of these paths; "
        f"path one: {one}, path two: {two}"
    )


@pytest.mark.parametrize(
    ("text", "one", "two"),
    [
        ("set #c[3].#d = a, #c.#d[3] = if_not_exists(a)", "[c, [3], [3]]", "[c, [3], [3]]"),
        ("remove a.#c set a[1] = #d", "[a, c]", "[a, [1]]"),
    ],
)
def test_paths_that_take_one_value_for_map_and_list_are_refused(text: str, one: str, two: str) -> None:
    assert _refusal(text, names={"#c": "c", "#d": "[3]"}) == (
        "Two document paths conflict with each other; must remove or rewrite one of these paths; "
        f"path one: {one}, path two: {two}"
    )


@pytest.mark.parametrize(
    ("text", "value", "operator", "word"),
    [
        ("set b = list_append(:a, a), c = if_not_exists(a) add a.b :a", {"S": "a"}, "ADD", "STRING"),
        ("delete a.b :a", {"S": "a"}, "DELETE", "STRING"),
        ("add a.b :a", {"NULL": True}, "ADD", "NULL"),
        ("delete a.b :a", {"BOOL": True}, "DELETE", "BOOL"),
        ("add a.b :a", {"B": "YQ=="}, "ADD", "BINARY"),
        ("add a.b :a", {"M": {"a": {"L": []}}}, "ADD", "MAP"),
        ("add a.b :a", {"L": [{"N": "1"}]}, "ADD", "LIST"),
        ("delete a.b :a", {"N": "1"}, "DELETE", "NUMBER"),
    ],
)
def test_add_takes_numbers_and_sets_and_delete_takes_sets(text: str, value: Any, operator: str, word: str) -> None:
    assert _refusal(text, {":a": value}) == (
        f"Incorrect operand type for operator or function; operator: {operator}, operand type: {word}, "
        f"typeSet: ALLOWED_FOR_ADD_OPERAND"
    )


@pytest.mark.parametrize("operator", ["+", "-"])
@pytest.mark.parametrize("value", [{"S": "a"}, {"B": "YQ=="}, {"BOOL": True}, {"NULL": True}, {"SS": ["a"]}, {"M": {}}])
def test_arithmetic_takes_numbers(operator: str, value: dict[str, Any]) -> None:
    message = (
        "Incorrect operand type for operator or function; "
        f"operator or function: {operator}, operand type: {next(iter(value))}"
    )
    assert _refusal(f"set a = a {operator} :v", {":v": value}) == message
    assert _refusal(f"set a = :v {operator} a", {":v": value}) == message


def test_list_append_takes_lists() -> None:
    assert _refusal("set a = list_append(a, :v)", {":v": {"SS": ["a"]}}) == (
        "Incorrect operand type for operator or function; operator or function: list_append, operand type: SS"
    )


@pytest.mark.parametrize(
    ("text", "function", "count"),
    [("set a = if_not_exists(c)", "if_not_exists", 1), ("set a = list_append(c)", "list_append", 1)],
)
def test_a_wrong_number_of_operands_is_refused(text: str, function: str, count: int) -> None:
    assert _refusal(text) == (
        "Incorrect number of operands for operator or function; "
        f"operator or function: {function}, number of operands: {count}"
    )


@pytest.mark.parametrize("text", ["set a = if_not_exists(:a, c)", "set a = if_not_exists(if_not_exists(a, b), c)"])
def test_if_not_exists_wants_a_document_path(text: str) -> None:
    assert _refusal(text, {":a": {"S": "a"}}) == (
        "Operator or function requires a document path; operator or function: if_not_exists"
    )


_stored: Item = {
    "pk": {"S": "k"},
    "b": {"M": {"a": {"SS": ["1"]}}},
    "c": {"N": "1"},
    "d": {"NS": ["1"]},
    "l": {"L": [{"S": "x"}, {"M": {"y": {"N": "1"}}}]},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("delete d :a", {"SS": ["1"]}),
        ("delete b :a", {"NS": ["1"]}),
        ("delete b.a :a", {"BS": ["YQ=="]}),
        ("delete c :a", {"NS": ["1"]}),
        ("add b :a", {"NS": ["1"]}),
        ("add d :a", {"N": "1"}),
        ("add pk :a", {"N": "1"}),
        ("set e = pk + :a", {"N": "1"}),
        ("set e = b - :a", {"N": "1"}),
        ("set e = list_append(d, if_not_exists(f, :a))", {"L": []}),
        ("set e = if_not_exists(pk, :a) + c", {"N": "1"}),
        ("set z.z = :a, e = pk + :a", {"N": "1"}),  # before a path that leads nowhere
        ("set z = gone, e = pk + :a", {"N": "1"}),  # and before a missing attribute
    ],
)
def test_operands_of_the_wrong_type_in_the_item_are_refused(text: str, value: dict[str, Any]) -> None:
    assert _refusal_for(_stored, text, {":a": value}) == _wrong_type


@pytest.mark.parametrize("text", ["set e = gone", "set e = list_append(gone, z)", "set e = gone + c", "set e = b.z"])
def test_reading_an_attribute_that_the_item_lacks_is_refused(text: str) -> None:
    assert _refusal_for(_stored, text) == _missing


@pytest.mark.parametrize("verb", ["set {} = :a", "remove {} set u = :a", "delete {} :a", "add {} :a"])
@pytest.mark.parametrize("path", ["c.a", "c[1]", "y.a", "y[1]", "b[1]", "l.y", "b.a.c", "l[0].x", "l[7].x"])
def test_a_path_must_lead_through_what_is_there(verb: str, path: str) -> None:
    assert _refusal_for(_stored, verb.format(path), {":a": {"SS": ["a"]}}) == _invalid_path


def test_a_path_that_leads_nowhere_is_told_before_a_missing_attribute_of_its_section() -> None:
    assert _refusal_for(_stored, "set e = gone, y.z = c") == _invalid_path
    assert _refusal_for(_stored, "remove y.z set e = gone") == _missing


def test_numbers_out_of_range_are_refused() -> None:
    item: Item = {"n": {"N": "9" + "0" * 125}}
    overflow = "Number overflow. Attempting to store a number with magnitude larger than supported range"
    assert _refusal_for(item, "set n = n + n") == overflow
    assert _refusal_for(item, "add n :n", {":n": item["n"]}) == overflow


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("SET a = :v", {":v": {"S": "new"}}, {"a": {"S": "new"}}),
        ("SET c = c + :v", {":v": {"N": "0.5"}}, {"c": {"N": "1.5"}}),
        ("SET c = (c - :v)", {":v": {"N": "3"}}, {"c": {"N": "-2"}}),
        ("SET c = :v - c", {":v": {"N": "3"}}, {"c": {"N": "2"}}),
        ("SET c = if_not_exists(c, :v)", {":v": {"N": "9"}}, {"c": {"N": "1"}}),
        ("SET e = if_not_exists(e, :v) - :w", {":v": {"N": "9"}, ":w": {"N": "1"}}, {"e": {"N": "8"}}),
        ("SET e = if_not_exists(e, c)", None, {"e": {"N": "1"}}),
        (
            "SET e = list_append(if_not_exists(e, :v), :w)",
            {":v": {"L": []}, ":w": {"L": [{"S": "x"}]}},
            {"e": {"L": [{"S": "x"}]}},
        ),
        ("SET b.n = b.a", None, {"b": {"M": {"a": {"SS": ["1"]}, "n": {"SS": ["1"]}}}}),
        ("SET c = :v, e = c", {":v": {"N": "7"}}, {"c": {"N": "7"}, "e": {"N": "1"}}),  # sees the old value
        ("ADD c :v", {":v": {"N": "2"}}, {"c": {"N": "3"}}),
        ("ADD e :v", {":v": {"N": "2"}}, {"e": {"N": "2"}}),
        ("ADD d :v", {":v": {"NS": ["10", "1", "2"]}}, {"d": {"NS": ["1", "2", "10"]}}),  # in order of value
        ("ADD b.a :v", {":v": {"SS": ["1", "0"]}}, {"b": {"M": {"a": {"SS": ["0", "1"]}}}}),
        ("ADD e :v", {":v": {"BS": ["YQ=="]}}, {"e": {"BS": ["YQ=="]}}),
        ("DELETE d :v", {":v": {"NS": ["7"]}}, {}),
        ("DELETE e :v", {":v": {"NS": ["7"]}}, {}),
        ("REMOVE e, b.z, l[9]", None, {}),
        ("REMOVE b.a", None, {"b": {"M": {}}}),
        ("REMOVE l[0]", None, {"l": {"L": [{"M": {"y": {"N": "1"}}}]}}),
        ("SET l[9] = :v", {":v": {"N": "2"}}, {"l": {"L": [*_stored["l"]["L"], {"N": "2"}]}}),
        (
            "SET l[9] = :v, l[5] = c REMOVE l[0]",
            {":v": {"N": "2"}},
            {"l": {"L": [_stored["l"]["L"][1], {"N": "1"}, {"N": "2"}]}},
        ),
        (
            "REMOVE l[0] SET l[1].y = :v",
            {":v": {"N": "2"}},
            {"l": {"L": [{"M": {"y": {"N": "2"}}}]}},
        ),
    ],
)
def test_an_update_changes_what_it_names_and_nothing_else(
    text: str, values: dict[str, Any] | None, expected: Item
) -> None:
    before = deepcopy(_stored)
    assert _after(_stored, text, values) == _stored | expected
    assert _stored == before


def test_an_emptied_set_vanishes() -> None:
    assert _after({"a": {"SS": ["x"]}}, "DELETE a :v", {":v": {"SS": ["x", "y"]}}) == {}
    assert _after({"m": {"M": {"a": {"BS": ["YQ=="]}}}}, "DELETE m.a :v", {":v": {"BS": ["YQ=="]}}) == {"m": {"M": {}}}


def test_an_emptied_set_in_a_list_closes_its_gap() -> None:
    item: Item = {"l": {"L": [{"SS": ["x"]}, {"N": "1"}]}}
    assert _after(item, "DELETE l[0] :v", {":v": {"SS": ["x"]}}) == {"l": {"L": [{"N": "1"}]}}


def test_many_writes_to_a_list_and_a_map_give_what_dynamodb_gives() -> None:
    item: Item = {
        "a": {"S": "key"},
        "b": {"M": {"a": {"N": "1"}, "b": {"N": "2"}, "c": {"N": "3"}}},
        "c": {"L": [{"N": "1"}, {"N": "3"}]},
    }
    updated = _bind(
        "set b.c=((c[1])+(b.a)),b.a = a,c[1] = a, c[4] = b.a - b.b, c[2] = b.c add c[8] :b, c[6] :a",
        {":a": {"N": "2"}, ":b": {"SS": ["a"]}},
    ).apply(item)
    assert updated.item == {
        "a": {"S": "key"},
        "b": {"M": {"a": {"S": "key"}, "b": {"N": "2"}, "c": {"N": "4"}}},
        "c": {"L": [{"N": "1"}, {"S": "key"}, {"N": "3"}, {"N": "-1"}, {"N": "2"}, {"SS": ["a"]}]},
    }
    assert updated_attributes(updated.item, updated.touched) == {
        "b": {"M": {"a": {"S": "key"}, "c": {"N": "4"}}},
        "c": {"L": [{"S": "key"}, {"N": "3"}, {"N": "2"}]},
    }
    assert updated_attributes(item, updated.touched) == {
        "b": {"M": {"a": {"N": "1"}, "c": {"N": "3"}}},
        "c": {"L": [{"N": "3"}]},
    }


def test_updated_attributes_are_the_touched_parts_that_an_image_has() -> None:
    updated = _bind("SET m.x = :v REMOVE gone, c ADD n :v", {":v": {"N": "1"}}).apply(
        {"m": {"M": {"x": {"N": "0"}, "keep": {"N": "5"}}}, "c": {"S": "old"}, "keep": {"S": "k"}}
    )
    assert updated_attributes(updated.item, updated.touched) == {"m": {"M": {"x": {"N": "1"}}}, "n": {"N": "1"}}


def test_an_update_tells_which_attributes_it_writes_and_looks_into() -> None:
    update = _bind("set a.x = f[1], b = pk remove #c", names={"#c": "c"})
    assert update.paths == ("a", "b", "c")
    assert update.nested == ("a", "f")


def test_a_tree_can_be_built_without_a_text() -> None:
    tree = UpdateTree(
        (
            Section("SET", (SetAction(Path(("status",)), Literal({"S": "x"})),)),
            Section("REMOVE", (RemoveAction(Path(("name",))),)),
            Section("ADD", (AddAction(Path(("count",)), Literal({"N": "1"})),)),
        )
    )
    update = update_from(tree, Substitutions(None, None))
    assert update.apply({"name": {"S": "n"}}).item == {"status": {"S": "x"}, "count": {"N": "1"}}
