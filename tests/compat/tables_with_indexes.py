"""Tables with secondary indexes, as the tests of this suite need them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.compat.tables import unique


def key_schema(*names: str) -> list[dict[str, str]]:
    """A partition key and perhaps a sort key."""
    return [{"AttributeName": name, "KeyType": role} for name, role in zip(names, ("HASH", "RANGE"), strict=False)]


def index(name: str, *keys: str, projection: str = "ALL", included: Sequence[str] = ()) -> dict[str, Any]:
    shown: dict[str, Any] = {"ProjectionType": projection}
    if included:
        shown = {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(included)}
    return {"IndexName": name, "KeySchema": key_schema(*keys), "Projection": shown}


global_index = index
local_index = index


def composite_index(name: str, partition: Sequence[str], sort: Sequence[str] = ()) -> dict[str, Any]:
    """A global index with keys of several attributes."""
    keys = [{"AttributeName": each, "KeyType": "HASH"} for each in partition]
    keys += [{"AttributeName": each, "KeyType": "RANGE"} for each in sort]
    return {"IndexName": name, "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}


@contextmanager
def made_with_indexes(
    resource: Any, keys: Sequence[str], definitions: Sequence[dict[str, str]], **settings: Any
) -> Iterator[Any]:
    """An on-demand table with these keys, for as long as the block runs."""
    table = resource.create_table(
        TableName=unique("compat"),
        KeySchema=key_schema(*keys),
        AttributeDefinitions=list(definitions),
        **{"BillingMode": "PAY_PER_REQUEST", **settings},
    )
    table.wait_until_exists()
    yield table
    table.delete()
