"""What can be seen of a replicator: liveness, readiness, metrics without a token, details with one."""

import hmac
from collections.abc import Iterator, Mapping
from itertools import accumulate

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from services.replicator.link.lag import ChangeLag, bucket_bounds_s
from services.replicator.work.run import Worker
from services.replicator.work.tallies import TableTally

_labels = ("source", "table")


def build_status(worker: Worker, *, token: str) -> FastAPI:
    app = FastAPI(title="Meridian replicator", docs_url=None, redoc_url=None, openapi_url=None)
    registry = CollectorRegistry()
    registry.register(LinkCollector(worker))
    ProcessCollector(registry=registry)

    @app.get("/livez")
    async def livez() -> Mapping[str, bool]:
        return {"live": True}

    @app.get("/readyz")
    async def readyz() -> Response:
        ready = worker.ready
        document = {"ready": ready, "problem": worker.problem}
        return JSONResponse(document, status_code=200 if ready else 503)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    @app.get("/status")
    async def status(request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return _unauthorized()
        return JSONResponse(
            {
                "ready": worker.ready,
                "problem": worker.problem,
                "links": [report.to_document() for report in worker.reports()],
            }
        )

    return app


class LinkCollector(Collector):
    """Reads the links' tallies when it is asked; nothing is counted twice and no registry is global."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "meridian_replicator_ready", "1 when the region knows this worker", value=float(self._worker.ready)
        )
        yield from self._standing()
        yield from self._of_links()
        yield from self._of_tables()

    def _standing(self) -> Iterator[Metric]:
        frontier = GaugeMetricFamily(
            "meridian_link_frontier_lag_seconds", "Age of the time up to which everything is applied", labels=_labels
        )
        backlog = GaugeMetricFamily(
            "meridian_link_backlog_changes", "Changes known to be committed and not yet applied", labels=_labels
        )
        for report in self._worker.reports():
            if report.frontier_lag_s is not None:
                frontier.add_metric((report.source, report.table), report.frontier_lag_s)
            backlog.add_metric((report.source, report.table), report.backlog)
        yield frontier
        yield backlog

    def _of_links(self) -> Iterator[Metric]:
        heartbeats = CounterMetricFamily("meridian_link_heartbeats", "Heartbeats received", labels=("source",))
        disconnects = CounterMetricFamily("meridian_link_disconnects", "Times the source was lost", labels=("source",))
        failures = CounterMetricFamily("meridian_link_failures", "Times the link itself failed", labels=("source",))
        for name, link in self._worker.links.items():
            heartbeats.add_metric((name,), link.follower.tally.heartbeats)
            disconnects.add_metric((name,), link.follower.tally.disconnects)
            failures.add_metric((name,), link.follower.tally.failures)
        yield heartbeats
        yield disconnects
        yield failures

    def _of_tables(self) -> Iterator[Metric]:
        changes = CounterMetricFamily(
            "meridian_link_changes", "Changes delivered, by what became of them", labels=(*_labels, "outcome")
        )
        conflicts = CounterMetricFamily("meridian_link_conflicts", "Concurrent writes found", labels=_labels)
        dead_letters = CounterMetricFamily("meridian_link_dead_letters", "Records put aside", labels=_labels)
        fills = CounterMetricFamily("meridian_link_fills", "Pages from the source's change log", labels=_labels)
        resyncs = CounterMetricFamily("meridian_link_resyncs", "Lanes that had to be copied again", labels=_labels)
        lag = HistogramMetricFamily("meridian_link_change_lag_seconds", "Commit to applied, by change", labels=_labels)
        for names, tally in self._tallies():
            for outcome in ("applied", "superseded", "duplicate"):
                changes.add_metric((*names, outcome), getattr(tally, outcome))
            conflicts.add_metric(names, tally.conflicts)
            dead_letters.add_metric(names, tally.dead_letters)
            fills.add_metric(names, tally.fills)
            resyncs.add_metric(names, tally.resyncs)
            lag.add_metric(names, buckets=_cumulative(tally.lag), sum_value=tally.lag.sum_s)
        yield from (changes, conflicts, dead_letters, fills, resyncs, lag)

    def _tallies(self) -> Iterator[tuple[tuple[str, str], TableTally]]:
        for name, link in self._worker.links.items():
            for table, tally in link.follower.tally.tables.items():
                yield (name, table), tally


def _cumulative(lag: ChangeLag) -> list[tuple[str, float]]:
    bounds = [*map(str, bucket_bounds_s), "+Inf"]
    return list(zip(bounds, accumulate(lag.buckets), strict=True))


def _unauthorized() -> Response:
    problem = {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "This route needs the token of the internal routes: Authorization: Bearer …",
    }
    return JSONResponse(problem, status_code=401, media_type="application/problem+json")
