"""Regions over HTTP: what is sent, how refusals are told from absences, and that nothing waits without a limit."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response

from services.replicator.io import http
from services.replicator.io.http import HttpOwnRegion, HttpSourceRegion
from services.replicator.io.port import ApplyMode, CopyStage, RegionUnavailableError
from shared.changes.batches import decode_batch, encode_batch
from shared.changes.records import Lane
from shared.errors import RequestRefusedError
from shared.feed.port import Position
from shared.topology import Region
from tests.unit.replicator.simulated import change, east, orders, west

lane = Lane(orders, 3)
named = {"generation": orders.hex(), "partition": 3}


@dataclass
class Asked:
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Answering:
    """A region that answers every request alike and remembers what it was asked."""

    endpoint: str
    status: int = 200
    body: bytes = b"{}"
    asked: list[Asked] = field(default_factory=list)

    def answer(self, document: Any, *, status: int = 200) -> None:
        self.status, self.body = status, orjson.dumps(document)


@pytest.fixture
async def region() -> AsyncIterator[Answering]:
    listening = socket.create_server(("127.0.0.1", 0))
    region = Answering(f"http://127.0.0.1:{listening.getsockname()[1]}")
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def anything(request: Request, path: str) -> Response:
        region.asked.append(Asked(path, dict(request.query_params), dict(request.headers), await request.body()))
        return Response(region.body, status_code=region.status)

    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server._serve([listening]))
    yield region
    server.should_exit = True
    await serving
    listening.close()


@pytest.fixture
async def own(region: Answering) -> AsyncIterator[HttpOwnRegion]:
    own = HttpOwnRegion(region.endpoint, token="secret", region=west)
    yield own
    await own.close()


@pytest.fixture
async def source(region: Answering) -> AsyncIterator[HttpSourceRegion]:
    source = HttpSourceRegion(region.endpoint, source=east, token="secret", target=west)
    yield source
    await source.close()


async def test_requests_carry_the_token_and_the_caller(region: Answering, source: HttpSourceRegion) -> None:
    region.answer({"horizons_wanted": [[orders.hex(), 3]]})
    assert await source.acknowledge({lane: Position(7, commit_us=44)}, {lane: 55}) == [lane]
    asked = region.asked[0]
    assert (asked.path, asked.headers["authorization"], asked.headers["x-meridian-region"]) == (
        "internal/v1/acks",
        "Bearer secret",
        "west",
    )
    assert orjson.loads(asked.body) == {
        "target": "west",
        "lanes": [[orders.hex(), 3, 7, 44]],
        "horizons": [[orders.hex(), 3, 55]],
    }


async def test_a_lane_is_read_from_the_change_log(region: Answering, source: HttpSourceRegion) -> None:
    region.body = encode_batch({"head": 9, "commit_us": 44}, [change(lane, 8), change(lane, 9)])
    page = await source.changes_after(lane, 7)
    assert (page.head, page.deliveries, page.commit_us) == (9, [change(lane, 8), change(lane, 9)], 44)
    assert region.asked[0].query == {"target": "west", "generation": orders.hex(), "partition": "3", "after": "7"}


async def test_a_snapshot_is_read_page_by_page(region: Answering, source: HttpSourceRegion) -> None:
    head = {"positions": {"east": [7, -1, 44]}, "cursor": "next", "rows_total": 12, "whole": False, "collected": 5}
    region.body = encode_batch(head, [change(lane, 0)])
    page = await source.snapshot(lane, None)
    await source.snapshot(lane, page.cursor)
    assert (page.positions, page.rows_total) == ({"east": Position(7, commit_us=44)}, 12)
    assert (page.whole, page.collected) == (False, 5)
    assert ["cursor" in asked.query for asked in region.asked] == [False, True]
    assert await source.snapshot_end(lane) == page.positions
    assert region.asked[-1].query["cursor"] == "end"


async def test_a_batch_is_applied_in_one_request(region: Answering, own: HttpOwnRegion) -> None:
    counts = {"applied": 1, "superseded": 0, "duplicate": 0, "conflicts": 0, "dead_letters": 0}
    entries = [
        {**named, "position": [2, -1, 44], "gap": False, **counts},
        {"generation": orders.hex(), "partition": 4, "refused": "no_lane"},
    ]
    region.answer({"lanes": entries, "applied_us": 5})
    reply = await own.apply(east, [change(lane, 2)], mode=ApplyMode.FEED)
    assert (reply.outcomes[0].position, reply.refused, reply.applied_us) == (
        Position(2, commit_us=44),
        [Lane(orders, 4)],
        5,
    )
    batch = decode_batch(region.asked[0].body)
    assert (batch.head, batch.deliveries) == ({"source": "east", "mode": "feed"}, [change(lane, 2)])


async def test_lanes_and_membership_are_read(region: Answering, own: HttpOwnRegion) -> None:
    entry = {**named, "table": "orders", "state": "COPYING", "sources": {"east": [3, 44, 5]}, "donors": ["east"]}
    region.answer({"revision": 4, "lanes": [{**entry, "active": False, "lost": ["east"]}]})
    owned = (await own.lanes()).lanes[0]
    assert (owned.lane, owned.stage, owned.sources, owned.active, owned.lost) == (
        lane,
        CopyStage.COPYING,
        {"east": Position(3, 44, 5)},
        False,
        ["east"],
    )
    peer = {"name": "east", "number": 1, "endpoint": "http://127.0.0.1:1"}
    answer = {"rank": 1, "workers": 3, "lanes_revision": 4, "region": "west", "peers": [peer], "horizons_wanted": []}
    region.answer(answer)
    membership = await own.register("me", [], {})
    assert (membership.rank, membership.workers, membership.peers) == (1, 3, [Region("east", 1, "http://127.0.0.1:1")])
    assert [membership.holds(Lane(orders, partition)) for partition in range(4)] == [False, True, False, False]


async def test_copies_are_told_to_the_region(region: Answering, own: HttpOwnRegion) -> None:
    region.status, region.body = 204, b""
    await own.report_progress(lane, percent=40)
    await own.finish_copy(lane, east, positions={east: Position(7, 3)}, whole=False)
    await own.fail_copy(lane, reason="why")
    await own.caught_up(orders)
    await own.needs_resync(lane, east, reason="why")
    assert [(asked.path.removeprefix("internal/v1/"), orjson.loads(asked.body)) for asked in region.asked] == [
        ("copies/progress", {**named, "percent": 40}),
        ("copies/finish", {**named, "donor": "east", "positions": {"east": [7, 3, 0]}, "whole": False}),
        ("copies/fail", {**named, "reason": "why"}),
        ("copies/caught_up", {"generation": orders.hex()}),
        ("lanes/needs_resync", {**named, "source": "east", "reason": "why"}),
    ]


async def test_a_refusal_tells_its_reason(region: Answering, source: HttpSourceRegion) -> None:
    """The lane decides on it: too old means a copy, unknown means patience."""
    region.answer({"reason": "too_old", "detail": "trimmed"}, status=409)
    with pytest.raises(RequestRefusedError) as refused:
        await source.changes_after(lane, 7)
    assert (refused.value.reason, refused.value.message) == ("too_old", "trimmed")


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_troubles_that_pass_are_no_refusals(region: Answering, source: HttpSourceRegion, status: int) -> None:
    """A region that is stopping must not make a lane believe that its log is gone."""
    region.answer({"reason": "stopping", "detail": "soon back"}, status=status)
    with pytest.raises(RegionUnavailableError, match=r"^east can't serve this now: stopping: soon back$"):
        await source.changes_after(lane, 7)


async def test_a_refusal_in_another_form_is_told_by_its_status(region: Answering, source: HttpSourceRegion) -> None:
    """A proxy may answer in place of the region."""
    region.status, region.body = 404, b"<html>"
    with pytest.raises(RequestRefusedError, match="http_404"):
        await source.changes_after(lane, 7)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"lanes": 3}', b'{"revision": 1, "lanes": [{}]}'])
async def test_an_answer_that_makes_no_sense_counts_as_none(
    region: Answering, own: HttpOwnRegion, source: HttpSourceRegion, body: bytes
) -> None:
    """A region of another release must not end the worker."""
    region.body = body
    calls: list[Callable[[], Awaitable[object]]] = [
        own.lanes,
        lambda: own.register("me", [], {}),
        lambda: own.apply(east, [change(lane, 1)], mode=ApplyMode.FEED),
        lambda: source.changes_after(lane, 7),
        lambda: source.snapshot(lane, None),
    ]
    for call in calls:
        with pytest.raises(RegionUnavailableError, match="can't be read"):
            await call()


async def test_a_region_that_accepts_and_says_nothing_is_unavailable_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cut may swallow packets: the connection stands, and nothing ever comes."""
    monkeypatch.setattr(http, "answer_limit_s", 0.2)
    listening = socket.create_server(("127.0.0.1", 0))
    endpoint = f"http://127.0.0.1:{listening.getsockname()[1]}"
    silent = HttpSourceRegion(endpoint, source=east, token="secret", target=west)
    with pytest.raises(RegionUnavailableError, match=r"^east gave no answer within 0\.2 s$"):
        async with asyncio.timeout(5):
            await silent.changes_after(lane, 7)
    await silent.close()
    listening.close()


async def test_a_link_that_was_ended_says_so(source: HttpSourceRegion) -> None:
    """A copy may still hold a donor whose link was just started anew."""
    await source.close()
    with pytest.raises(RegionUnavailableError, match="has ended the connection"):
        await source.changes_after(lane, 7)
