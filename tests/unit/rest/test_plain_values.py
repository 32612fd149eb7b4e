"""Plain JSON loses nothing: what is stored is read back as it was written, whatever its types and digits."""

import json
from base64 import b64encode
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.region.api.dynamodb.attribute_values import Attributes
from services.region.api.dynamodb.parameters import item_of
from services.region.api.rest.plain_json import NumberToken, read_json, write_json
from services.region.api.rest.plain_values import attributes_of, plain_item
from shared.errors import SerializationError, ValidationError
from shared.limits import nesting_levels_max
from shared.model.numbers import canonical_number
from shared.model.values import Item, ordered_members

_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_names = st.one_of(
    st.sampled_from(["$binary", "$map", "$number_set", "$string_set", "$binary_set", "$", "$x"]),
    _texts.filter(bool),
)
_numbers = st.builds(
    lambda sign, digits, exponent: canonical_number(f"{sign}{digits}E{exponent}"),
    st.sampled_from(["", "-"]),
    st.integers(0, 10**38 - 1),
    st.integers(-130, 87),
)
_binaries = st.binary(max_size=8).map(lambda content: b64encode(content).decode())


def _sets(kind: str, elements: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, list[str]]]:
    return st.sets(elements, min_size=1, max_size=4).map(lambda members: {kind: ordered_members(kind, members)})


_values: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.one_of(
        st.fixed_dictionaries({"S": _texts}),
        st.fixed_dictionaries({"N": _numbers}),
        st.fixed_dictionaries({"B": _binaries}),
        st.fixed_dictionaries({"BOOL": st.booleans()}),
        st.just({"NULL": True}),
        _sets("SS", _texts),
        _sets("NS", _numbers),
        _sets("BS", _binaries),
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"L": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"M": st.dictionaries(_names, inner, max_size=3)}),
    ),
    max_leaves=12,
)
_items = st.dictionaries(_names, _values, max_size=4)

_json: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), _texts, st.integers(), st.floats()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_names, inner, max_size=3)),
    max_leaves=10,
)


def _attributes(body: bytes) -> Attributes:
    document = read_json(body)
    assert isinstance(document, dict)
    return attributes_of(document)


def _item(body: bytes) -> Item:
    """The item, or the refusal that the routes make of the first problem."""
    return item_of(_attributes(body))


@given(_items)
def test_an_item_survives_plain_json(item: Item) -> None:
    assert _item(write_json(plain_item(item))) == item


@given(_items)
def test_plain_json_is_json(item: Item) -> None:
    """Every other reader understands it too, if only with fewer digits."""
    assert set(json.loads(write_json(plain_item(item)))) == set(item)


@given(st.dictionaries(_names, _json, max_size=3))
def test_any_object_becomes_attributes_or_is_refused(document: dict[str, Any]) -> None:
    try:
        names = _attributes(json.dumps(document).encode()).item.keys()
    except (SerializationError, ValidationError):
        return
    assert names == document.keys()


@given(st.binary(max_size=40))
def test_any_bytes_are_a_document_or_are_refused(body: bytes) -> None:
    with suppress(SerializationError):
        read_json(body)


def test_numbers_keep_every_digit_in_both_directions() -> None:
    digits = "12345678901234567890123456789.012345678"
    assert write_json(plain_item(_item(f'{{"n": {digits}}}'.encode()))) == f'{{"n":{digits}}}'.encode()


def test_each_type_has_one_form() -> None:
    item = _item(
        b"""{"text": "x", "yes": true, "nothing": null, "list": [1, "a"], "map": {"a": 1, "$b": 2},
        "binary": {"$binary": "AAE="}, "strings": {"$string_set": ["a"]}, "numbers": {"$number_set": [1.50, 2]},
        "binaries": {"$binary_set": ["AAE="]}, "escaped": {"$map": {"$binary": 1}}}"""
    )
    assert item == {
        "text": {"S": "x"},
        "yes": {"BOOL": True},
        "nothing": {"NULL": True},
        "list": {"L": [{"N": "1"}, {"S": "a"}]},
        "map": {"M": {"a": {"N": "1"}, "$b": {"N": "2"}}},
        "binary": {"B": "AAE="},
        "strings": {"SS": ["a"]},
        "numbers": {"NS": ["1.5", "2"]},
        "binaries": {"BS": ["AAE="]},
        "escaped": {"M": {"$binary": {"N": "1"}}},
    }


@pytest.mark.parametrize(
    "value",
    [
        b'{"$bytes": "AAE="}',
        b'{"$binary": 1}',
        b'{"$binary": null}',
        b'{"$map": []}',
        b'{"$string_set": "a"}',
        b'{"$string_set": [1]}',
        b'{"$number_set": ["1"]}',
        b'{"$number_set": [true]}',
        b'{"$binary_set": {}}',
    ],
)
def test_a_tag_with_other_content_than_its_own_is_refused(value: bytes) -> None:
    with pytest.raises(ValidationError):
        _item(b'{"a": ' + value + b"}")


@pytest.mark.parametrize("constant", [b"NaN", b"Infinity", b"-Infinity"])
def test_what_is_no_number_is_refused(constant: bytes) -> None:
    with pytest.raises(SerializationError):
        read_json(b'{"a": ' + constant + b"}")


def test_a_name_that_occurs_twice_is_refused() -> None:
    """Whichever of the two were kept, the other would be lost without a word."""
    with pytest.raises(SerializationError, match='"a" occurs twice'):
        read_json(b'{"b": {"a": 1, "a": 1}}')


@pytest.mark.parametrize("body", [rb'{"a": "\ud800"}', rb'{"\uDc00": 1}', rb'["\uD83D x"]', b'{"a": "\xff"}'])
def test_text_that_is_not_unicode_is_refused(body: bytes) -> None:
    with pytest.raises(SerializationError):
        read_json(body)


def test_a_surrogate_pair_is_one_character() -> None:
    assert read_json(rb'"\ud83d\ude00 \\ud800"') == "\U0001f600 \\ud800"


def test_numbers_are_kept_as_they_were_written() -> None:
    assert read_json(b"[1.50, -0, 1E+1000000]") == [NumberToken("1.50"), NumberToken("-0"), NumberToken("1E+1000000")]


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'{"$map":{"$map":', b"}}")])
def test_nesting_is_bounded(opening: bytes, closing: bytes) -> None:
    """From the first level too many to far beyond what any stack takes."""
    deepest = b'{"a": ' + opening * (nesting_levels_max - 1) + b"1" + closing * (nesting_levels_max - 1) + b"}"
    assert _item(deepest)
    for levels in (nesting_levels_max, 500, 100_000):
        with pytest.raises((SerializationError, ValidationError)):
            _item(b'{"a": ' + opening * levels + b"1" + closing * levels + b"}")
