"""The FastAPI application of a region: everything that is not `POST /`."""

from collections.abc import Callable

from fastapi import Depends, FastAPI
from prometheus_client import CollectorRegistry

from services.region.api.authorization import bearer_check
from services.region.api.console import allow_console_origins, console_routes
from services.region.api.dynamodb.operations import Engine
from services.region.api.dynamodb.other_methods import endpoint_routes
from services.region.api.head_requests import HeadRequests
from services.region.api.internal.routes import ReplicationEngine, internal_routes
from services.region.api.metrics.requests import RequestMetrics
from services.region.api.operator import operator_routes
from services.region.api.problems import add_problem_handlers
from services.region.api.rest.documentation import introduction
from services.region.api.rest.paths import UndecodedPaths
from services.region.api.rest.routes import rest_routes
from shared.clock import Clock
from shared.topology import Topology


def application(
    engine: Engine,
    replication: ReplicationEngine,
    *,
    region: str,
    topology: Topology,
    token: str | None,
    metrics: CollectorRegistry,
    request_metrics: RequestMetrics,
    clock: Clock,
    is_ready: Callable[[], bool],
) -> FastAPI:
    app = FastAPI(title=f"Meridian {region}", version="0.1.0", description=introduction, docs_url=None, redoc_url=None)
    add_problem_handlers(app)
    allow_console_origins(app, topology)
    app.add_middleware(UndecodedPaths)
    app.add_middleware(HeadRequests)
    registry = replication.registry
    app.include_router(
        rest_routes(
            engine,
            registry=registry,
            links=replication.links,
            followers=replication.followers,
            metrics=request_metrics,
            clock=clock,
            region=region,
        )
    )
    app.include_router(operator_routes(region=region, registry=registry, is_ready=is_ready, metrics=metrics))
    app.include_router(console_routes(topology=topology, region=region))
    app.include_router(
        internal_routes(replication, topology=topology, region=region, clock=clock),
        dependencies=[Depends(bearer_check(token))],
    )

    app.include_router(endpoint_routes(region))
    return app
