"""Regions inside a test's process, asked as clients and replicators ask them, but without sockets."""

import asyncio
from asyncio import Future
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
from prometheus_client.parser import text_string_to_metric_families

from services.region.api.dynamodb.endpoint import Endpoint
from services.region.settings import RegionSettings
from services.region.wiring import open_region
from shared.changes.batches import Batch, Delivery, decode_batch, encode_batch
from shared.changes.heartbeats import decode_heartbeat
from shared.changes.records import Lane, decode_change
from shared.clock import Clock, SystemClock
from shared.model.tables import Generation
from shared.topology import Topology

topology = Topology.parse("here=1=http://here,there=2=http://there,elsewhere=3=http://elsewhere")
token = "a-token"


class RefusedError(Exception):
    """An internal route refused; `reason` is its stable word."""

    def __init__(self, response: httpx.Response) -> None:
        document = orjson.loads(response.content)
        super().__init__(f"{response.status_code} {document}")
        self.status = response.status_code
        self.reason = document["reason"]


class WireError(Exception):
    """An operation answered with an error."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"{status} {body.decode()}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Tail:
    cursor: str
    interrupted: bool
    deliveries: Sequence[Delivery]
    heads: Mapping[Lane, int]  # of all its heartbeats


_signed = {b"authorization": b"AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=0", b"x-amz-date": b"today"}


class InProcessRegion:
    """One open region."""

    def __init__(self, name: str, endpoint: Endpoint, client: httpx.AsyncClient) -> None:
        self.name = name
        self._endpoint = endpoint
        self._client = client

    async def call(self, operation: str, **members: Any) -> dict[str, Any]:
        """An operation of the DynamoDB wire, of the Streams API by its whole target.

        Raises `WireError` for any answer but 200.
        """
        target = operation if "." in operation else f"DynamoDB_20120810.{operation}"
        answered: Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        self._endpoint.answer(
            {b"x-amz-target": target.encode(), **_signed},
            orjson.dumps(members),
            lambda status, body: answered.set_result((status, body)),
        )
        status, body = await answered
        if status != 200:
            raise WireError(status, body)
        document: dict[str, Any] = orjson.loads(body) if body else {}
        return document

    async def create_table(self, name: str, *, sort_key: bool = False) -> None:
        keys = [("pk", "HASH")] + [("sk", "RANGE")] * sort_key
        await self.call(
            "CreateTable",
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": role} for key, role in keys],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
            BillingMode="PAY_PER_REQUEST",
        )

    async def put(self, table: str, key: str, text: str) -> None:
        await self.call("PutItem", TableName=table, Item={"pk": {"S": key}, "text": {"S": text}})

    async def delete(self, table: str, key: str) -> None:
        await self.call("DeleteItem", TableName=table, Key={"pk": {"S": key}})

    async def get(self, table: str, key: str) -> str | None:
        found = await self.call("GetItem", TableName=table, Key={"pk": {"S": key}})
        text: str | None = found["Item"]["text"]["S"] if "Item" in found else None
        return text

    async def scanned(self, table: str) -> dict[str, str]:
        page = await self.call("Scan", TableName=table)
        return {item["pk"]["S"]: item["text"]["S"] for item in page["Items"]}

    async def tail(self, target: str, cursor: str | None, *, share: tuple[int, int] = (0, 1)) -> Tail:
        asked = {"target": target, "cursor": cursor, "wait_s": 0, "share": share}
        head, deliveries = decode_batch(await self.ask("POST", "feed/tail", json=asked))
        heartbeats = [decode_heartbeat(b64decode(record)) for record in head["heartbeats"]]
        heads = {lane: sequence for heartbeat in heartbeats for lane, sequence in heartbeat.heads.items()}
        return Tail(head["cursor"], head["interrupted"], deliveries, heads)

    async def lane(self, target: str, lane: Lane, *, after: int = 0) -> Batch:
        return decode_batch(await self.ask("GET", "feed/lane", params={**_named(lane, target), "after": after}))

    async def snapshot(self, target: str, lane: Lane, *, cursor: str | None = None) -> Batch:
        asked = {**_named(lane, target), **({} if cursor is None else {"cursor": cursor})}
        return decode_batch(await self.ask("GET", "snapshot", params=asked))

    async def apply(
        self, source: str, deliveries: Sequence[Delivery], *, mode: str = "feed"
    ) -> Mapping[Lane, dict[str, Any]]:
        body = encode_batch({"source": source, "mode": mode}, deliveries)
        outcomes = orjson.loads(await self.ask("POST", "apply", content=body))["lanes"]
        return {_lane_of(outcome): outcome for outcome in outcomes}

    async def lanes(self) -> Mapping[Lane, dict[str, Any]]:
        return {_lane_of(lane): lane for lane in orjson.loads(await self.ask("GET", "lanes"))["lanes"]}

    async def lanes_of(self, table: str) -> Sequence[Lane]:
        return [lane for lane, report in (await self.lanes()).items() if report["table"] == table]

    async def metrics(self) -> Mapping[tuple[str, ...], float]:
        """Samples by their name and the values of their labels, in the order of the labels' names."""
        families = text_string_to_metric_families((await self._client.get("/metrics")).text)
        return {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in families
            for sample in family.samples
        }

    async def ask(self, method: str, path: str, **options: Any) -> bytes:
        """An internal route; raises `RefusedError` for problem details."""
        response = await self._client.request(method, f"/internal/v1/{path}", **options)
        if response.status_code >= 400:
            raise RefusedError(response)
        return response.content


@asynccontextmanager
async def opened(
    folder: Path, name: str = "here", *, clock: Clock | None = None, **settings_given: Any
) -> AsyncIterator[InProcessRegion]:
    """A region of the topology with its data under `folder`."""
    token_file = folder / "token"
    token_file.write_text(token)
    settings = RegionSettings(
        region=name, data=folder / name, topology=topology, token_file=token_file, **settings_given
    )
    async with open_region(settings, clock or SystemClock()) as service:
        headers = {"Authorization": f"Bearer {token}"}
        transport = httpx.ASGITransport(app=service.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://region", headers=headers) as client:
            yield InProcessRegion(name, service.endpoint, client)


async def make_global(region: InProcessRegion, table: str = "shared") -> None:
    """A new table with a replica in the region `there`, as far as this region is concerned."""
    await region.create_table(table)
    await region.call("UpdateTable", TableName=table, ReplicaUpdates=[{"Create": {"RegionName": "there"}}])


async def put_many(region: InProcessRegion, table: str = "shared", *, count: int = 40) -> None:
    for number in range(count):
        await region.put(table, f"item {number}", "x")


async def carry(source: InProcessRegion, target: InProcessRegion) -> None:
    """Applies at the target everything that it has not yet got from the source, lane by lane."""
    for lane, report in (await target.lanes()).items():
        if report["state"] == "FOLLOWING":
            position = report["sources"][source.name][0]
            try:
                batch = await source.lane(target.name, lane, after=position)
            except RefusedError as refusal:
                if refusal.reason not in ("no_lane", "not_registered"):
                    raise
                continue
            outcomes = await target.apply(source.name, batch.deliveries)
            assert not any(outcome["gap"] for outcome in outcomes.values())


async def acknowledge(source: InProcessRegion, target: InProcessRegion) -> None:
    """As the target's replicator does for lanes that it follows or gives up."""
    lanes = [
        [lane.generation.hex(), lane.partition, sequence, commit_us]
        for lane, report in (await target.lanes()).items()
        for sequence, _, commit_us in [report["sources"][source.name]]
    ]
    await source.ask("POST", "acks", json={"target": target.name, "lanes": lanes, "horizons": []})


async def add_replica(table: str, source: InProcessRegion, target: InProcessRegion) -> None:
    """Makes a table global and copies it, as the target's replicator would."""
    create = [{"Create": {"RegionName": target.name}}]
    await source.call("UpdateTable", TableName=table, ReplicaUpdates=create)
    await carry(source, target)
    for lane in await target.lanes_of(table):
        await copy_partition(lane, source, target)
    await target.ask("POST", "copies/caught_up", json={"generation": lane.generation.hex()})
    await carry(target, source)
    await carry(source, target)


async def copy_partition(lane: Lane, source: InProcessRegion, target: InProcessRegion) -> None:
    """As the target's replicator does, whether the copy is the first one or mends what is there."""
    named = {"generation": lane.generation.hex(), "partition": lane.partition}
    first = page = await source.snapshot(target.name, lane)
    after = None
    while True:
        await target.apply(source.name, page.deliveries, mode="snapshot")
        rows = [decode_change(delivery.record) for delivery in page.deliveries]
        keys = [(row.partition_key.hex(), row.sort_key.hex()) for row in rows]
        span = {"after": after, "through": page.head["cursor"], "collected": first.head["collected"], "keys": keys}
        await target.ask("POST", "copies/forget", json={**named, **span})
        after = page.head["cursor"]
        if after is None:
            break
        page = await source.snapshot(target.name, lane, cursor=after)
    finished = {"positions": first.head["positions"], "donor": source.name, "whole": first.head["whole"]}
    await target.ask("POST", "copies/finish", json={**named, **finished})


def _named(lane: Lane, target: str) -> dict[str, Any]:
    return {"target": target, "generation": lane.generation.hex(), "partition": lane.partition}


def _lane_of(document: Mapping[str, Any]) -> Lane:
    return Lane(Generation(bytes.fromhex(document["generation"])), document["partition"])
