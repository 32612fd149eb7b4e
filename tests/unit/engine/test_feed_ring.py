"""The tail of recent changes: nothing is left out behind a follower's back."""

import asyncio
from collections.abc import Sequence

import pytest

from services.region.engine.feed_ring import FeedRing
from services.region.storage.partition_file import LoggedChange
from shared.changes.records import Lane
from shared.model.tables import Generation

lane = Lane(Generation(b"g" * 16), 0)


def append(ring: FeedRing, *sequences: int, size_bytes: int = 10) -> None:
    ring.append(lane, [LoggedChange(sequence, bytes(size_bytes)) for sequence in sequences])


def sequences_after(ring: FeedRing, cursor: str) -> Sequence[int] | None:
    entries = ring.after(cursor)
    return None if entries is None else [entry.delivery.sequence for entry in entries if entry.delivery is not None]


def test_cursors_continue_where_the_one_before_ended() -> None:
    ring = FeedRing()
    cursor, found = ring.cursor, []
    for first in (1, 4, 7):
        append(ring, first, first + 1, first + 2)
        entries = ring.after(cursor)
        assert entries is not None
        found += [entry.delivery.sequence for entry in entries if entry.delivery is not None]
        cursor = ring.cursor_after(cursor, len(entries))
        assert cursor == ring.cursor
    assert found == list(range(1, 10))
    assert sequences_after(ring, cursor) == []


def test_a_cursor_may_stop_inside_what_was_appended() -> None:
    ring = FeedRing()
    start = ring.cursor
    append(ring, 1, 2, 3)
    assert sequences_after(ring, ring.cursor_after(start, 2)) == [3]


def test_a_follower_that_fell_too_far_behind_is_told() -> None:
    ring = FeedRing(bytes_max=100)
    start = ring.cursor
    append(ring, *range(1, 11))
    assert sequences_after(ring, start) == list(range(1, 11)), "all of it still fits"
    append(ring, 11)
    assert sequences_after(ring, start) is None
    assert sequences_after(ring, ring.cursor_after(start, 1)) == list(range(2, 12))


def test_a_change_larger_than_the_ring_interrupts_everybody() -> None:
    ring = FeedRing(bytes_max=100)
    start = ring.cursor
    append(ring, 1, size_bytes=101)
    assert sequences_after(ring, start) is None
    assert sequences_after(ring, ring.cursor) == []


def test_a_cursor_of_an_earlier_life_is_unknown() -> None:
    """After a restart the numbers begin anew; an old cursor must not be taken for a new place."""
    before, now = FeedRing(), FeedRing()
    append(before, 1)
    append(now, 1, 2)
    assert sequences_after(now, before.cursor) is None


@pytest.mark.parametrize("number", ["", "-1", "1", "x", "٣", " 0", "9" * 5000])
def test_a_number_that_was_never_given_out_is_unknown(number: str) -> None:
    ring = FeedRing()
    epoch = ring.cursor.partition(":")[0]
    assert ring.after(f"{epoch}:{number}") is None


async def test_whoever_waits_is_woken_by_the_next_entry() -> None:
    ring = FeedRing()
    waiting = [asyncio.create_task(ring.wait(60)) for _ in range(3)]
    await asyncio.sleep(0)
    ring.append_heartbeat(b"heartbeat")
    await asyncio.gather(*waiting)


async def test_waiting_ends_without_an_entry() -> None:
    await FeedRing().wait(0)
