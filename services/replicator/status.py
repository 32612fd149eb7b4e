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
from starlette.exceptions import HTTPException

from services.replicator.link.lag import ChangeLag, bucket_bounds_s
from services.replicator.work.run import Worker
from services.replicator.work.tallies import TableTally
from shared.clock import Clock
from shared.problems import content_type, problem_document

catalog_name = "(catalog)"  # as table of the catalog lane; no table can be called so

_labels = ("source", "table")
_reasons = {404: "no_route", 405: "method_not_allowed"}


def build_status(worker: Worker, *, token: str, clock: Clock) -> FastAPI:
    app = FastAPI(title="Meridian replicator", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(HTTPException, _refused)
    registry = CollectorRegistry()
    registry.register(LinkCollector(worker, clock))
    ProcessCollector(registry=registry)

    @app.get("/livez")
    async def livez() -> Mapping[str, bool]:
        return {"alive": True}

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

    def __init__(self, worker: Worker, clock: Clock) -> None:
        self._worker = worker
        self._clock = clock

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
        state = GaugeMetricFamily(
            "meridian_link_state", "1 for the state that the link is in", labels=(*_labels, "state")
        )
        for report in self._worker.reports():
            names = (report.source, report.table or catalog_name)
            if report.frontier_lag_s is not None:
                frontier.add_metric(names, report.frontier_lag_s)
            backlog.add_metric(names, report.backlog)
            state.add_metric((*names, report.state), 1)
        yield from (frontier, backlog, state)

    def _of_links(self) -> Iterator[Metric]:
        heartbeats = CounterMetricFamily("meridian_link_heartbeats", "Heartbeats received", labels=("source",))
        disconnects = CounterMetricFamily("meridian_link_disconnects", "Times the source was lost", labels=("source",))
        failures = CounterMetricFamily("meridian_link_failures", "Times the link itself failed", labels=("source",))
        delay = GaugeMetricFamily(
            "meridian_link_heartbeat_delay_seconds",
            "Arrival of the last heartbeat by the clock here, less its time by the source's clock",
            labels=("source",),
        )
        receive = HistogramMetricFamily(
            "meridian_link_receive_seconds", "Commit to received by the replicator, by change", labels=("source",)
        )
        apply = HistogramMetricFamily(
            "meridian_link_apply_seconds", "Received by the replicator to applied, by change", labels=("source",)
        )
        for name, link in self._worker.links.items():
            tally = link.follower.tally
            heartbeats.add_metric((name,), tally.heartbeats)
            disconnects.add_metric((name,), tally.disconnects)
            failures.add_metric((name,), tally.failures)
            if tally.heartbeat_delay_s is not None:
                delay.add_metric((name,), tally.heartbeat_delay_s)
            receive.add_metric((name,), tally.receive_s.buckets(), tally.receive_s.total)
            apply.add_metric((name,), tally.apply_s.buckets(), tally.apply_s.total)
        yield from (heartbeats, disconnects, failures, delay, receive, apply)

    def _of_tables(self) -> Iterator[Metric]:
        changes = CounterMetricFamily(
            "meridian_link_changes", "Changes delivered, by what became of them", labels=(*_labels, "outcome")
        )
        conflicts = CounterMetricFamily("meridian_link_conflicts", "Concurrent writes found", labels=_labels)
        dead_letters = CounterMetricFamily("meridian_link_dead_letters", "Records put aside", labels=_labels)
        fills = CounterMetricFamily("meridian_link_fills", "Pages from the source's change log", labels=_labels)
        resyncs = CounterMetricFamily("meridian_link_resyncs", "Lanes that had to be copied again", labels=_labels)
        lag = HistogramMetricFamily("meridian_link_change_lag_seconds", "Commit to applied, by change", labels=_labels)
        peak = GaugeMetricFamily(
            "meridian_link_change_lag_max_seconds",
            "Largest change lag of the last half to whole minute",
            labels=_labels,
        )
        now = self._clock.monotonic_s()
        for names, tally in self._tallies():
            for outcome in ("applied", "superseded", "duplicate"):
                changes.add_metric((*names, outcome), getattr(tally, outcome))
            conflicts.add_metric(names, tally.conflicts)
            dead_letters.add_metric(names, tally.dead_letters)
            fills.add_metric(names, tally.fills)
            resyncs.add_metric(names, tally.resyncs)
            lag.add_metric(names, buckets=_cumulative(tally.lag), sum_value=tally.lag.sum_s)
            peak.add_metric(names, tally.lag.peak_s(now=now))
        yield from (changes, conflicts, dead_letters, fills, resyncs, lag, peak)

    def _tallies(self) -> Iterator[tuple[tuple[str, str], TableTally]]:
        for name, link in self._worker.links.items():
            for table, tally in link.follower.tally.tables.items():
                yield (name, table or catalog_name), tally


def _cumulative(lag: ChangeLag) -> list[tuple[str, float]]:
    bounds = [*map(str, bucket_bounds_s), "+Inf"]
    return list(zip(bounds, accumulate(lag.buckets), strict=True))


def _unauthorized() -> Response:
    detail = "This route needs the token of the internal routes: Authorization: Bearer …"
    document = problem_document(401, title="Unauthorized", detail=detail, reason="unauthorized")
    return Response(document, 401, {"WWW-Authenticate": "Bearer"}, content_type)


async def _refused(_request: Request, error: Exception) -> Response:
    """A path or a method that there is no route for."""
    assert isinstance(error, HTTPException)
    reason = _reasons.get(error.status_code, "bad_request")
    document = problem_document(error.status_code, title=error.detail, detail=error.detail, reason=reason)
    return Response(document, error.status_code, error.headers, content_type)
