"""Clients of one region: unconditional, conditional and counting writes to a few hot items, and reads."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from random import Random

from services.region.commands.items import DeleteItem, GetItem, Guard, ItemWritten, PutItem, UpdateItem
from services.region.expressions.substitutions import Substitutions
from services.region.expressions.updates import bind_update
from services.replicator.io.port import RegionUnavailableError
from shared.changes.records import Lane
from shared.errors import ConditionalCheckFailedError, ResourceNotFoundError
from shared.model.keys import partition_of, slot_of
from shared.model.tables import Generation
from shared.versions.versions import Version
from tests.simulation.ledger import Acknowledged, Item, Ledger, Violation
from tests.simulation.network import Caller, Network
from tests.simulation.regions import RegionService, SimulatedRegion

table_name = "orders"
generation = Generation(bytes.fromhex("0123456789abcdef" * 2))
partition_count = 2
hot_keys = ("a", "b", "c", "d", "e", "f")
rare_keys = tuple(f"rare {number}" for number in range(24))  # mostly deleted, and then left alone for a while
rare_chance = 0.25
ends = "ends"  # the attribute that says when an item expires
expiring_chance = 0.25
life_s_max = 8
common_texts = ("same", "alike")


class Client:
    """Writes as fast as `pause_s` says until it is told to stop; what it is told goes into the ledger."""

    def __init__(
        self,
        number: int,
        region: SimulatedRegion,
        *,
        caller: Caller,
        network: Network,
        ledger: Ledger,
        chance: Random,
        note: Callable[[object], None],
    ) -> None:
        self.name = f"{region.name}-{number}"
        self.pause_s = chance.choice((0.05, 0.2, 1.0))
        self._region = region
        self._caller = caller
        self._network = network
        self._ledger = ledger
        self._chance = chance
        self._note = note
        self._written = 0
        self._read: dict[str, Version] = {}

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._chance.expovariate(1.0 / self.pause_s))
            if self._chance.random() < rare_chance:
                await self.act(self._chance.choice(rare_keys), _kinds_for_rare_keys)
            else:
                await self.act(self._chance.choice(hot_keys))

    async def act(self, key: str, kinds: Mapping[str, int] | None = None) -> None:
        """One request of some kind, to its end."""
        kinds = kinds or _kinds
        kind = self._chance.choices(list(kinds), list(kinds.values()))[0]
        try:
            await _acts[kind](self, key)
        except RegionUnavailableError:
            return  # whether it was done is not known; the ledger knows
        except ResourceNotFoundError:
            await asyncio.sleep(0.5)
        except ConditionalCheckFailedError:
            self._read.pop(key, None)

    async def put(self, key: str) -> None:
        await self._write(key, lambda service: service.items.put(PutItem(table_name, self._item(key))))

    async def put_if_absent(self, key: str) -> None:
        command = PutItem(table_name, self._item(key), guard=Guard(absent=True))
        await self._write(key, lambda service: service.items.put(command), over_nothing=True)

    async def put_over(self, key: str) -> None:
        """If-Match: over the version that this client read or wrote some time ago."""
        version = self._read.get(key)
        if version is None:
            return await self.read(key)
        command = PutItem(table_name, self._item(key), guard=Guard(version=version))
        return await self._write(key, lambda service: service.items.put(command), over=version)

    async def count(self, key: str) -> None:
        values = {":one": {"N": "1"}, ":text": {"S": self._text()}}
        update = bind_update("SET content = :text ADD tally :one", Substitutions(None, values))
        command = UpdateItem(table_name, {"id": {"S": key}}, update)
        await self._write(key, lambda service: service.items.update(command), increment=True)

    async def delete(self, key: str) -> None:
        command = DeleteItem(table_name, {"id": {"S": key}})
        await self._write(key, lambda service: service.items.delete(command))

    async def delete_if_present(self, key: str) -> None:
        command = DeleteItem(table_name, {"id": {"S": key}}, guard=Guard(present=True))
        await self._write(key, lambda service: service.items.delete(command))

    async def read(self, key: str) -> None:
        """What was acknowledged in this region before the question is in the answer."""
        item = item_named(key)
        known = self._ledger.newest_acknowledged(self._region.number, item)

        async def get(service: RegionService) -> Version | None:
            table = service.registry.serving(table_name)
            stored = table.partition(item.key.slot).read(item.key)
            found = service.items.get(GetItem(table_name, {"id": {"S": key}}))
            shown = self._ledger.settled(item) if stored is None else stored.version
            if shown < known:
                raise Violation(f"{item}: {self._region.name} had acknowledged {known} and shows {shown}")
            return found.version

        version = await self._network.ask(self._caller, self._region, get)
        if version is not None:
            self._read[key] = version

    async def _write(
        self,
        key: str,
        submit: Callable[[RegionService], Awaitable[ItemWritten]],
        *,
        over: Version | None = None,
        over_nothing: bool = False,
        increment: bool = False,
    ) -> None:
        async def answer(service: RegionService) -> ItemWritten:
            return await submit(service)

        written = await self._network.ask(self._caller, self._region, answer)
        if written.version is None:
            return
        self._read[key] = written.version
        self._note(f"client {self.name} was told that {key} is now {written.version}")
        self._ledger.acknowledge(
            Acknowledged(
                self._region.number,
                item_named(key),
                written.version,
                over=over,
                over_nothing=over_nothing,
                increment=increment,
            )
        )

    def _item(self, key: str) -> dict[str, dict[str, str]]:
        item = {"id": {"S": key}, "content": {"S": self._text()}}
        if self._chance.random() < expiring_chance:
            now_s = self._region.clock.wall_us() // 1_000_000
            item[ends] = {"N": str(now_s + self._chance.randint(0, life_s_max))}
        return item

    def _text(self) -> str:
        """Mostly a text of its own; sometimes one that others write as well."""
        self._written += 1
        if self._chance.random() < 0.1:
            return self._chance.choice(common_texts)
        return f"{self.name}-{self._written}"


def item_named(key: str) -> Item:
    partition = partition_of(slot_of(key.encode()), partition_count)
    return Item(Lane(generation, partition), key.encode(), b"")


_kinds = {"put": 30, "put if absent": 8, "put over": 18, "count": 18, "delete": 8, "delete if present": 4, "read": 14}
_kinds_for_rare_keys = {"put": 20, "put if absent": 10, "delete": 65, "read": 5}
_acts: dict[str, Callable[[Client, str], Awaitable[None]]] = {
    "put": Client.put,
    "put if absent": Client.put_if_absent,
    "put over": Client.put_over,
    "count": Client.count,
    "delete": Client.delete,
    "delete if present": Client.delete_if_present,
    "read": Client.read,
}
