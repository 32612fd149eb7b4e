"""Contributor insights: whether they are enabled is kept for tables and indexes; no reports are made of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from services.region.commands.table_calls import (
    InsightsDescription,
    InsightsPage,
    ListContributorInsights,
    TableCall,
    UpdateContributorInsights,
)
from services.region.engine.registry import Registry, Table
from services.region.engine.replica_facts import FactsOfReplicas
from services.region.rules.replica_facts import ContributorInsights
from shared.clock import Clock
from shared.errors import ResourceNotFoundError, ValidationError

_usual_mode = "ACCESSED_AND_THROTTLED_KEYS"


class Insights:
    def __init__(self, registry: Registry, facts: FactsOfReplicas, clock: Clock) -> None:
        self._registry = registry
        self._facts = facts
        self._clock = clock
        self._changing = asyncio.Lock()

    def describe(self, command: TableCall) -> InsightsDescription:
        return self._description(self._named(command.table, command.index), command.index)

    async def update(self, command: UpdateContributorInsights) -> InsightsDescription:
        async with self._changing:
            table = self._named(command.table, command.index)
            if not table.is_settled:
                raise ValidationError(
                    "Table or Index is not in a valid state to update Key Access Insights: "
                    "TableStatus must be ACTIVE to enable ContributorInsights."
                )
            facts = self._facts.of(table.generation)
            present = facts.insights.get(command.index)
            before = self._description(table, command.index)
            mode = command.mode or _usual_mode
            if present is None and not command.enable:
                return before
            if present is not None and not command.enable:
                mode = present.mode
            changed = ContributorInsights(command.enable, mode, self._clock.wall_us())
            if present is not None and (present.is_enabled, present.mode) == (command.enable, mode):
                return before
            insights = {**facts.insights, command.index: changed}
            await self._facts.write(table.generation, replace(facts, insights=insights))
            return replace(
                self._description(table, command.index), status="ENABLING" if command.enable else "DISABLING"
            )

    def list(self, command: ListContributorInsights) -> InsightsPage:
        """What is enabled, tables by name, each before its indexes."""
        tables = [self._registry.named(name) for name in self._registry.names()]
        if command.table is not None:
            tables = [self._facts.table(command.table)]
        enabled = [
            self._description(table, index)
            for table in tables
            if table is not None
            for index, insights in sorted(self._facts.of(table.generation).insights.items())
            if insights.is_enabled
        ]
        rest = [each for each in enabled if command.after is None or _place(each) > command.after]
        page = rest[: command.results_max]
        return InsightsPage(page, _place(page[-1]) if len(page) < len(rest) else None)

    def _named(self, name: str, index: str) -> Table:
        table = self._facts.table(name)
        known = [each.name for each in table.definition.indexes if each.is_global]
        if index and index not in known:
            raise ResourceNotFoundError(
                f"Requested resource not found: Index: {index} not found for table: {table.definition.name}"
            )
        return table

    def _description(self, table: Table, index: str) -> InsightsDescription:
        name = table.definition.name
        insights = self._facts.of(table.generation).insights.get(index)
        if insights is None:
            return InsightsDescription(name, index, "DISABLED")
        status = "ENABLED" if insights.is_enabled else "DISABLED"
        rules = _rules(table, insights, index) if insights.is_enabled else ()
        return InsightsDescription(name, index, status, insights.mode, insights.changed_us, rules)


def _place(description: InsightsDescription) -> str:
    return f"{description.table}/{description.index}"


def _rules(table: Table, insights: ContributorInsights, index: str) -> Sequence[str]:
    keys = table.definition.key_schema
    has_sort = keys.sort is not None
    if index:
        has_sort = any(each.name == index and each.sort for each in table.definition.indexes)
    kinds = [
        f"{key}{what}"
        for what in ("C", "T")
        if what == "T" or insights.mode == _usual_mode
        for key in ("PK", "SK")
        if key == "PK" or has_sort
    ]
    resource = f"{table.definition.name}-{index}" if index else table.definition.name
    return [f"DynamoDBContributorInsights-{kind}-{resource}-{insights.changed_us // 1000}" for kind in kinds]
