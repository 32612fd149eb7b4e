"""`/v1/tables/{table}/query` and `/scan`: pages of items.

Both are POST: what they ask for (expressions, values of any type) is a document, which the path has no room for.
"""

from typing import Any

from fastapi import APIRouter, Request, Response

from services.region.api.dynamodb.operations import Engine
from services.region.api.dynamodb.parameters import item_of
from services.region.api.rest import documentation as doc
from services.region.api.rest.expressions import condition_of, projection_of, substitutions_of
from services.region.api.rest.metering import Meter
from services.region.api.rest.paths import TableName
from services.region.api.rest.plain_json import write_json
from services.region.api.rest.plain_values import attributes_of, plain_item
from services.region.api.rest.requests import PlainAttributes, QueryBody, ScanBody, json_body, parse_body
from services.region.commands.queries import Page, Query, Scan
from services.region.expressions.key_conditions import bind_key_condition
from shared.errors import ValidationError
from shared.model.values import Item, decode_item


def query_routes(engine: Engine, meter: Meter) -> APIRouter:
    router = APIRouter(prefix="/v1/tables/{table}", tags=["queries"], responses=doc.problems)
    queries = engine.queries

    @router.post(
        "/query",
        summary="Read the items of one partition key, in order of the sort key",
        operation_id="query",
        responses={200: doc.answer(_page_description, _page_example)},
        openapi_extra=doc.body(QueryBody, _query_example),
    )
    async def query(table: TableName, request: Request) -> Response:
        body = await json_body(request)
        with meter.operation("Query"):
            command = query_command(table, parse_body(body, QueryBody))
            return _page_response(await queries.query(command), count_only=command.count_only)

    @router.post(
        "/scan",
        summary="Read all items of a table",
        operation_id="scan",
        responses={200: doc.answer(_page_description, _page_example)},
        openapi_extra=doc.body(ScanBody, _scan_example),
    )
    async def scan(table: TableName, request: Request) -> Response:
        body = await json_body(request)
        with meter.operation("Scan"):
            command = scan_command(table, parse_body(body, ScanBody))
            return _page_response(await queries.scan(command), count_only=command.count_only)

    return router


def query_command(table: str, body: QueryBody) -> Query:
    substitutions = substitutions_of(body)
    key_condition = bind_key_condition(body.key_condition, substitutions)
    condition = condition_of(body.filter, substitutions, parameter="FilterExpression")
    projection = projection_of(body.projection, substitutions)
    substitutions.check_all_used()
    return Query(
        table,
        key_condition,
        filter=condition,
        projection=projection,
        count_only=body.count_only,
        forward=body.forward,
        limit=body.limit,
        start_key=_start_key(body.start_key),
        index=body.index,
    )


def scan_command(table: str, body: ScanBody) -> Scan:
    substitutions = substitutions_of(body)
    condition = condition_of(body.filter, substitutions, parameter="FilterExpression")
    projection = projection_of(body.projection, substitutions)
    substitutions.check_all_used()
    if body.segment >= body.total_segments:
        raise ValidationError(f"segment: {body.segment} is not less than total_segments, {body.total_segments}")
    return Scan(
        table,
        filter=condition,
        projection=projection,
        count_only=body.count_only,
        limit=body.limit,
        start_key=_start_key(body.start_key),
        segment=body.segment,
        total_segments=body.total_segments,
        index=body.index,
    )


def _start_key(plain: PlainAttributes | None) -> Item | None:
    return None if plain is None else item_of(attributes_of(plain))


def _page_response(page: Page, *, count_only: bool) -> Response:
    document: dict[str, Any] = (
        {} if count_only else {"items": [plain_item(decode_item(image)) for image in page.images]}
    )
    document |= {
        "count": page.count,
        "scanned_count": page.scanned_count,
        "next": None if page.last_key is None else plain_item(page.last_key),
    }
    if not count_only:
        document = {"items": [plain_item(decode_item(image)) for image in page.images], **document}
    return Response(write_json(document), media_type="application/json")


_page_description = "Ends once over 1 MB was looked at; `next` is the next page's `start_key`, null on the last one."
_page_example = {
    "items": [{"customer": "ada", "invoice": 7, "price": 19.95}],
    "count": 1,
    "scanned_count": 3,
    "next": {"customer": "ada", "invoice": 7},
}
_query_example = {
    "key_condition": "customer = :customer AND invoice >= :first",
    "filter": "#status = :sent",
    "projection": "customer, invoice, price",
    "names": {"#status": "status"},
    "values": {":customer": "ada", ":first": 5, ":sent": "sent"},
    "limit": 25,
    "forward": False,
}
_scan_example = {"index": "by-price", "filter": "price > :least", "values": {":least": 10}, "limit": 100}
