"""Projections give the named parts of an item, maps partly and lists condensed."""

from typing import Any

import pytest

from services.region.expressions.projections import Projection, bind_projection
from services.region.expressions.substitutions import Substitutions
from shared.errors import ValidationError
from shared.model.values import Item

_item: Item = {
    "pk": {"S": "k"},
    "m": {"M": {"a": {"S": "A"}, "b": {"S": "B"}, "c": {"S": "C"}, "e": {"M": {}}}},
    "l": {
        "L": [
            {"M": {"a": {"S": "a0"}, "b": {"S": "b0"}, "n": {"L": [{"S": "p"}, {"S": "q"}]}}},
            {"S": "l1"},
            {"M": {"c": {"S": "c2"}}},
        ]
    },
}


def _bind(text: str, names: dict[str, str] | None = None) -> Projection:
    return bind_projection(text, Substitutions(names, None))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pk", {"pk": {"S": "k"}}),
        ("gone", {}),
        ("m.a, m.b", {"m": {"M": {"a": {"S": "A"}, "b": {"S": "B"}}}}),
        ("m.gone", {}),
        ("m.e", {"m": {"M": {"e": {"M": {}}}}}),
        ("m[0], pk.x", {}),
        ("l[2], l[1]", {"l": {"L": [{"S": "l1"}, {"M": {"c": {"S": "c2"}}}]}}),
        ("l[9], l[1]", {"l": {"L": [{"S": "l1"}]}}),
        ("l[0].b, l[0].a", {"l": {"L": [{"M": {"b": {"S": "b0"}, "a": {"S": "a0"}}}]}}),
        (
            "l[0].n[1], l[0].a, l[2].c",
            {"l": {"L": [{"M": {"n": {"L": [{"S": "q"}]}, "a": {"S": "a0"}}}, {"M": {"c": {"S": "c2"}}}]}},
        ),
        ("l.a", {}),
    ],
)
def test_a_projection_gives_the_named_parts(text: str, expected: dict[str, Any]) -> None:
    assert _bind(text).of(_item) == expected


@pytest.mark.parametrize(
    ("text", "what", "one", "two"),
    [
        ("#a, #a.b", "overlap", "[a]", "[a, b]"),
        ("a, #a", "overlap", "[a]", "[a]"),
        ("l[0].x, m, l", "overlap", "[l, [0], x]", "[l]"),
        ("a.b, a[1]", "conflict", "[a, b]", "[a, [1]]"),
        ("a.b, a[1], c, c", "overlap", "[c]", "[c]"),
    ],
)
def test_paths_that_overlap_or_conflict_are_refused(text: str, what: str, one: str, two: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        _bind(text, {"#a": "a"})
    assert refusal.value.message == (
        f"Invalid ProjectionExpression: Two document paths {what} with each other; must remove or rewrite one of "
        f"these paths; path one: {one}, path two: {two}"
    )


def test_an_undefined_name_is_refused() -> None:
    with pytest.raises(ValidationError) as refusal:
        _bind("#a, #b", {"#a": "a"})
    assert refusal.value.message == (
        "Invalid ProjectionExpression: "
        "An expression attribute name used in the document path is not defined; attribute name: #b"
    )


def test_as_many_paths_as_an_expression_holds_are_projected() -> None:
    names = {f"#{n}": f"n{n}" for n in range(800)}
    item: Item = {name: {"S": name} for name in names.values()}
    assert _bind(",".join(names), names).of(item | _item) == item


def test_a_projection_tells_which_attributes_it_mentions() -> None:
    projection = _bind("#a.b, c, d[0]", {"#a": "a"})
    assert projection.paths == ("a", "c", "d")
    assert projection.nested == ("a", "d")
