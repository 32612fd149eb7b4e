"""Key conditions as ranges of key bytes, and what is left of them after a page."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.region.expressions.key_conditions import KeyComparison, KeyCondition, KeyRange
from services.region.rules.ranges import CollectionRange, after, collection_range, continued, key_range_of
from shared.errors import ValidationError
from shared.model.keys import KeyAttribute, KeySchema, slot_of
from shared.model.values import AttributeValue

schema = KeySchema(KeyAttribute("p", "S"), KeyAttribute("c", "S"))
b_to_f = KeyRange({"S": "x"}, KeyComparison("c", "BETWEEN", ({"S": "b"}, {"S": "f"})))
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
    forward = continued(schema, b_to_f, start, forward=True)
    assert (forward.first, forward.end) == (after(b"d"), wanted.end)
    backward = continued(schema, b_to_f, start, forward=False)
    assert (backward.first, backward.end) == (wanted.first, b"d")


_invalid = "The provided starting key is invalid"
_mismatch = "The provided key element does not match the schema"


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ({"p": {"S": "x"}}, _invalid),
        ({"p": {"S": "x"}, "d": {"S": "d"}}, _invalid),
        ({"d": {"S": "x"}, "c": {"S": "d"}}, _invalid),
        ({"p": {"N": "1"}, "c": {"S": "d"}}, _mismatch),
        ({"p": {"S": "x"}, "c": {"B": "YQ=="}}, _mismatch),
    ],
)
def test_a_start_key_fits_the_schema(start: dict[str, AttributeValue], message: str) -> None:
    condition = KeyCondition(lambda: (KeyComparison("p", "=", ({"S": "x"},)),))
    with pytest.raises(ValidationError) as refusal:
        key_range_of(schema, condition, start)
    assert refusal.value.message == message


@pytest.mark.parametrize(
    ("partition", "sort", "wanted", "message"),
    [
        ("y", "d", KeyRange({"S": "x"}, None), "The provided starting key is outside query boundaries"),
        ("x", "a", b_to_f, "The provided starting key does not match the range key predicate"),
        ("x", "g", b_to_f, "The provided starting key does not match the range key predicate"),
        ("y", "d", b_to_f, "The query can return at most one row and cannot be restarted"),
    ],
)
def test_a_start_key_lies_inside_the_query(partition: str, sort: str, wanted: KeyRange, message: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        continued(schema, wanted, {"p": {"S": partition}, "c": {"S": sort}}, forward=True)
    assert refusal.value.message.startswith(message)
