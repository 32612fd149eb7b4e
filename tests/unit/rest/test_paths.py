"""Keys in paths: every key of every type can be written, and nothing else is taken for one."""

from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.region.api.rest.paths import ItemPath
from shared.errors import ValidationError
from shared.model.keys import KeyAttribute, KeySchema

_strings = KeySchema(KeyAttribute("id", "S"))
_sorted = KeySchema(KeyAttribute("id", "S"), KeyAttribute("at", "N"))
_binaries = KeySchema(KeyAttribute("id", "B"))


def test_a_path_names_the_key_attributes_with_their_types() -> None:
    assert ItemPath("t", "a/b", "1.50").key_attributes(_sorted) == {"id": {"S": "a/b"}, "at": {"N": "1.5"}}


@given(st.binary(max_size=20))
def test_a_binary_key_is_base64url_with_or_without_padding(key: bytes) -> None:
    padded = urlsafe_b64encode(key).decode()
    expected = {"id": {"B": b64encode(key).decode()}}
    assert ItemPath("t", padded, None).key_attributes(_binaries) == expected
    assert ItemPath("t", padded.rstrip("="), None).key_attributes(_binaries) == expected


@pytest.mark.parametrize("text", ["é", "A", "AAF", "a b", "A.A", "AA=A"])
def test_what_is_not_base64url_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="base64url"):
        ItemPath("t", text, None).key_attributes(_binaries)


@pytest.mark.parametrize("text", ["seven", "", "1_0", "NaN", "9" * 39, "1E+1000000"])
def test_what_is_not_a_number_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        ItemPath("t", "a", text).key_attributes(_sorted)


def test_a_path_must_fit_the_table() -> None:
    with pytest.raises(ValidationError, match="sort key at"):
        ItemPath("t", "a", None).key_attributes(_sorted)
    with pytest.raises(ValidationError, match="no sort key"):
        ItemPath("t", "a", "b").key_attributes(_strings)
