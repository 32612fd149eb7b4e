"""What a region's own replicator tells it of copies: that one is needed, how it goes, and what goes with its rows."""

from fastapi import APIRouter
from pydantic import Field

from services.region.api.internal.documents import (
    Integer,
    NamedLane,
    NamedTable,
    generation_of,
    other_region,
)
from services.region.engine.copies import Copies
from services.region.engine.replicas import Replicas
from services.region.engine.snapshots import parse_cursor
from services.region.storage.reader import before_all
from shared.errors import RequestRefusedError
from shared.feed.port import Position
from shared.model.keys import ItemKey, slot_of
from shared.model.tables import RegionName
from shared.topology import Topology


class FinishedCopy(NamedLane):
    positions: dict[str, tuple[Integer, Integer, Integer]]
    donor: str
    whole: bool


class ForgottenRange(NamedLane):
    """Of a donor's rows behind `after` and up to `through`, the keys in hexadecimal digits."""

    after: str | None
    through: str | None
    collected: Integer
    keys: list[tuple[str, str]]


class LostLane(NamedLane):
    source: str


class FailedCopy(NamedLane):
    reason: str


class CopyProgress(NamedLane):
    percent: int = Field(ge=0, le=100)


def copy_routes(copies: Copies, replicas: Replicas, *, topology: Topology, region: str) -> APIRouter:
    router = APIRouter()

    @router.post("/lanes/needs_resync", status_code=204)
    async def needs_resync(body: LostLane) -> None:
        await copies.lose_source(body.lane, other_region(body.source, topology, region=region))

    @router.post("/copies/finish", status_code=204)
    async def finish(body: FinishedCopy) -> None:
        positions = {RegionName(name): Position(*at) for name, at in body.positions.items() if name in topology}
        donor = RegionName(body.donor) if body.donor in topology else None
        await copies.finish(body.lane, positions, donor=donor, is_whole=body.whole)

    @router.post("/copies/forget", status_code=204)
    async def forget(body: ForgottenRange) -> None:
        await copies.forget(
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
        await copies.caught_up(generation_of(body.generation))

    return router


def _item_key(partition: str, sort: str) -> ItemKey:
    try:
        key = bytes.fromhex(partition)
        return ItemKey(slot_of(key), key, bytes.fromhex(sort))
    except ValueError as error:
        raise RequestRefusedError("bad_request", "a key is written in hexadecimal digits") from error
