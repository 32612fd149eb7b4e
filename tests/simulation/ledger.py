"""What really happened, kept beside the regions, and the promises that every commit is judged by.

The ledger is told of every transaction by the storage itself. Of each change it knows which version its writer had
read: the true ancestry, of which seen vectors are the summary.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from services.region.rules.stored import StoredItem
from services.region.storage.partition_file import CollectedTombstone
from shared.changes.records import Kind, Lane, decode_change
from shared.feed.port import Position
from shared.model.keys import ItemKey, slot_of
from shared.model.tables import catalog_generation
from shared.model.values import decode_item, same_image
from shared.versions.versions import SeenVector, Version, covers

no_version = Version(0, 0)  # below every version


class Violation(Exception):  # noqa: N818 - the field's word
    """A promise that was not kept."""


class Item(NamedTuple):
    lane: Lane
    partition_key: bytes
    sort_key: bytes

    @property
    def key(self) -> ItemKey:
        return ItemKey(slot_of(self.partition_key), self.partition_key, self.sort_key)

    def __str__(self) -> str:
        return "/".join(repr(part)[1:] for part in self[1:] if part)


@dataclass(frozen=True, slots=True)
class Write:
    """A committed change, in the region that made it."""

    version: Version
    parent: Version | None  # what its writer had read; None: nothing
    seen: SeenVector
    image: bytes | None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A write that its client was told of, and what the client had demanded of the item before."""

    region: int
    item: Item
    version: Version
    over: Version | None = None  # the version that was to be replaced
    over_nothing: bool = False  # the item was to be absent
    increment: bool = False  # the item's count was to grow by one


class LocalWrite(NamedTuple):
    parent: StoredItem | None
    record: bytes


class StoredChange(NamedTuple):
    """A row that was replaced, or whose vector grew."""

    key: ItemKey
    before: StoredItem | None
    after: StoredItem


class FoundConflict(NamedTuple):
    key: ItemKey
    loser: StoredItem
    winner: StoredItem


@dataclass(slots=True)
class Transaction:
    """What one commit of a partition's file did."""

    region: int
    lane: Lane
    local: list[LocalWrite] = field(default_factory=list)
    stored: list[StoredChange] = field(default_factory=list)
    conflicts: list[FoundConflict] = field(default_factory=list)
    collected: list[CollectedTombstone] = field(default_factory=list)
    followers: dict[int, int] = field(default_factory=dict)  # target -> sequence that it says it has applied
    positions_before: Mapping[int, Position] = field(default_factory=dict)
    positions: Mapping[int, Position] = field(default_factory=dict)
    needs_resync: bool = False  # from now on

    def item_of(self, key: ItemKey) -> Item:
        return Item(self.lane, key.partition, key.sort)

    def __str__(self) -> str:
        moved = {
            source: at.sequence for source, at in self.positions.items() if at != self.positions_before.get(source)
        }
        parts = [f"{self.item_of(row.key)} is {tuple(row.after.version)}" for row in self.stored]
        parts += [f"{self.item_of(found.key)} loser {tuple(found.loser.version)}" for found in self.conflicts]
        parts += [f"{self.item_of(each.key)} was {tuple(each.stored.version)}" for each in self.collected]
        parts += [f"position of {source} is {sequence}" for source, sequence in moved.items()]
        parts += [f"{target} has {sequence}" for target, sequence in self.followers.items()]
        parts += ["needs resync"] if self.needs_resync else []
        where = f"{self.lane.generation.hex()[:4]}/{self.lane.partition}"
        return f"region {self.region} {where}: {', '.join(parts) or 'nothing of note'}"


class Rows(Protocol):
    def read(self, key: ItemKey) -> StoredItem | None: ...


class Replica(Protocol):
    """A region's disk, as far as collected tombstones are judged by it."""

    name: str
    region: int

    def replicas(self, lane: Lane) -> Sequence[str]: ...
    def is_followed(self, lane: Lane) -> bool: ...
    def positions(self, lane: Lane) -> Mapping[int, Position]: ...
    def reader(self, lane: Lane) -> Rows: ...


class Ledger:
    def __init__(self) -> None:
        self.acknowledged: list[Acknowledged] = []
        self.conflicts = 0
        self.resyncs = 0
        self.expiries = 0
        self._writes: dict[Item, dict[Version, Write]] = {}
        self._made: dict[tuple[int, Lane], list[tuple[Item, Version]]] = {}  # by origin sequence, from 1
        self._applied: dict[tuple[int, Lane, int], int] = {}  # (target, lane, source) -> highest position ever
        self._newest: dict[tuple[int, Item], Version] = {}
        self._disks: list[Replica] = []
        self._collected: dict[tuple[int, Item], Version] = {}  # the last tombstone that a region has collected
        self._expired: dict[tuple[Item, Version], Version] = {}  # by an expiry's version what it removed
        self._forgotten: dict[Item, set[Version]] = {}  # all tombstones that some region has collected
        self.tombstones_collected = 0

    def enter(self, disk: Replica) -> None:
        self._disks.append(disk)

    # Told by the storage

    def committed(self, transaction: Transaction, rows: Rows) -> None:
        """Judges a transaction; `rows` are those of its file. Raises `Violation`."""
        self.resyncs += transaction.needs_resync
        for made in transaction.local:
            self._enter(transaction, made)
        for change in transaction.stored:
            _check_row(transaction, change)
        for conflict in transaction.conflicts:
            self._enter_conflict(transaction, conflict)
        for tombstone in transaction.collected:
            self._enter_collected(transaction, tombstone)
        for source, position in transaction.positions.items():
            before = transaction.positions_before.get(source, Position(0))
            self._check_position(transaction, source, before, position, rows)
        for target, sequence in transaction.followers.items():
            applied = self._applied.get((target, transaction.lane, transaction.region), 0)
            if sequence > applied:
                raise Violation(
                    f"region {target} acknowledged {sequence} to region {transaction.region}, has {applied}"
                )

    def _enter(self, transaction: Transaction, made: LocalWrite) -> None:
        change = decode_change(made.record)
        item = Item(transaction.lane, change.partition_key, change.sort_key)
        collected = self.collected(transaction.region, item)
        parent = made.parent.version if made.parent is not None else collected
        where = f"{item} in region {transaction.region}"
        sequences = self._made.setdefault((transaction.region, transaction.lane), [])
        if change.origin != transaction.region or change.origin_sequence != len(sequences) + 1:
            raise Violation(f"{where}: origin sequence {change.origin_sequence} follows {len(sequences)}")
        seen_parent = parent is None or covers(change.seen, parent) or (made.parent is None and change.version > parent)
        if not covers(change.seen, change.version) or not seen_parent:
            raise Violation(f"{where}: the write {change.version} has not seen what it was made over")
        sequences.append((item, change.version))
        if change.kind is Kind.EXPIRY and made.parent is not None:
            self.expiries += 1
            self._expired[item, change.version] = made.parent.version
        self._writes.setdefault(item, {})[change.version] = Write(change.version, parent, change.seen, change.image)

    def _enter_conflict(self, transaction: Transaction, conflict: FoundConflict) -> None:
        item = transaction.item_of(conflict.key)
        loser, winner = conflict.loser.version, conflict.winner.version
        if loser >= winner:
            raise Violation(f"{item}: the higher version {loser} lost to {winner}")
        expired = self._expired.get((item, winner))
        if expired is not None and expired.timestamp + 1 < loser.timestamp:
            raise Violation(f"{item}: {loser} was written after {expired}, and lost to its expiry {winner}")
        is_forgotten = loser in self._forgotten.get(item, ())  # whoever writes after that has no way to see it
        if not is_forgotten and any(version == loser for version in self.chain(item, winner)):
            raise Violation(f"{item}: {loser} and {winner} are no conflict, one was made over the other")
        self.conflicts += 1

    def _enter_collected(self, transaction: Transaction, tombstone: CollectedTombstone) -> None:
        """No replica may still get an older write of the item: it would bring it back."""
        item, version = transaction.item_of(tombstone.key), tombstone.stored.version
        here = next(disk for disk in self._disks if disk.region == transaction.region)
        names = here.replicas(transaction.lane)
        for disk in self._disks:
            if disk.name not in names or disk is here or not disk.is_followed(transaction.lane):
                continue
            stored = disk.reader(transaction.lane).read(tombstone.key)
            for write in self._writes.get(item, {}).values():
                if write.version <= version and not self._has(disk, item, write.version, stored):
                    raise Violation(
                        f"region {transaction.region} collected the tombstone {version} of {item}, and region"
                        f" {disk.region} has still to get {write.version}"
                    )
        self.tombstones_collected += 1
        self._forgotten.setdefault(item, set()).add(version)
        place = (transaction.region, item)
        self._collected[place] = version
        if self._newest.get(place, no_version) <= version:
            self._newest.pop(place, None)

    def _has(self, disk: Replica, item: Item, version: Version, stored: StoredItem | None) -> bool:
        if stored is not None and covers(stored.seen_vector, version):
            return True
        if version.region == disk.region or version <= (self.collected(disk.region, item) or no_version):
            return True  # what it made itself nobody brings, not even to a later replica
        passed = disk.positions(item.lane).get(version.region, Position(0)).sequence  # a copy may have brought it there
        return (item, version) in self._made[version.region, item.lane][:passed]

    def _check_position(
        self, transaction: Transaction, source: int, before: Position, after: Position, rows: Rows
    ) -> None:
        where = f"region {transaction.region}, partition {transaction.lane.partition}, source {source}"
        if after.sequence < before.sequence:
            raise Violation(f"{where}: the position went back from {before.sequence} to {after.sequence}")
        made = self._made.get((source, transaction.lane), [])
        if after.sequence > len(made):
            raise Violation(f"{where}: position {after.sequence}, but only {len(made)} changes were made")
        for sequence in range(before.sequence + 1, after.sequence + 1):
            item, version = made[sequence - 1]
            stored = rows.read(item.key)
            if version > self.settled(item) and (stored is None or not covers(stored.seen_vector, version)):
                raise Violation(f"{where}: position {after.sequence}, but change {sequence} of {item} is not applied")
        place = (transaction.region, transaction.lane, source)
        self._applied[place] = max(after.sequence, self._applied.get(place, 0))

    # Told by clients

    def acknowledge(self, written: Acknowledged) -> None:
        """Judges what a client was told. Raises `Violation`."""
        item, version = written.item, written.version
        write = self._writes.get(item, {}).get(version)
        if write is None:
            raise Violation(f"{item}: {version} was acknowledged and never committed")
        before = None if write.parent is None else self._writes[item][write.parent]
        if written.over is not None and write.parent != written.over:
            raise Violation(f"{item}: {version} was to replace {written.over}, and replaced {write.parent}")
        if written.over_nothing and before is not None and before.image is not None:
            raise Violation(f"{item}: {version} was to replace nothing, and replaced {write.parent}")
        if written.increment and count_in(write.image) != count_in(None if before is None else before.image) + 1:
            raise Violation(f"{item}: {version} was to count one more than {write.parent}")
        self.acknowledged.append(written)
        place = (written.region, item)
        self._newest[place] = max(version, self._newest.get(place, no_version))

    def newest_acknowledged(self, region: int, item: Item) -> Version:
        """The highest version that a client of a region was told of so far."""
        return self._newest.get((region, item), no_version)

    def collected(self, region: int, item: Item) -> Version | None:
        """The last tombstone of an item that a region has collected."""
        return self._collected.get((region, item))

    # Asked by judges

    def settled(self, item: Item) -> Version:
        """The highest tombstone of an item that some region has collected: what is not above it may be forgotten."""
        return max(self._forgotten.get(item, ()), default=no_version)

    def head(self, region: int, lane: Lane) -> int:
        return len(self._made.get((region, lane), ()))

    def items(self) -> Iterable[Item]:
        return list(self._writes)

    def check_durable(self, region: int, lane: Lane, rows: Rows) -> None:
        """Everything that a region has acknowledged is there after it died."""
        for (place, item), version in self._newest.items():
            if place == region and item.lane == lane:
                stored = rows.read(item.key)
                shown = self.settled(item) if stored is None else stored.version
                if shown < version:
                    raise Violation(f"{item}: region {region} had acknowledged {version} before it died")

    def chain(self, item: Item, version: Version | None) -> Iterator[Version]:
        """A version, what it was made over, what that was made over, and so on."""
        writes = self._writes.get(item, {})
        while version is not None:
            yield version
            write = writes.get(version)
            version = None if write is None else write.parent

    def check_accounted(self, item: Item, *, current: Version | None, losers: Iterable[Version]) -> None:
        """The oracle: every write is on the chain that led to what is current, or to a loser that a conflict log
        shows. Of concurrent writes with equal images, which are no conflict, one stands for the others."""
        writes = self._writes[item]
        accounted: set[Version] = set()
        ends = [*([] if current is None else [current]), *losers, *self._forgotten.get(item, ())]
        while ends:
            for end in ends:
                for version in self.chain(item, end):
                    if version in accounted:
                        break
                    accounted.add(version)
            present = [write for version, write in writes.items() if version in accounted]
            missing = [write for version, write in writes.items() if version not in accounted]
            ends = [write.version for write in missing if any(_stands_for(item, other, write) for other in present)]
        lost = [version for version in writes if version not in accounted]
        if lost:
            told = {each.version for each in self.acknowledged if each.item == item}
            how = "acknowledged" if lost[0] in told else "committed"
            raise Violation(
                f"{item}: the {how} write {lost[0]} is not current ({current}), was not made over, and is in no"
                " conflict log"
            )


def count_in(image: bytes | None) -> int:
    """The count that an item holds."""
    return 0 if image is None else int(decode_item(image).get("tally", {"N": "0"})["N"])


def _check_row(transaction: Transaction, change: StoredChange) -> None:
    before, after = change.before, change.after
    where = f"{transaction.item_of(change.key)} in region {transaction.region}"
    if not covers(after.seen_vector, after.version):
        raise Violation(f"{where}: {after.version} has not seen itself")
    if before is None:
        return
    if after.version < before.version:
        raise Violation(f"{where}: the version went back from {before.version} to {after.version}")
    seen = after.seen_vector
    for region, timestamp in before.seen_vector.items():
        if seen.get(region, 0) < timestamp:
            raise Violation(f"{where}: its vector forgot what it had seen of region {region}")


def _stands_for(item: Item, present: Write, missing: Write) -> bool:
    is_document = item.lane.generation == catalog_generation
    return (
        (present.image == missing.image if is_document else same_image(present.image, missing.image))
        and not covers(present.seen, missing.version)
        and not covers(missing.seen, present.version)
    )
