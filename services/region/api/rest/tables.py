"""`/v1/tables` and `/v1/tables/{table}`: tables as this region sees them, and their replicas."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.region.api.dynamodb.index_checks import check_definitions
from services.region.api.dynamodb.operations import Engine
from services.region.api.dynamodb.parse_indexes import indexes_of
from services.region.api.problems import problem
from services.region.api.rest import documentation as doc
from services.region.api.rest.metering import Meter
from services.region.api.rest.paths import Region, TableName
from services.region.api.rest.plain_json import write_json
from services.region.api.rest.requests import KeyAttributeBody, TableBody, json_body, parse_body
from services.region.commands.indexes import IndexDescription
from services.region.commands.tables import (
    CreateTable,
    DeleteTable,
    DescribeTable,
    ListTables,
    TableDescription,
    UpdateTable,
)
from shared.errors import ValidationError
from shared.limits import list_tables_max
from shared.model.keys import KeyAttribute, KeySchema
from shared.model.tables import BillingMode, RegionName, ReplicaState, ReplicaStatus

_key_types = {"string": "S", "number": "N", "binary": "B"}
_type_words = {type_: word for word, type_ in _key_types.items()}


def table_routes(engine: Engine, meter: Meter, *, region: str) -> APIRouter:
    router = APIRouter(prefix="/v1/tables", tags=["tables"], responses=doc.problems)
    tables = engine.tables

    def document(description: TableDescription) -> dict[str, Any]:
        return table_document(description, region=RegionName(region))

    @router.get(
        "",
        summary="List tables with their descriptions, by name",
        operation_id="listTables",
        responses={200: doc.answer("A page; `next` is the `after` of the next one.", _tables_example)},
    )
    async def list_tables(
        limit: Annotated[int, Query(ge=1, le=list_tables_max)] = list_tables_max,
        after: Annotated[str | None, Query(description="The name that the page starts after.")] = None,
    ) -> Response:
        with meter.operation("ListTables"):
            page = tables.list(ListTables(limit, after))
            found = [document(tables.describe(DescribeTable(name))) for name in page.names]
            return _json({"tables": found, "next": page.last})

    @router.post(
        "",
        summary="Create a table",
        description="It is made in this region, for reads and writes on demand.",
        operation_id="createTable",
        status_code=201,
        responses={201: doc.answer("The table.", _table_example, headers={"Location": "Where the table is."})},
        openapi_extra=doc.body(TableBody, _new_table_example),
    )
    async def create(request: Request) -> Response:
        body = await json_body(request)
        with meter.operation("CreateTable"):
            command = create_command(parse_body(body, TableBody))
            await tables.create(command)
            created = tables.describe(DescribeTable(command.name))
            return _json(document(created), 201, {"Location": f"/v1/tables/{command.name}"})

    @router.get(
        "/{table}",
        summary="Describe a table",
        operation_id="describeTable",
        responses={200: doc.answer("The table.", _table_example)},
    )
    async def describe(table: TableName) -> Response:
        with meter.operation("DescribeTable"):
            return _json(document(tables.describe(DescribeTable(table))))

    @router.delete(
        "/{table}",
        summary="Delete a table",
        description="Removes this region's replica of a table with replicas elsewhere; those stay.",
        operation_id="deleteTable",
        status_code=202,
        responses={202: doc.answer("The table, DELETING.", _table_example | {"status": "DELETING"})},
    )
    async def delete(table: TableName) -> Response:
        with meter.operation("DeleteTable"):
            return _json(document(await tables.delete(DeleteTable(table))), 202)

    return router


def replica_routes(engine: Engine, meter: Meter, *, region: str) -> APIRouter:
    router = APIRouter(prefix="/v1/tables/{table}/replicas", tags=["replicas"], responses=doc.problems)
    tables, here = engine.tables, RegionName(region)
    path = "/{region}"

    def replica_of(description: TableDescription, name: str) -> dict[str, Any] | None:
        documents = replica_documents(description, region=here)
        return next((replica for replica in documents if replica["region"] == name), None)

    @router.get(
        path,
        summary="See how a replica stands",
        operation_id="describeReplica",
        responses={200: doc.answer("The replica.", _replica_example)},
    )
    async def get(table: TableName, region: Region) -> Response:
        with meter.operation("DescribeTable"):
            replica = replica_of(tables.describe(DescribeTable(table)), region)
            if replica is None:
                return _no_such_replica(table, region)
            return _json(replica)

    @router.put(
        path,
        summary="Add a replica",
        description="The region begins to copy the table; the replica serves once it is ACTIVE. One change at a time.",
        operation_id="addReplica",
        responses={
            200: doc.answer("The replica, which was there already.", _replica_example),
            202: doc.answer("The replica, CREATING.", _replica_example | {"status": "CREATING", "percent": 0}),
        },
    )
    async def add(table: TableName, region: Region) -> Response:
        with meter.operation("UpdateTable"):
            present = tables.describe(DescribeTable(table))
            if region == here or region in present.definition.replicas:
                return _json(replica_of(present, region))
            updated = await tables.update(UpdateTable(table, add_replicas=(RegionName(region),)))
            return _json(replica_of(updated, region), 202)

    @router.delete(
        path,
        summary="Remove a replica",
        operation_id="removeReplica",
        status_code=202,
        responses={202: doc.answer("The replica, DELETING.", _replica_example | {"status": "DELETING"})},
    )
    async def remove(table: TableName, region: Region) -> Response:
        with meter.operation("UpdateTable"):
            present = tables.describe(DescribeTable(table))
            if region != here and region not in present.definition.replicas:
                return _no_such_replica(table, region)
            updated = await tables.update(UpdateTable(table, remove_replicas=(RegionName(region),)))
            return _json(replica_of(updated, region), 202)

    return router


def _no_such_replica(table: str, region: str) -> Response:
    detail = f"The table {table} has no replica in {region}"
    return problem(404, title="No such replica", detail=detail, reason="no_replica")


def create_command(body: TableBody) -> CreateTable:
    partition = _key_attribute(body.partition_key)
    sort = None if body.sort_key is None else _key_attribute(body.sort_key)
    if sort is not None and sort.name == partition.name:
        raise ValidationError("partition_key and sort_key have the same name")
    key_schema, mode = KeySchema(partition, sort), BillingMode.PAY_PER_REQUEST
    if not body.indexes:
        return CreateTable(body.name, key_schema, mode)
    members = _members_of(body)
    check_definitions(members)
    return CreateTable(body.name, key_schema, mode, indexes=indexes_of(members, key_schema, mode))


def _members_of(body: TableBody) -> dict[str, Any]:
    """The table as CreateTable would be asked for it."""
    table_keys = [body.partition_key, *([] if body.sort_key is None else [body.sort_key])]
    index_keys = [attribute for index in body.indexes for attribute in (*index.partition_key, *index.sort_key)]
    types: dict[str, str] = {}
    for attribute in (*table_keys, *index_keys):
        if types.setdefault(attribute.name, _key_types[attribute.type]) != _key_types[attribute.type]:
            raise ValidationError(f"The key attribute {attribute.name} has more than one type")
    members: dict[str, Any] = {
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": type_} for name, type_ in types.items()],
        "KeySchema": _key_schema([body.partition_key], table_keys[1:]),
    }
    for index in body.indexes:
        named = "GlobalSecondaryIndexes" if index.scope == "global" else "LocalSecondaryIndexes"
        members.setdefault(named, []).append(
            {
                "IndexName": index.name,
                "KeySchema": _key_schema(index.partition_key, index.sort_key),
                "Projection": {"ProjectionType": index.projection}
                | ({"NonKeyAttributes": index.included} if index.included else {}),
            }
        )
    return members


def _key_schema(partition: list[KeyAttributeBody], sort: list[KeyAttributeBody]) -> list[dict[str, str]]:
    roles = [(attribute, "HASH") for attribute in partition] + [(attribute, "RANGE") for attribute in sort]
    return [{"AttributeName": attribute.name, "KeyType": role} for attribute, role in roles]


def table_document(description: TableDescription, *, region: RegionName) -> dict[str, Any]:
    """A table as the resource REST shows it; `region` is the one that was asked."""
    definition = description.definition
    keys = definition.key_schema
    return {
        "name": definition.name,
        "status": description.status.value,
        "partition_key": _key_document(keys.partition),
        "sort_key": None if keys.sort is None else _key_document(keys.sort),
        "indexes": [_index_document(each) for each in description.indexes],
        "billing_mode": definition.billing_mode.value,
        "item_count": description.item_count,
        "size_bytes": description.size_bytes,
        "created_at": datetime.fromtimestamp(definition.created_us / 1_000_000, UTC).isoformat(timespec="milliseconds"),
        "id": str(UUID(bytes=definition.generation)),
        "replicas": replica_documents(description, region=region),
    }


def replica_documents(description: TableDescription, *, region: RegionName) -> list[dict[str, Any]]:
    """Every replica; that of a table that was never global is the asked region's own."""
    states = description.replicas or {region: ReplicaState(ReplicaStatus.ACTIVE)}
    return [
        {"region": name, "status": state.status.value, "percent": state.percent, "description": state.description}
        for name, state in states.items()
    ]


def _index_document(described: IndexDescription) -> dict[str, Any]:
    """Keys of an index may have several attributes."""
    index = described.index
    return {
        "name": index.name,
        "scope": "global" if index.is_global else "local",
        "status": described.status.value,
        "partition_key": [_key_document(attribute) for attribute in index.partition],
        "sort_key": [_key_document(attribute) for attribute in index.sort],
        "projection": index.projection.value,
        "included": list(index.included),
        "item_count": described.item_count,
        "size_bytes": described.size_bytes,
    }


def _key_attribute(body: KeyAttributeBody) -> KeyAttribute:
    return KeyAttribute(body.name, _key_types[body.type])


def _key_document(attribute: KeyAttribute) -> dict[str, str]:
    return {"name": attribute.name, "type": _type_words[attribute.type]}


def _json(document: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(write_json(document), status, headers, "application/json")


_replica_example = {"region": "eu-west-1", "status": "ACTIVE", "percent": 100, "description": None}
_index_example = {
    "name": "by-price",
    "scope": "global",
    "partition_key": [{"name": "status", "type": "string"}],
    "sort_key": [{"name": "price", "type": "number"}],
    "projection": "ALL",
}
_new_table_example = {
    "name": "orders",
    "partition_key": {"name": "customer", "type": "string"},
    "sort_key": {"name": "invoice", "type": "number"},
    "indexes": [_index_example],
}
_table_example = {
    **_new_table_example,
    "status": "ACTIVE",
    "indexes": [{**_index_example, "status": "ACTIVE", "included": [], "item_count": 3, "size_bytes": 187}],
    "billing_mode": "PAY_PER_REQUEST",
    "item_count": 3,
    "size_bytes": 214,
    "created_at": "2026-01-31T09:30:00.000+00:00",
    "id": "0b7f0c0a-6a3e-4d6e-9a53-2f8d4d0a2c11",
    "replicas": [{"region": "us-east-1", "status": "ACTIVE", "percent": 100, "description": None}, _replica_example],
}
_tables_example = {"tables": [_table_example], "next": None}
