"""Resource policies of this region's replicas and their streams: kept, given back, and not yet judged by."""

import asyncio

from services.region.commands.table_calls import (
    DeleteResourcePolicy,
    GetResourcePolicy,
    PutResourcePolicy,
    Resource,
)
from services.region.engine.registry import Table
from services.region.engine.replica_facts import FactsOfReplicas
from services.region.engine.stream_register import StreamRegister
from services.region.rules.arns import Arns
from services.region.rules.replica_facts import ResourcePolicy
from services.region.rules.resource_policies import check_revision, next_policy, not_found
from shared.clock import Clock
from shared.errors import PolicyNotFoundError, ResourceNotFoundError


class Policies:
    def __init__(self, facts: FactsOfReplicas, *, streams: StreamRegister, arns: Arns, clock: Clock) -> None:
        self._facts = facts
        self._streams = streams
        self._arns = arns
        self._clock = clock
        self._changing = asyncio.Lock()

    async def put(self, command: PutResourcePolicy) -> ResourcePolicy:
        async with self._changing:
            resource, table = self._named(command.resource_arn)
            facts = self._facts.of(table.generation)
            present = facts.policies.get(resource.stream)
            check_revision(present, command.expected_revision, table=resource.table)
            policy = next_policy(present, command.document, self._clock.wall_us())
            await self._facts.write(table.generation, facts.with_policy(resource.stream, policy))
            return policy

    def get(self, command: GetResourcePolicy) -> ResourcePolicy:
        resource, table = self._named(command.resource_arn)
        policy = self._facts.of(table.generation).policies.get(resource.stream)
        if policy is None:
            raise PolicyNotFoundError(f"{not_found}{command.resource_arn}")
        return policy

    async def delete(self, command: DeleteResourcePolicy) -> ResourcePolicy | None:
        """The policy that there was."""
        async with self._changing:
            resource, table = self._named(command.resource_arn)
            facts = self._facts.of(table.generation)
            present = facts.policies.get(resource.stream)
            check_revision(present, command.expected_revision, table=resource.table)
            await self._facts.write(table.generation, facts.with_policy(resource.stream, None))
            return present

    def _named(self, arn: str) -> tuple[Resource, Table]:
        resource = self._arns.with_policy(arn)
        table = self._facts.table(resource.table)
        if resource.stream and self._streams.named(resource.table, resource.stream) is None:
            raise ResourceNotFoundError(
                f"Requested resource not found: Stream: {resource.stream} not found for Table: {resource.table}"
            )
        return resource, table
