"""Key conditions as ranges of key bytes, and what is left of them after a page."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.region.expressions.key_conditions import KeyComparison, KeyRange
from services.region.rules.ranges import CollectionRange, after, collection_range, continued
from shared.errors import ValidationError
from shared.model.keys import KeyAttribute, KeySchema, slot_of
from shared.model.values import AttributeValue

schema = KeySchema(KeyAttribute("p", "S"), KeyAttribute("c", "S"))
words = st.text(alphabet="ab\x00\uffff", max_size=4)


def ranged(operator: str, *values: str) -> CollectionRange:
    comparison = KeyComparison("c", operator, tuple({"S": value} for value in values))
    return collection_range(KeyRange({"S": "x"}, comparison))


def holds(operator: str, key: bytes, values: list[bytes]) -> bool:
    match operator:
        case "BETWEEN":
            return values[0] <= key <= values[1]
        case "begins_with":
            return key.startswith(values[0])
        case "=":
            return key == values[0]
        case "<":
            return key < values[0]
        case "<=":
            return key <= values[0]
        case ">":
            return key > values[0]
        case _:
            return key >= values[0]


@given(st.sampled_from(["=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"]), words, words, words)
def test_a_range_holds_the_keys_of_which_the_condition_is_true(operator: str, a: str, b: str, c: str) -> None:
    values = [a, b][: 2 if operator == "BETWEEN" else 1]
    wanted, key = ranged(operator, *values), c.encode()
    assert (wanted.first <= key < wanted.end) == holds(operator, key, [value.encode() for value in values])


@given(st.binary(max_size=4), st.binary(max_size=4))
def test_a_prefix_of_any_bytes_bounds_its_range(prefix: bytes, key: bytes) -> None:
    value: AttributeValue = {"B": b64encode(prefix).decode()}
    wanted = collection_range(KeyRange({"S": "x"}, KeyComparison("c", "begins_with", (value,))))
    assert (wanted.first <= key < wanted.end) == key.startswith(prefix)


@given(st.binary(max_size=5), st.binary(max_size=5))
def test_nothing_lies_between_a_key_and_the_one_after_it(key: bytes, other: bytes) -> None:
    assert after(key) > key
    assert not key < other < after(key)


def test_a_whole_collection_holds_the_largest_sort_key() -> None:
    wanted = collection_range(KeyRange({"S": "x"}, None))
    assert (wanted.slot, wanted.partition, wanted.first) == (slot_of(b"x"), b"x", b"")
    assert wanted.end > b"\xff" * 1024


def test_a_query_continues_behind_the_last_key_in_its_direction() -> None:
    wanted, start = ranged("BETWEEN", "b", "f"), {"p": {"S": "x"}, "c": {"S": "d"}}
    forward = continued(schema, wanted, start, forward=True)
    assert (forward.first, forward.end) == (after(b"d"), wanted.end)
    backward = continued(schema, wanted, start, forward=False)
    assert (backward.first, backward.end) == (wanted.first, b"d")


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ({"p": {"S": "x"}}, "The provided starting key is invalid: The provided key element does not match the schema"),
        ({"p": {"S": "y"}, "c": {"S": "d"}}, "The provided starting key is outside query boundaries"),
        ({"p": {"S": "x"}, "c": {"S": "a"}}, "The provided starting key is outside query boundaries"),
        ({"p": {"S": "x"}, "c": {"S": "g"}}, "The provided starting key is outside query boundaries"),
    ],
)
def test_a_start_key_lies_inside_the_query(start: dict[str, AttributeValue], message: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        continued(schema, ranged("BETWEEN", "b", "f"), start, forward=True)
    assert refusal.value.message.startswith(message)
