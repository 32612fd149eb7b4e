"""`/v1/tables/{table}/items/…`: one item, its version as entity tag, conditional requests."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.region.api.dynamodb.operations import Engine
from services.region.api.dynamodb.parameters import item_of
from services.region.api.problems import problem
from services.region.api.rest import documentation as doc
from services.region.api.rest.expressions import condition_of, substitutions_of
from services.region.api.rest.metering import Meter
from services.region.api.rest.paths import ItemPath, partition_key_path, sort_key_path
from services.region.api.rest.plain_json import write_json
from services.region.api.rest.plain_values import attributes_of, plain_item
from services.region.api.rest.preconditions import entity_tag, guard_of, is_known
from services.region.api.rest.requests import UpdateBody, json_body, parse_body, parse_object
from services.region.commands.items import DeleteItem, GetItem, ItemWritten, PutItem, ReturnValues, UpdateItem
from services.region.engine.registry import Registry
from services.region.expressions.updates import bind_update
from shared.errors import ValidationError
from shared.limits import item_bytes_max
from shared.model.sizes import item_size_bytes
from shared.model.values import Item, decode_item, same_value
from shared.versions.versions import Version


def item_routes(engine: Engine, registry: Registry, meter: Meter) -> APIRouter:
    router = APIRouter(prefix="/v1/tables/{table}/items", tags=["items"], responses=doc.problems)
    resource = ItemResource(engine, registry, meter)
    _add_routes(router, resource, path="/{key}", place_of=partition_key_path)
    _add_routes(router, resource, path="/{key}/{sort_key}", place_of=sort_key_path)
    return router


class ItemResource:
    """What each method does with the item at a path."""

    def __init__(self, engine: Engine, registry: Registry, meter: Meter) -> None:
        self._items = engine.items
        self._registry = registry
        self._meter = meter

    async def get(self, place: ItemPath, request: Request) -> Response:
        with self._meter.operation("GetItem"):
            found = self._items.get(GetItem(place.table, self._key(place)))
            if found.image is None or found.version is None:
                return _no_item()
            if is_known(request.headers, found.version):
                return Response(status_code=304, headers={"ETag": entity_tag(found.version)})
            return _item_response(200, decode_item(found.image), found.version)

    async def put(self, place: ItemPath, request: Request) -> Response:
        body = await json_body(request)
        with self._meter.operation("PutItem"):
            item = _item_at(self._key(place), parse_object(body))
            written = await self._items.put(PutItem(place.table, item, guard_of(request.headers)))
            return _written_response(request, written, item)

    async def patch(self, place: ItemPath, request: Request) -> Response:
        body = await json_body(request)
        with self._meter.operation("UpdateItem"):
            command = self._update_command(place, parse_body(body, UpdateBody), request)
            written = await self._items.update(command)
            if written.attributes is None:  # an update that only removes makes no item
                return _no_item()
            return _written_response(request, written, decode_item(written.attributes))

    async def delete(self, place: ItemPath, request: Request) -> Response:
        with self._meter.operation("DeleteItem"):
            await self._items.delete(DeleteItem(place.table, self._key(place), guard_of(request.headers)))
            return Response(status_code=204)

    def _key(self, place: ItemPath) -> Item:
        return place.key_attributes(self._registry.serving(place.table).schema)

    def _update_command(self, place: ItemPath, body: UpdateBody, request: Request) -> UpdateItem:
        substitutions = substitutions_of(body)
        update = None if body.update is None else bind_update(body.update, substitutions)
        condition = condition_of(body.condition, substitutions, parameter="ConditionExpression")
        substitutions.check_all_used()
        guard = guard_of(request.headers)
        return UpdateItem(
            place.table,
            self._key(place),
            update,
            guard=guard if condition is None else replace(guard, condition=condition),
            return_values=ReturnValues.ALL_NEW,
        )


def _item_at(key: Item, plain: dict[str, Any]) -> Item:
    """The item that a body describes: it may repeat the key of the path, but not contradict it."""
    item = item_of(attributes_of(plain))
    for name, value in key.items():
        if name in item and not same_value(item[name], value):
            raise ValidationError(f"The key attribute {name} has another value in the body than in the path")
    whole = {**key, **item}
    if item_size_bytes(whole) > item_bytes_max:
        raise ValidationError("Item size has exceeded the maximum allowed size")
    return whole


def _no_item() -> Response:
    return problem(404, title="No such item", detail="The table has no item of this key", reason="no_item")


def _written_response(request: Request, written: ItemWritten, item: Item) -> Response:
    """The item as it is stored now, under the address that it was written to."""
    assert written.version is not None, "an item was written"
    response = _item_response(201 if written.created else 200, item, written.version)
    response.headers["Content-Location"] = request.scope["path"]
    return response


def _item_response(status: int, item: Item, version: Version) -> Response:
    return Response(write_json(plain_item(item)), status, {"ETag": entity_tag(version)}, "application/json")


def _add_routes(router: APIRouter, resource: ItemResource, *, path: str, place_of: Callable[..., ItemPath]) -> None:
    """The four methods at one form of an item's path."""
    suffix = "" if "sort_key" not in path else "WithSortKey"
    place_type = Annotated[ItemPath, Depends(place_of)]

    @router.get(
        path,
        summary="Read an item",
        description=_plain,
        operation_id=f"getItem{suffix}",
        responses={200: _the_item, 304: {"description": "The item still has a version that is known."}},
        openapi_extra={"parameters": [_if_changed]},
    )
    async def get(place: place_type, request: Request) -> Response:
        return await resource.get(place, request)

    @router.put(
        path,
        summary="Write an item, in place of the one that may be there",
        description=f"The body may leave out the key attributes. {_plain}",
        operation_id=f"putItem{suffix}",
        responses={200: _the_item, 201: _the_new_item},
        openapi_extra=doc.item_body(_example) | _preconditions,
    )
    async def put(place: place_type, request: Request) -> Response:
        return await resource.put(place, request)

    @router.patch(
        path,
        summary="Change some of an item's attributes",
        description="By an update expression. An absent item is made.",
        operation_id=f"updateItem{suffix}",
        responses={200: _the_item, 201: _the_new_item},
        openapi_extra=doc.body(UpdateBody, _update_example) | _preconditions,
    )
    async def patch(place: place_type, request: Request) -> Response:
        return await resource.patch(place, request)

    @router.delete(
        path,
        summary="Delete an item",
        description="An item that is not there is as good as deleted.",
        operation_id=f"deleteItem{suffix}",
        status_code=204,
        openapi_extra=_preconditions,
    )
    async def delete(place: place_type, request: Request) -> Response:
        return await resource.delete(place, request)


_example = {"price": 19.95, "status": "paid", "tags": {"$string_set": ["gift", "fragile"]}}
_whole_example = {"customer": "ada", "invoice": 7} | _example
_update_example = {
    "update": "SET #status = :sent ADD tags :tags",
    "condition": "price > :zero",
    "names": {"#status": "status"},
    "values": {":sent": "sent", ":tags": {"$string_set": ["late"]}, ":zero": 0},
}
_version_header = {"ETag": 'The item\'s version, `"<timestamp>-<region>"`.'}
_the_item = doc.answer("The item.", _whole_example, headers=_version_header)
_the_new_item = doc.answer("The item, which is new.", _whole_example, headers=_version_header)
_if_changed = doc.header("If-None-Match", "Entity tags already known: 304 if the item has one of them.")
_preconditions = {
    "parameters": [
        doc.header("If-Match", "The entity tag that the item must have, or `*`: the item must exist. Else 412."),
        doc.header("If-None-Match", "`*`: the item must not exist. Else 412."),
    ]
}
_plain = (
    "Strings, numbers (all 38 digits are kept), booleans, null, lists and maps are JSON's own. Tagged are"
    ' `{"$binary": "<base64>"}`, `{"$string_set": [...]}`, `{"$number_set": [...]}`, `{"$binary_set": [...]}`, and'
    ' `{"$map": {...}}` for a map whose single name begins with `$`.'
)
