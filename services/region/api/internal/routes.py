"""All internal routes, and what stands behind them."""

from dataclasses import dataclass

from fastapi import APIRouter

from services.region.api.internal.copies import copy_routes
from services.region.api.internal.digests import digest_routes
from services.region.api.internal.feed import feed_routes
from services.region.api.internal.replication import lane_routes, worker_routes
from services.region.engine.copies import Copies
from services.region.engine.digests import Digests
from services.region.engine.feed import Feed
from services.region.engine.followers import Followers
from services.region.engine.horizons import Horizons
from services.region.engine.links import Links
from services.region.engine.registry import Registry
from services.region.engine.replicas import Replicas
from services.region.engine.replication import Replication
from services.region.engine.snapshots import Snapshots
from shared.clock import Clock
from shared.topology import Topology


@dataclass(frozen=True, slots=True)
class ReplicationEngine:
    """What replicators and operators can ask of a region."""

    registry: Registry
    replicas: Replicas
    feed: Feed
    snapshots: Snapshots
    replication: Replication
    copies: Copies
    digests: Digests
    links: Links
    followers: Followers
    horizons: Horizons


def internal_routes(engine: ReplicationEngine, *, topology: Topology, region: str, clock: Clock) -> APIRouter:
    router = APIRouter(prefix="/internal/v1", include_in_schema=False)
    router.include_router(
        feed_routes(engine.feed, engine.snapshots, engine.horizons, topology=topology, region=region, clock=clock)
    )
    router.include_router(
        worker_routes(engine.registry, engine.links, engine.horizons, topology=topology, region=region)
    )
    router.include_router(
        lane_routes(engine.registry, engine.replication, topology=topology, region=region, clock=clock)
    )
    router.include_router(copy_routes(engine.copies, engine.replicas, topology=topology, region=region))
    router.include_router(digest_routes(engine.registry, engine.digests))
    return router
