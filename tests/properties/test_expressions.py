"""What holds of every expression: judged as its parts say, read or refused in bounded time, no input changed."""

import operator
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.region.expressions.conditions import bind_condition
from services.region.expressions.key_conditions import bind_key_condition
from services.region.expressions.projections import bind_projection
from services.region.expressions.substitutions import Substitutions
from services.region.expressions.updates import bind_update, updated_attributes
from shared.errors import ValidationError
from shared.model.values import AttributeValue, Item, same_item

_names = ["a1", "b1", "c1"]
_numbers = st.integers(-3, 3).map(lambda n: {"N": str(n)})
_texts = st.text("xyz", max_size=2).map(lambda text: {"S": text})
_scalars = st.one_of(_numbers, _texts, st.booleans().map(lambda b: {"BOOL": b}), st.just({"NULL": True}))
_sets = st.one_of(
    st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, unique=True).map(lambda members: {"SS": members}),
    st.lists(st.sampled_from(["0", "1", "2"]), min_size=1, unique=True).map(lambda members: {"NS": members}),
)
_values: st.SearchStrategy[AttributeValue] = st.recursive(
    st.one_of(_scalars, _sets),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda elements: {"L": elements}),
        st.dictionaries(st.sampled_from(_names), inner, max_size=3).map(lambda members: {"M": members}),
    ),
    max_leaves=6,
)
_items: st.SearchStrategy[Item] = st.dictionaries(st.sampled_from(_names), _values, max_size=3)
_paths: st.SearchStrategy[tuple[str | int, ...]] = st.tuples(
    st.sampled_from(_names), st.lists(st.one_of(st.sampled_from(_names), st.integers(0, 2)), max_size=2)
).map(lambda path: (path[0], *path[1]))

_orders: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_comparisons = st.tuples(st.sampled_from(sorted(_orders)), _paths, st.one_of(_numbers, _texts))
_predicates: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        _comparisons,
        st.tuples(st.sampled_from(["attribute_exists", "attribute_not_exists"]), _paths),
        st.tuples(st.just("IN"), _paths, st.lists(_scalars, min_size=1, max_size=3)),
        st.tuples(st.just("BETWEEN"), _paths, st.tuples(st.integers(-3, 0), st.integers(0, 3))),
    ),
    lambda inner: st.one_of(
        st.tuples(st.just("NOT"), inner),
        st.tuples(st.sampled_from(["AND", "OR"]), inner, inner),
    ),
    max_leaves=8,
)


def _path_text(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _written(predicate: Any, values: dict[str, AttributeValue]) -> str:
    """The predicate as text, with its values put aside."""

    def put(value: AttributeValue) -> str:
        values[f":v{len(values)}"] = value
        return f":v{len(values) - 1}"

    match predicate:
        case "NOT", inner:
            return f"NOT ({_written(inner, values)})"
        case "AND" | "OR" as joint, left, right:
            # Without parentheses where precedence makes them needless: that is what is tested.
            texts = [_written(side, values) for side in (left, right)]
            loose = [joint == "AND" and side[0] == "OR" for side in (left, right)]
            return f" {joint} ".join(f"({text})" if wrap else text for text, wrap in zip(texts, loose, strict=True))
        case "attribute_exists" | "attribute_not_exists" as function, path:
            return f"{function}({_path_text(path)})"
        case "IN", path, candidates:
            return f"{_path_text(path)} IN ({', '.join(map(put, candidates))})"
        case "BETWEEN", path, (low, high):
            return f"{_path_text(path)} BETWEEN {put({'N': str(low)})} AND {put({'N': str(high)})}"
        case order, path, value:
            return f"{_path_text(path)} {order} {put(value)}"
    raise AssertionError(predicate)


def _plain(value: AttributeValue | None) -> Any:
    """A value as Python compares it: tagged with its type, so that types differ."""
    if value is None:
        return None
    ((kind, content),) = value.items()
    if kind == "N":
        return kind, Decimal(content)
    if kind in ("SS", "NS"):
        return kind, frozenset(content)
    if kind == "L":
        return kind, tuple(_plain(element) for element in content)
    if kind == "M":
        return kind, frozenset((name, _plain(element)) for name, element in content.items())
    return kind, content


def _found(item: Item, path: tuple[str | int, ...]) -> Any:
    value: Any = {"M": item}
    for step in path:
        try:
            value = value["M"][step] if isinstance(step, str) else value["L"][step]
        except (KeyError, IndexError):
            return None
    return _plain(value)


def _truth(predicate: Any, item: Item) -> bool:
    """The naive model."""
    match predicate:
        case "NOT", inner:
            return not _truth(inner, item)
        case "AND", left, right:
            return _truth(left, item) and _truth(right, item)
        case "OR", left, right:
            return _truth(left, item) or _truth(right, item)
        case "attribute_exists", path:
            return _found(item, path) is not None
        case "attribute_not_exists", path:
            return _found(item, path) is None
        case "IN", path, candidates:
            return _found(item, path) in [_plain(candidate) for candidate in candidates]
        case "BETWEEN", path, (low, high):
            found = _found(item, path)
            return found is not None and found[0] == "N" and low <= found[1] <= high
        case order, path, value:
            found, wanted = _found(item, path), _plain(value)
            comparable = order in ("=", "<>") or (found is not None and found[0] == wanted[0])
            return comparable and _orders[order](found, wanted)
    raise AssertionError(predicate)


@given(predicate=_predicates, item=_items)
def test_a_condition_judges_as_its_parts_say(predicate: Any, item: Item) -> None:
    values: dict[str, AttributeValue] = {}
    text = _written(predicate, values)
    condition = bind_condition(text, Substitutions(None, values or None), parameter="FilterExpression")
    assert condition.holds(item) is _truth(predicate, item)


_pieces = st.sampled_from(
    [
        *("a", "b.c", "#n", ":v", "[1]", "[99999999999]", ".", ",", "(", ")", "((", "))", "=", "<>", "<", "+", "-"),
        *("AND", "or", "NOT", "BETWEEN", "IN", "SET", "remove", "ADD", "DELETE", "size(", "contains(", "f("),
        *("if_not_exists(", "list_append(", "attribute_type(", "status", "_", "0", "!", "é", "\t", "#", ":"),
    ]
)
_scribbles = st.one_of(
    st.text(max_size=60),
    st.lists(_pieces, max_size=40).map(" ".join),
    st.lists(_pieces, max_size=40).map("".join),
    st.tuples(_pieces, st.integers(1, 2000), st.lists(_pieces, max_size=5)).map(lambda t: t[0] * t[1] + " ".join(t[2])),
)


@settings(max_examples=400, deadline=timedelta(seconds=2))
@given(text=_scribbles)
def test_any_text_is_bound_or_refused_in_bounded_time(text: str) -> None:
    binds: list[Callable[[Substitutions], object]] = [
        lambda substitutions: bind_condition(text, substitutions, parameter="ConditionExpression").holds({}),
        lambda substitutions: bind_key_condition(text, substitutions).range_for("a", "b", {"a": "N", "b": "N"}),
        lambda substitutions: bind_update(text, substitutions).apply({}),
        lambda substitutions: bind_projection(text, substitutions).of({}),
    ]
    for bind in binds:
        with suppress(ValidationError):
            bind(Substitutions({"#n": "n"}, {":v": {"N": "1"}}))


_actions = st.one_of(
    st.tuples(st.just("SET"), _paths, st.sampled_from(["{path} = :n", "{path} = a1", "{path} = list_append(b1, :l)"])),
    st.tuples(st.just("SET"), _paths, st.sampled_from(["{path} = if_not_exists(c1, :n)", "{path} = a1 + :n"])),
    st.tuples(st.just("REMOVE"), _paths, st.just("{path}")),
    st.tuples(st.just("ADD"), _paths, st.sampled_from(["{path} :n", "{path} :s"])),
    st.tuples(st.just("DELETE"), _paths, st.just("{path} :s")),
)


@settings(max_examples=300)
@given(actions=st.lists(_actions, min_size=1, max_size=4), item=_items)
def test_an_update_leaves_its_input_as_it_was(actions: list[tuple[str, Any, str]], item: Item) -> None:
    before = deepcopy(item)
    values: dict[str, AttributeValue] = {":n": {"N": "1"}, ":l": {"L": [{"N": "7"}]}, ":s": {"SS": ["x", "w"]}}
    given_values = deepcopy(values)
    sections = [
        f"{keyword} " + ", ".join(form.format(path=_path_text(path)) for verb, path, form in actions if verb == keyword)
        for keyword in dict.fromkeys(verb for verb, _, _ in actions)
    ]
    try:
        updated = bind_update(" ".join(sections), Substitutions(None, values)).apply(item)
    except ValidationError:
        assert item == before
        return
    assert item == before
    assert values == given_values
    untouched = set(item) - {str(path[0]) for path in updated.touched}
    assert all(updated.item[name] == item[name] for name in untouched)
    touched_parts = updated_attributes(updated.item, updated.touched)
    assert set(touched_parts) <= {str(path[0]) for path in updated.touched} & set(updated.item)


@given(item=_items, path=_paths, value=_values)
def test_what_was_set_is_there_afterwards(item: Item, path: tuple[str | int, ...], value: AttributeValue) -> None:
    try:
        updated = bind_update(f"SET {_path_text(path)} = :v", Substitutions(None, {":v": value})).apply(item)
    except ValidationError:
        assume(False)
        raise
    if isinstance(path[-1], int):  # past the end of its list it is appended
        assert _plain(value) in _elements(_found(updated.item, path[:-1]))
    else:
        assert _found(updated.item, path) == _plain(value)


def _elements(found: Any) -> tuple[Any, ...]:
    elements: tuple[Any, ...] = found[1]
    return elements


@given(item=_items)
def test_setting_every_attribute_to_itself_changes_nothing(item: Item) -> None:
    assume(item)
    text = "SET " + ", ".join(f"{name} = {name}" for name in item)
    assert same_item(bind_update(text, Substitutions(None, None)).apply(item).item, item)


@given(item=_items)
def test_the_projection_on_everything_is_the_item(item: Item) -> None:
    assume(item)
    assert bind_projection(", ".join(item), Substitutions(None, None)).of(item) == item
    leaves = [leaf for name, value in item.items() for leaf in _leaves((name,), value)]
    assert bind_projection(", ".join(leaves), Substitutions(None, None)).of(item) == item


def _leaves(path: tuple[str | int, ...], value: AttributeValue) -> list[str]:
    """The paths of everything that holds nothing further."""
    steps: list[tuple[str | int, AttributeValue]] = list(value.get("M", {}).items()) or list(
        enumerate(value.get("L", []))
    )
    return [leaf for step, inner in steps for leaf in _leaves((*path, step), inner)] or [_path_text(path)]
