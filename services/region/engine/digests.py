"""Proof that regions agree: the digest of each partition, of any slot range, and the keys behind a difference."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from services.region.engine.registry import Registry, Table
from services.region.rules.digests import digest_modulus, item_digest
from services.region.storage.catalog import Stage
from services.region.storage.partitions import Partition
from services.region.storage.reader import StoredRow, before_slot
from shared.limits import scan_slice_rows_max
from shared.model.values import Item, decode_item
from shared.versions.versions import Version


class PartitionDigest(NamedTuple):
    partition: int
    digest: int
    items: int


class RangeDigest(NamedTuple):
    digest: int
    items: int


class ItemDigest(NamedTuple):
    key: Item
    version: Version
    digest: int


class Digests:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def tables(self) -> Sequence[tuple[Table, Sequence[PartitionDigest]]]:
        """Every table that serves here, with the digests kept incrementally."""
        return [
            (
                table,
                [
                    PartitionDigest(partition.lane.partition, partition.state.digest, partition.state.item_count)
                    for partition in table.partitions
                ],
            )
            for table in self._registry.all()
            if table.stage is Stage.ACTIVE
        ]

    async def of_range(self, partition: Partition, slots: range) -> RangeDigest:
        """Computed afresh from the items in a range of slots."""
        digest, items = 0, 0
        async for row in _rows(partition, slots):
            digest = (digest + item_digest(row.key, row.stored)) % digest_modulus
            items += row.stored.image is not None
        return RangeDigest(digest, items)

    async def keys(self, table: Table, partition: Partition, slots: range) -> Sequence[ItemDigest]:
        return [
            ItemDigest(
                table.schema.key_of(decode_item(row.stored.image)), row.stored.version, item_digest(row.key, row.stored)
            )
            async for row in _rows(partition, slots)
            if row.stored.image is not None
        ]


async def _rows(partition: Partition, slots: range) -> AsyncIterator[StoredRow]:
    after = before_slot(slots.start)
    while partition.reader is not None:
        rows: Sequence[StoredRow] = partition.reader.rows_after(
            after, end_slot=slots.stop, rows_max=scan_slice_rows_max
        )
        for row in rows:
            yield row
        if len(rows) < scan_slice_rows_max:
            return
        last = rows[-1].key
        after = (last.slot, last.partition, last.sort)
        await asyncio.sleep(0)
