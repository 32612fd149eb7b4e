"""The table's replicas: made in one region, added in others, one at once and one in mid-run, sometimes removed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import TypeVar

from services.region.commands.indexes import AddIndex, IndexThroughput
from services.region.commands.tables import UpdateTable
from services.region.rules.time_to_live import with_time_to_live
from services.region.storage.catalog import LocalTable, Stage
from services.replicator.io.port import RegionUnavailableError
from shared.errors import ResourceNotFoundError, ServiceError
from shared.model.indexes import ProjectionType, SecondaryIndex
from shared.model.keys import KeyAttribute, KeySchema
from shared.model.tables import RegionName, TableDefinition
from tests.simulation.clients import ends, generation, partition_count, table_name
from tests.simulation.network import Caller, Network
from tests.simulation.processes import Process
from tests.simulation.regions import RegionService, SimulatedRegion

Answer = TypeVar("Answer")

pause_s_max = 15.0
removal_chance = 0.2
index_chance = 0.4
index_of_contents = AddIndex(
    *("by-content", ("content",), ("id",), {"content": "S", "id": "S"}, ProjectionType.KEYS_ONLY),
    throughput=IndexThroughput(1, 1),
)
retry_s = 0.5


class Director:
    """Changes the table's replicas through any region that has it, as operators who don't know of each other would."""

    def __init__(
        self,
        regions: Mapping[str, SimulatedRegion],
        *,
        process: Process,
        network: Network,
        chance: Random,
        note: Callable[[object], None],
    ) -> None:
        self.adds_index = chance.random() < index_chance
        self.removes_one = chance.random() < removal_chance  # whose last changes are in its own log alone
        self._regions = regions
        self._process = process
        self._network = network
        self._chance = chance
        self._note = note

    async def create_table(self, name: str) -> None:
        """In one region, before anything goes wrong."""
        region = self._regions[name]
        definition = TableDefinition(
            generation=generation,
            name=table_name,
            key_schema=KeySchema(KeyAttribute("id", "S")),
            partition_count=partition_count,
            replicas=(RegionName(name),),
            created_us=region.clock.wall_us(),
            indexes=(SecondaryIndex(1, "by-first-content", True, (KeyAttribute("content", "S"),), (), ("id",)),),
        )
        expiring = with_time_to_live(definition, ends, enabled=True, now_us=definition.created_us, region=region.number)
        local = LocalTable(expiring, Stage.ACTIVE)
        await self._ask(region, lambda service: service.replicas.save(local))

    async def run(self, first: str) -> None:
        """Ends when the table has a replica everywhere."""
        others = [RegionName(name) for name in self._regions if name != first]
        self._chance.shuffle(others)
        for name in others:
            await self._until_all_say(name, present=True)
            await asyncio.sleep(self._chance.choice((0.0, self._chance.uniform(0.0, pause_s_max))))
        if self.adds_index:
            await self._until_all_have(index_of_contents)
        if self.removes_one:
            await self._until_all_say(others[0], present=False)
        for name in others * 2:  # a change may have been lost to another that had not seen it
            await self._until_all_say(name, present=True)

    async def _until_all_say(self, name: RegionName, *, present: bool) -> None:
        """Asks again until it is so: an answer may have been lost, and the table may be busy."""
        command = UpdateTable(
            table_name, add_replicas=[name] if present else [], remove_replicas=[] if present else [name]
        )
        while not await self._all_say(name, present=present):
            via = self._chance.choice([region for region in self._regions.values() if region.name != name])
            try:
                await self._ask(via, lambda service: service.tables.update(command))
                self._note(f"{via.name} is told that {name} {'gets' if present else 'loses'} its replica")
            except (RegionUnavailableError, ServiceError):
                await asyncio.sleep(retry_s)

    async def _until_all_have(self, index: AddIndex) -> None:
        command = UpdateTable(table_name, index_updates=[index])
        while not await self._all_answer(lambda definition: index.name in {each.name for each in definition.indexes}):
            via = self._chance.choice(list(self._regions.values()))
            try:
                await self._ask(via, lambda service: service.tables.update(command))
                self._note(f"{via.name} is told that the table gets an index")
            except (RegionUnavailableError, ServiceError):
                await asyncio.sleep(retry_s)

    async def _all_say(self, name: RegionName, *, present: bool) -> bool:
        return await self._all_answer(lambda definition: (name in definition.replicas) == present)

    async def _all_answer(self, holds: Callable[[TableDefinition], bool]) -> bool:
        """Whether it holds in every region with a replica that serves; one at least has to answer."""

        async def look(service: RegionService) -> bool:
            return holds(service.registry.serving(table_name).definition)

        answers = []
        for region in self._regions.values():
            try:
                answers.append(await self._ask(region, look))
            except ResourceNotFoundError:
                continue
            except RegionUnavailableError:
                answers.append(False)
        return bool(answers) and all(answers)

    async def _ask(self, region: SimulatedRegion, question: Callable[[RegionService], Awaitable[Answer]]) -> Answer:
        return await self._network.ask(Caller(region.name, self._process), region, question)
