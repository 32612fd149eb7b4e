"""The state of a lab as its own services tell it: regions, replicators, and every link's lag."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from services.lab.record import LabRecord, ProcessRecord
from services.lab.text import aligned, duration
from shared.connection import Endpoint, NoAnswerError

answer_timeout_s = 2.0
out_of_contact = ("UNREACHABLE", "NO_REPLICATOR")
link_fields = (
    "source",
    "target",
    "table",
    "state",
    "frontier_lag_s",
    "change_lag_p50_s",
    "change_lag_p99_s",
    "backlog",
)


@dataclass(frozen=True, slots=True)
class LabStatus:
    regions: Sequence[dict[str, Any]]
    replicators: Sequence[dict[str, Any]]
    brokers: Sequence[dict[str, Any]]  # with the Kafka feed of this machine
    links: Sequence[dict[str, Any]]
    cuts: Sequence[dict[str, Any]]  # the links that the lab has cut; empty when it isn't running


async def read_status(record: LabRecord, *, cuts: Sequence[dict[str, Any]]) -> LabStatus:
    """Asks all services at once; who doesn't answer in time isn't ready, and tells nothing about its links."""
    regions, replicators, reports = await asyncio.gather(
        asyncio.gather(*map(_readiness, record.regions)),
        asyncio.gather(*map(_readiness, record.of_role("replicator"))),
        asyncio.gather(*(_replication_of(region, record.token) for region in record.regions)),
    )
    return LabStatus(
        regions=[
            {
                "region": process.region,
                "endpoint": process.address,
                "pid": process.pid,
                "ready": answer is not None and bool(answer["ready"]),
                "tables": None if answer is None else answer.get("tables"),
            }
            for process, answer in zip(record.regions, regions, strict=True)
        ],
        replicators=[
            {
                "region": process.region,
                "pid": process.pid,
                "ready": answer is not None and bool(answer["ready"]),
            }
            for process, answer in zip(record.of_role("replicator"), replicators, strict=True)
        ],
        brokers=[{"region": process.region, "pid": process.pid} for process in record.of_role("kafka")],
        links=links_of(reports),
        cuts=cuts,
    )


def links_of(reports: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The links as their targets tell of them, each with the backlog that its source knows where the target can't."""
    unapplied = {
        (report["region"], follower["target"], follower["table"]): follower["unapplied"]
        for report in reports
        for follower in report["followers"]
    }
    told = [{name: link[name] for name in link_fields} for report in reports for link in report["links"]]
    for link in told:
        if link["state"] in out_of_contact:
            link["backlog"] = unapplied.get((link["source"], link["target"], link["table"]), link["backlog"])
    silent = unapplied.keys() - {(each["source"], each["target"], each["table"]) for each in told}
    return [*told, *(_untold(*names, backlog=unapplied[names]) for names in sorted(silent))]


def document_of(status: LabStatus) -> dict[str, Any]:
    return {
        "regions": status.regions,
        "replicators": status.replicators,
        "brokers": status.brokers,
        "links": status.links,
        "cuts": status.cuts,
    }


def describe(status: LabStatus) -> str:
    """For a person's eyes. The table `(definitions)` is the lane that carries table definitions."""
    replicators = {each["region"]: each for each in status.replicators}
    brokers = {each["region"]: each for each in status.brokers}
    header: tuple[str, ...] = ("REGION", "ENDPOINT", "STATE", "PID", "TABLES", "REPLICATOR", "PID")
    rows = [_region_row(region, replicators.get(region["region"], {})) for region in status.regions]
    if brokers:
        header = (*header, "KAFKA", "PID")
        rows = [(*row, *_broker_cells(brokers[row[0]])) for row in rows]
    parts = [aligned(header, rows)]
    if status.links:
        parts.append(
            aligned(
                ("LINK", "TABLE", "STATE", "BEHIND", "CHANGE LAG P50", "P99", "BACKLOG"),
                [_link_row(link, status.cuts) for link in sorted(status.links, key=_link_order)],
            )
        )
    for cut in status.cuts:
        term = "until healed" if cut["heals_in_s"] is None else f"for another {duration(cut['heals_in_s'])}"
        parts.append(f"{cut['source']} -> {cut['target']} is cut {term}")
    return "\n\n".join(parts)


async def _readiness(process: ProcessRecord) -> dict[str, Any] | None:
    endpoint = Endpoint(process.address)
    try:
        answer = orjson.loads((await endpoint.get("/readyz", silence_s=answer_timeout_s)).body)
        return answer if isinstance(answer, dict) and "ready" in answer else None
    except (NoAnswerError, orjson.JSONDecodeError):
        return None
    finally:
        await endpoint.close()


async def _replication_of(region: ProcessRecord, token: str) -> dict[str, Any]:
    endpoint = Endpoint(region.address, headers={"Authorization": f"Bearer {token}"})
    try:
        document: dict[str, Any] = (await endpoint.get("/v1/replication", silence_s=answer_timeout_s)).document()
        return document
    except NoAnswerError:
        return {"region": region.region, "links": [], "followers": []}
    finally:
        await endpoint.close()


def _untold(source: str, target: str, table: str, *, backlog: int) -> dict[str, Any]:
    known = {"source": source, "target": target, "table": table, "state": "UNKNOWN", "backlog": backlog}
    return {name: known.get(name) for name in link_fields}


def _region_row(region: dict[str, Any], replicator: dict[str, Any]) -> tuple[str, ...]:
    tables = region["tables"]
    return (
        region["region"],
        region["endpoint"],
        _state(region),
        _cell(region["pid"]),
        _cell(tables),
        _state(replicator),
        _cell(replicator.get("pid")),
    )


def _broker_cells(broker: dict[str, Any]) -> tuple[str, str]:
    return "running" if broker["pid"] else "down", _cell(broker["pid"])


def _link_row(link: dict[str, Any], cuts: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    is_cut = any((cut["source"], cut["target"]) == (link["source"], link["target"]) for cut in cuts)
    return (
        f"{link['source']} -> {link['target']}",
        link["table"] or "(definitions)",
        f"{link['state']}, cut" if is_cut else link["state"],
        duration(link["frontier_lag_s"]),
        duration(link["change_lag_p50_s"]),
        duration(link["change_lag_p99_s"]),
        _cell(link["backlog"]),
    )


def _link_order(link: dict[str, Any]) -> tuple[str, str, str]:
    return link["table"], link["source"], link["target"]


def _state(service: dict[str, Any]) -> str:
    if service.get("ready"):
        return "ready"
    return "not ready" if service.get("pid") else "down"


def _cell(value: object) -> str:
    return "–" if value is None else str(value)
