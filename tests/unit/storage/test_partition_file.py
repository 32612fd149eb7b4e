"""One partition file: its account of itself is always right, and survives being closed."""

from pathlib import Path

import pytest

from services.region.rules.stored import StoredItem
from services.region.storage.partition_file import CopyState, PartitionFile, PartitionState
from services.region.storage.reader import PartitionReader
from shared.changes.records import Kind
from shared.errors import CorruptRecordError
from shared.feed.port import Position
from shared.versions.versions import encode_seen
from tests.unit.storage.folders import check_account, image_of, key_named, open_file, storage_key


def write(file: PartitionFile, name: str, text: str | None, *, now_us: int = 1_000_000) -> None:
    kind = Kind.DELETE if text is None else Kind.PUT
    key, image = key_named(name), None if text is None else image_of(text)
    file.write_local(key, file.read(key), kind=kind, image=image, now_us=now_us)


def apply(file: PartitionFile, name: str, text: str | None, *, timestamp: int) -> None:
    arrived = StoredItem(timestamp, 2, encode_seen({2: timestamp}), None if text is None else image_of(text))
    file.write_applied(key_named(name), file.read(key_named(name)), arrived, record=b"record", now_us=1_000_000)


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
    file.close()
    with pytest.raises(CorruptRecordError, match="format 99"):
        open_file(tmp_path)


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
