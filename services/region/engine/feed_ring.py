"""The most recent records of this region's feed, in memory: a bounded ring of changes and heartbeats in commit order.

A cursor names a place in the ring of one life of the process; one that the ring does not hold, or never held, is told
to be lost, and its owner goes on from the files.
"""

import asyncio
import re
import secrets
from asyncio import Future
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from services.region.storage.partition_file import LoggedChange
from shared.changes.batches import Delivery
from shared.changes.records import Lane
from shared.limits import feed_ring_bytes_max

_entry_number = re.compile(r"[0-9]{1,18}")


class RingEntry(NamedTuple):
    """A change or a heartbeat."""

    delivery: Delivery | None
    heartbeat: bytes | None
    size_bytes: int


class FeedRing:
    """The most recent records of this region's feed, numbered 1, 2, 3 … within one life of the process."""

    def __init__(self, bytes_max: int = feed_ring_bytes_max) -> None:
        self._epoch = secrets.token_hex(8)
        self._bytes_max = bytes_max
        self._entries: deque[RingEntry] = deque()
        self._size_bytes = 0
        self._last = 0
        self._waiting: list[Future[None]] = []

    @property
    def cursor(self) -> str:
        return self._cursor_at(self._last)

    def append(self, lane: Lane, changes: Sequence[LoggedChange]) -> None:
        for sequence, record in changes:
            self._push(RingEntry(Delivery(lane, sequence, record), None, len(record)))
        self._wake()

    def append_heartbeat(self, record: bytes) -> None:
        self._push(RingEntry(None, record, len(record)))
        self._wake()

    def after(self, cursor: str) -> Sequence[RingEntry] | None:
        """Entries after a cursor, oldest first; None when the ring no longer, or never, held that place."""
        epoch, _, number = cursor.partition(":")
        if epoch != self._epoch or _entry_number.fullmatch(number) is None:
            return None
        missing = self._last - int(number)
        if not 0 <= missing <= len(self._entries):
            return None
        return list(islice(reversed(self._entries), missing))[::-1]

    def cursor_after(self, cursor: str, entries: int) -> str:
        return self._cursor_at(int(cursor.partition(":")[2]) + entries)

    async def wait(self, timeout_s: float) -> None:
        """Until something is appended, or the time is over."""
        arrived: Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(arrived)
        await asyncio.wait((arrived,), timeout=timeout_s)

    def _cursor_at(self, number: int) -> str:
        return f"{self._epoch}:{number}"

    def _push(self, entry: RingEntry) -> None:
        self._entries.append(entry)
        self._last += 1
        self._size_bytes += entry.size_bytes
        while self._size_bytes > self._bytes_max:
            self._size_bytes -= self._entries.popleft().size_bytes

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for arrived in waiting:
            if not arrived.done():
                arrived.set_result(None)
