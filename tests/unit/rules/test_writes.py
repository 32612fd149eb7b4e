"""What a write does, decided on the row that is stored: twice the same, and nothing at all when refused."""

from typing import Any

import pytest

from services.region.commands.items import DeleteItem, Guard, ReturnValues, UpdateItem, no_guard
from services.region.expressions.conditions import bind_condition
from services.region.expressions.substitutions import Substitutions
from services.region.expressions.updates import bind_update
from services.region.rules.stored import StoredItem
from services.region.rules.writes import check_guard, decide_delete, decide_put, decide_update
from shared.changes.records import Kind
from shared.errors import ConditionalCheckFailedError, ValidationError
from shared.model.values import Item, decode_item, encode_item
from shared.versions.versions import Version

key: Item = {"p": {"S": "x"}}
image = encode_item(key | {"a": {"N": "1"}})
stored = StoredItem(7, 2, b"", image)
tombstone = StoredItem(7, 2, b"", None)


def guard(expression: str, **options: Any) -> Guard:
    return Guard(bind_condition(expression, Substitutions(None, None), parameter="ConditionExpression"), **options)


def update(expression: str, values: dict[str, Any] | None = None, **options: Any) -> UpdateItem:
    return UpdateItem("table", key, bind_update(expression, Substitutions(None, values)), **options)


@pytest.mark.parametrize("before", [None, tombstone, stored])
def test_a_put_writes_whatever_is_stored(before: StoredItem | None) -> None:
    assert decide_put(image, before, guard=no_guard, wanted=ReturnValues.NONE) == (Kind.PUT, image, None)


@pytest.mark.parametrize(("before", "returned"), [(None, None), (tombstone, None), (stored, image)])
def test_a_put_returns_the_old_image_when_asked_to(before: StoredItem | None, returned: bytes | None) -> None:
    assert decide_put(image, before, guard=no_guard, wanted=ReturnValues.ALL_OLD).attributes == returned


def test_a_delete_of_an_item_makes_a_tombstone() -> None:
    command = DeleteItem("table", key, return_values=ReturnValues.ALL_OLD)
    assert decide_delete(command, stored) == (Kind.DELETE, None, image)


@pytest.mark.parametrize("before", [None, tombstone])
def test_a_delete_of_nothing_writes_nothing(before: StoredItem | None) -> None:
    """A tombstone for what was never there would win over concurrent writes of other regions."""
    assert decide_delete(DeleteItem("table", key), before) == (None, None, None)


@pytest.mark.parametrize("before", [None, tombstone])
def test_an_update_of_nothing_begins_with_the_key(before: StoredItem | None) -> None:
    decision = decide_update(update("SET b = :v", {":v": {"N": "2"}}), before)
    assert decision.kind is Kind.PUT
    assert decision.image is not None
    assert decode_item(decision.image) == key | {"b": {"N": "2"}}


def test_an_update_decides_alike_when_it_is_run_again() -> None:
    """The writer repeats a job whose transaction was broken by another one."""
    command = update("ADD a :v SET l = list_append(if_not_exists(l, :e), :e)", {":v": {"N": "1"}, ":e": {"L": []}})
    assert decide_update(command, stored) == decide_update(command, stored)
    assert decode_item(image) == key | {"a": {"N": "1"}}


@pytest.mark.parametrize(
    ("wanted", "returned"),
    [
        (ReturnValues.NONE, None),
        (ReturnValues.ALL_OLD, key | {"a": {"N": "1"}}),
        (ReturnValues.ALL_NEW, key | {"a": {"N": "2"}}),
        (ReturnValues.UPDATED_OLD, {"a": {"N": "1"}}),
        (ReturnValues.UPDATED_NEW, {"a": {"N": "2"}}),
    ],
)
def test_an_update_returns_what_was_asked_for(wanted: ReturnValues, returned: Item | None) -> None:
    decision = decide_update(update("SET a = :v", {":v": {"N": "2"}}, return_values=wanted), stored)
    assert (None if decision.attributes is None else decode_item(decision.attributes)) == returned


def test_an_update_of_nothing_has_no_old_values() -> None:
    for wanted in (ReturnValues.ALL_OLD, ReturnValues.UPDATED_OLD):
        assert decide_update(update("SET p2 = :v", {":v": {"S": "x"}}, return_values=wanted), None).attributes is None


def test_an_item_that_grows_too_large_is_refused() -> None:
    with pytest.raises(ValidationError, match="Item size to update has exceeded the maximum allowed size"):
        decide_update(update("SET b = :v", {":v": {"S": "x" * 400 * 1024}}), stored)


def test_an_item_that_nests_too_deep_is_refused() -> None:
    document: dict[str, Any] = {"S": "x"}
    for _ in range(31):
        document = {"L": [document]}
    assert decide_update(update("SET b = :v", {":v": document}), stored).kind is Kind.PUT
    with pytest.raises(ValidationError, match="Nesting Levels have exceeded supported limits"):
        decide_update(update("SET b = :v", {":v": {"M": {"c": document}}}), stored)


@pytest.mark.parametrize(
    ("given", "before", "holds"),
    [
        (guard("attribute_exists(a)"), stored, True),
        (guard("attribute_exists(a)"), tombstone, False),
        (guard("attribute_exists(a)"), None, False),
        (guard("attribute_not_exists(a)"), tombstone, True),
        (Guard(absent=True), None, True),
        (Guard(absent=True), tombstone, True),
        (Guard(absent=True), stored, False),
        (Guard(version=Version(7, 2)), stored, True),
        (Guard(version=Version(7, 1)), stored, False),
        (Guard(version=Version(8, 2)), stored, False),
        (Guard(version=Version(7, 2)), tombstone, False),
        (Guard(version=Version(7, 2)), None, False),
        (guard("attribute_exists(a)", version=Version(8, 2)), stored, False),
        (guard("attribute_not_exists(a)", version=Version(7, 2)), stored, False),
    ],
)
def test_guards(given: Guard, before: StoredItem | None, holds: bool) -> None:
    if holds:
        check_guard(given, before)
    else:
        with pytest.raises(ConditionalCheckFailedError):
            check_guard(given, before)


@pytest.mark.parametrize(("before", "shown"), [(stored, image), (tombstone, None), (None, None)])
def test_a_refusal_shows_the_stored_item_when_asked_to(before: StoredItem | None, shown: bytes | None) -> None:
    with pytest.raises(ConditionalCheckFailedError) as refusal:
        check_guard(guard("attribute_exists(zz)", return_item_on_failure=True), before)
    assert refusal.value.item == shown
    with pytest.raises(ConditionalCheckFailedError) as refusal:
        check_guard(guard("attribute_exists(zz)"), before)
    assert refusal.value.item is None
