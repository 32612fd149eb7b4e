"""What a replicator shows of itself."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.replicator.status import build_status
from services.replicator.work.run import Worker
from shared.changes.records import Lane
from shared.topology import Region
from tests.unit.replicator.simulated import FakeClock, SimulatedFeed, SimulatedOwn, SimulatedSource, east, orders, west

lane = Lane(orders, 0)


@pytest.fixture
async def own() -> SimulatedOwn:
    own = SimulatedOwn(peers=[Region(east, 1, "http://127.0.0.1:1")])
    own.own(lane, {east: 0})
    return own


@pytest.fixture
def feed() -> SimulatedFeed:
    return SimulatedFeed()


@pytest.fixture
async def client(own: SimulatedOwn, feed: SimulatedFeed) -> AsyncIterator[httpx.AsyncClient]:
    clock = FakeClock()
    worker = Worker(
        "me",
        region=west,
        own=own,
        open_feed=lambda _peer, _membership: feed,
        open_source=lambda _peer: SimulatedSource(),
        clock=clock,
        chance=lambda: 0.0,
    )
    running = asyncio.create_task(worker.run())
    transport = httpx.ASGITransport(build_status(worker, token="secret", clock=clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://replicator") as client:
        await own.until(lambda: worker.ready or own.away)
        yield client
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_worker_that_its_region_knows_is_ready(client: httpx.AsyncClient) -> None:
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "problem": None})
    assert (await client.get("/livez")).status_code == 200


async def test_status_needs_the_token(client: httpx.AsyncClient) -> None:
    """It names tables and addresses."""
    for headers in ([], [(b"authorization", b"Bearer wrong")], [(b"authorization", "Bearer s\u00e9cret".encode())]):
        answer = await client.get("/status", headers=headers)
        assert answer.status_code == 401
    answer = await client.get("/status", headers={"Authorization": "Bearer secret"})
    assert [(link["source"], link["table"], link["backlog"]) for link in answer.json()["links"]] == [
        ("east", "orders", 0)
    ]


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/nowhere", 404, "no_route"),
        ("POST", "/readyz", 405, "method_not_allowed"),
        ("GET", "/status", 401, "unauthorized"),
    ],
)
async def test_refusals_are_problem_documents(
    client: httpx.AsyncClient, method: str, path: str, status: int, reason: str
) -> None:
    """As those of a region: a program that reads the one can read the other."""
    answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "reason"}
    assert (problem["status"], problem["reason"]) == (status, reason)


async def test_metrics_tell_what_was_done(client: httpx.AsyncClient, own: SimulatedOwn, feed: SimulatedFeed) -> None:
    """Dashboards and alarms are built on these names."""
    made = SimulatedSource().commit(lane, count=3, commit_us=1_990_000)
    feed.deliver(*made)
    feed.beat({lane: 3}, time_us=FakeClock().wall_us())
    await own.until(lambda: own.applied.get((east, lane)) == [1, 2, 3])
    feed.deliver(*SimulatedSource(log={lane: made}).commit(lane))
    await own.until(lambda: own.applied.get((east, lane)) == [1, 2, 3, 4])
    text = (await client.get("/metrics")).text
    told_apart = ("outcome", "le", "state")
    samples = {
        (sample.name, next((sample.labels[name] for name in told_apart if name in sample.labels), None)): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["meridian_replicator_ready", None] == 1
    assert samples["meridian_link_changes_total", "applied"] >= 3
    assert samples["meridian_link_heartbeats_total", None] == 1
    assert samples["meridian_link_change_lag_seconds_bucket", "0.01"] >= 3
    assert samples["meridian_link_change_lag_seconds_bucket", "0.005"] == 0
    assert samples["meridian_link_change_lag_max_seconds", None] == 2
    assert samples["meridian_link_receive_seconds_count", None] == 4
    assert samples["meridian_link_apply_seconds_count", None] == 4
    assert samples["meridian_link_state", "FOLLOWING"] == 1
    assert 0 <= samples["meridian_link_heartbeat_delay_seconds", None] < 1
    assert {
        "meridian_link_frontier_lag_seconds",
        "meridian_link_backlog_changes",
        "meridian_link_conflicts_total",
        "meridian_link_dead_letters_total",
        "meridian_link_fills_total",
        "meridian_link_resyncs_total",
        "meridian_link_disconnects_total",
        "meridian_link_failures_total",
        "process_resident_memory_bytes",
    } <= {name for name, _ in samples}
