"""`/v1/replication`: how the links into this region stand, as its replicators reported them last.

It holds no item data and is open without a token: the console reads it from every region, and so may a probe.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Response

from services.region.api.rest import documentation as doc
from services.region.api.rest.plain_json import write_json
from services.region.engine.links import LinkReport, Links

_counted = ("backlog", "applied", "superseded", "duplicate", "conflicts", "dead_letters", "resyncs")


def replication_routes(links: Links, *, region: str) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["replication"], responses=doc.problems)

    @router.get(
        "/replication",
        summary="See how far this region is behind the others",
        description="One entry for each source region and table; the table with the empty name is the catalog.",
        operation_id="describeReplication",
        responses={200: doc.answer("The links into this region.", _example)},
    )
    async def replication() -> Response:
        document = replication_document(links.reports(), region=region)
        return Response(write_json(document), media_type="application/json")

    return router


def replication_document(reports: Sequence[LinkReport], *, region: str) -> dict[str, Any]:
    return {
        "region": region,
        "links": [{**report, "target": region} for report in reports],
        "counts": {name: sum(_count(report, name) for report in reports) for name in _counted},
    }


def _count(report: Mapping[str, Any], name: str) -> int:
    count = report.get(name)
    return count if isinstance(count, int) else 0


_link_example = {
    "source": "us-east-1",
    "target": "eu-west-1",
    "table": "orders",
    "state": "FOLLOWING",
    "frontier_lag_s": 0.0,
    "change_lag_p50_s": 0.021,
    "change_lag_p99_s": 0.048,
    "backlog": 0,
    "applied": 1204,
    "superseded": 2,
    "duplicate": 0,
    "conflicts": 3,
    "dead_letters": 0,
    "resyncs": 0,
    "error": None,
}
_example = {
    "region": "eu-west-1",
    "links": [_link_example],
    "counts": {name: _link_example[name] for name in _counted},
}
