"""What the OpenAPI document says of requests and answers, with an example of each."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from shared.problems import content_type as problem_type

introduction = """\
Tables, items and replicas as resources, in plain JSON, beside the DynamoDB endpoint (`POST /`) and on the same data.

An item's version is its `ETag`: a write with `If-Match` happens only if the item still has that version, one with
`If-None-Match: *` only if there is no item. Expressions are DynamoDB's; what their `#names` and `:values` stand for is
given in the body. Errors are problem details (RFC 9457).
"""
_problem = {
    "type": "about:blank",
    "title": "ConditionalCheckFailedException",
    "status": 412,
    "detail": "The conditional request failed",
    "reason": "ConditionalCheckFailedException",
}

Answers = dict[int | str, dict[str, Any]]


def body(model: type[BaseModel], example: object) -> dict[str, Any]:
    """The declaration of a JSON body that the route reads by itself."""
    schema = model.model_json_schema()
    return {"requestBody": _content(_inlined(schema, schema.get("$defs", {})), example)}


def item_body(example: object) -> dict[str, Any]:
    return {"requestBody": _content({"type": "object", "additionalProperties": True}, example)}


def answer(description: str, example: object, *, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"type": "object"}, "example": example}},
        "headers": {
            name: {"description": about, "schema": {"type": "string"}} for name, about in (headers or {}).items()
        },
    }


def header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}


problems: Answers = {
    "default": {
        "description": "Problem details (RFC 9457); `reason` is a stable word for programs.",
        "content": {problem_type: {"schema": {"type": "object"}, "example": _problem}},
    }
}


def _content(schema: Mapping[str, Any], example: object) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """The schema without references, which would point outside of an OpenAPI document."""
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {name: _inlined(each, definitions) for name, each in schema.items() if name != "$defs"}
