"""`/v1/replication`: how the links into this region stand, as its replicators reported them last, and what the other
regions have yet to take from it, as they acknowledged. While a link is cut only the source can tell its backlog.

It holds no item data and is open without a token: the console reads it from every region, and so may a probe.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Response

from services.region.api.rest import documentation as doc
from services.region.api.rest.plain_json import write_json
from services.region.engine.followers import Followers, FollowerStanding
from services.region.engine.links import LinkReport, Links

_counted = ("backlog", "applied", "superseded", "duplicate", "conflicts", "dead_letters", "resyncs")


def replication_routes(links: Links, followers: Followers, *, region: str) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["replication"], responses=doc.problems)

    @router.get(
        "/replication",
        summary="See how far this region is behind the others",
        description="One entry for each other region and table; the table with the empty name is the catalog. "
        "`followers` tell how much made here the others have yet to acknowledge, also while they can't be reached.",
        operation_id="describeReplication",
        responses={200: doc.answer("The links into this region, and who follows it.", _example)},
    )
    async def replication() -> Response:
        document = replication_document(links.reports(), followers.standings(), region=region)
        return Response(write_json(document), media_type="application/json")

    return router


def replication_document(
    reports: Sequence[LinkReport], standings: Iterable[FollowerStanding], *, region: str
) -> dict[str, Any]:
    return {
        "region": region,
        "links": [{**report, "target": region} for report in reports],
        "followers": [standing._asdict() for standing in standings],
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
    "followers": [{"target": "us-east-1", "table": "orders", "unapplied": 2, "oldest_age_s": 0.012}],
    "counts": {name: _link_example[name] for name in _counted},
}
