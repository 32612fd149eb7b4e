"""Seeded writes against all regions at a steady rate, and how soon each region sees the others' writes.

Writes are due at fixed times, whether or not earlier ones have been answered, and a write's latency counts from when
it was due: a region that stalls can't hide it. Lag is measured from outside: beside the workload, a probe on each
link writes an item at the source and reads it at the target until it is there.
"""

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from services.lab.client import RefusedError, TableClient
from services.lab.links import Link
from services.lab.record import LabRecord
from services.lab.status import read_status
from services.lab.tables import ensure_replicated_table
from services.lab.text import aligned, clear_progress, duration, show_progress
from services.lab.workload import Workload, Write
from shared.connection import NoAnswerError

table_name = "lab_load"
connections_per_region = 64
write_timeout_s = 10.0
probe_interval_s = 0.1
probe_poll_s = 0.003
probe_patience_s = 10.0
progress_interval_s = 0.2


@dataclass(frozen=True, slots=True)
class LoadRequest:
    rate: float  # writes a second in each region
    seconds: float
    conflict_percent: float
    seed: int


@dataclass(slots=True)
class Writes:
    """What became of one region's writes."""

    latencies_s: list[float] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)  # by what was answered, or that nothing was

    @property
    def error_count(self) -> int:
        return sum(self.errors.values())


@dataclass(slots=True)
class Sightings:
    """How long after the write's reply an item could be read at a link's target."""

    lags_s: list[float] = field(default_factory=list)
    unseen: int = 0  # not within `probe_patience_s`, or one of the two regions didn't answer


class LoadSummary(NamedTuple):
    request: LoadRequest
    elapsed_s: float
    writes: Mapping[str, Writes]
    links: Mapping[Link, Sightings]
    reported: Mapping[Link, dict[str, Any]]  # what the replicators say of the same links


async def load(record: LabRecord, request: LoadRequest) -> LoadSummary:
    """Ends after `request.seconds`, plus what the last write and the last probe need at most."""
    clients = {
        region.region: TableClient(
            region.region,
            region.address,
            record.credentials,
            connections=connections_per_region,
            timeout_s=write_timeout_s,
        )
        for region in record.regions
    }
    try:
        await ensure_replicated_table(list(clients.values()), table_name)
        elapsed_s, writes, links = await _run(clients, request)
        status = await read_status(record, cuts=())
        reported = {Link(each["source"], each["target"]): each for each in status.links if each["table"] == table_name}
        return LoadSummary(request, elapsed_s, writes, links, reported)
    finally:
        for client in clients.values():
            await client.close()


def document_of(summary: LoadSummary) -> dict[str, Any]:
    return {
        "seed": summary.request.seed,
        "elapsed_s": round(summary.elapsed_s, 3),
        "regions": [
            {
                "region": region,
                "writes": len(writes.latencies_s),
                "errors": writes.errors,
                "rate": round(len(writes.latencies_s) / summary.elapsed_s, 1),
                "latency_p50_s": percentile(writes.latencies_s, 50),
                "latency_p99_s": percentile(writes.latencies_s, 99),
            }
            for region, writes in summary.writes.items()
        ],
        "links": [
            {
                "source": link.source,
                "target": link.target,
                "samples": len(seen.lags_s),
                "unseen": seen.unseen,
                "seen_after_p50_s": percentile(seen.lags_s, 50),
                "seen_after_p99_s": percentile(seen.lags_s, 99),
                "seen_after_max_s": max(seen.lags_s, default=None),
                "change_lag_p50_s": summary.reported.get(link, {}).get("change_lag_p50_s"),
                "change_lag_p99_s": summary.reported.get(link, {}).get("change_lag_p99_s"),
                "backlog": summary.reported.get(link, {}).get("backlog"),
            }
            for link, seen in summary.links.items()
        ],
    }


def describe(summary: LoadSummary) -> str:
    document = document_of(summary)
    regions = aligned(
        ("REGION", "WRITES", "ERRORS", "WRITES/S", "LATENCY P50", "P99"),
        [
            (
                each["region"],
                str(each["writes"]),
                str(sum(each["errors"].values())),
                f"{each['rate']:.0f}",
                duration(each["latency_p50_s"]),
                duration(each["latency_p99_s"]),
            )
            for each in document["regions"]
        ],
    )
    links = aligned(
        ("LINK", "PROBES", "UNSEEN", "SEEN AFTER P50", "P99", "MAX", "CHANGE LAG P50", "P99", "BACKLOG"),
        [
            (
                f"{each['source']} -> {each['target']}",
                str(each["samples"]),
                str(each["unseen"]),
                duration(each["seen_after_p50_s"]),
                duration(each["seen_after_p99_s"]),
                duration(each["seen_after_max_s"]),
                duration(each["change_lag_p50_s"]),
                duration(each["change_lag_p99_s"]),
                "–" if each["backlog"] is None else str(each["backlog"]),
            )
            for each in document["links"]
        ],
    )
    errors = [
        f"{region}: {count} times {error}"
        for region, writes in summary.writes.items()
        for error, count in writes.errors.items()
    ]
    parts = [f"{summary.elapsed_s:.1f} s of load, seed {summary.request.seed}", regions]
    parts += [links] if summary.links else []
    parts += ["\n".join(errors)] if errors else []
    parts.append("Seen after: from a write's reply at the source until it was read at the target, tried every 3 ms.")
    return "\n\n".join(parts)


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The smallest value that is at least as large as `percent` of all; None of nothing."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


async def _run(
    clients: Mapping[str, TableClient], request: LoadRequest
) -> tuple[float, Mapping[str, Writes], Mapping[Link, Sightings]]:
    workload = Workload(table_name, request.seed, request.conflict_percent)
    writes = {name: Writes() for name in clients}
    links = {Link(a, b): Sightings() for a in clients for b in clients if a != b}
    start_s = time.monotonic()
    async with asyncio.TaskGroup() as running:
        for name, client in clients.items():
            running.create_task(_write_steadily(client, workload, request, writes[name]))
        for link, sightings in links.items():
            running.create_task(_probe(link, clients, request, sightings))
        running.create_task(_show(writes, request, start_s))
    clear_progress()
    return min(time.monotonic() - start_s, request.seconds), writes, links


async def _write_steadily(client: TableClient, workload: Workload, request: LoadRequest, writes: Writes) -> None:
    """Every write has its time; one that finds all connections busy waits, and its latency tells."""
    start_s = time.monotonic()
    async with asyncio.TaskGroup() as pending:
        for number, write in enumerate(workload.of_region(client.region)):
            due_s = start_s + number / request.rate
            if due_s - start_s >= request.seconds:
                return
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            pending.create_task(_write(client, write, due_s=due_s, writes=writes))


async def _write(client: TableClient, write: Write, *, due_s: float, writes: Writes) -> None:
    try:
        async with asyncio.timeout(write_timeout_s):
            await client.call(write.operation, write.parameters)
    except RefusedError as error:
        writes.errors[error.code] = writes.errors.get(error.code, 0) + 1
    except (NoAnswerError, TimeoutError):
        writes.errors["no answer"] = writes.errors.get("no answer", 0) + 1
    else:
        writes.latencies_s.append(time.monotonic() - due_s)


async def _probe(link: Link, clients: Mapping[str, TableClient], request: LoadRequest, sightings: Sightings) -> None:
    end_s = time.monotonic() + request.seconds
    number = 0
    while time.monotonic() < end_s:
        number += 1
        try:
            async with asyncio.timeout(probe_patience_s):
                sightings.lags_s.append(await _sight(link, clients, str(number)))
        except (TimeoutError, RefusedError, NoAnswerError):
            sightings.unseen += 1
        await asyncio.sleep(probe_interval_s)


async def _sight(link: Link, clients: Mapping[str, TableClient], number: str) -> float:
    key = {"id": {"S": f"probe-{link.source}-{link.target}"}}
    item = {**key, "number": {"N": number}, "written_ns": {"N": str(time.time_ns())}}
    await clients[link.source].call("PutItem", {"TableName": table_name, "Item": item})
    replied_s = time.monotonic()
    while True:
        found = await clients[link.target].call("GetItem", {"TableName": table_name, "Key": key})
        if found.get("Item", {}) == item:
            return time.monotonic() - replied_s
        await asyncio.sleep(probe_poll_s)


async def _show(writes: Mapping[str, Writes], request: LoadRequest, start_s: float) -> None:
    while (elapsed_s := time.monotonic() - start_s) < request.seconds:
        count = sum(len(each.latencies_s) for each in writes.values())
        errors = sum(each.error_count for each in writes.values())
        text = f"{elapsed_s:.0f} of {request.seconds:.0f} s, {count} writes, {errors} errors"
        show_progress(elapsed_s / request.seconds, text=text)
        await asyncio.sleep(progress_interval_s)
