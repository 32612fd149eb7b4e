"""The donor's side of a copy: pages of a partition's stored rows, and the positions to follow from after them.

A page holds tombstones as well. Cursors are places between keys, so a donor remembers nothing of a copy under way.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.region.engine.lanes import Lanes
from services.region.storage.partition_state import CopyState
from services.region.storage.partitions import Partition
from services.region.storage.reader import RowPlace, before_all
from shared.changes.batches import Delivery
from shared.changes.records import Kind, Lane, encode_change
from shared.errors import RequestRefusedError
from shared.feed.port import Position
from shared.limits import scan_slice_rows_max, slots, snapshot_page_bytes_max
from shared.model.keys import ItemKey
from shared.model.tables import RegionName
from shared.topology import Topology


class SnapshotPage(NamedTuple):
    positions: Mapping[str, Position]  # by region: what to follow from once the whole snapshot is applied
    deliveries: Sequence[Delivery]
    cursor: str | None
    rows_total: int
    is_whole: bool  # apart from what the target itself has
    collected_timestamp: int  # tombstones up to here may be missing


class Snapshots:
    def __init__(self, lanes: Lanes, *, topology: Topology, region: str) -> None:
        self._lanes = lanes
        self._topology = topology
        self._region = region

    def page(self, target: RegionName, lane: Lane, *, cursor: str | None) -> SnapshotPage:
        """A page of stored rows with tombstones. Positions are read before any row: rows are never older than they.

        A copy that waits for other regions' changes is given as well: it holds all that its positions say, and what
        was made here, and that is what a region that lost this one's changes is in need of.
        """
        partition = self._lanes.fed(target, lane)
        state = partition.state
        if state.completeness is CopyState.COPYING:
            raise RequestRefusedError("not_ready", "this region's own copy is not complete")
        is_whole = state.completeness is CopyState.FOLLOWING or state.lost == {self._topology.named(target).number}
        positions, collected = self._positions(partition), state.collected_timestamp
        if partition.reader is None or cursor == "end":
            return SnapshotPage(positions, (), None, 0, is_whole, collected)
        after = before_all if cursor is None else parse_cursor(cursor)
        deliveries, size_bytes, next_cursor = [], 0, None
        for key, stored in partition.reader.rows_after(after, end_slot=slots, rows_max=scan_slice_rows_max * 4):
            record = encode_change(
                Kind.DELETE if stored.image is None else Kind.PUT,
                lane,
                version=stored.version,
                origin_sequence=0,
                seen=stored.seen,
                commit_us=stored.version.milliseconds * 1000,
                partition_key=key.partition,
                sort_key=key.sort,
                image=stored.image,
            )
            deliveries.append(Delivery(lane, 0, record))
            size_bytes += len(record)
            next_cursor = _format_cursor(key)
            if size_bytes > snapshot_page_bytes_max:
                break
        return SnapshotPage(positions, deliveries, next_cursor, state.item_count, is_whole, collected)

    def _positions(self, partition: Partition) -> Mapping[str, Position]:
        """This region's own head under its own name, and its frontier for every other region."""
        state = partition.state
        own = {self._region: state.head}
        return own | {self._topology.numbered(source).name: at for source, at in state.positions.items()}


def _format_cursor(key: ItemKey) -> str:
    return f"{key.slot}.{key.partition.hex()}.{key.sort.hex()}"


def parse_cursor(cursor: str) -> RowPlace:
    try:
        slot, partition, sort = cursor.split(".")
        return int(slot), bytes.fromhex(partition), bytes.fromhex(sort)
    except ValueError as error:
        raise RequestRefusedError("bad_cursor", "not a cursor of a snapshot page") from error
