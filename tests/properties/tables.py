"""Partitions and a table on real files, in an event loop of their own, for properties that are tried many times."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar

from services.region.commands.queries import Page, Query, Scan
from services.region.engine.indexes import Indexes
from services.region.engine.queries import Queries
from services.region.engine.registry import Registry, Table
from services.region.storage.catalog import LocalTable, Stage
from services.region.storage.index_entries import FileIndex
from services.region.storage.partition_state import PartitionState
from services.region.storage.partitions import Partition, Partitions
from services.region.storage.writer import Job
from shared.changes.records import Lane
from shared.clock import SystemClock
from shared.model.tables import TableDefinition

Answer = TypeVar("Answer")


class OpenTable(NamedTuple):
    runner: asyncio.Runner
    table: Table
    queries: Queries

    def submit(self, partition: Partition, job: Job[Answer]) -> Answer:
        async def done() -> Answer:
            return await partition.submit(job)

        return self.runner.run(done())

    def page(self, request: Query | Scan) -> Page:
        if isinstance(request, Query):
            return self.runner.run(self.queries.query(request))
        return self.runner.run(self.queries.scan(request))

    def pages(self, request: Query | Scan) -> Iterator[Page]:
        """All pages of a request, each from the key of the one before."""
        while True:
            page = self.page(request)
            yield page
            if page.last_key is None:
                return
            request = replace(request, start_key=page.last_key)


@contextmanager
def opened_table(folder: Path, definition: TableDefinition) -> Iterator[OpenTable]:
    """The table with its indexes filled from the first write on."""
    with opened_partitions(folder) as (runner, partitions):
        first_state = PartitionState(indexes=[FileIndex(index) for index in definition.kept_indexes])
        lanes = [Lane(definition.generation, number) for number in range(definition.partition_count)]
        table = Table(
            LocalTable(definition, Stage.ACTIVE), [partitions.of(lane, first_state=first_state) for lane in lanes]
        )
        registry = Registry()
        registry.put(table)
        yield OpenTable(runner, table, Queries(registry, Indexes(registry)))


@contextmanager
def opened_partitions(folder: Path) -> Iterator[tuple[asyncio.Runner, Partitions]]:
    async def opened() -> Partitions:
        return Partitions(
            folder,
            key=bytes(32),
            region=1,
            clock=SystemClock(),
            writer_threads=2,
            committed=lambda _partition, _group: None,
        )

    with asyncio.Runner() as runner:
        partitions = runner.run(opened())
        yield runner, partitions
        runner.run(partitions.close())
