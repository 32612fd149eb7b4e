"""What a region's own replicator tells it and asks of it: its workers, the lanes to follow, and changes to apply."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from services.region.api.bodies import bounded_body
from services.region.api.internal.documents import (
    Integer,
    by_lane,
    json_reply,
    lane_names,
    position_documents,
)
from services.region.engine.horizons import Horizons
from services.region.engine.links import Links
from services.region.engine.registry import Registry
from services.region.engine.remote_changes import LaneOutcome
from services.region.engine.replication import LaneReport, Replication
from services.region.storage.catalog import Stage
from shared.changes.batches import decode_batch
from shared.changes.records import Lane
from shared.clock import Clock
from shared.errors import RequestRefusedError
from shared.model.tables import RegionName
from shared.topology import Topology


class WorkerReport(BaseModel):
    worker: str
    links: list[dict[str, Any]]
    horizons: list[tuple[str, int, Integer]]


def worker_routes(
    registry: Registry, links: Links, horizons: Horizons, *, topology: Topology, region: str
) -> APIRouter:
    router = APIRouter()
    peers = [{"name": peer.name, "number": peer.number, "endpoint": peer.endpoint} for peer in topology.others(region)]

    @router.post("/workers")
    async def workers(body: WorkerReport) -> Response:
        rank, count = links.hear(body.worker, body.links)
        horizons.take(RegionName(region), by_lane(body.horizons))
        return json_reply(
            {
                "rank": rank,
                "workers": count,
                "lanes_revision": registry.revision,
                "region": region,
                "peers": peers,
                "horizons_wanted": lane_names(horizons.wanted(RegionName(region))),
            }
        )

    return router


def lane_routes(
    registry: Registry, replication: Replication, *, topology: Topology, region: str, clock: Clock
) -> APIRouter:
    router = APIRouter()

    @router.get("/lanes")
    async def lanes() -> Response:
        revision = registry.revision
        reports = [_lane_document(report) for report in await replication.lanes()]
        return json_reply({"revision": revision, "lanes": reports})

    @router.post("/apply")
    async def apply(request: Request) -> Response:
        head, deliveries = decode_batch(await bounded_body(request))
        source, mode = head.get("source"), head.get("mode")
        if (
            not isinstance(source, str)
            or source not in topology
            or source == region
            or mode not in ("feed", "snapshot")
        ):
            raise RequestRefusedError("bad_request", "a batch names its source region and its mode")
        take = replication.apply_changes if mode == "feed" else replication.apply_snapshot
        outcomes = await take(RegionName(source), deliveries)
        lanes = [_outcome_document(lane, outcome) for lane, outcome in outcomes.items()]
        return json_reply({"lanes": lanes, "applied_us": clock.wall_us()})

    return router


def _lane_document(report: LaneReport) -> Mapping[str, Any]:
    return {
        "generation": report.lane.generation.hex(),
        "partition": report.lane.partition,
        "table": report.table,
        "state": report.state,
        "sources": position_documents(report.positions),
        "donors": report.donors,
        "lost": report.lost,
        "active": report.stage is not Stage.CREATING,
    }


def _outcome_document(lane: Lane, outcome: LaneOutcome | None) -> Mapping[str, Any]:
    named = {"generation": lane.generation.hex(), "partition": lane.partition}
    if outcome is None:
        return named | {"refused": "no_lane"}
    return named | outcome._asdict() | {"position": list(outcome.position)}
