"""What a transaction sees and what comes of that: items as its round has them, and the changes that it decides."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from services.region.rules.stored import StoredItem
from services.region.storage.partitions import Partition
from shared.changes.records import Kind, Lane
from shared.model.keys import ItemKey
from shared.versions.versions import next_timestamp, with_entry

_work_per_turn = 32
_bytes_per_work = 8192


class Place(NamedTuple):
    """Where an item is."""

    lane: Lane
    key: ItemKey


class DecidedChange(NamedTuple):
    place: Place
    kind: Kind
    item: StoredItem


class Outcome(NamedTuple):
    """What a member decided: the answer to its request, what is to be written, and what to tell a repeated request."""

    answer: Any
    changes: Sequence[DecidedChange] = ()
    read_units: bytes = b""


class View:
    """Items as the members of a round see them: what is committed, and over it what earlier members have decided."""

    def __init__(self, partitions: Mapping[Lane, Partition], *, region: int, now_us: int) -> None:
        self._partitions = partitions
        self._region = region
        self._now_us = now_us
        self.decided_bytes = 0
        self._decided: dict[Place, StoredItem] = {}
        self._work = 0

    async def read(self, place: Place) -> StoredItem | None:
        """Gives way to other requests now and then."""
        if self._work > _work_per_turn:
            self._work = 0
            await asyncio.sleep(0)
        stored = self._decided.get(place) or self._partitions[place.lane].read(place.key)
        self._work += 1 if stored is None or stored.image is None else 1 + len(stored.image) // _bytes_per_work
        return stored

    def change(self, place: Place, stored: StoredItem | None, *, kind: Kind, image: bytes | None) -> DecidedChange:
        """A change over what was read, with its version."""
        collected = self._partitions[place.lane].state.collected_timestamp
        timestamp = next_timestamp(self._now_us, collected if stored is None else stored.timestamp)
        seen = with_entry(b"" if stored is None else stored.seen, self._region, timestamp)
        return DecidedChange(place, kind, StoredItem(timestamp, self._region, seen, image))

    def take(self, changes: Iterable[DecidedChange]) -> None:
        for place, _, item in changes:
            self._decided[place] = item
            self.decided_bytes += len(item.image or b"")
