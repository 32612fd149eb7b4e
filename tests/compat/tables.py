"""Tables, keys and refusals, as the tests of this suite need them."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError


def unique(prefix: str = "k") -> str:
    """A name that nobody else has: tests share tables and never meet."""
    return f"{prefix}-{secrets.token_hex(8)}"


def attribute(name: str, kind: str) -> dict[str, str]:
    return {"AttributeName": name, "AttributeType": kind}


@contextmanager
def made_table(resource: Any, *keys: dict[str, str]) -> Iterator[Any]:
    """A table with a partition key and perhaps a sort key, for as long as the block runs."""
    roles = zip(keys, ("HASH", "RANGE"), strict=False)
    table = resource.create_table(
        TableName=unique("compat"),
        AttributeDefinitions=list(keys),
        KeySchema=[{"AttributeName": key["AttributeName"], "KeyType": role} for key, role in roles],
        BillingMode="PAY_PER_REQUEST",
    )
    table.wait_until_exists()
    yield table
    table.delete()


@contextmanager
def refused(code: str, message: str = "") -> Iterator[Any]:
    """The block is refused with this code and a message that matches; yields what pytest caught."""
    with pytest.raises(ClientError) as refusal:
        yield refusal
    error = refusal.value.response["Error"]
    assert error["Code"] == code, error
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    if message:
        assert message.lower() in error["Message"].lower(), error


def invalid(message: str = "") -> Any:
    return refused("ValidationException", message)


def condition_failed() -> Any:
    return refused("ConditionalCheckFailedException", "The conditional request failed")


def pages(operation: Any, **request: Any) -> Iterator[dict[str, Any]]:
    """All pages of a Query or Scan."""
    page = operation(**request)
    yield page
    while "LastEvaluatedKey" in page:
        page = operation(**request, ExclusiveStartKey=page["LastEvaluatedKey"])
        yield page


def items_of(operation: Any, **request: Any) -> list[dict[str, Any]]:
    return [item for page in pages(operation, **request) for item in page["Items"]]
