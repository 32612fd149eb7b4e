"""What the replicators of other regions ask of this one as a source: its feed, its change logs, copies of its rows."""

from base64 import b64encode

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.region.api.internal.documents import (
    Integer,
    by_lane,
    generation_of,
    json_reply,
    lane_names,
    lane_numbers,
    other_region,
    position_documents,
)
from services.region.engine.feed import Feed, Share
from services.region.engine.horizons import Horizons
from services.region.engine.snapshots import Snapshots
from shared.changes.batches import content_type, encode_batch
from shared.changes.records import Lane
from shared.clock import Clock
from shared.errors import RequestRefusedError
from shared.feed.port import Position
from shared.limits import feed_wait_s_max
from shared.model.tables import RegionName
from shared.topology import Topology


class TailRequest(BaseModel):
    target: str
    cursor: str | None = None
    wait_s: float = Field(default=0.0, ge=0.0, le=feed_wait_s_max)
    share: tuple[int, int] = (0, 1)


class Acks(BaseModel):
    target: str
    lanes: list[tuple[str, int, Integer, Integer]]
    horizons: list[tuple[str, int, Integer]]


def feed_routes(
    feed: Feed, snapshots: Snapshots, horizons: Horizons, *, topology: Topology, region: str, clock: Clock
) -> APIRouter:
    router = APIRouter()

    def known(target: str) -> RegionName:
        return other_region(target, topology, region=region)

    @router.post("/feed/tail")
    async def tail(body: TailRequest) -> Response:
        rank, workers = body.share
        if not 0 <= rank < workers:
            raise RequestRefusedError("bad_request", "a share is [rank, workers] with 0 <= rank < workers")
        answer = await feed.tail(known(body.target), body.cursor, wait_s=body.wait_s, share=Share(rank, workers))
        head = {
            "cursor": answer.cursor,
            "interrupted": answer.interrupted,
            "heartbeats": [b64encode(record).decode() for record in answer.heartbeats],
            "head_times": lane_numbers(answer.head_times),
        }
        return Response(encode_batch(head, answer.deliveries), media_type=content_type)

    @router.get("/feed/lane")
    async def lane(target: str, generation: str, partition: int, after: int) -> Response:
        named = Lane(generation_of(generation), partition)
        changes = feed.lane(known(target), named, after=after)
        head = {"head": changes.head, "commit_us": changes.commit_us}
        return Response(encode_batch(head, changes.deliveries), media_type=content_type)

    @router.get("/snapshot")
    async def snapshot(target: str, generation: str, partition: int, cursor: str | None = None) -> Response:
        page = snapshots.page(known(target), Lane(generation_of(generation), partition), cursor=cursor)
        head = {
            "positions": position_documents(page.positions),
            "cursor": page.cursor,
            "rows_total": page.rows_total,
            "whole": page.is_whole,
            "collected": page.collected_timestamp,
        }
        return Response(encode_batch(head, page.deliveries), media_type=content_type)

    @router.post("/acks")
    async def acks(body: Acks) -> Response:
        target = known(body.target)
        applied = {
            Lane(generation_of(generation), partition): Position(sequence, commit_us=commit_us)
            for generation, partition, sequence, commit_us in body.lanes
        }
        await feed.acknowledge(target, applied)
        horizons.take(target, by_lane(body.horizons))
        return json_reply({"horizons_wanted": lane_names(horizons.wanted(target))})

    @router.get("/time")
    async def time() -> Response:
        return json_reply({"region": region, "wall_us": clock.wall_us()})

    return router
