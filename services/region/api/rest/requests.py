"""Bodies of the resource REST: JSON of a bounded size whose members are declared, with no others beside them."""

import re
from typing import Annotated, Any, Literal, TypeVar

import pydantic
from fastapi import Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.exceptions import HTTPException

from services.region.api.bodies import bounded_body
from services.region.api.dynamodb.table_names import pattern as table_name_pattern
from services.region.api.rest.plain_json import NumberToken, read_json
from shared.errors import SerializationError, ValidationError
from shared.limits import key_attribute_name_chars_max, table_name_chars_max, table_name_chars_min

_whole_number = re.compile(r"-?[0-9]{1,10}", re.ASCII)


def _whole(value: object) -> object:
    return int(value.text) if isinstance(value, NumberToken) and _whole_number.fullmatch(value.text) else value


Whole = Annotated[int, BeforeValidator(_whole)]
PlainAttributes = dict[str, Any]
KeyType = Literal["string", "number", "binary"]


class RequestBody(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class KeyAttributeBody(RequestBody):
    name: str = Field(min_length=1, max_length=key_attribute_name_chars_max)
    type: KeyType


class IndexBody(RequestBody):
    name: str = Field(min_length=3, max_length=255, pattern=f"^{table_name_pattern}$")
    scope: Literal["global", "local"] = "global"
    partition_key: list[KeyAttributeBody] = Field(min_length=1, description="Several attributes for a global index.")
    sort_key: list[KeyAttributeBody] = []
    projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"] = "ALL"
    included: list[str] = Field([], max_length=20, description="Attributes besides all keys, with INCLUDE.")


class TableBody(RequestBody):
    name: str = Field(
        min_length=table_name_chars_min, max_length=table_name_chars_max, pattern=f"^{table_name_pattern}$"
    )
    partition_key: KeyAttributeBody
    sort_key: KeyAttributeBody | None = None
    indexes: list[IndexBody] = []


class ExpressionsBody(RequestBody):
    names: dict[str, str] | None = Field(None, description="What the #placeholders of the expressions stand for.")
    values: PlainAttributes | None = Field(
        None, description="What the :placeholders of the expressions stand for, in plain JSON."
    )


class UpdateBody(ExpressionsBody):
    update: str | None = Field(
        None,
        description="An update expression: SET, REMOVE, ADD, DELETE. Without it an absent item is made of its key.",
    )
    condition: str | None = Field(None, description="A condition that the stored item must satisfy.")


class ReadManyBody(ExpressionsBody):
    index: str | None = Field(None, description="The secondary index to read, in its order; the table without it.")
    filter: str | None = Field(None, description="A condition: items that don't satisfy it are left out.")
    projection: str | None = Field(None, description="The attributes wanted; all of them without it.")
    count_only: bool = Field(False, description="Answer the count without the items.")
    limit: Whole | None = Field(None, ge=1, description="Items to look at, before the filter.")
    start_key: PlainAttributes | None = Field(None, description="`next` of the page before.")


class QueryBody(ReadManyBody):
    key_condition: str = Field(description="The partition key's value, and if wanted a range of the sort key.")
    forward: bool = Field(True, description="In ascending order of the sort key.")


class ScanBody(ReadManyBody):
    segment: Whole = Field(0, ge=0, description="Which of `total_segments` parts of the table to read.")
    total_segments: Whole = Field(1, ge=1, le=1_000_000)


Body = TypeVar("Body", bound=RequestBody)


async def json_body(request: Request) -> bytes:
    """The bytes of the body. Media types other than JSON are refused: no other web page can send that unasked."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise HTTPException(415, "The body must be application/json")
    return await bounded_body(request)


def parse_body(body: bytes, model: type[Body]) -> Body:
    """The declared body, or `ValidationError` that names every member that is wrong."""
    try:
        return model.model_validate(parse_object(body))
    except pydantic.ValidationError as error:
        faults = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_url=False))
        raise ValidationError("; ".join(faults)) from error


def parse_object(body: bytes) -> dict[str, Any]:
    document = read_json(body)
    if not isinstance(document, dict):
        raise SerializationError("The body must be a JSON object")
    return document
