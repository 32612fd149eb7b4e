"""Which items have outlived their time, and which changes of a time to live are none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.region.rules.stored import StoredItem
from services.region.rules.time_to_live import due_times, is_to_expire, with_time_to_live
from shared.errors import ValidationError
from shared.limits import expiry_age_max_s, expiry_patience_s
from shared.model.indexes import SecondaryIndex
from shared.model.keys import KeyAttribute, KeySchema, number_key_bytes
from shared.model.tables import Generation, RegionName, TableDefinition, decode_definition, encode_definition
from shared.model.values import encode_item

now_s = 1_700_000_000
now_us = now_s * 1_000_000 + 999_999
here, there = 1, 2
definition = TableDefinition(
    Generation(b"g" * 16), "orders", KeySchema(KeyAttribute("p", "S")), 4, (RegionName("here"),), created_us=0
)


def stored(value: dict[str, Any] | None, region: int = here) -> StoredItem:
    image = None if value is None else encode_item({"p": {"S": "a"}, "until": value})
    return StoredItem(1, region, b"", image)


def is_due(item: StoredItem | None) -> bool:
    return is_to_expire(item, "until", region=here, now_us=now_us)


@pytest.mark.parametrize("until_s", [now_s, now_s - 1, now_s - expiry_age_max_s])
def test_a_time_that_has_passed_is_due(until_s: int) -> None:
    assert is_due(stored({"N": str(until_s)}))


@pytest.mark.parametrize(
    "value",
    [
        {"N": str(now_s + 1)},
        {"N": f"{now_s}.5"},
        {"N": str(now_s - expiry_age_max_s - 1)},
        {"N": "0"},
        {"N": "-1"},
        {"N": "9" * 38},
        {"S": str(now_s - 1)},
        {"NS": [str(now_s - 1)]},
        {"L": [{"N": str(now_s - 1)}]},
        {"BOOL": True},
    ],
)
def test_all_else_is_not(value: dict[str, Any]) -> None:
    assert not is_due(stored(value))


def test_what_is_gone_does_not_expire() -> None:
    assert not is_due(None)
    assert not is_due(stored(None))
    assert not is_to_expire(stored({"N": "1"}), "other", region=here, now_us=now_us)


def test_the_region_that_wrote_an_item_has_the_first_go() -> None:
    assert not is_due(stored({"N": str(now_s - expiry_patience_s + 1)}, region=there))
    assert is_due(stored({"N": str(now_s - expiry_patience_s)}, region=there))


@given(st.integers(-(10**15), 10**15))
def test_the_due_times_are_those_of_the_rule(until_s: int) -> None:
    """What the order of a file holds between them is what expires."""
    first, last = due_times(now_us)
    assert (first <= number_key_bytes(str(until_s)) <= last) == is_due(stored({"N": str(until_s)}))


def test_a_definition_names_the_attribute_and_keeps_an_order() -> None:
    enabled = with_time_to_live(definition, "until", enabled=True, now_us=now_us, region=here)
    [times] = enabled.kept_indexes
    assert isinstance(times, SecondaryIndex)
    assert (times.key_names, times.is_of_times, enabled.indexes) == (("until",), True, ())
    assert decode_definition(encode_definition(enabled)) == enabled
    disabled = with_time_to_live(enabled, "until", enabled=False, now_us=now_us, region=here)
    assert disabled.kept_indexes == ()
    assert enabled.index_changes < disabled.index_changes


def test_orders_of_one_table_are_never_confused() -> None:
    first = with_time_to_live(definition, "until", enabled=True, now_us=now_us, region=here)
    off = with_time_to_live(first, "until", enabled=False, now_us=now_us, region=here)
    second = with_time_to_live(off, "until", enabled=True, now_us=now_us + 1000, region=here)
    elsewhere = with_time_to_live(off, "until", enabled=True, now_us=now_us + 1000, region=there)
    numbers = {each.ttl.number for each in (first, second, elsewhere) if each.ttl is not None}
    assert len(numbers) == 3


def test_what_would_change_nothing_is_refused() -> None:
    def change(of: TableDefinition, attribute: str, *, enabled: bool) -> None:
        with_time_to_live(of, attribute, enabled=enabled, now_us=now_us, region=here)

    enabled = with_time_to_live(definition, "until", enabled=True, now_us=now_us, region=here)
    with pytest.raises(ValidationError, match="TimeToLive is already disabled"):
        change(definition, "until", enabled=False)
    with pytest.raises(ValidationError, match="TimeToLive is already enabled"):
        change(enabled, "until", enabled=True)
    for wanted in (True, False):
        with pytest.raises(ValidationError, match="is active on a different AttributeName: current AttributeName is"):
            change(enabled, "other", enabled=wanted)
