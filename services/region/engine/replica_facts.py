"""The facts of this region's replicas, in memory as the catalog keeps them; who changes them goes through here."""

import asyncio

from services.region.engine.registry import Registry, Table
from services.region.rules.replica_facts import ReplicaFacts, no_facts
from services.region.storage.catalog import Catalog
from shared.errors import ResourceNotFoundError
from shared.model.tables import Generation


class FactsOfReplicas:
    def __init__(self, registry: Registry, catalog: Catalog) -> None:
        self._registry = registry
        self._catalog = catalog
        self._facts: dict[Generation, ReplicaFacts] = dict(catalog.replica_facts())

    def of(self, generation: Generation) -> ReplicaFacts:
        return self._facts.get(generation, no_facts)

    async def write(self, generation: Generation, facts: ReplicaFacts) -> None:
        """Durable when it returns."""
        if facts != self.of(generation):
            await asyncio.to_thread(self._catalog.write_replica_facts, generation, facts)
            self._facts[generation] = facts

    def forget_removed(self) -> None:
        """Of replicas that are gone; the catalog has forgotten theirs already."""
        present = {table.generation for table in self._registry.all()}
        self._facts = {generation: facts for generation, facts in self._facts.items() if generation in present}

    def table(self, name: str) -> Table:
        """The table of that name, whatever it does at the moment."""
        table = self._registry.named(name)
        if table is None:
            raise ResourceNotFoundError(f"Requested resource not found: Table: {name} not found")
        return table
