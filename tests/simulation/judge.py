"""The verdict after everything was healed and drained: the regions agree, and nothing that was written is lost."""

from collections.abc import Mapping, Sequence

from services.region.rules.digests import digest_modulus, item_digest
from services.region.rules.stored import StoredItem
from services.region.storage.partition_file import CopyState
from services.region.storage.reader import PartitionReader, before_all
from shared.changes.records import Lane
from shared.feed.port import Position
from shared.limits import slots
from shared.model.keys import ItemKey
from shared.versions.versions import Version
from tests.simulation.disk import Disk
from tests.simulation.ledger import Item, Ledger, Violation

Rows = Mapping[ItemKey, StoredItem]


def unfinished(disks: Sequence[Disk], lanes: Sequence[Lane], ledger: Ledger) -> str | None:
    """What some region still has to get, or None when all have everything."""
    for disk in disks:
        for lane in lanes:
            if not disk.holds(lane):
                return f"region {disk.region} has no partition {lane.partition}"
            state = disk.state(lane)
            if state.completeness is not CopyState.FOLLOWING:
                return f"partition {lane.partition} of region {disk.region} is {state.completeness}"
            for source in disks:
                position = state.positions.get(source.region, Position(0)).sequence
                head = ledger.head(source.region, lane)
                if source is not disk and position < head:
                    place = f"partition {lane.partition} of region {disk.region}"
                    return f"{place} has {position} of {head} changes of region {source.region}"
    return None


def judge(disks: Sequence[Disk], lanes: Sequence[Lane], ledger: Ledger) -> None:
    """Raises `Violation`."""
    for lane in lanes:
        for disk in disks:
            _check_account(disk, lane)
            _check_log(disk, lane, ledger)
        _check_agreement(disks, lane)
        rows = _rows(disks[0], lane)
        losers: dict[Item, list[Version]] = {}
        for item, version in sorted(set().union(*(disk.conflicts(lane) | disk.losers for disk in disks))):
            losers.setdefault(item, []).append(version)
        for item in ledger.items():
            if item.lane != lane:
                continue
            stored = rows.get(item.key)
            if stored is None:
                raise Violation(f"{item} was written and is nowhere")
            ledger.check_accounted(item, current=stored.version, losers=losers.get(item, ()))


def _check_agreement(disks: Sequence[Disk], lane: Lane) -> None:
    first, *others = disks
    expected = _rows(first, lane)
    for disk in others:
        found = _rows(disk, lane)
        for key in dict.fromkeys((*expected, *found)):
            if expected.get(key) != found.get(key):
                raise Violation(
                    f"{key.partition!r}: region {first.region} has {_shown(expected.get(key))}, region {disk.region}"
                    f" has {_shown(found.get(key))}"
                )
        if _digest(first, lane) != _digest(disk, lane):
            raise Violation(f"digests of partition {lane.partition} differ in regions {first.region} and {disk.region}")


def _check_account(disk: Disk, lane: Lane) -> None:
    """A file's own account of itself equals what a scan finds."""
    rows = _rows(disk, lane)
    state = disk.state(lane)
    live = sum(stored.image is not None for stored in rows.values())
    digest = sum(item_digest(key, stored) for key, stored in rows.items()) % digest_modulus
    if (state.item_count, state.digest) != (live, digest):
        raise Violation(
            f"region {disk.region} counts {state.item_count} items in partition {lane.partition}, has {live}"
        )


def _check_log(disk: Disk, lane: Lane, ledger: Ledger) -> None:
    """The change log holds the newest changes made here, without a gap, up to the last."""
    kept = [number for (number,) in disk.database(lane).execute(_origin_sequences)]
    head = ledger.head(disk.region, lane)
    if kept and kept != list(range(head - len(kept) + 1, head + 1)):
        raise Violation(f"the log of region {disk.region}, partition {lane.partition} has a gap before {head}")
    state = disk.state(lane)
    if state.origin_sequence != head:
        raise Violation(f"region {disk.region} counts {state.origin_sequence} changes, and has made {head}")


_origin_sequences = "SELECT origin_sequence FROM changes WHERE origin_sequence IS NOT NULL ORDER BY sequence"


def _rows(disk: Disk, lane: Lane) -> Rows:
    reader: PartitionReader = disk.reader(lane)
    found = reader.rows_after(before_all, end_slot=slots, rows_max=1_000_000)
    return {row.key: row.stored for row in found}


def _digest(disk: Disk, lane: Lane) -> int:
    return disk.state(lane).digest


def _shown(stored: StoredItem | None) -> str:
    if stored is None:
        return "nothing"
    return f"{tuple(stored.version)} {stored.image!r}, seen {dict(stored.seen_vector)}"
