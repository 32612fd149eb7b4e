"""Key bytes sort like keys, and slots fall into partitions and segments without gap or overlap."""

from base64 import b64decode, b64encode
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.region.rules.paging import segment_slots
from shared.limits import partitions_max, scan_segments_max, slots
from shared.model.keys import ItemKey, KeyAttribute, KeySchema, item_key, key_bytes, partition_of, slot_of, slot_range
from tests.properties.attribute_values import binaries, numbers

partition_counts = st.integers(1, partitions_max)


def order(left: Any, right: Any) -> int:
    return int(left > right) - int(left < right)


@given(st.text(max_size=6), st.text(max_size=6))
def test_text_keys_sort_by_utf_8(left: str, right: str) -> None:
    assert order(key_bytes({"S": left}), key_bytes({"S": right})) == order(left.encode(), right.encode())


@given(binaries, binaries)
def test_binary_keys_sort_as_unsigned_bytes(left: str, right: str) -> None:
    assert order(key_bytes({"B": left}), key_bytes({"B": right})) == order(b64decode(left), b64decode(right))


@given(numbers(), numbers())
@example("0", "-1")
@example("1", "10")
@example("-1", "-10")
@example("-1.1", "-1.10000000000000000000000000000000000001")
@example("0.0001", "0.00010001")
def test_number_keys_sort_by_value(left: str, right: str) -> None:
    assert order(key_bytes({"N": left}), key_bytes({"N": right})) == order(Decimal(left), Decimal(right))


def test_number_keys_sort_over_the_whole_range() -> None:
    exponents = [-130, -129, -101, -2, -1, 0, 1, 2, 36, 37, 38, 99, 124, 125]
    coefficients = ["1", "1.0000000000000000000000000000000000001", "1.01", "1.1", "5", "9.9", "9" + "." + "9" * 37]
    positive = [Decimal(f"{coefficient}E{exponent}") for exponent in exponents for coefficient in coefficients]
    ascending = [number.copy_negate() for number in reversed(positive)] + [Decimal(0)] + positive
    encoded = [key_bytes({"N": f"{number:f}"}) for number in ascending]
    assert encoded == sorted(encoded)
    assert len(set(encoded)) == len(encoded)


@given(st.binary(min_size=1, max_size=64))
def test_a_key_has_one_slot_and_one_partition(partition_key: bytes) -> None:
    slot = slot_of(partition_key)
    assert 0 <= slot < slots
    assert slot in slot_range(partition_of(slot, 4), 4)


@given(partition_counts)
def test_slot_ranges_of_partitions_are_disjoint_and_cover(count: int) -> None:
    ranges = [slot_range(partition, count) for partition in range(count)]
    assert [slot for each in ranges for slot in (each.start, each.stop)] == [
        0,
        *(bound for each in ranges[:-1] for bound in (each.stop, each.stop)),
        slots,
    ]
    assert max(map(len, ranges)) - min(map(len, ranges)) <= 1


@given(partition_counts, st.integers(0, slots - 1))
def test_a_slots_partition_and_a_partitions_slots_are_inverse(count: int, slot: int) -> None:
    assert [partition for partition in range(count) if slot in slot_range(partition, count)] == [
        partition_of(slot, count)
    ]


@given(st.integers(1, scan_segments_max), st.data())
def test_segments_meet_where_one_ends_and_the_next_begins(total: int, data: st.DataObject) -> None:
    segment = data.draw(st.integers(0, total - 1))
    following = segment_slots(segment + 1, total, slots).start
    assert segment_slots(segment, total, slots).stop == following
    assert segment_slots(0, total, slots).start == 0
    assert segment_slots(total - 1, total, slots).stop == slots


@pytest.mark.parametrize("total", [1, 2, 3, 7, 1000, slots, slots + 1])
def test_segments_are_disjoint_and_cover(total: int) -> None:
    covered = 0
    for segment in range(total):
        found = segment_slots(segment, total, slots)
        assert found.start == covered
        covered = found.stop
    assert covered == slots


@given(st.text(min_size=1), st.binary(min_size=1))
def test_an_items_key_is_that_of_its_key_attributes(text: str, content: bytes) -> None:
    schema = KeySchema(KeyAttribute("p", "S"), KeyAttribute("c", "B"))
    item = {"c": {"B": b64encode(content).decode()}, "other": {"S": "x"}, "p": {"S": text}}
    assert item_key(schema, item) == ItemKey(slot_of(text.encode()), text.encode(), content)
    assert schema.key_of(item) == {"p": item["p"], "c": item["c"]}
