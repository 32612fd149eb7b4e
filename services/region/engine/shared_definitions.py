"""What all regions must know of global tables: items of the catalog lane, a partition that all of them share.

Key (generation, "") holds a table's definition, key (generation, region) that region's own account of its replica. They
are versioned and replicated like any item.
"""

from collections.abc import Mapping, Sequence

import structlog

from services.region.rules.stored import StoredItem
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partitions import Partition
from services.region.storage.reader import before_all, place_of
from shared.changes.records import Kind
from shared.errors import CorruptRecordError
from shared.limits import scan_slice_rows_max, slots
from shared.model.keys import ItemKey, slot_of
from shared.model.tables import (
    Generation,
    RegionName,
    ReplicaState,
    TableDefinition,
    decode_definition,
    decode_replica_state,
    encode_definition,
    encode_replica_state,
)

log = structlog.get_logger(__name__)


class SharedDefinitions:
    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    async def write_definition(self, definition: TableDefinition) -> None:
        await self._partition.submit(WriteEntry(_definition_key(definition.generation), encode_definition(definition)))

    async def write_state(self, generation: Generation, region: RegionName, state: ReplicaState) -> None:
        await self._partition.submit(WriteEntry(_state_key(generation, region), encode_replica_state(state)))

    async def remove_state(self, generation: Generation, region: RegionName) -> None:
        await self._partition.submit(WriteEntry(_state_key(generation, region), None))

    def all(self) -> Sequence[TableDefinition]:
        """What can be read: a region of a later release may write what this one does not know yet."""
        reader = self._partition.reader
        definitions: list[TableDefinition] = []
        after = before_all
        while reader is not None:
            rows = reader.items_after(after, end_slot=slots, rows_max=scan_slice_rows_max)
            for row in rows:
                if not row.key.sort:
                    try:
                        definitions.append(decode_definition(row.image))
                    except CorruptRecordError as error:
                        log.warning("a definition is passed over", table=row.key.partition.hex(), reason=str(error))
            if len(rows) < scan_slice_rows_max:
                break
            after = place_of(rows[-1].key)
        return definitions

    def states(self, generation: Generation) -> Mapping[RegionName, ReplicaState]:
        """What each region has said of its replica last."""
        reader = self._partition.reader
        if reader is None:
            return {}
        rows = reader.collection(
            slot_of(generation), generation, first=b"\x00", end=b"\xff", forward=True, rows_max=scan_slice_rows_max
        )
        return {RegionName(row.sort.decode()): decode_replica_state(row.image) for row in rows}

    def changed_us(self, generation: Generation) -> int:
        """When the definition was written last, in microseconds since 1970; 0 where there is none."""
        stored = self._partition.read(_definition_key(generation))
        return 0 if stored is None else stored.version.milliseconds * 1000


class WriteEntry:
    """Job: puts a document into the catalog lane, or deletes it."""

    __slots__ = ("_document", "_key")

    def __init__(self, key: ItemKey, document: bytes | None) -> None:
        self._key = key
        self._document = document

    def run(self, file: PartitionFile, now_us: int) -> None:
        stored: StoredItem | None = file.read(self._key)
        if self._document is None and (stored is None or stored.image is None):
            return
        kind = Kind.DELETE if self._document is None else Kind.PUT
        file.write_local(self._key, stored, kind=kind, image=self._document, now_us=now_us)


def _definition_key(generation: Generation) -> ItemKey:
    return ItemKey(slot_of(generation), generation, b"")


def _state_key(generation: Generation, region: RegionName) -> ItemKey:
    return ItemKey(slot_of(generation), generation, region.encode())
