"""What stands in the path of a request: names, and keys of every type, which may contain any character.

A key is percent-encoded into one segment of the path, its "/" as "%2F". A string key is its text, a number key decimal
text, a binary key base64url. Routes therefore match the path as it was sent, and each segment is decoded by itself.
"""

from base64 import b64encode, urlsafe_b64decode
from typing import Annotated, NamedTuple
from urllib.parse import unquote_to_bytes

from fastapi import Path
from pydantic import AfterValidator
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import ValidationError
from shared.model.keys import KeyAttribute, KeySchema
from shared.model.numbers import canonical_number
from shared.model.values import AttributeValue, Item


class UndecodedPaths:
    """Middleware: the router sees paths as they were sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["path"] = scope["raw_path"].decode("latin-1")
        await self._app(scope, receive, send)


def _decoded(segment: str) -> str:
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError as error:
        raise ValueError("is not percent-encoded UTF-8") from error


_table_description = "Name of the table."
_key_description = (
    "Text of a string key, decimal text of a number key, base64url of a binary key; percent-encoded, `/` as `%2F`."
)
TableName = Annotated[str, AfterValidator(_decoded), Path(description=_table_description, examples=["orders"])]
KeyText = Annotated[str, AfterValidator(_decoded), Path(description=_key_description, examples=["ada"])]
SortKeyText = Annotated[str, AfterValidator(_decoded), Path(description=_key_description, examples=["7"])]
Region = Annotated[str, AfterValidator(_decoded), Path(description="Name of a region.", examples=["eu-west-1"])]
_TableWithoutSortKey = Annotated[
    str, AfterValidator(_decoded), Path(description=_table_description, examples=["customers"])
]


class ItemPath(NamedTuple):
    table: str
    key: str
    sort_key: str | None

    def key_attributes(self, schema: KeySchema) -> Item:
        """The key attributes that the path names, in a table of this schema."""
        if schema.sort is None:
            if self.sort_key is not None:
                raise ValidationError("This table has no sort key: an item's path is items/{key}")
            return {schema.partition.name: _key_value(schema.partition, self.key)}
        if self.sort_key is None:
            raise ValidationError(
                f"This table has the sort key {schema.sort.name}: an item's path is items/{{key}}/{{sort_key}}"
            )
        return {
            schema.partition.name: _key_value(schema.partition, self.key),
            schema.sort.name: _key_value(schema.sort, self.sort_key),
        }


def partition_key_path(table: _TableWithoutSortKey, key: KeyText) -> ItemPath:
    return ItemPath(table, key, None)


def sort_key_path(table: TableName, key: KeyText, sort_key: SortKeyText) -> ItemPath:
    return ItemPath(table, key, sort_key)


def _key_value(attribute: KeyAttribute, text: str) -> AttributeValue:
    if attribute.type == "S":
        return {"S": text}
    if attribute.type == "N":
        return {"N": canonical_number(text)}
    return {"B": _canonical_base64(attribute.name, text)}


def _canonical_base64(name: str, text: str) -> str:
    """Padding may be left out."""
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    try:
        canonical = b64encode(urlsafe_b64decode(padded)).decode()
    except ValueError:
        canonical = ""
    if canonical != padded.replace("-", "+").replace("_", "/"):
        raise ValidationError(f"The key {name} is binary and is written in base64url")
    return canonical
