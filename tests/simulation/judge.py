"""The verdict after everything was healed and drained: the regions agree, and nothing that was written is lost."""

from collections.abc import Mapping, Sequence

from services.region.rules.digests import digest_modulus, item_digest
from services.region.rules.indexes import index_key
from services.region.rules.stored import StoredItem
from services.region.storage.index_entries import IndexPhase
from services.region.storage.partition_state import CopyState
from services.region.storage.reader import PartitionReader, before_all
from shared.changes.records import Lane
from shared.feed.port import Position
from shared.limits import slots
from shared.model.keys import ItemKey
from shared.model.tables import catalog_generation
from shared.model.values import decode_item
from shared.versions.versions import Version, encode_seen
from tests.simulation.disk import Disk
from tests.simulation.ledger import Item, Ledger, Violation, no_version

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
            if not _are_built(disk, lane):
                return f"partition {lane.partition} of region {disk.region} has not built the table's indexes"
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
            _check_indexes(disk, lane)
            _check_log(disk, lane, ledger)
        _check_agreement(disks, lane, ledger)
        rows = _rows(disks[0], lane)
        losers: dict[Item, list[Version]] = {}
        for item, version in sorted(set().union(*(disk.conflicts(lane) | disk.losers for disk in disks))):
            losers.setdefault(item, []).append(version)
        for item in ledger.items():
            if item.lane != lane:
                continue
            stored = rows.get(item.key)
            if stored is None and ledger.settled(item) == no_version:
                raise Violation(f"{item} was written and is nowhere")
            ledger.check_accounted(
                item, current=None if stored is None else stored.version, losers=losers.get(item, ())
            )


def tombstones(disk: Disk, lanes: Sequence[Lane]) -> int:
    """How many a region keeps of tables; those of the catalog lane stay."""
    tables = [lane for lane in lanes if lane.generation != catalog_generation]
    return sum(stored.image is None for lane in tables for stored in _rows(disk, lane).values())


def _check_agreement(disks: Sequence[Disk], lane: Lane, ledger: Ledger) -> None:
    first, *others = disks
    expected = _remembered(first, lane, ledger)
    for disk in others:
        found = _remembered(disk, lane, ledger)
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


def _check_indexes(disk: Disk, lane: Lane) -> None:
    """The entries of every index are those that the items imply."""
    live = {key: decode_item(stored.image) for key, stored in _rows(disk, lane).items() if stored.image is not None}
    for held in disk.state(lane).indexes:
        places = {key: index_key(held.index, item) for key, item in live.items()}
        implied = sorted((*place, *key) for key, place in places.items() if place is not None)
        found = list(disk.database(lane).execute(_index_entries, (held.index.number,)))
        if found != implied or held.entry_count != len(implied):
            raise Violation(
                f"an index of region {disk.region}, partition {lane.partition} counts {held.entry_count} entries and"
                f" has {found}, implied are {implied}"
            )


def _are_built(disk: Disk, lane: Lane) -> bool:
    """Whether a file has the indexes that its table has in this region."""
    wanted = {
        index.number
        for local in disk.catalog.tables()
        if local.definition.generation == lane.generation
        for index in local.definition.kept_indexes
    }
    held = disk.state(lane).indexes
    return {each.index.number for each in held} == wanted and all(each.phase is IndexPhase.BUILT for each in held)


_index_entries = "SELECT pk, sk, slot, base_pk, base_sk FROM index_entries WHERE number = ? ORDER BY 1, 2, 3, 4, 5"


def _check_log(disk: Disk, lane: Lane, ledger: Ledger) -> None:
    """The change log holds the newest changes made here, without a gap, up to the last."""
    kept = [number for (number,) in disk.database(lane).execute(_origin_sequences)]
    head = ledger.head(disk.region, lane)
    if kept and kept != list(range(head - len(kept) + 1, head + 1)):
        raise Violation(f"the log of region {disk.region}, partition {lane.partition} has a gap before {head}")
    state = disk.state(lane)
    if state.origin_sequence != head:
        raise Violation(f"region {disk.region} counts {state.origin_sequence} changes, and has made {head}")


_origin_sequences = "SELECT origin_sequence FROM changes WHERE is_own ORDER BY sequence"


def _rows(disk: Disk, lane: Lane) -> Rows:
    reader: PartitionReader = disk.reader(lane)
    found = reader.rows_after(before_all, end_slot=slots, rows_max=1_000_000)
    return {row.key: row.stored for row in found}


def _remembered(disk: Disk, lane: Lane, ledger: Ledger) -> Rows:
    """Rows without what a region may have forgotten: collected tombstones, and what vectors have seen up to those."""
    remembered = {}
    for key, stored in _rows(disk, lane).items():
        settled = ledger.settled(Item(lane, key.partition, key.sort))
        if stored.image is not None or stored.version > settled:
            seen = {region: at for region, at in stored.seen_vector.items() if Version(at, region) > settled}
            remembered[key] = stored._replace(seen=encode_seen(seen))
    return remembered


def _digest(disk: Disk, lane: Lane) -> int:
    return disk.state(lane).digest


def _shown(stored: StoredItem | None) -> str:
    if stored is None:
        return "nothing"
    return f"{tuple(stored.version)} {stored.image!r}, seen {dict(stored.seen_vector)}"
