"""Internal routes: what replicators ask of their own region and of the regions that they follow.

Every route needs the shared token. Bodies that carry changes are `shared.changes.batches`; the rest is JSON.
A refusal is problem details with a stable `reason` that the replicator decides on.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.region.api.bodies import bounded_body
from services.region.engine.copies import Copies
from services.region.engine.digests import Digests
from services.region.engine.feed import Feed, Share
from services.region.engine.horizons import Horizons
from services.region.engine.links import Links
from services.region.engine.registry import Registry, Table
from services.region.engine.remote_changes import LaneOutcome
from services.region.engine.replicas import Replicas
from services.region.engine.replication import LaneReport, Replication
from services.region.engine.snapshots import Snapshots, parse_cursor
from services.region.storage.catalog import Stage
from services.region.storage.partitions import Partition
from services.region.storage.reader import before_all
from shared.changes.batches import content_type, decode_batch, encode_batch
from shared.changes.records import Lane
from shared.clock import Clock
from shared.errors import RequestRefusedError
from shared.feed.port import Position
from shared.limits import feed_wait_s_max, slots
from shared.model.keys import ItemKey, slot_of
from shared.model.tables import Generation, RegionName
from shared.topology import Topology

_hex_generation = r"^[0-9a-f]{32}$"
_Integer = Annotated[int, Field(ge=-1, lt=2**63)]  # what a partition file can keep


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
    horizons: Horizons


class TailRequest(BaseModel):
    target: str
    cursor: str | None = None
    wait_s: float = Field(default=0.0, ge=0.0, le=feed_wait_s_max)
    share: tuple[int, int] = (0, 1)


class Acks(BaseModel):
    target: str
    lanes: list[tuple[str, int, _Integer, _Integer]]
    horizons: list[tuple[str, int, _Integer]]


class WorkerReport(BaseModel):
    worker: str
    links: list[dict[str, Any]]
    horizons: list[tuple[str, int, _Integer]]


class NamedLane(BaseModel):
    generation: str = Field(pattern=_hex_generation)
    partition: int = Field(ge=0)

    @property
    def lane(self) -> Lane:
        return Lane(_generation(self.generation), self.partition)


class FinishedCopy(NamedLane):
    positions: dict[str, tuple[_Integer, _Integer, _Integer]]
    donor: str
    whole: bool


class ForgottenRange(NamedLane):
    """Of a donor's rows behind `after` and up to `through`, the keys in hexadecimal digits."""

    after: str | None
    through: str | None
    collected: _Integer
    keys: list[tuple[str, str]]


class LostLane(NamedLane):
    source: str


class FailedCopy(NamedLane):
    reason: str


class CopyProgress(NamedLane):
    percent: int = Field(ge=0, le=100)


class NamedTable(BaseModel):
    generation: str = Field(pattern=_hex_generation)


def internal_routes(engine: ReplicationEngine, *, topology: Topology, region: str, clock: Clock) -> APIRouter:
    router = APIRouter(prefix="/internal/v1", include_in_schema=False)
    _add_source_routes(router, engine, region=region, topology=topology, clock=clock)
    _add_target_routes(router, engine, topology=topology, region=region, clock=clock)
    _add_digest_routes(router, engine)
    return router


def _add_source_routes(
    router: APIRouter, engine: ReplicationEngine, *, region: str, topology: Topology, clock: Clock
) -> None:
    feed = engine.feed

    def known(target: str) -> RegionName:
        if target not in topology or target == region:
            raise RequestRefusedError("unknown_region", f"{target} is no other region of this topology")
        return RegionName(target)

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
            "head_times": _lane_numbers(answer.head_times),
        }
        return Response(encode_batch(head, answer.deliveries), media_type=content_type)

    @router.get("/feed/lane")
    async def lane(target: str, generation: str, partition: int, after: int) -> Response:
        named = Lane(_generation(generation), partition)
        changes = feed.lane(known(target), named, after=after)
        head = {"head": changes.head, "commit_us": changes.commit_us}
        return Response(encode_batch(head, changes.deliveries), media_type=content_type)

    @router.get("/snapshot")
    async def snapshot(target: str, generation: str, partition: int, cursor: str | None = None) -> Response:
        page = engine.snapshots.page(known(target), Lane(_generation(generation), partition), cursor=cursor)
        head = {
            "positions": _positions(page.positions),
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
            Lane(_generation(generation), partition): Position(sequence, commit_us=commit_us)
            for generation, partition, sequence, commit_us in body.lanes
        }
        await feed.acknowledge(target, applied)
        engine.horizons.take(target, _by_lane(body.horizons))
        return _json({"horizons_wanted": _lane_names(engine.horizons.wanted(target))})

    @router.get("/time")
    async def time() -> Response:
        return _json({"region": region, "wall_us": clock.wall_us()})


def _add_target_routes(
    router: APIRouter, engine: ReplicationEngine, *, topology: Topology, region: str, clock: Clock
) -> None:
    replication, replicas = engine.replication, engine.replicas
    peers = [{"name": peer.name, "number": peer.number, "endpoint": peer.endpoint} for peer in topology.others(region)]

    @router.post("/workers")
    async def workers(body: WorkerReport) -> Response:
        rank, count = engine.links.hear(body.worker, body.links)
        engine.horizons.take(RegionName(region), _by_lane(body.horizons))
        return _json(
            {
                "rank": rank,
                "workers": count,
                "lanes_revision": engine.registry.revision,
                "region": region,
                "peers": peers,
                "horizons_wanted": _lane_names(engine.horizons.wanted(RegionName(region))),
            }
        )

    @router.get("/lanes")
    async def lanes() -> Response:
        revision = engine.registry.revision
        reports = [_lane_document(report) for report in await replication.lanes()]
        return _json({"revision": revision, "lanes": reports})

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
        apply_mode = replication.apply_changes if mode == "feed" else replication.apply_snapshot
        outcomes = await apply_mode(RegionName(source), deliveries)
        lanes = [_outcome_document(lane, outcome) for lane, outcome in outcomes.items()]
        return _json({"lanes": lanes, "applied_us": clock.wall_us()})

    @router.post("/copies/finish", status_code=204)
    async def finish(body: FinishedCopy) -> None:
        positions = {RegionName(name): Position(*at) for name, at in body.positions.items() if name in topology}
        donor = RegionName(body.donor) if body.donor in topology else None
        await engine.copies.finish(body.lane, positions, donor=donor, is_whole=body.whole)

    @router.post("/copies/forget", status_code=204)
    async def forget(body: ForgottenRange) -> None:
        await engine.copies.forget(
            body.lane,
            {_item_key(*key) for key in body.keys},
            after=before_all if body.after is None else parse_cursor(body.after),
            through=None if body.through is None else parse_cursor(body.through),
            collected=body.collected,
        )

    @router.post("/copies/progress", status_code=204)
    async def progress(body: CopyProgress) -> None:
        await replicas.report_copy(body.lane.generation, percent=body.percent)

    @router.post("/copies/fail", status_code=204)
    async def fail(body: FailedCopy) -> None:
        await replicas.report_copy(body.lane.generation, percent=0, problem=body.reason)

    @router.post("/copies/caught_up", status_code=204)
    async def caught_up(body: NamedTable) -> None:
        await engine.copies.caught_up(_generation(body.generation))

    @router.post("/lanes/needs_resync", status_code=204)
    async def needs_resync(body: LostLane) -> None:
        if body.source not in topology or body.source == region:
            raise RequestRefusedError("unknown_region", f"{body.source} is no other region of this topology")
        await engine.copies.lose_source(body.lane, RegionName(body.source))


def _add_digest_routes(router: APIRouter, engine: ReplicationEngine) -> None:
    digests = engine.digests

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
        return _json({"tables": documents})

    @router.get("/digests/{generation}/{partition}")
    async def of_range(generation: str, partition: int, first_slot: int = 0, last_slot: int = slots - 1) -> Response:
        _, named = _table_partition(engine.registry, generation, partition)
        found = await digests.of_range(named, range(first_slot, last_slot + 1))
        return _json({"digest": _digest(found.digest), "items": found.items})

    @router.get("/digests/{generation}/{partition}/keys")
    async def keys(generation: str, partition: int, first_slot: int = 0, last_slot: int = slots - 1) -> Response:
        table, named = _table_partition(engine.registry, generation, partition)
        found = await digests.keys(table, named, range(first_slot, last_slot + 1))
        documents = [
            {
                "key": each.key,
                "version": f"{each.version.timestamp}-{each.version.region}",
                "digest": _digest(each.digest),
            }
            for each in found
        ]
        return _json({"items": documents})


def _table_partition(registry: Registry, generation: str, partition: int) -> tuple[Table, Partition]:
    table = registry.of(_generation(generation))
    if table is None or not 0 <= partition < table.partition_count:
        raise RequestRefusedError("no_lane", "this region has no such partition")
    return table, table.partitions[partition]


def _lane_document(report: LaneReport) -> Mapping[str, Any]:
    return {
        "generation": report.lane.generation.hex(),
        "partition": report.lane.partition,
        "table": report.table,
        "state": report.state,
        "sources": _positions(report.positions),
        "donors": report.donors,
        "lost": report.lost,
        "active": report.stage is not Stage.CREATING,
    }


def _outcome_document(lane: Lane, outcome: LaneOutcome | None) -> Mapping[str, Any]:
    named = {"generation": lane.generation.hex(), "partition": lane.partition}
    if outcome is None:
        return named | {"refused": "no_lane"}
    return named | outcome._asdict() | {"position": list(outcome.position)}


def _generation(text: str) -> Generation:
    try:
        generation = bytes.fromhex(text)
    except ValueError:
        generation = b""
    if len(generation) != 16:
        raise RequestRefusedError("bad_request", "a generation is written as 32 hexadecimal digits")
    return Generation(generation)


def _item_key(partition: str, sort: str) -> ItemKey:
    try:
        key = bytes.fromhex(partition)
        return ItemKey(slot_of(key), key, bytes.fromhex(sort))
    except ValueError as error:
        raise RequestRefusedError("bad_request", "a key is written in hexadecimal digits") from error


def _lane_numbers(numbers: Mapping[Lane, int]) -> Sequence[tuple[str, int, int]]:
    return [(lane.generation.hex(), lane.partition, number) for lane, number in numbers.items()]


def _by_lane(named: Sequence[tuple[str, int, int]]) -> Mapping[Lane, int]:
    return {Lane(_generation(generation), partition): number for generation, partition, number in named}


def _lane_names(lanes: Sequence[Lane]) -> Sequence[tuple[str, int]]:
    return [(lane.generation.hex(), lane.partition) for lane in lanes]


def _positions(positions: Mapping[str, Position]) -> Mapping[str, Sequence[int]]:
    return {name: list(position) for name, position in positions.items()}


def _digest(digest: int) -> str:
    return f"{digest:032x}"


def _json(document: Mapping[str, Any]) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")
