"""Keys against a key schema: DynamoDB's refusals, each in its words."""

from typing import Any

import pytest

from services.region.rules.keys import key_of_item, key_of_request
from shared.errors import ValidationError
from shared.model.keys import ItemKey, KeyAttribute, KeySchema, slot_of

simple = KeySchema(KeyAttribute("p", "S"))
composite = KeySchema(KeyAttribute("p", "S"), KeyAttribute("c", "B"))
mismatch = "The provided key element does not match the schema"


def test_a_key_is_found_in_an_item_and_in_a_request() -> None:
    key: dict[str, Any] = {"p": {"S": "x"}, "c": {"B": "AP8="}}
    expected = ItemKey(slot_of(b"x"), b"x", b"\x00\xff")
    assert key_of_request(composite, key) == expected
    assert key_of_item(composite, key | {"other": {"N": "1"}}) == expected
    assert key_of_item(simple, key) == expected._replace(sort=b"")


@pytest.mark.parametrize(
    "key",
    [
        {},
        {"p": {"S": "x"}},
        {"c": {"B": "AA=="}},
        {"p": {"S": "x"}, "c": {"S": "x"}},
        {"p": {"S": "x"}, "d": {"B": "AA=="}},
        {"p": {"S": "x"}, "c": {"B": "AA=="}, "d": {"S": "x"}},
    ],
)
def test_a_request_names_exactly_the_key(key: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=mismatch):
        key_of_request(composite, key)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"p": {"S": "x"}}, "Missing the key c in the item"),
        ({"c": {"B": "AA=="}}, "Missing the key p in the item"),
        ({"p": {"N": "1"}, "c": {"B": "AA=="}}, "Type mismatch for key p expected: S actual: N"),
        ({"p": {"S": "x"}, "c": {"L": []}}, "Type mismatch for key c expected: B actual: L"),
        ({"p": {"S": ""}, "c": {"B": "AA=="}}, "cannot contain an empty string value. Key: p"),
        ({"p": {"S": "x"}, "c": {"B": ""}}, "cannot contain an empty binary value. Key: c"),
    ],
)
def test_an_item_has_its_key(item: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        key_of_item(composite, item)
    assert message in refusal.value.message


@pytest.mark.parametrize("find", [key_of_item, key_of_request])
def test_keys_have_a_largest_size_in_bytes(find: Any) -> None:
    find(simple, {"p": {"S": "é" * 1024}})
    with pytest.raises(ValidationError, match="Size of hashkey has exceeded the maximum size limit of2048 bytes"):
        find(simple, {"p": {"S": "é" * 1024 + "x"}})


def test_zero_is_no_empty_key() -> None:
    schema = KeySchema(KeyAttribute("p", "N"))
    assert key_of_request(schema, {"p": {"N": "0"}}).partition != b""
