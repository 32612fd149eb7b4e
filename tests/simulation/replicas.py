"""The table's replicas: made in one region, added in others, one at once and one in mid-run, sometimes removed."""

import asyncio
from collections.abc import Callable
from random import Random

from services.region.commands.tables import UpdateTable
from services.region.storage.catalog import LocalTable, Stage
from services.replicator.io.port import RegionUnavailableError
from shared.errors import MeridianError, ServiceError
from shared.model.keys import KeyAttribute, KeySchema
from shared.model.tables import RegionName, TableDefinition
from tests.simulation.clients import generation, partition_count, table_name
from tests.simulation.network import Caller, Network
from tests.simulation.regions import RegionService, SimulatedRegion

pause_s_max = 15.0
removal_chance = 0.2
retry_s = 0.5


class Director:
    """Changes the table's replicas through the region in which it was made."""

    def __init__(
        self,
        region: SimulatedRegion,
        *,
        caller: Caller,
        network: Network,
        chance: Random,
        note: Callable[[object], None],
    ) -> None:
        self.is_removing = False  # from then on the last changes of a region may be in its own log alone
        self._region = region
        self._caller = caller
        self._network = network
        self._chance = chance
        self._note = note

    async def create_table(self) -> None:
        """Before anything goes wrong."""
        definition = TableDefinition(
            generation=generation,
            name=table_name,
            key_schema=KeySchema(KeyAttribute("id", "S")),
            partition_count=partition_count,
            replicas=(RegionName(self._region.name),),
            created_us=self._region.clock.wall_us(),
        )
        local = LocalTable(definition, Stage.ACTIVE)
        await self._network.ask(self._caller, self._region, lambda service: service.replicas.save(local))

    async def run(self) -> None:
        others = [RegionName(peer.name) for peer in self._region.topology.others(self._region.name)]
        self._chance.shuffle(others)
        for name in others:
            await self._add(name)
            await asyncio.sleep(self._chance.choice((0.0, self._chance.uniform(0.0, pause_s_max))))
        if self._chance.random() < removal_chance:
            self.is_removing = True
            await self._until(
                lambda names: others[0] not in names, UpdateTable(table_name, remove_replicas=[others[0]])
            )
            await self._add(others[0])

    async def _add(self, name: RegionName) -> None:
        await self._until(lambda names: name in names, UpdateTable(table_name, add_replicas=[name]))

    async def _until(self, is_so: Callable[[tuple[RegionName, ...]], bool], command: UpdateTable) -> None:
        """Asks again until it is so: an answer may have been lost, and the table may be busy."""
        while not is_so(await self._replicas()):
            try:
                await self._network.ask(self._caller, self._region, lambda service: service.tables.update(command))
                self._note(f"replicas are to change: {command}")
            except (RegionUnavailableError, ServiceError):
                await asyncio.sleep(retry_s)

    async def _replicas(self) -> tuple[RegionName, ...]:
        async def look(service: RegionService) -> tuple[RegionName, ...]:
            return service.registry.serving(table_name).definition.replicas

        while True:
            try:
                return await self._network.ask(self._caller, self._region, look)
            except MeridianError:
                await asyncio.sleep(retry_s)
