"""A source region reduced to its tail: a ring of recent records behind the route that the embedded feed polls."""

import asyncio
import socket
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response

from shared.changes.batches import Delivery, content_type, encode_batch
from shared.changes.heartbeats import Heartbeat, encode_heartbeat
from shared.changes.records import Lane

region_number = 7


@dataclass
class Ring:
    """What a region's process holds in memory; a new one knows nothing of the old one's cursors."""

    epoch: int = 1
    entries: list[Delivery | bytes] = field(default_factory=list)
    heads: dict[Lane, int] = field(default_factory=dict)
    appended: asyncio.Event = field(default_factory=asyncio.Event)

    def append(self, entry: Delivery | bytes) -> None:
        self.entries.append(entry)
        if isinstance(entry, Delivery):
            self.heads[entry.lane] = entry.sequence
        self.appended.set()
        self.appended = asyncio.Event()

    def restart(self) -> None:
        self.epoch += 1
        self.entries.clear()

    def heartbeat(self, heads: Mapping[Lane, int]) -> bytes:
        return encode_heartbeat(Heartbeat(region_number, 1_700_000_000_000_000, heads))


class RingServer:
    def __init__(self, *, token: str) -> None:
        self.ring = Ring()
        self.asked: list[dict[str, Any]] = []
        self._token = token
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._server = uvicorn.Server(uvicorn.Config(self._app(), log_config=None, lifespan="off"))
        self._running: asyncio.Task[None] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    async def start(self) -> None:
        self._running = asyncio.create_task(self._server._serve([self._socket]))

    async def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        if self._running is not None:
            await self._running
        self._socket.close()

    def _app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/internal/v1/time")
        async def time(request: Request) -> dict[str, object]:
            return {"region": "source", "wall_us": 0}

        @app.post("/internal/v1/feed/tail")
        async def tail(request: Request) -> Response:
            if request.headers.get("authorization") != f"Bearer {self._token}":
                return Response(b'{"reason": "unauthorized"}', status_code=401)
            asked = await request.json()
            self.asked.append(asked)
            return Response(await self._tail(asked), media_type=content_type)

        return app

    async def _tail(self, asked: dict[str, Any]) -> bytes:
        ring = self.ring
        epoch, _, number = str(asked["cursor"]).partition(":")
        if epoch != str(ring.epoch):
            return _answer(ring, [], [ring.heartbeat(ring.heads)], interrupted=True)
        found = ring.entries[int(number) :]
        if not found:
            waiting = asyncio.create_task(ring.appended.wait())
            await asyncio.wait((waiting,), timeout=asked["wait_s"])
            waiting.cancel()
            found = ring.entries[int(number) :]
        deliveries = [entry for entry in found if isinstance(entry, Delivery)]
        return _answer(ring, deliveries, [entry for entry in found if isinstance(entry, bytes)], interrupted=False)


def _answer(ring: Ring, deliveries: Sequence[Delivery], heartbeats: Sequence[bytes], *, interrupted: bool) -> bytes:
    head = {
        "cursor": f"{ring.epoch}:{len(ring.entries)}",
        "interrupted": interrupted,
        "heartbeats": [b64encode(record).decode() for record in heartbeats],
        "head_times": [],
    }
    return encode_batch(head, deliveries)
