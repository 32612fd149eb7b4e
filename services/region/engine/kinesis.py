"""Kinesis destinations: none can be reached from here, so each one that is enabled fails, as DynamoDB's would."""

import asyncio
from dataclasses import replace

from services.region.commands.table_calls import (
    ChangeKinesisDestination,
    DestinationDescription,
    DestinationsOfTable,
    TableCall,
)
from services.region.engine.replica_facts import FactsOfReplicas
from services.region.rules.replica_facts import KinesisDestination
from shared.errors import ResourceNotFoundError, ValidationError

_state = "Table is not in a valid state to enable Kinesis Streaming Destination: "
_unreachable = "User does not have a permission to use kinesis stream"


class KinesisDestinations:
    def __init__(self, facts: FactsOfReplicas) -> None:
        self._facts = facts
        self._changing = asyncio.Lock()

    def describe(self, command: TableCall) -> DestinationsOfTable:
        table = self._facts.table(command.table)
        failed = [
            DestinationDescription(each.stream_arn, "ENABLE_FAILED", each.precision, _unreachable)
            for each in self._facts.of(table.generation).kinesis
        ]
        return DestinationsOfTable(table.definition.name, failed)

    async def enable(self, command: ChangeKinesisDestination) -> DestinationsOfTable:
        async with self._changing:
            table = self._facts.table(command.table)
            if not table.is_settled:
                raise ResourceNotFoundError(f"Requested resource not found: Table: {table.definition.name} not found")
            facts = self._facts.of(table.generation)
            others = tuple(each for each in facts.kinesis if each.stream_arn != command.stream_arn)
            wanted = KinesisDestination(command.stream_arn, command.precision)
            await self._facts.write(table.generation, replace(facts, kinesis=(wanted, *others)))
            enabling = DestinationDescription(command.stream_arn, "ENABLING", command.precision)
            return DestinationsOfTable(table.definition.name, [enabling])

    def disable(self, command: ChangeKinesisDestination) -> DestinationsOfTable:
        self._facts.table(command.table)
        raise ValidationError(f"{_state}KinesisStreamingDestination must be ACTIVE to perform DISABLE operation.")

    def update(self, command: ChangeKinesisDestination) -> DestinationsOfTable:
        table = self._facts.table(command.table)
        raise ValidationError(
            f"{_state}Kinesis streaming is not in ACTIVE state. Updates are only allowed in ACTIVE state. "
            f"TableName: {table.definition.name}, kdsArn: {command.stream_arn}"
        )
