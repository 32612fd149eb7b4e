"""Digests of partitions and slot ranges, from which it is told whether regions agree and where they differ."""

from fastapi import APIRouter, Response

from services.region.api.internal.documents import generation_of, json_reply
from services.region.engine.digests import Digests
from services.region.engine.registry import Registry, Table
from services.region.storage.partitions import Partition
from shared.errors import RequestRefusedError
from shared.limits import slots


def digest_routes(registry: Registry, digests: Digests) -> APIRouter:
    router = APIRouter()

    @router.get("/digests")
    async def tables() -> Response:
        documents = [
            {
                "table": table.definition.name,
                "generation": table.generation.hex(),
                "partition_count": table.partition_count,
                "partitions": [
                    {"partition": each.partition, "digest": _digest(each.digest), "items": each.items} for each in found
                ],
            }
            for table, found in digests.tables()
        ]
        return json_reply({"tables": documents})

    @router.get("/digests/{generation}/{partition}")
    async def of_range(generation: str, partition: int, first_slot: int = 0, last_slot: int = slots - 1) -> Response:
        _, named = _table_partition(registry, generation, partition)
        found = await digests.of_range(named, range(first_slot, last_slot + 1))
        return json_reply({"digest": _digest(found.digest), "items": found.items})

    @router.get("/digests/{generation}/{partition}/keys")
    async def keys(generation: str, partition: int, first_slot: int = 0, last_slot: int = slots - 1) -> Response:
        table, named = _table_partition(registry, generation, partition)
        found = await digests.keys(table, named, range(first_slot, last_slot + 1))
        documents = [
            {
                "key": each.key,
                "version": f"{each.version.timestamp}-{each.version.region}",
                "digest": _digest(each.digest),
            }
            for each in found
        ]
        return json_reply({"items": documents})

    return router


def _table_partition(registry: Registry, generation: str, partition: int) -> tuple[Table, Partition]:
    table = registry.of(generation_of(generation))
    if table is None or not 0 <= partition < table.partition_count:
        raise RequestRefusedError("no_lane", "this region has no such partition")
    return table, table.partitions[partition]


def _digest(digest: int) -> str:
    return f"{digest:032x}"
