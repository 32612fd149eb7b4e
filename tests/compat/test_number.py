"""Numbers: 38 digits, kept by value, returned in one canonical form."""

from decimal import Decimal
from typing import Any

import pytest

from tests.compat.tables import invalid, unique


def returned(client: Any, table: Any, number: str) -> str:
    key = {"p": {"S": unique()}}
    client.put_item(TableName=table.name, Item=key | {"n": {"N": number}})
    text: str = client.get_item(TableName=table.name, Key=key)["Item"]["n"]["N"]
    return text


@pytest.mark.parametrize(
    ("number", "canonical"),
    [
        ("0", "0"),
        ("-0.00", "0"),
        ("007", "7"),
        ("+1.50", "1.5"),
        ("1e3", "1000"),
        ("1.5E-3", "0.0015"),
        (".5", "0.5"),
        ("-12345678901234567890123456789012345678", "-12345678901234567890123456789012345678"),
        ("0.12345678901234567890123456789012345678", "0.12345678901234567890123456789012345678"),
        ("1" + "0" * 60, "1" + "0" * 60),
    ],
)
def test_numbers_are_returned_in_canonical_form(client: Any, table: Any, number: str, canonical: str) -> None:
    assert returned(client, table, number) == canonical


@pytest.mark.parametrize("number", ["9.9999999999999999999999999999999999999E+125", "1E-130", "-1E-130", "-9E125"])
def test_the_largest_and_the_smallest_survive(client: Any, table: Any, number: str) -> None:
    assert Decimal(returned(client, table, number)) == Decimal(number)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("1E+126", "Number overflow"),
        ("-1E+126", "Number overflow"),
        ("0E+1000", "Number overflow"),
        ("1E-131", "Number underflow"),
        ("1E+1000000", "Number overflow"),
        ("1E-99999999999", "Number underflow"),
        ("0E-131", "Number underflow"),
        ("1E-99999999999999999999", "cannot be converted to a numeric value: 1E-99999999999999999999"),
        ("123456789012345678901234567890123456789", "more than 38 significant digits"),
        ("", "cannot be converted to a numeric value"),
        (" 1", "cannot be converted to a numeric value: "),
        ("1_000", "cannot be converted to a numeric value: 1_000"),
        ("0x10", "cannot be converted to a numeric value: 0x10"),
        ("NaN", "cannot be converted to a numeric value: NaN"),
        ("Infinity", "cannot be converted to a numeric value: Infinity"),
        ("1e", "cannot be converted to a numeric value: 1e"),
        ("--1", "cannot be converted to a numeric value: --1"),
        ("٣", "cannot be converted to a numeric value: ٣"),
        (".", "cannot be converted to a numeric value: ."),
    ],
)
def test_numbers_that_cannot_be(client: Any, table: Any, number: str, message: str) -> None:
    with invalid(message):
        client.put_item(TableName=table.name, Item={"p": {"S": unique()}, "n": {"N": number}})


def test_an_exponent_with_many_leading_zeros_is_a_number(client: Any, table: Any) -> None:
    assert returned(client, table, "1E" + "0" * 5000 + "2") == "100"


def test_sets_compare_numbers_by_value(client: Any, table: Any) -> None:
    with invalid("Input collection contains duplicates"):
        client.put_item(TableName=table.name, Item={"p": {"S": unique()}, "n": {"NS": ["1", "1.0"]}})


def test_arithmetic_is_exact(client: Any, table: Any) -> None:
    key = {"p": {"S": unique()}}
    client.put_item(TableName=table.name, Item=key | {"n": {"N": "0.1"}})
    reply = client.update_item(
        TableName=table.name,
        Key=key,
        UpdateExpression="SET n = n + :v",
        ExpressionAttributeValues={":v": {"N": "0.2"}},
        ReturnValues="UPDATED_NEW",
    )
    assert reply["Attributes"]["n"] == {"N": "0.3"}
