"""The console and the API's documentation: static pages, and what browsers may do with a region.

The pages come from `services/region/console` as they are. They may load nothing from elsewhere and may ask the regions
of the topology only; the regions in turn let pages of each other read replication and items, and nothing else.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import orjson
from fastapi import APIRouter, FastAPI, Response
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import RequestRefusedError
from shared.topology import Topology

_folder = Path(__file__).parent.parent / "console"
_media_types = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_open_path = re.compile(r"/(?:readyz|v1/replication|v1/tables/[^/]+/items/.+)")


def console_routes(*, topology: Topology, region: str) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    headers = _page_headers(topology)
    contents = {path.name: path.read_bytes() for path in _folder.iterdir() if path.suffix in _media_types}

    def page(name: str) -> Response:
        if name not in contents:
            raise RequestRefusedError("no_route", "the console has no such file")
        return Response(contents[name], headers=headers, media_type=_media_types[Path(name).suffix])

    @router.get("/console")
    async def console() -> Response:
        return page("console.html")

    @router.get("/docs")
    async def docs() -> Response:
        return page("docs.html")

    @router.get("/console/topology")
    async def regions() -> Response:
        known = [{"name": each.name, "endpoint": each.endpoint} for each in topology]
        return Response(orjson.dumps({"region": region, "regions": known}), media_type="application/json")

    @router.get("/console/{name}")
    async def file(name: str) -> Response:
        return page(name)

    return router


def allow_console_origins(app: FastAPI, topology: Topology) -> None:
    """Lets pages of the topology's regions, and no others, use the routes that the console needs."""
    app.add_middleware(ConsoleOrigins, origins=[each.endpoint for each in topology])


class ConsoleOrigins:
    """Middleware: cross-origin requests on the open paths."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._open = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=("GET", "PUT", "PATCH", "DELETE"),
            allow_headers=("Content-Type", "If-Match", "If-None-Match"),
            expose_headers=("ETag",),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_open = scope["type"] == "http" and _open_path.fullmatch(scope["path"])
        await (self._open if is_open else self._app)(scope, receive, send)


def _page_headers(topology: Topology) -> dict[str, str]:
    endpoints = " ".join(each.endpoint for each in topology)
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        f" connect-src 'self' {endpoints}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
