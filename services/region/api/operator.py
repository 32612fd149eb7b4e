"""Operator routes: is it alive, is it ready, what do its metrics say, how far behind are its links."""

from collections.abc import Callable

import orjson
from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from services.region.api.rest import documentation as doc
from services.region.engine.registry import Registry


def operator_routes(
    *, region: str, registry: Registry, is_ready: Callable[[], bool], metrics: CollectorRegistry
) -> APIRouter:
    router = APIRouter(tags=["operator"])

    @router.get(
        "/livez",
        summary="Is the process alive?",
        operation_id="isAlive",
        responses={200: doc.answer("It answers.", {"alive": True})},
    )
    async def livez() -> Response:
        return Response(b'{"alive":true}', media_type="application/json")

    @router.get(
        "/readyz",
        summary="Does the region take requests?",
        operation_id="isReady",
        responses={
            200: doc.answer("It does.", {"ready": True, "region": "us-east-1", "tables": 2}),
            503: doc.answer("It is stopping.", {"ready": False, "region": "us-east-1", "tables": 2}),
        },
    )
    async def readyz() -> Response:
        ready = is_ready()
        document = {"ready": ready, "region": region, "tables": len(registry.names())}
        return Response(orjson.dumps(document), 200 if ready else 503, media_type="application/json")

    @router.get(
        "/metrics",
        summary="Metrics in Prometheus' text format",
        operation_id="readMetrics",
        response_class=PlainTextResponse,
    )
    async def scrape() -> Response:
        return Response(generate_latest(metrics), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return router
