"""What the DynamoDB endpoint answers to other methods than POST: its health, and preflights of pages elsewhere."""

import secrets
import zlib
from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

_preflight_age_s = 172_800


def endpoint_routes(region: str) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def health(request: Request) -> Response:
        host = request.headers.get("host", f"dynamodb.{region}.amazonaws.com")
        return _reply(request, 200, f"healthy: {host} ".encode("latin-1"), {})

    @router.options("/")
    async def preflight(request: Request) -> Response:
        if "origin" not in request.headers:
            return _unknown(request)
        allowed = {"access-control-max-age": str(_preflight_age_s)}
        for what in ("headers", "method"):
            asked = request.headers.get(f"access-control-request-{what}")
            if asked is not None:
                allowed[f"access-control-allow-{what.removesuffix('s')}s"] = asked
        return _reply(request, 200, b"", allowed)

    @router.api_route("/", methods=["PUT", "PATCH", "DELETE", "HEAD"])
    async def others(request: Request) -> Response:
        return _unknown(request)

    return router


def _unknown(request: Request) -> Response:
    return _reply(request, 404, b"<UnknownOperationException/>\n", {})


def _reply(request: Request, status: int, body: bytes, headers: Mapping[str, str]) -> Response:
    own = {"x-amzn-requestid": secrets.token_hex(26).upper(), "x-amz-crc32": str(zlib.crc32(body))}
    if "origin" in request.headers:
        own |= {
            "access-control-allow-origin": "*",
            "access-control-expose-headers": "x-amzn-requestid,x-amz-crc32",
        }
    return Response(body, status, headers={**own, **headers}, media_type="text/plain" if body else None)
