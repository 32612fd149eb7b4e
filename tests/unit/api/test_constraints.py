"""Shapes and constraints: SerializationException for JSON types, then all violated constraints in one error."""

from typing import Any

import pytest

from services.region.api.dynamodb import constraints
from services.region.api.dynamodb import members as shapes
from services.region.api.dynamodb.members import ListOf, MapOf, Structure, Text, Whole, structure
from services.region.api.dynamodb.serialization import request_of
from shared.errors import SerializationError, ValidationError

_element = structure("KeySchemaElement", "AttributeName", AttributeName=shapes.text, KeyType=Text(enum=("HASH",)))
_request = structure(
    "ExampleInput",
    "TableName",
    Limit=Whole("Integer", min=1, max=100),
    TableName=shapes.table_name,
    IndexName=shapes.index_name,
    KeySchema=ListOf(_element, length_min=1, length_max=2),
    Names=shapes.texts_by_name,
    Flag=shapes.flag,
    Item=shapes.attributes,
    Lists=MapOf(ListOf(shapes.text)),
    Maps=ListOf(shapes.attributes),
)


def _refusal(request: dict[str, Any], shape: Structure = _request) -> str:
    with pytest.raises(ValidationError) as raised:
        constraints.check(shape.read(request), shape)
    return raised.value.message


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("Limit", "1", "STRING_VALUE cannot be converted to Integer"),
        ("Limit", True, "TRUE_VALUE cannot be converted to Integer"),
        ("Limit", [], "Unrecognized collection type class java.lang.Integer"),
        ("TableName", 1, "NUMBER_VALUE cannot be converted to String"),
        ("TableName", {}, "Start of structure or map found where not expected"),
        ("Flag", 1.5, "DECIMAL_VALUE cannot be converted to Boolean"),
        ("KeySchema", "x", "Unexpected field type"),
        ("KeySchema", {}, "Start of structure or map found where not expected"),
        ("KeySchema", [1], "Unexpected value type in payload"),
        ("KeySchema", [[]], "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.KeySchemaElement"),
        ("Names", 1, "Unexpected field type"),
        ("Names", [], "Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>"),
        ("Names", {"#a": 1}, "NUMBER_VALUE cannot be converted to String"),
        (
            "Item",
            [],
            (
                "Unrecognized collection type java.util.Map<java.lang.String, "
                "com.amazonaws.dynamodb.v20120810.AttributeValue>"
            ),
        ),
        ("Lists", {"a": {}}, "Start of structure or map found where not expected"),
        (
            "Maps",
            ["x"],
            (
                "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class "
                "java.lang.Class (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class "
                "are in module java.base of loader 'bootstrap')"
            ),
        ),
    ],
)
def test_a_wrong_json_type_is_named_in_the_services_words(member: str, value: object, message: str) -> None:
    with pytest.raises(SerializationError) as raised:
        _request.read({"TableName": "orders", member: value})
    assert raised.value.message == message


@pytest.mark.parametrize("document", [None, 1, "x", [], [{}]])
def test_a_body_that_is_no_object_is_refused(document: object) -> None:
    with pytest.raises(SerializationError):
        request_of(document)


def test_unknown_members_and_nulls_are_dropped() -> None:
    assert _request.read({"TableName": "orders", "Limit": None, "Unknown": {}}) == {"TableName": "orders"}


def test_a_fraction_is_cut_and_a_number_out_of_range_is_brought_into_it() -> None:
    assert _request.read({"Limit": 7.9})["Limit"] == 7
    assert _request.read({"Limit": 10**15})["Limit"] == 2**31 - 1


def test_one_violated_constraint_is_one_error() -> None:
    assert _refusal({"TableName": "orders", "Limit": 0}) == (
        "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1"
    )


def test_all_violated_constraints_are_reported_in_the_shapes_order() -> None:
    assert _refusal({"IndexName": "a;", "Limit": 101}) == (
        "4 validation errors detected: "
        "Value '101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100; "
        "Value null at 'tableName' failed to satisfy constraint: Member must not be null; "
        "Value 'a;' at 'indexName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; "
        "Value 'a;' at 'indexName' failed to satisfy constraint: Member must have length greater than or equal to 3"
    )


def test_members_of_elements_are_placed_by_their_number() -> None:
    message = _refusal({"TableName": "orders", "KeySchema": [{"AttributeName": "pk"}, {"KeyType": "SORT"}]})
    assert message == (
        "2 validation errors detected: Value null at 'keySchema.2.member.attributeName' failed to satisfy "
        "constraint: Member must not be null; Value 'SORT' at 'keySchema.2.member.keyType' failed to satisfy "
        "constraint: Member must satisfy enum value set: [HASH]"
    )


def test_structures_are_shown_as_java_shows_them() -> None:
    message = _refusal({"TableName": "orders", "KeySchema": [{"AttributeName": name} for name in ("a", "b", "c")]})
    assert message == (
        "1 validation error detected: Value '[KeySchemaElement(attributeName=a, keyType=null), "
        "KeySchemaElement(attributeName=b, keyType=null), KeySchemaElement(attributeName=c, keyType=null)]' "
        "at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2"
    )


def test_no_more_than_ten_errors_are_reported() -> None:
    shape = structure("ManyInput", **{f"Member{number}": Text(length_min=1) for number in range(20)})
    assert _refusal({f"Member{number}": "" for number in range(20)}, shape).startswith("10 validation errors detected")


@pytest.mark.parametrize(
    ("name", "violated"),
    [
        ("", ["Member must have length greater than or equal to 1"]),
        ("ab", ["Member must have length greater than or equal to 3"]),
        ("a" * 256, ["Member must have length less than or equal to 255"]),
        ("no!table", ["Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"]),
        (
            "a;",
            [
                "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
                "Member must have length greater than or equal to 3",
            ],
        ),
    ],
)
def test_a_table_name_is_refused_by_its_constraints(name: str, violated: list[str]) -> None:
    errors = [f"Value '{name}' at 'tableName' failed to satisfy constraint: {constraint}" for constraint in violated]
    plural = "s" if len(errors) > 1 else ""
    assert _refusal({"TableName": name}) == f"{len(errors)} validation error{plural} detected: {'; '.join(errors)}"
