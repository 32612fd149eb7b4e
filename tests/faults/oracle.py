"""A workload that remembers what was acknowledged, and the judge of what the regions made of it.

After everything has been delivered, every acknowledged write is the current item, was overwritten by a write that had
seen it, or is in a conflict log. Keys that only one writer ever touches leave no room for the second and third: they
must hold exactly what that writer was last told. Of a write without an answer nothing is known, until it is seen.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from services.lab.client import RefusedError, TableClient
from shared.connection import NoAnswerError
from tests.faults.lab import Lab, eventually
from tests.faults.partition_files import accounts_of

pace_s = 0.02
writers_per_region = 2
hot_keys = 4
answer_timeout_s = 5.0
load_patience_s = 20.0

Contents = dict[str, str]  # key to value of the items that a region holds


@dataclass(slots=True)
class Tally:
    """What became of one region's writes, until now."""

    acknowledged: int = 0
    unanswered: int = 0
    refused: list[str] = field(default_factory=list)

    @property
    def failed(self) -> int:
        return self.unanswered + len(self.refused)


class Oracle:
    """Writers in some regions of a lab, all on one table, and what they were told."""

    def __init__(self, lab: Lab, table: str, *, regions: Sequence[str], hot: Sequence[str] | None = None) -> None:
        """Writes in `regions`, and in those that `hot` names (default: all of them) also to keys that they share."""
        self.tallies = {region: Tally() for region in regions}
        self._lab = lab
        self._table = table
        self._hot = regions if hot is None else hot
        self._may_hold: dict[str, set[str | None]] = {}  # by key of a single writer; None: no item
        self._acknowledged_hot: list[tuple[str, str]] = []
        self._clients = {region: self._client(region) for region in regions}

    @asynccontextmanager
    async def load(self) -> AsyncIterator[None]:
        """Writers that write all the time, whatever happens to the regions; at the end each finishes its write."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as writers:
            for region in self._clients:
                for number in range(writers_per_region):
                    writers.create_task(self._write_alone(region, number, stop))
                if region in self._hot:
                    writers.create_task(self._write_hot(region, stop))
            try:
                yield
            finally:
                stop.set()
        for client in self._clients.values():
            await client.close()

    async def more(self, writes: int, *, regions: Sequence[str] | None = None) -> None:
        """Waits until each of the regions (default: all) has acknowledged that many writes more."""
        waiting = {name: self.tallies[name].acknowledged + writes for name in regions or self.tallies}

        async def all_have() -> bool:
            return all(self.tallies[name].acknowledged >= goal for name, goal in waiting.items())

        assert await eventually(all_have, patience_s=load_patience_s), (
            f"too few writes are acknowledged: {self.tallies}"
        )

    def claim(self, key: str, value: str) -> None:
        """Takes a write to a shared key for acknowledged."""
        self._acknowledged_hot.append((key, value))

    async def losses(self, regions: Sequence[str]) -> list[str]:
        """What was lost, or is not the same in all of the regions that hold the table; empty when all is well."""
        contents = {region: await self._contents(region) for region in regions}
        return [*self._disagreements(contents), *self._lone_losses(contents), *self._hot_losses(contents)]

    def _disagreements(self, contents: Mapping[str, Contents]) -> Iterator[str]:
        for key in sorted(set().union(*contents.values())):
            held = {region: items.get(key) for region, items in contents.items()}
            if len(set(held.values())) > 1:
                yield f"{key} differs: {held}"

    def _lone_losses(self, contents: Mapping[str, Contents]) -> Iterator[str]:
        for region, items in contents.items():
            for key, allowed in self._may_hold.items():
                if items.get(key) not in allowed:
                    yield f"{key} is {items.get(key)} in {region}, the writer was told {allowed}"

    def _hot_losses(self, contents: Mapping[str, Contents]) -> Iterator[str]:
        generation = self._lab.generation(self._table)
        accounts = [accounts_of(self._lab.folder.region(region), generation) for region in self._lab.regions]
        overwritten = set().union(*(each.overwritten for each in accounts))
        losers = set().union(*(each.losers for each in accounts))
        for region, items in contents.items():
            current = {value for key, value in items.items() if _is_hot(key)}
            for key, value in self._acknowledged_hot:
                if value not in current | overwritten | losers:
                    yield f"{value} of {key} is lost in {region}"
            yield from (
                f"{value} is current in {region} although it was overwritten" for value in current & overwritten
            )

    async def _write_alone(self, region: str, writer: int, stop: asyncio.Event) -> None:
        """Keys that nobody else writes: put, of some the item is put again, of some deleted."""
        for number in count():
            if stop.is_set() or not await self._live_of_a_key(region, f"{region}.{writer}.{number}", number):
                return

    async def _live_of_a_key(self, region: str, key: str, number: int) -> bool:
        """False when the region no longer has the table. Once an outcome is unknown, the key is left alone."""
        versions: list[str | None] = ["first"]
        if number % 3 == 1:
            versions.append("second")
        if number % 4 == 2:
            versions.append(None)
        for value in versions:
            held = self._may_hold.get(key, {None})
            self._may_hold[key] = held | {value}
            match await self._write(region, key, value):
                case "acknowledged":
                    self._may_hold[key] = {value}
                case "no table":
                    self._may_hold[key] = held
                    return False
                case _:
                    return True
        return True

    async def _write_hot(self, region: str, stop: asyncio.Event) -> None:
        """Keys that all regions write at the same time; now and then one of them deletes."""
        for number in count():
            if stop.is_set():
                return
            key = f"hot.{number % hot_keys}"
            value = None if number % 25 == 24 else f"{region}.{number}"
            outcome = await self._write(region, key, value)
            if outcome == "acknowledged" and value is not None:
                self.claim(key, value)
            elif outcome == "no table":
                return

    async def _write(self, region: str, key: str, value: str | None) -> str:
        await asyncio.sleep(pace_s)
        tally, client = self.tallies[region], self._clients[region]
        try:
            if value is None:
                await client.call("DeleteItem", {"TableName": self._table, "Key": {"id": {"S": key}}})
            else:
                item = {"id": {"S": key}, "value": {"S": value}}
                await client.call("PutItem", {"TableName": self._table, "Item": item})
        except NoAnswerError:
            tally.unanswered += 1
            return "unknown"
        except RefusedError as error:
            if error.code == "ResourceNotFoundException":
                return "no table"
            tally.refused.append(str(error))
            return "unknown"
        tally.acknowledged += 1
        return "acknowledged"

    async def _contents(self, region: str) -> Contents:
        client = self._client(region)
        contents: Contents = {}
        page: dict[str, Any] = {}
        try:
            while not contents or "LastEvaluatedKey" in page:
                after = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if page else {}
                page = await client.call("Scan", {"TableName": self._table, "ConsistentRead": True, **after})
                contents |= {item["id"]["S"]: item["value"]["S"] for item in page["Items"]}
        finally:
            await client.close()
        return contents

    def _client(self, region: str) -> TableClient:
        record = self._lab.record
        endpoint = record.topology.named(region).endpoint
        connections = writers_per_region + 1
        return TableClient(region, endpoint, record.credentials, connections=connections, timeout_s=answer_timeout_s)


def _is_hot(key: str) -> bool:
    return key.startswith("hot.")
