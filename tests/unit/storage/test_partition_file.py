"""One partition file: its account of itself is always right, and survives being closed."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.region.rules.stored import StoredItem
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partition_state import CopyState, PartitionState
from services.region.storage.reader import PartitionReader
from shared.changes.records import Kind, decode_change
from shared.errors import OperatorError
from shared.feed.port import Position
from shared.versions.versions import encode_seen
from tests.unit.storage.folders import check_account, image_of, key_named, open_file, storage_key


def write(file: PartitionFile, name: str, text: str | None, *, now_us: int = 1_000_000) -> None:
    kind = Kind.DELETE if text is None else Kind.PUT
    key, image = key_named(name), None if text is None else image_of(text)
    file.write_local(key, file.read(key), kind=kind, image=image, now_us=now_us)


def apply(file: PartitionFile, name: str, text: str | None, *, timestamp: int, now_us: int = 0) -> None:
    arrived = StoredItem(timestamp, 2, encode_seen({2: timestamp}), None if text is None else image_of(text))
    file.write_applied(key_named(name), file.read(key_named(name)), arrived, record=b"record", now_us=now_us)


def test_the_account_equals_a_recomputation_by_scan(tmp_path: Path) -> None:
    file = open_file(tmp_path)
    file.begin()
    for number in range(50):
        write(file, f"item {number % 20}", None if number % 7 == 0 else "x" * number)
        apply(file, f"copy {number % 10}", None if number % 5 == 0 else "y" * number, timestamp=number + 1)
    file.commit()
    check_account(PartitionReader(file.path, storage_key))


def test_rollback_puts_counters_back(tmp_path: Path) -> None:
    """Counters run ahead of the file inside a transaction; after a rollback the next sequence must not leave a gap."""
    file = open_file(tmp_path)
    file.begin()
    write(file, "kept", "x")
    file.commit()
    before = file.state.copied()
    file.begin()
    write(file, "kept", None)
    write(file, "gone", "y")
    file.write_position(2, Position(9))
    file.write_follower(3, 9)
    file.state.completeness = CopyState.NEEDS_RESYNC
    file.rollback()
    assert file.state == before
    assert file.logged == []
    file.begin()
    write(file, "next", "z")
    file.commit()
    check_account(PartitionReader(file.path, storage_key))


def test_reopening_restores_everything_that_was_committed(tmp_path: Path) -> None:
    file = open_file(tmp_path)
    file.begin()
    write(file, "a", "x")
    apply(file, "b", "y", timestamp=5)
    file.write_position(2, Position(5, 700))
    file.write_position(2, Position(6, 701))
    file.write_follower(3, 1)
    file.state.completeness = CopyState.NEEDS_RESYNC
    file.commit()
    file.close()
    reopened = open_file(tmp_path)
    assert reopened.state == file.state
    assert reopened.state.positions == {2: Position(6, 701)}
    assert reopened.state.followers == {3: 1}
    assert reopened.state.completeness is CopyState.NEEDS_RESYNC


def test_a_new_file_starts_with_the_state_that_it_is_given(tmp_path: Path) -> None:
    first = PartitionState(origin_sequence=41, completeness=CopyState.COPYING)
    open_file(tmp_path, first_state=first).close()
    state = open_file(tmp_path).state
    assert (state.origin_sequence, state.completeness) == (41, CopyState.COPYING)


def test_a_local_write_beats_what_it_saw_however_slow_the_clock(tmp_path: Path) -> None:
    file = open_file(tmp_path)
    file.begin()
    apply(file, "a", "from a fast clock", timestamp=10_000_000 << 16)
    write(file, "a", "later", now_us=0)
    file.commit()
    stored = file.read(key_named("a"))
    assert stored is not None
    assert stored.timestamp == (10_000_000 << 16) + 1
    assert stored.seen_vector == {1: stored.timestamp, 2: 10_000_000 << 16}


def test_an_applied_change_is_logged_but_not_fed(tmp_path: Path) -> None:
    file = open_file(tmp_path)
    file.begin()
    apply(file, "a", "x", timestamp=5)
    file.commit()
    assert (file.state.sequence, file.state.origin_sequence, file.logged) == (1, 0, [])
    assert not PartitionReader(file.path, storage_key).changes_after(0, bytes_max=1 << 20, rows_max=10)


def test_a_loser_is_kept_once(tmp_path: Path) -> None:
    file = open_file(tmp_path)
    loser, winner = StoredItem(5, 2, b"", image_of("lost")), StoredItem(6, 1, b"", None)
    for now_us in (1, 2):
        file.begin()
        file.write_conflict(key_named("a"), loser=loser, winner=winner, now_us=now_us)
        file.commit()
    kept = file.connection.execute("SELECT loser_timestamp, loser_image, winner_image, found_us FROM conflicts")
    assert list(kept) == [(5, image_of("lost"), None, 1)]


def test_a_follower_never_goes_back(tmp_path: Path) -> None:
    file = open_file(tmp_path)
    file.begin()
    file.write_follower(3, 7)
    file.write_follower(3, 4)
    file.commit()
    file.close()
    assert open_file(tmp_path).state.followers == {3: 7}


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    file = open_file(tmp_path)
    file.connection.execute("UPDATE state SET format = 99")
    path = file.path
    file.close()
    with pytest.raises(OperatorError, match="format 99"):
        open_file(tmp_path)
    reader = PartitionReader(path, storage_key)
    with pytest.raises(OperatorError, match="format 99"):
        reader.is_made()
    reader.close()


def test_a_lane_is_read_in_order_and_cut_at_a_size(tmp_path: Path) -> None:
    file = open_file(tmp_path)
    file.begin()
    for number in range(10):
        write(file, f"item {number}", "x" * 1000)
    file.commit()
    reader = PartitionReader(file.path, storage_key)
    some = reader.changes_after(2, bytes_max=3500, rows_max=100)
    assert [change.origin_sequence for change in some] == [3, 4, 5]
    assert len(reader.changes_after(2, bytes_max=1, rows_max=100)) == 1, "a change larger than the bound still moves on"
    assert len(reader.changes_after(2, bytes_max=1 << 20, rows_max=4)) == 4


def test_tombstones_are_collected_from_the_oldest_on(tmp_path: Path) -> None:
    """Nothing that can be read changes: not an item, not a count, not the digest."""
    file = open_file(tmp_path)
    file.begin()
    for number in range(9):
        apply(file, f"item {number}", "x" if number % 3 == 0 else None, timestamp=100 - number)
    file.commit()
    before = file.state.copied()
    file.begin()
    collected = file.collect_tombstones(below=99, rows_max=3)
    file.commit()
    assert [each.stored.timestamp for each in collected] == [92, 93, 95]
    assert file.state.collected_timestamp == 95
    assert (file.state.item_count, file.state.digest) == (before.item_count, before.digest)
    reader = PartitionReader(file.path, storage_key)
    assert reader.oldest_tombstone() == 96
    check_account(reader)
    file.begin()
    assert [each.stored.timestamp for each in file.collect_tombstones(below=99, rows_max=9)] == [96, 98]
    file.commit()
    assert reader.oldest_tombstone() == 99
    assert file.state.sequence == before.sequence


def test_a_tombstone_is_as_old_as_its_stay_here(tmp_path: Path) -> None:
    """That of an expiry has the timestamp of what has expired, which may be months ago."""
    file = open_file(tmp_path)
    file.begin()
    apply(file, "late", None, timestamp=1 << 16, now_us=9000)
    apply(file, "ahead", None, timestamp=8 << 16, now_us=3000)
    assert file.collect_tombstones(below=8 << 16, rows_max=9) == []
    assert [each.stored.timestamp for each in file.collect_tombstones(below=9 << 16, rows_max=9)] == [8 << 16]
    file.collect_tombstones(below=(9 << 16) + 1, rows_max=9)
    assert file.state.collected_timestamp == 8 << 16
    file.commit()


def test_a_write_over_a_collected_tombstone_beats_it(tmp_path: Path) -> None:
    """Other regions may have it still; a slow clock must not make the write lose against it."""
    file = open_file(tmp_path)
    file.begin()
    apply(file, "a", None, timestamp=10_000_000 << 16)
    file.collect_tombstones(below=2**62, rows_max=9)
    write(file, "a", "again", now_us=0)
    file.commit()
    stored = file.read(key_named("a"))
    assert stored is not None
    assert stored.timestamp == (10_000_000 << 16) + 1


def test_a_dropped_item_leaves_the_account_right_and_a_change_in_the_log(tmp_path: Path) -> None:
    file = open_file(tmp_path)
    file.begin()
    write(file, "a", "x")
    write(file, "b", "y")
    stored = file.read(key_named("a"))
    assert stored is not None
    file.drop_item(key_named("a"), stored, now_us=2_000_000)
    file.commit()
    assert file.read(key_named("a")) is None
    check_account(PartitionReader(file.path, storage_key))
    sequence, is_own, record = file.connection.execute(
        "SELECT sequence, is_own, record FROM changes ORDER BY sequence DESC LIMIT 1"
    ).get
    assert (sequence, is_own, decode_change(record).kind) == (3, 0, Kind.DELETE)


def test_lost_sources_survive_and_are_rolled_back(tmp_path: Path) -> None:
    file = open_file(tmp_path)
    file.begin()
    file.write_lost(frozenset({2, 3}))
    file.commit()
    file.begin()
    file.write_lost(frozenset({3}))
    file.rollback()
    assert file.state.lost == {2, 3}
    file.begin()
    file.write_lost(frozenset({3}))
    file.commit()
    file.close()
    assert open_file(tmp_path).state.lost == {3}


@given(origins=st.lists(st.booleans(), max_size=40), trimmed=st.integers(0, 40), raised=st.integers(0, 3))
def test_own_changes_are_found_among_those_of_others(origins: list[bool], trimmed: int, raised: int) -> None:
    """By bisection over a log whose front is cut off and whose origin sequences may have a gap."""
    with TemporaryDirectory() as folder:
        file = open_file(Path(folder))
        own: dict[int, int] = {}
        file.begin()
        for number, is_own in enumerate(origins, 1):
            if number == len(origins) // 2:
                file.raise_origin_sequence(file.state.origin_sequence + raised)
            if is_own:
                write(file, "own", str(number), now_us=number * 1000)
                own[number] = file.state.origin_sequence
            else:
                apply(file, f"other {number}", "x", timestamp=number, now_us=number * 1000)
        file.trim_changes(min(trimmed, len(origins)))
        file.commit()
        reader = PartitionReader(file.path, storage_key)
        kept = {origin: number for number, origin in own.items() if number > trimmed}
        for after in range(-1, len(origins) + raised + 2):
            changes = reader.changes_after(after, bytes_max=1 << 20, rows_max=5)
            assert [change.origin_sequence for change in changes] == [each for each in kept if each > after][:5]
            assert reader.commit_us_of(after) == kept.get(after, 0) * 1000
        reader.close()
        file.close()
