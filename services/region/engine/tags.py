"""Tags of this region's replicas: at most fifty, in the order in which they came."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from services.region.commands.table_calls import ListTagsOfResource, TagResource, UntagResource
from services.region.engine.registry import Registry, Table
from services.region.engine.replica_facts import FactsOfReplicas
from services.region.rules.arns import Arns
from services.region.rules.tags import check_count
from shared.errors import ResourceNotFoundError


class Tags:
    def __init__(self, registry: Registry, facts: FactsOfReplicas, arns: Arns) -> None:
        self._registry = registry
        self._facts = facts
        self._arns = arns
        self._changing = asyncio.Lock()

    async def tag(self, command: TagResource) -> None:
        async with self._changing:
            table = self._tagged(command.resource_arn)
            facts = self._facts.of(table.generation)
            tags = {**facts.tags, **command.tags}
            check_count(tags)
            await self._facts.write(table.generation, replace(facts, tags=tags))

    async def untag(self, command: UntagResource) -> None:
        async with self._changing:
            table = self._tagged(command.resource_arn)
            facts = self._facts.of(table.generation)
            tags = {key: value for key, value in facts.tags.items() if key not in command.keys}
            await self._facts.write(table.generation, replace(facts, tags=tags))

    def list(self, command: ListTagsOfResource) -> Mapping[str, str]:
        return self._facts.of(self._tagged(command.resource_arn).generation).tags

    def _tagged(self, arn: str) -> Table:
        table = self._registry.named(self._arns.tagged(arn).table)
        if table is None or not table.is_settled:
            raise ResourceNotFoundError(f"Requested resource not found: ResourceArn: {arn} not found")
        return table
