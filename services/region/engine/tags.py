"""Tags of this region's replicas and of their streams: at most fifty each, in the order in which they came."""

import asyncio
from collections.abc import Mapping

from services.region.commands.table_calls import ListTagsOfResource, Resource, TagResource, UntagResource
from services.region.engine.registry import Registry, Table
from services.region.engine.replica_facts import FactsOfReplicas
from services.region.engine.stream_register import StreamRegister
from services.region.rules.arns import Arns
from services.region.rules.tags import check_any, check_count
from shared.errors import ResourceNotFoundError


class Tags:
    def __init__(self, registry: Registry, facts: FactsOfReplicas, *, streams: StreamRegister, arns: Arns) -> None:
        self._registry = registry
        self._facts = facts
        self._streams = streams
        self._arns = arns
        self._changing = asyncio.Lock()

    async def tag(self, command: TagResource) -> None:
        async with self._changing:
            resource = self._arns.tagged(command.resource_arn)
            check_any(command.tags, "Tag")
            table = self._table_of(resource, command.resource_arn)
            facts = self._facts.of(table.generation)
            tags = {**facts.tags_of(resource.stream), **command.tags}
            check_count(tags)
            await self._facts.write(table.generation, facts.with_tags(resource.stream, tags))

    async def untag(self, command: UntagResource) -> None:
        async with self._changing:
            resource = self._arns.tagged(command.resource_arn)
            check_any(command.keys, "Tag Key")
            table = self._table_of(resource, command.resource_arn)
            facts = self._facts.of(table.generation)
            present = facts.tags_of(resource.stream)
            tags = {key: value for key, value in present.items() if key not in command.keys}
            await self._facts.write(table.generation, facts.with_tags(resource.stream, tags))

    def list(self, command: ListTagsOfResource) -> Mapping[str, str]:
        resource = self._arns.tagged(command.resource_arn)
        table = self._table_of(resource, command.resource_arn)
        return self._facts.of(table.generation).tags_of(resource.stream)

    def _table_of(self, resource: Resource, arn: str) -> Table:
        table = self._registry.named(resource.table)
        is_gone = resource.stream and self._streams.named(resource.table, resource.stream) is None
        if table is None or not table.is_settled or is_gone:
            raise ResourceNotFoundError(f"Requested resource not found: ResourceArn: {arn} not found")
        return table
