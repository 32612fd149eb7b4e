"""The writing side of one partition file: items, change log, conflicts and positions, inside one transaction.

Used by one thread at a time, the partition's writer. Between `begin` and `commit` the file's counters run ahead of
what is stored; `rollback` puts them back. Sequences, counts and digest are stored once per transaction.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from services.region.rules.digests import digest_bytes, digest_modulus, item_digest
from services.region.rules.stored import StoredItem
from services.region.storage import statements
from services.region.storage.connections import open_writer
from services.region.storage.index_entries import (
    FileIndex,
    IndexPhase,
    build_index,
    create_index,
    drop_entries,
    maintain_indexes,
    write_indexes,
)
from services.region.storage.partition_state import PartitionState, open_state
from services.region.storage.write_ahead_log import WriteAheadLog
from shared.changes.records import Kind, Lane, encode_change
from shared.durability import make_folder
from shared.feed.port import Position
from shared.limits import slots
from shared.model.indexes import SecondaryIndex
from shared.model.keys import ItemKey
from shared.versions.versions import SeenVector, Version, encode_seen, next_timestamp, timestamp_at, with_entry


class LoggedChange(NamedTuple):
    """A change made here, as the feed carries it."""

    origin_sequence: int
    record: bytes


class CollectedTombstone(NamedTuple):
    key: ItemKey
    stored: StoredItem


class PartitionFile:
    """An open partition file; `region` is the number of the region whose replica it holds."""

    def __init__(self, path: Path, key: bytes, *, lane: Lane, region: int, first_state: PartitionState) -> None:
        """Opens the file, or makes it with `first_state` when it is not there."""
        self.path = path
        self.lane = lane
        self.region = region
        self.logged: list[LoggedChange] = []  # changes made here in the open transaction
        make_folder(path.parent)
        self.connection = open_writer(path, key)
        self.log = WriteAheadLog(self.connection)
        self._execute = self.connection.cursor().execute  # of statements that every write runs: one cursor, used again
        self.state = open_state(self.connection, path, first_state)
        self._before = self.state

    # Transactions

    def begin(self) -> None:
        self._before = self.state.copied()
        self.logged = []
        self._execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        state = self.state
        if state.indexes:
            write_indexes(self.connection, state.indexes, self._before.indexes)
        self._execute(
            statements.write_state,
            (
                state.sequence,
                state.origin_sequence,
                state.published_sequence,
                state.trimmed_sequence,
                state.item_count,
                state.size_bytes,
                state.digest.to_bytes(digest_bytes),
                state.completeness,
                state.head_us,
                state.collected_timestamp,
            ),
        )
        self._execute("COMMIT")

    def rollback(self) -> None:
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        self.state = self._before
        self.logged = []

    # Items

    def read(self, key: ItemKey) -> StoredItem | None:
        row = self._execute(statements.read_item, key).get
        return None if row is None else StoredItem(*row)

    def write_local(
        self, key: ItemKey, stored: StoredItem | None, *, kind: Kind, image: bytes | None, now_us: int
    ) -> Version:
        """Stores a change made here over what was read, with its change row; the version that it got.

        Where nothing is stored there may have been a tombstone, which others still have: the version beats that too.
        """
        timestamp = next_timestamp(now_us, self.state.collected_timestamp if stored is None else stored.timestamp)
        return self.write_decided(key, stored, kind=kind, image=image, timestamp=timestamp, now_us=now_us)

    def write_decided(
        self,
        key: ItemKey,
        stored: StoredItem | None,
        *,
        kind: Kind,
        image: bytes | None,
        timestamp: int,
        now_us: int,
    ) -> Version:
        """As `write_local`, with a timestamp that was decided before; it beats what is stored."""
        version = Version(timestamp, self.region)
        seen = with_entry(b"" if stored is None else stored.seen, self.region, timestamp)
        self.state.origin_sequence += 1
        self.state.head_us = now_us
        origin_sequence = self.state.origin_sequence
        record = encode_change(
            kind,
            self.lane,
            version=version,
            origin_sequence=origin_sequence,
            seen=seen,
            commit_us=now_us,
            partition_key=key.partition,
            sort_key=key.sort,
            image=image,
        )
        self._store(key, stored, StoredItem(timestamp, self.region, seen, image), now_us=now_us)
        self._log(record, commit_us=now_us, stored=stored, is_own=True)
        self.logged.append(LoggedChange(origin_sequence, record))
        return version

    def write_applied(
        self, key: ItemKey, stored: StoredItem | None, arrived: StoredItem, *, record: bytes, now_us: int
    ) -> None:
        """Stores a change made elsewhere that replaces what was read; it enters the log but not the feed."""
        self._store(key, stored, arrived, now_us=now_us)
        self._log(record, commit_us=now_us, stored=stored, is_own=False)

    def write_seen(self, key: ItemKey, seen: SeenVector) -> None:
        """Grows the seen vector of a stored item that stays."""
        self.connection.execute(statements.write_seen, (encode_seen(seen), key.slot, key.partition, key.sort))

    def write_conflict(self, key: ItemKey, *, loser: StoredItem, winner: StoredItem, now_us: int) -> None:
        self.connection.execute(
            statements.append_conflict,
            (
                key.partition,
                key.sort,
                loser.timestamp,
                loser.region,
                loser.image,
                winner.timestamp,
                winner.region,
                winner.image,
                now_us,
            ),
        )

    def drop_item(self, key: ItemKey, stored: StoredItem, *, now_us: int) -> None:
        """Removes an item of which others have collected the tombstone; the log shows it as deleted."""
        self._drop(key)
        if stored.image is None:
            return
        state = self.state
        if state.indexes:
            maintain_indexes(self.connection, state.indexes, key, old=stored.image, new=None)
        state.item_count -= 1
        state.size_bytes -= len(key.partition) + len(key.sort) + len(stored.image)
        state.digest = (state.digest - item_digest(key, stored)) % digest_modulus
        record = encode_change(
            Kind.DELETE,
            self.lane,
            version=stored.version,
            origin_sequence=0,
            seen=stored.seen,
            commit_us=now_us,
            partition_key=key.partition,
            sort_key=key.sort,
            image=None,
        )
        self._log(record, commit_us=now_us, stored=stored, is_own=False)

    def collect_tombstones(self, *, below: int, rows_max: int) -> Sequence[CollectedTombstone]:
        """Removes the oldest tombstones, those here since before a timestamp. Nothing that can be read changes."""
        rows: list[Any] = self.connection.execute(statements.read_tombstones, (below, rows_max)).fetchall()
        collected = [
            CollectedTombstone(ItemKey(slot, pk, sk), StoredItem(timestamp, origin, seen, None))
            for slot, pk, sk, timestamp, origin, seen in rows
        ]
        for tombstone in collected:
            self._drop(tombstone.key)
        if collected:
            highest = max(tombstone.stored.timestamp for tombstone in collected)
            self.state.collected_timestamp = max(self.state.collected_timestamp, highest)
        return collected

    # Indexes

    def want_indexes(self, wanted: Sequence[SecondaryIndex]) -> None:
        """From here on the file keeps these indexes and no others; what it has to do for that comes in slices."""
        held = self.state.indexes
        numbers = {index.number for index in wanted}
        for each in held:
            if each.index.number not in numbers:
                each.phase = IndexPhase.REMOVING
        known = {each.index.number for each in held}
        for index in wanted:
            if index.number not in known:
                added = FileIndex(index, IndexPhase.BUILDING)
                create_index(self.connection, added)
                held.append(added)

    def work_on_indexes(self, *, rows_max: int) -> bool:
        """One slice of what is left to do for an index; whether there is more."""
        held = self.state.indexes
        unfinished = [each for each in held if each.phase is not IndexPhase.BUILT]
        if not unfinished:
            return False
        first = unfinished[0]
        if first.phase is IndexPhase.BUILDING:
            build_index(self.connection, first, end_slot=slots, rows_max=rows_max)
        elif drop_entries(self.connection, first, rows_max=rows_max):
            held.remove(first)
        return any(each.phase is not IndexPhase.BUILT for each in held)

    def collection_bytes(self, key: ItemKey) -> int:
        """Size of the items with this partition key and of what local indexes hold of them."""
        size_bytes: int | None = self.connection.execute(statements.read_collection_size, (key.slot, key.partition)).get
        return size_bytes or 0

    # Replication bookkeeping

    def write_dead_letter(self, source: int, position: Position, *, reason: str, record: bytes, now_us: int) -> None:
        self.connection.execute(
            statements.append_dead_letter, (source, position.sequence, position.offset, reason, record, now_us)
        )
        count = self.state.dead_letters.get(source, 0) + self.connection.changes()
        self.state.dead_letters = {**self.state.dead_letters, source: count}

    def write_position(self, source: int, position: Position) -> None:
        self.connection.execute(statements.write_position, (source, *position))
        self.state.positions[source] = position

    def write_lost(self, sources: frozenset[int]) -> None:
        """From which sources this partition can't go on: their next changes are in no log any more."""
        for source in sources - self.state.lost:
            self.connection.execute(statements.write_lost_source, (source,))
        for source in self.state.lost - sources:
            self.connection.execute(statements.clear_lost_source, (source,))
        self.state.lost = sources

    def write_follower(self, region: int, sequence: int) -> None:
        if sequence > self.state.followers.get(region, -1):
            self.connection.execute(statements.write_follower, (region, sequence))
            self.state.followers[region] = sequence

    def trim_changes(self, through: int) -> None:
        """Drops the oldest changes, up to a sequence, from the log."""
        self.connection.execute(statements.trim_changes, (through,))
        self.state.trimmed_sequence = max(self.state.trimmed_sequence, through)

    def raise_origin_sequence(self, at_least: int) -> None:
        """Never hands out an origin sequence again that others have seen of an earlier life of this replica."""
        if at_least > self.state.origin_sequence:
            self.state.origin_sequence, self.state.head_us = at_least, 0

    # The file

    def checkpoint(self, *, pages_min: int) -> None:
        self.log.checkpoint(self.connection, pages_min=pages_min)

    def close(self) -> None:
        self.connection.close()

    def _drop(self, key: ItemKey) -> None:
        self.connection.execute(statements.drop_item, (key.slot, key.partition, key.sort))

    def _store(self, key: ItemKey, stored: StoredItem | None, item: StoredItem, *, now_us: int) -> None:
        timestamp, image = item.timestamp, item.image
        # The tombstone of an expiry is as old as what has expired, and yet others have still to get it.
        tombstone_since = max(timestamp, timestamp_at(now_us)) if image is None else None
        if stored is None:
            self._execute(statements.create_item, (*key, *item, tombstone_since))
        else:
            self._execute(statements.replace_item, (*item, tombstone_since, *key))
        state = self.state
        if state.indexes:
            old_image = None if stored is None else stored.image
            maintain_indexes(self.connection, state.indexes, key, old=old_image, new=image)
        key_size = len(key.partition) + len(key.sort)
        if stored is not None and stored.image is not None:
            state.item_count -= 1
            state.size_bytes -= key_size + len(stored.image)
        if image is not None:
            state.item_count += 1
            state.size_bytes += key_size + len(image)
        state.digest = (state.digest - item_digest(key, stored) + item_digest(key, item)) % digest_modulus

    def _log(self, record: bytes, *, commit_us: int, stored: StoredItem | None, is_own: bool) -> None:
        state = self.state
        state.sequence += 1
        old_image = None if stored is None else stored.image
        self._execute(
            statements.append_change, (state.sequence, is_own, state.origin_sequence, commit_us, record, old_image)
        )
