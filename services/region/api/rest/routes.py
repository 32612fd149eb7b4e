"""All routes of the resource REST."""

from fastapi import APIRouter

from services.region.api.dynamodb.operations import Engine
from services.region.api.metrics.requests import RequestMetrics
from services.region.api.rest.items import item_routes
from services.region.api.rest.metering import Meter
from services.region.api.rest.queries import query_routes
from services.region.api.rest.replication import replication_routes
from services.region.api.rest.tables import replica_routes, table_routes
from services.region.engine.followers import Followers
from services.region.engine.links import Links
from services.region.engine.registry import Registry
from shared.clock import Clock


def rest_routes(
    engine: Engine,
    *,
    registry: Registry,
    links: Links,
    followers: Followers,
    metrics: RequestMetrics,
    clock: Clock,
    region: str,
) -> APIRouter:
    meter = Meter(metrics, clock)
    router = APIRouter()
    router.include_router(table_routes(engine, meter, region=region))
    router.include_router(item_routes(engine, registry, meter))
    router.include_router(query_routes(engine, meter))
    router.include_router(replica_routes(engine, meter, region=region))
    router.include_router(replication_routes(links, followers, region=region))
    return router
